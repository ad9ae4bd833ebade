/**
 * Views that can be written through (view_query_is_auto_updatable of rewriteHandler.c): the server then writes the table below with the rights of the
 * view's owner, which whoever makes the view becomes. So making one demands what it lets its readers do.
 */
import type { CatalogRelation } from '../../catalog/catalog.ts';
import { asKind, stringsOf, walkNodes } from '../parse/tree.ts';
import type { Node, NodeOf } from '../parse/tree.ts';
import { findRelation, findRoutines, parseCatalogText } from '../query/analyze-query.ts';
import type { QueryContext } from '../query/analyze-query.ts';

/** Demands INSERT, UPDATE and DELETE of the relation that could be written through a view of this query, if there is one. */
export function demandWritesThrough(query: Node, context: QueryContext): void {
  const base = baseOf(query, context);
  if (base === undefined || !isWritable(base, context)) return;
  for (const verb of ['insert', 'update'] as const) context.demands.relation(verb, base, context).addAll();
  context.demands.relation('delete', base, context);
}

/** The clauses of a SELECT, each of which alone makes a view that cannot be written. */
const CLOSING = [
  'withClause',
  'distinctClause',
  'groupClause',
  'havingClause',
  'limitCount',
  'limitOffset',
  'larg',
  'valuesLists',
] as const;

function baseOf(query: Node, context: QueryContext): CatalogRelation | undefined {
  const select = asKind(query, 'SelectStmt');
  if (select?.fromClause?.length !== 1 || CLOSING.some((clause) => select[clause] !== undefined))
    return undefined;
  const range = asKind(select.fromClause[0], 'RangeVar');
  if (range === undefined || makesOwnRows(select.targetList, context)) return undefined;
  const name = { database: range.catalogname, schema: range.schemaname, name: range.relname ?? '' };
  return findRelation(name, context)?.relation;
}

/** Aggregates, windows and sets of rows in the list: of those, what is certain. A subquery in it has its own. */
function makesOwnRows(targets: readonly Node[] | undefined, context: QueryContext): boolean {
  let isFound = false;
  walkNodes(targets, (kind, fields) => {
    if (kind === 'SubLink') return false;
    if (kind !== 'FuncCall') return true;
    const call = fields as NodeOf<'FuncCall'>;
    const candidates = findRoutines(stringsOf(call.funcname) ?? [], context);
    isFound ||= call.over !== undefined;
    isFound ||=
      candidates.length > 0 && candidates.every((one) => one.kind === 'aggregate' || one.returnsSet);
    return true;
  });
  return isFound;
}

function isWritable(relation: CatalogRelation, context: QueryContext): boolean {
  // Made since the snapshot, under `ddl` of its schema: whoever may drop it may empty it.
  if (relation.oid === 0) return false;
  switch (relation.kind) {
    case 'table':
    case 'partitioned-table':
    case 'foreign-table':
      return true;
    case 'view':
      return isWritableView(relation, context);
    default:
      return false;
  }
}

function isWritableView(view: CatalogRelation, context: QueryContext): boolean {
  if (view.open === true || view.definition === undefined) return true;
  if (view.rules.length > 0 || view.triggers.length > 0) return true;
  // Its text names everything with the schema, PostgreSQL's own aside.
  const within: QueryContext = { ...context, names: { searchPath: [], temporary: new Set() } };
  const base = baseOf(parseCatalogText(view.definition), within);
  return base !== undefined && isWritable(base, within);
}
