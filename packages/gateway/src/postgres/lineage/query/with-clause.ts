/** WITH: which queries see which (parse_cte.c). A query that names itself is followed until nothing new is carried. */
import { asKind, stringsOf } from '../../inspect/parse/tree.ts';
import type { NodeOf } from '../../inspect/parse/tree.ts';
import type { Fixed, LineageContext, NamedValue, QueryColumns, Value } from '../port.ts';
import { UnknownLineage } from '../port.ts';
import { FREE_VALUE, derivedOf, isRegulated, unknownOf } from '../value.ts';
import { derivedFrom } from './expression.ts';
import { lineageOfQuery } from './query-node.ts';
import { emptyScope, restOf } from './scope.ts';
import type { CommonTable, Scope } from './scope.ts';
import { lineageOfSelect } from './select.ts';
import { isSetOperation, together } from './set-operations.ts';

/** Each round carries something new into some column, or ends it. */
const MAX_ROUNDS = 100;

/** Puts the queries of a WITH clause into the scope and follows each of them, used or not. */
export function addWith(
  clause: NodeOf<'WithClause'> | undefined,
  scope: Scope,
  context: LineageContext,
): void {
  if (clause === undefined) return;
  const isRecursive = clause.recursive === true;
  const tables: Table[] = [];
  for (const node of clause.ctes ?? []) {
    const expression = asKind(node, 'CommonTableExpr');
    if (expression?.ctequery === undefined) throw new UnknownLineage('CommonTableExpr');
    // Each of a plain WITH sees those before it; each of WITH RECURSIVE sees all, itself too.
    const around: Scope = { ...emptyScope(scope.parent), tables: isRecursive ? tables : [...tables] };
    tables.push(new Table(expression, isRecursive, around, context));
  }
  for (const table of tables) table.columns();
  scope.tables = tables;
}

class Table implements CommonTable {
  readonly name: string;
  readonly isRecursive: boolean;
  readonly #expression: NodeOf<'CommonTableExpr'>;
  readonly around: Scope;
  readonly #context: LineageContext;
  #columns: QueryColumns | undefined;
  #isInProgress = false;
  #namesItself = false;

  constructor(
    expression: NodeOf<'CommonTableExpr'>,
    isRecursive: boolean,
    around: Scope,
    context: LineageContext,
  ) {
    this.name = expression.ctename ?? '';
    this.isRecursive = isRecursive;
    this.#expression = expression;
    this.around = around;
    this.#context = context;
  }

  get query(): NonNullable<NodeOf<'CommonTableExpr'>['ctequery']> {
    return this.#expression.ctequery!;
  }

  columns(): QueryColumns {
    if (this.#isInProgress) {
      this.#namesItself = true;
      // Before its first part is known it cannot be named, except by what the server refuses.
      return this.#columns ?? { columns: [], isOpen: true, rest: [] };
    }
    if (this.#columns !== undefined) return this.#columns;
    this.#isInProgress = true;
    const { collector } = this.#context;
    const mark = collector.mark();
    for (let round = 0; round < MAX_ROUNDS; round++) {
      // What was told in a round that did not know everything yet is told again in the last one.
      collector.reset(mark);
      const before: QueryColumns | undefined = this.#columns;
      const found = this.#named(this.#follow());
      this.#columns = before === undefined ? found : again(before, found);
      if (!this.#namesItself || (before !== undefined && isSame(before, this.#columns))) {
        this.#isInProgress = false;
        return this.#columns;
      }
    }
    throw new UnknownLineage('WITH RECURSIVE');
  }

  #follow(): QueryColumns {
    const select = asKind(this.query, 'SelectStmt');
    if (select === undefined || !isSetOperation(select))
      return lineageOfQuery(this.query, this.around, this.#context);
    return lineageOfSelect(select, this.around, this.#context, (first) => {
      this.#columns ??= this.#named(first);
    });
  }

  /** With the names of `name (a, b)`, and the columns that SEARCH and CYCLE add. */
  #named(query: QueryColumns): QueryColumns {
    const { aliascolnames, search_clause: search, cycle_clause: cycle } = this.#expression;
    const names = stringsOf(aliascolnames) ?? [];
    const rest = query.isOpen ? unknownOf(restOf(query)) : undefined;
    const columns: NamedValue[] = [
      ...names.map((name, index) => ({
        name,
        value: rest ?? query.columns[index]?.value ?? FREE_VALUE,
      })),
      ...query.columns.slice(names.length),
    ];
    if (search?.search_seq_column !== undefined) {
      const value = this.#carried(stringsOf(search.search_col_list), columns);
      columns.push({ name: search.search_seq_column, value });
    }
    if (cycle !== undefined) this.#addCycle(cycle, columns);
    return { ...query, columns };
  }

  /** Rows are compared with those before: whether they are alike ends it. */
  #addCycle(cycle: NodeOf<'CTECycleClause'>, columns: NamedValue[]): void {
    const path = this.#carried(stringsOf(cycle.cycle_col_list), columns);
    const { cycle_mark_value: value, cycle_mark_default: otherwise } = cycle;
    const mark = derivedFrom([value, otherwise], this.around, this.#context);
    this.#context.collector.oracle('group', path.sources);
    if (cycle.cycle_mark_column !== undefined) columns.push({ name: cycle.cycle_mark_column, value: mark });
    if (cycle.cycle_path_column !== undefined) columns.push({ name: cycle.cycle_path_column, value: path });
  }

  #carried(names: readonly string[] | undefined, columns: readonly NamedValue[]): Value {
    return derivedOf(columns.filter(({ name }) => names?.includes(name) === true).map(({ value }) => value));
  }
}

/** What a round adds to those before. The names are those of the first. */
function again(before: QueryColumns, found: QueryColumns): QueryColumns {
  const all = together(before, found);
  if (all.isOpen) return { ...before, isOpen: true, rest: restOf(all) };
  const columns = all.columns.map(({ name, value }, index) => {
    const { fixed } = before.columns[index]!.value;
    // What each round makes of the caller's constants is no constant: nobody can count it.
    const grows = (value.size ?? 1) > (before.columns[index]!.value.size ?? 1);
    const counted = isSameFixed(fixed, value.fixed) ? value : unfixed(value);
    return { name, value: grows ? { ...counted, size: Number.MAX_VALUE } : counted };
  });
  return { ...all, columns };
}

const unfixed = (value: Value): Value => ({ ...value, fixed: undefined, isOther: true });

const isSameFixed = (one: Fixed | undefined, other: Fixed | undefined): boolean =>
  one?.constants.length === other?.constants.length && one?.parameters.length === other?.parameters.length;

function isSame(before: QueryColumns, after: QueryColumns): boolean {
  if (before.isOpen !== after.isOpen || restOf(before).length !== restOf(after).length) return false;
  return before.columns.every(({ value }, index) => {
    const other = after.columns[index]?.value;
    return other !== undefined && isSameValue(value, other);
  });
}

const isSameValue = (one: Value, other: Value): boolean =>
  one.sources.length === other.sources.length &&
  (!isRegulated(one) || (one.how === other.how && one.form === other.form)) &&
  one.isOther === other.isOther &&
  (one.size ?? 1) === (other.size ?? 1) &&
  one.origin === other.origin &&
  isSameFixed(one.fixed, other.fixed);
