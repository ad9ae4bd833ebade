/** Whether a query level shows that each of its groups has the minimum size. */
import { findRelation, parseCatalogText } from '../../inspect/query/analyze-query.ts';
import { asKind, stringOf, stringsOf } from '../../inspect/parse/tree.ts';
import type { Node, NodeOf } from '../../inspect/parse/tree.ts';
import type { LineageContext } from '../port.ts';
import { catalogContext } from './catalog-context.ts';
import { conjuncts, nameInCatalog } from './conjuncts.ts';
import { countedTables } from './key-joins.ts';
import { emptyScope, findTable } from './scope.ts';
import type { Counted, Scope } from './scope.ts';

type Select = NodeOf<'SelectStmt'>;

/**
 * `HAVING count(*) >= n`, alone or with others by AND, with n at least the minimum, over the rows of one table, alone or with what its foreign keys point at: any other join,
 * UNION or a function that returns rows could count the same row many times.
 *
 * @param scope with the items of FROM.
 * @returns undefined: it is not shown.
 */
export function countedBy(select: Select, scope: Scope, context: LineageContext): Counted | undefined {
  const conditions = conjuncts(select.havingClause);
  if (!conditions.some((condition) => saysGroupSize(condition, context))) return undefined;
  if (isOneTable(select, scope, context, 0)) return { items: scope.items, isAll: true };
  const names = countedTables(select, scope, context);
  const items = scope.items.filter(({ name }) => name !== undefined && names.includes(name));
  return items.length === 0 ? undefined : { items, isAll: false };
}

/** `count(*) >= n`, `n <= count(*)`, or with `>` and `<`. */
function saysGroupSize(node: Node, context: LineageContext): boolean {
  const comparison = asKind(node, 'A_Expr');
  if (comparison?.kind !== 'AEXPR_OP') return false;
  const operator = nameInCatalog(stringsOf(comparison.name), 'operator', context);
  const { lexpr, rexpr } = comparison;
  switch (operator) {
    case '>=':
      return isCount(lexpr, context) && integerOf(rexpr) >= context.rules.minGroup;
    case '>':
      return isCount(lexpr, context) && integerOf(rexpr) + 1 >= context.rules.minGroup;
    case '<=':
      return isCount(rexpr, context) && integerOf(lexpr) >= context.rules.minGroup;
    case '<':
      return isCount(rexpr, context) && integerOf(lexpr) + 1 >= context.rules.minGroup;
    default:
      return false;
  }
}

const integerOf = (node: Node | undefined): number =>
  asKind(node, 'A_Const')?.ival?.ival ?? Number.NEGATIVE_INFINITY;

function isCount(node: Node | undefined, context: LineageContext): boolean {
  const call = asKind(node, 'FuncCall');
  if (call?.agg_star !== true || call.agg_filter !== undefined || call.over !== undefined) return false;
  return nameInCatalog(stringsOf(call.funcname), 'routine', context) === 'count';
}

/** Views and WITH queries within each other: as deep as anybody writes. */
const MAX_DEPTH = 20;

/** FROM is one table, or something that has at most a row for each row of one. */
function isOneTable(select: Select, scope: Scope, context: LineageContext, depth: number): boolean {
  const [only, ...others] = select.fromClause ?? [];
  if (only === undefined || others.length > 0 || depth > MAX_DEPTH) return false;
  const subselect = asKind(only, 'RangeSubselect');
  if (subselect !== undefined)
    return isRowForRow(asKind(subselect.subquery, 'SelectStmt'), scope, context, depth + 1);
  const range = asKind(only, 'RangeVar');
  if (range?.relname === undefined) return false;
  const { schemaname: schema, relname: name, catalogname: database } = range;
  const table = schema === undefined ? findTable(scope, name) : undefined;
  if (table !== undefined)
    return (
      !table.isRecursive && isRowForRow(asKind(table.query, 'SelectStmt'), table.around, context, depth + 1)
    );
  const found = findRelation({ database, schema, name }, context.query);
  // One of the session's own may have been filled with copies of a row.
  if (found?.relation === undefined || found.temporary !== undefined) return false;
  const { kind, definition } = found.relation;
  if (kind === 'table' || kind === 'partitioned-table') return true;
  if (kind !== 'view' || definition === undefined) return false;
  const within = catalogContext(context, context.collector);
  return isRowForRow(asKind(parseCatalogText(definition), 'SelectStmt'), undefined, within, depth + 1);
}

/** A query that gives at most one row for each of its table: nothing but names in its list, which no function can multiply. */
function isRowForRow(
  select: Select | undefined,
  scope: Scope | undefined,
  context: LineageContext,
  depth: number,
): boolean {
  if (select === undefined || select.withClause !== undefined || select.valuesLists !== undefined)
    return false;
  if (select.op !== undefined && select.op !== 'SETOP_NONE') return false;
  if (select.groupClause !== undefined || select.havingClause !== undefined) return false;
  const isPlain = (select.targetList ?? []).every((target) =>
    isColumnName(asKind(asKind(target, 'ResTarget')?.val, 'ColumnRef'), context),
  );
  const around: Scope = scope ?? emptyScope();
  return isPlain && isOneTable(select, around, context, depth);
}

/** `t.f` may be the call of an own function. */
function isColumnName(ref: NodeOf<'ColumnRef'> | undefined, { catalog }: LineageContext): boolean {
  if (ref === undefined) return false;
  const name = stringOf(ref.fields?.at(-1));
  return name === undefined || catalog.schemasWith('routine', name).length === 0;
}
