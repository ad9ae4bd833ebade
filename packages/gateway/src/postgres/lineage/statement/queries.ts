/** SELECT, writes, COPY, cursors, CREATE TABLE AS: statements around one query. */
import type { ClassifiedWrite, Source, TemporaryDestination } from '../../../masking/lineage.ts';
import type { Access } from '../../../policy/access.ts';
import type { CatalogRelation } from '../../catalog/catalog.ts';
import { asKind, kindOf, stringsOf } from '../../inspect/parse/tree.ts';
import type { Node, NodeOf } from '../../inspect/parse/tree.ts';
import type { QueryColumns, Value } from '../port.ts';
import { UnknownLineage } from '../port.ts';
import { classesOf } from '../routines/assign.ts';
import { unionOf, unknownOf } from '../value.ts';
import { Collector } from './collector.ts';
import { NO_ROWS, outputsOf } from './port.ts';
import type { Found, StatementContext } from './port.ts';
import { foundOf, restOfQuery } from './sources.ts';

export function ofSelect(select: NodeOf<'SelectStmt'>, context: StatementContext): Found {
  const query = context.queries.lineageOfQuery({ SelectStmt: select }, undefined, context);
  const into = intoOf(select);
  if (into === undefined) return { outputs: outputsOf(query, context) };
  intoRelation(into, query, context);
  return NO_ROWS;
}

/** INTO stands in the first, leftmost query of a set operation. */
function intoOf(select: NodeOf<'SelectStmt'>): NodeOf<'IntoClause'> | undefined {
  let leftmost = select;
  while (leftmost.larg !== undefined) leftmost = leftmost.larg;
  return leftmost.intoClause ?? select.intoClause;
}

/** INSERT, UPDATE, DELETE, MERGE: rows only with RETURNING. */
export function ofWrite(node: Node, context: StatementContext): Found {
  const query = context.queries.lineageOfQuery(node, undefined, context);
  const fields = Object.values(node)[0] as { readonly returningClause?: unknown };
  const outputs = outputsOf(query, context);
  return fields.returningClause === undefined ? NO_ROWS : { outputs };
}

const TEMPORARY_SCHEMAS = /^pg_temp(?:_\d+)?$/u;

export function isTemporary({ relpersistence, schemaname }: NodeOf<'RangeVar'>): boolean {
  return relpersistence === 't' || (schemaname !== undefined && TEMPORARY_SCHEMAS.test(schemaname));
}

/** A new relation is of no class; one of the session's own is followed. */
function intoRelation(into: NodeOf<'IntoClause'>, query: QueryColumns, context: StatementContext): void {
  const { collector } = context;
  const { rel } = into;
  if (rel === undefined) throw new UnknownLineage('IntoClause');
  const names = stringsOf(into.colNames) ?? [];
  const columns = query.isOpen
    ? [{ name: '*', value: unknownOf(restOfQuery(query)) }]
    : query.columns.map(({ name, value }, at) => ({ name: names[at] ?? name, value }));
  for (const { name, value } of columns) {
    collector.flow({
      sources: value.sources,
      how: value.how,
      to: isTemporary(rel)
        ? temporaryColumn(rel.relname ?? '', name, value)
        : { kind: 'sink', what: 'relation' },
    });
  }
}

/** Those that have no length and no precision: a column of the type takes every value of it. */
export const WITHOUT_LENGTH: ReadonlySet<number> = new Set([
  16, 17, 20, 21, 23, 25, 26, 114, 142, 700, 701, 790, 829, 869, 650, 1009, 1007, 1016, 1082, 2950, 3614,
  3802,
]);

/** A column that is made of a query has the type of its value, its length included. */
const temporaryColumn = (
  relation: string,
  column: string,
  { typeOid = 0, how, sources }: Value,
): TemporaryDestination => ({
  kind: 'temporary',
  relation,
  column,
  defines: 'column',
  typeOid: WITHOUT_LENGTH.has(typeOid) ? typeOid : undefined,
  like: how === 'direct' && sources[0]?.kind === 'column' ? sources[0].object : undefined,
});

/**
 * A materialized view is looked through as a view is. What it was made of can change under rows that stay: one of regulated values is no affair of who may not see
 * them.
 */
