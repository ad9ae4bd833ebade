/** WITH: which queries see which, and when each is analysed (parse_cte.c). */
import { asKind, stringsOf } from '../parse/tree.ts';
import type { NodeOf } from '../parse/tree.ts';
import type { QueryContext } from './context.ts';
import { UnreadableStatement } from './demands.ts';
import { analyzeExpression } from './expression.ts';
import { analyzeQueryNode } from './query-node.ts';
import { emptyScope } from './scope.ts';
import type { CommonTable, Output, Scope } from './scope.ts';
import { analyzeSelect } from './select.ts';

/**
 * Puts the queries of a WITH clause into the scope and analyses each of them once, used or not. They see what is around the statement, not
 * its FROM: the scope has no items yet.
 */
export function analyzeWith(
  clause: NodeOf<'WithClause'> | undefined,
  scope: Scope,
  context: QueryContext,
): void {
  if (clause === undefined) return;
  const isRecursive = clause.recursive === true;
  const tables: Table[] = [];
  for (const node of clause.ctes ?? []) {
    const expression = asKind(node, 'CommonTableExpr');
    if (expression === undefined) throw new UnreadableStatement('unknown-expression');
    // Each of a plain WITH sees those before it; each of WITH RECURSIVE sees all, itself too.
    const around: Scope = { ...emptyScope(scope.parent), tables: isRecursive ? tables : [...tables] };
    tables.push(new Table(expression, around, context));
  }
  for (const table of tables) table.output();
  scope.tables = tables;
}

const UNKNOWN: Output = { columns: [], isOpen: true, items: [] };

class Table implements CommonTable {
  readonly name: string;
  readonly #expression: NodeOf<'CommonTableExpr'>;
  readonly #around: Scope;
  readonly #context: QueryContext;
  #output: Output | undefined;
  #isInProgress = false;

  constructor(expression: NodeOf<'CommonTableExpr'>, around: Scope, context: QueryContext) {
    this.name = expression.ctename ?? '';
    this.#expression = expression;
    this.#around = around;
    this.#context = context;
  }

  output(): Output {
    if (this.#output !== undefined) return this.#output;
    // A query that is recursive names itself: with the columns of its first part, which are known by then.
    if (this.#isInProgress) return UNKNOWN;
    this.#isInProgress = true;
    const query = this.#expression.ctequery!;
    const select = asKind(query, 'SelectStmt');
    const output =
      select === undefined
        ? analyzeQueryNode(query, this.#around, this.#context)
        : analyzeSelect(select, this.#around, this.#context, (first) => {
            this.#output = this.#named(first);
          });
    this.#output = this.#named(output);
    return this.#output;
  }

  /** With the names of `name (a, b)`, and the columns that SEARCH and CYCLE add. */
  #named(output: Output): Output {
    const { aliascolnames, search_clause, cycle_clause } = this.#expression;
    const names = stringsOf(aliascolnames) ?? [];
    const columns = [...names, ...output.columns.slice(names.length)];
    if (search_clause?.search_seq_column !== undefined) columns.push(search_clause.search_seq_column);
    if (cycle_clause !== undefined) {
      if (cycle_clause.cycle_mark_column !== undefined) columns.push(cycle_clause.cycle_mark_column);
      if (cycle_clause.cycle_path_column !== undefined) columns.push(cycle_clause.cycle_path_column);
      analyzeExpression(cycle_clause.cycle_mark_value, this.#around, this.#context);
      analyzeExpression(cycle_clause.cycle_mark_default, this.#around, this.#context);
    }
    return { columns, isOpen: output.isOpen, items: [] };
  }
}