export function ofCreateTableAs(create: NodeOf<'CreateTableAsStmt'>, context: StatementContext): Found {
  const { query: node, into } = create;
  if (node === undefined || into === undefined) throw new UnknownLineage('CreateTableAsStmt');
  if (kindOf(node) !== 'SelectStmt') return intoUnknown(node, into, context);
  const query = context.queries.lineageOfQuery(node, undefined, context);
  intoRelation(into, query, context);
  return NO_ROWS;
}

/** Of EXECUTE: what was prepared is not looked at here. */
function intoUnknown(node: Node, into: NodeOf<'IntoClause'>, context: StatementContext): Found {
  const name = asKind(node, 'ExecuteStmt')?.name ?? '';
  if (name === '') throw new UnknownLineage('CreateTableAsStmt');
  const rest = [context.collector.source({ kind: 'unknown', object: 'prepared statement' })];
  intoRelation(into, { columns: [], isOpen: true, rest }, context);
  return NO_ROWS;
}

export function ofView(create: NodeOf<'ViewStmt'>, context: StatementContext): Found {
  if (create.query === undefined) throw new UnknownLineage('ViewStmt');
  const query = context.queries.lineageOfQuery(create.query, undefined, context);
  outputsOf(query, context);
  // Looked through wherever it is read, unless it is the session's own; one of a temporary relation is.
  const { touched } = context.collector;
  const isOwn =
    create.view !== undefined &&
    (isTemporary(create.view) || touched.some(({ kind }) => kind === 'temporary'));
  if (isOwn) intoOwnView(create, query, context);
  else tellReplaced(create, query, context);
  return NO_ROWS;
}

/**
 * A view of the session's own is followed by what it carries when it is made. What temporary relations hold, and what code reads by name, may be something else later, so
 * that its conditions would tell of what they were not judged for.
 */
function intoOwnView(
  { view, aliases }: NodeOf<'ViewStmt'>,
  query: QueryColumns,
  context: StatementContext,
): void {
  const { collector, accesses } = context;
  const rel: NodeOf<'RangeVar'> = { ...view, relpersistence: 't' };
  const name = rel.relname ?? '';
  if (collector.touched.some(({ kind }) => kind === 'temporary') || accesses.some(isCode))
    collector.oracle('opaque', [{ kind: 'unknown', object: 'a view of what is not known yet' }]);
  intoRelation({ rel, ...(aliases !== undefined && { colNames: aliases }) }, query, context);
  // Whatever is behind it is written through it, columns included that it does not show.
  collector.flow({
    sources: collector.touched,
    how: 'derived',
    to: { kind: 'temporary', relation: name, column: BEHIND, defines: 'view' },
  });
}

/** The name of no column. */
const BEHIND = ' behind';

const isCode = (access: Access): boolean =>
  access.kind === 'routine' && (access.class === 'own' || access.class === 'security-definer');

/**
 * Others were made of the view as it was: their conditions were judged for what it carried, and the rows of a materialized view stay what they were. So what a column of it
 * carries does not change.
 */
function tellReplaced(
  { view, replace }: NodeOf<'ViewStmt'>,
  query: QueryColumns,
  context: StatementContext,
): void {
  if (replace !== true || view === undefined) return;
  const { relation } = foundOf(view, context);
  if (relation === undefined) return;
  const before = context.queries.columnsOf(relation, { ...context, collector: new Collector() });
  const [old, made] = [before, query].map((each) => restOfQuery(each));
  const isSame =
    !before.isOpen &&
    !query.isOpen &&
    before.columns.every(({ value }, at) => isSameSources(value, query.columns[at]?.value));
  if (isSame && isSameOf(old!, made!)) return;
  context.collector.flow({
    sources: unionOf([old!, made!]),
    how: 'derived',
    to: { kind: 'sink', what: 'relation' },
  });
}

const isSameSources = (one: Value, other: Value | undefined): boolean =>
  other !== undefined && isSameOf(one.sources, other.sources);

const isSameOf = (one: readonly Source[], other: readonly Source[]): boolean =>
  one.length === other.length && unionOf([one, other]).length === one.length;

export function ofDeclare(declare: NodeOf<'DeclareCursorStmt'>, context: StatementContext): Found {
  if (declare.query === undefined) throw new UnknownLineage('DeclareCursorStmt');
  const query = context.queries.lineageOfQuery(declare.query, undefined, context);
  return {
    outputs: 'none',
    declares: declare.portalname ?? '',
    cursorOutputs: outputsOf(query, context),
  };
}

/** MOVE counts rows. */
export function ofFetch({ portalname, ismove }: NodeOf<'FetchStmt'>): Found {
  return ismove === true ? NO_ROWS : { outputs: { rowsOf: portalname ?? '' } };
}

export function ofCopy(copy: NodeOf<'CopyStmt'>, context: StatementContext): Found {
  const isFile = copy.filename !== undefined || copy.is_program === true;
  if (copy.is_from === true) return copyFrom(copy, isFile, context);
  const { outputs } = context.inner(copy.query ?? selectAll(copy));
  if (!isFile) {
    if (outputs !== 'unknown' && !Array.isArray(outputs)) throw new UnknownLineage('CopyStmt');
    return { outputs, isCopyOut: true };
  }
  const { touched } = context.collector;
  context.collector.flow({ sources: touched, how: 'derived', to: { kind: 'sink', what: 'file' } });
  return NO_ROWS;
}

/** As SELECT of the same columns; generated ones are no part of a COPY without a list. */
function selectAll({ relation, attlist }: NodeOf<'CopyStmt'>): Node {
  if (relation === undefined) throw new UnknownLineage('CopyStmt');
  const star: Node = { ColumnRef: { fields: [{ A_Star: {} }] } };
  const listed = attlist?.map((name): Node => ({ ColumnRef: { fields: [name] } }));
  return {
    SelectStmt: {
      targetList: (listed ?? [star]).map((val) => ({ ResTarget: { val } })),
      fromClause: [{ RangeVar: { ...relation, inh: relation.inh ?? true } }],
      limitOption: 'LIMIT_OPTION_DEFAULT',
      op: 'SETOP_NONE',
    },
  };
}

/** The values come as data: each that is of a class is looked at there. A key that fails tells of other rows, and data is not counted. */
function copyFrom(copy: NodeOf<'CopyStmt'>, isFile: boolean, context: StatementContext): Found {
  const { collector } = context;
  if (copy.relation === undefined) throw new UnknownLineage('CopyStmt');
  const { relation, temporary } = foundOf(copy.relation, context);
  const source = collector.source({ kind: 'unknown', object: 'file' });
  const columns = stringsOf(copy.attlist) ?? [];
  const named = columns.length > 0 ? columns : namesOf(relation);
  if (temporary !== undefined) {
    for (const column of named.length > 0 ? named : ['*']) {
      collector.flow({
        sources: isFile ? [source] : [],
        how: 'derived',
        to: { kind: 'temporary', relation: temporary, column },
      });
    }
  }
  if (relation === undefined) return NO_ROWS;
  const writes = named.map((column) => writeOf(relation, column, context));
  for (const write of writes) if (write !== undefined) tellUnique(relation, write, context);
  if (copy.whereClause !== undefined) {
    const scope = context.queries.scopeOf([[relation.name, relation]], context);
    const { sources } = context.queries.lineageOfExpression(copy.whereClause, scope, context);
    collector.oracle('control', sources);
  }
  if (!isFile) return { outputs: 'none', copyIn: writes };
  for (const [at, column] of named.entries()) {
    const object = `${relation.schema}.${relation.name}.${column}`;
    collector.flow({
      sources: [source],
      how: 'derived',
      to: { kind: 'column', object, class: writes[at]?.class },
    });
    if (writes[at] !== undefined) collector.write(writes[at]);
  }
  return NO_ROWS;
}

const namesOf = (relation: CatalogRelation | undefined): readonly string[] =>
  (relation?.columns ?? []).filter(({ generated }) => !generated).map(({ name }) => name);

function writeOf(
  relation: CatalogRelation,
  column: string,
  context: StatementContext,
): ClassifiedWrite | undefined {
  const [bound] = classesOf(relation, column, context);
  return bound === undefined
    ? undefined
    : { object: `${relation.schema}.${relation.name}.${column}`, class: bound };
}

function tellUnique(
  { uniqueColumns, foreignKeys, schema, name }: CatalogRelation,
  write: ClassifiedWrite,
  { collector }: StatementContext,
): void {
  const column = write.object.slice(`${schema}.${name}.`.length);
  const isUnique = uniqueColumns === undefined || uniqueColumns.includes(column);
  const isKey = foreignKeys === undefined || foreignKeys.some(({ columns }) => columns.includes(column));
  if (!isUnique && !isKey) return;
  collector.oracle('comparison', [
    collector.source({ kind: 'column', object: write.object, class: write.class }),
  ]);
}
