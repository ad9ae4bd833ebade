/** What stands inside the definition of a table, domain or index: columns, constraints, expressions, and what they refer to. */
import type { CatalogRelation } from '../../catalog/catalog.ts';
import { asKind, kindOf, stringsOf } from '../parse/tree.ts';
import type { Node, NodeOf } from '../parse/tree.ts';
import { demandRelationDdl, findObject, findRelation, rangeName, writtenName } from './object-names.ts';
import type { StatementPort } from './port.ts';

/**
 * The schema of relations that exist in a definition only: the table that is being made, `new` and `old` of a trigger, VALUE of a domain.
 * No real schema has such a name. What is read of them is nothing that could be granted, so the port leaves it away.
 */
export const DEFINITION_SCHEMA = '\u{0}definition';

/** A relation whose columns are not known yet. */
export function relationInDefinition(name: string): CatalogRelation {
  return {
    oid: 0,
    schema: DEFINITION_SCHEMA,
    name,
    kind: 'table',
    owner: '',
    columns: [],
    securityInvoker: false,
    rowSecurity: false,
    expressions: [],
    children: [],
    parents: [],
    rules: [],
    triggers: [],
    open: true,
  };
}

export type DefinitionScope = readonly CatalogRelation[];

/** Elements of CREATE TABLE, and what ALTER TABLE adds. */
export function analyzeTableElement(element: Node, scope: DefinitionScope, port: StatementPort): void {
  const column = asKind(element, 'ColumnDef');
  if (column !== undefined) {
    analyzeColumn(column, scope, port);
    return;
  }
  const constraint = asKind(element, 'Constraint');
  if (constraint !== undefined) {
    analyzeConstraint(constraint, scope, port);
    return;
  }
  const like = asKind(element, 'TableLikeClause');
  if (like?.relation === undefined) {
    port.unreadable('unknown-statement');
    return;
  }
  const source = findRelation(port, rangeName(like.relation));
  if (source === undefined) demandTemporaryOrUnknown(like.relation, port);
  else {
    port.demandRelation('select', source, '*');
    // INCLUDING copies defaults, generated columns, checks and indexes.
    if ((like.options ?? 0) !== 0) port.expressionsOf(source, true);
  }
}

/** A relation that is read for its definition and is not in the catalog. */
function demandTemporaryOrUnknown(range: NodeOf<'RangeVar'>, port: StatementPort): void {
  const name = range.relname ?? '';
  const { temporary } = port.names;
  if (temporary === '*' || temporary.has(name)) port.demandTemporary('select', name);
  else port.unknownName('relation', name);
}

export function analyzeColumn(
  column: NodeOf<'ColumnDef'>,
  scope: DefinitionScope,
  port: StatementPort,
): void {
  if (column.typeName !== undefined && !isSerial(column.typeName)) port.type(column.typeName);
  if (column.raw_default !== undefined) port.expression(column.raw_default, scope);
  for (const constraint of column.constraints ?? []) {
    const fields = asKind(constraint, 'Constraint');
    if (fields === undefined) port.unreadable('unknown-statement');
    else analyzeConstraint(fields, scope, port);
  }
}

const SERIALS: ReadonlySet<string> = new Set([
  'serial',
  'serial2',
  'serial4',
  'serial8',
  'smallserial',
  'bigserial',
]);

/** Not types: the server puts a sequence and a default in their place. */
export function isSerial(type: NodeOf<'TypeName'>): boolean {
  const names = stringsOf(type.names);
  return names?.length === 1 && SERIALS.has(names[0]!);
}

/** The sequence that the server makes with a column, named as it is as long as nothing has the name yet. */
export function sequenceOfColumn(table: string, column: NodeOf<'ColumnDef'>): string | undefined {
  const isIdentity = (column.constraints ?? []).some(
    (constraint) => asKind(constraint, 'Constraint')?.contype === 'CONSTR_IDENTITY',
  );
  if (!isIdentity && (column.typeName === undefined || !isSerial(column.typeName))) return undefined;
  return `${table}_${column.colname ?? ''}_seq`;
}

export function analyzeConstraint(
  constraint: NodeOf<'Constraint'>,
  scope: DefinitionScope,
  port: StatementPort,
): void {
  for (const expression of [constraint.raw_expr, constraint.where_clause]) {
    if (expression !== undefined) port.expression(expression, scope);
  }
  for (const exclusion of constraint.exclusions ?? []) {
    const element = asKind(asKind(exclusion, 'List')?.items?.[0], 'IndexElem');
    if (element?.expr !== undefined) port.expression(element.expr, scope);
  }
  if (constraint.contype === 'CONSTR_FOREIGN' && constraint.pktable !== undefined) {
    analyzeReference(constraint, constraint.pktable, scope, port);
  }
}

/** A foreign key tells which values the other table holds, and puts triggers on it. */
function analyzeReference(
  constraint: NodeOf<'Constraint'>,
  table: NodeOf<'RangeVar'>,
  scope: DefinitionScope,
  port: StatementPort,
): void {
  const name = rangeName(table);
  const isItself =
    name.schema === undefined &&
    scope.some((relation) => relation.name === name.name && relation.schema === DEFINITION_SCHEMA);
  if (isItself) return;
  const relation = demandRelationDdl(port, name);
  if (relation === undefined) {
    // What is read of one that is there, so that both are refused alike.
    if (!findObject(port, name, 'relation').mayBeTemporary) port.unknownName('relation', writtenName(name));
    return;
  }
  const columns = stringsOf(constraint.pk_attrs);
  port.demandRelation('select', relation, columns === undefined || columns.length === 0 ? '*' : columns);
}

/** Index keys and partition keys, statistics: columns by name or expressions. */
export function analyzeKeys(
  keys: readonly Node[] | undefined,
  scope: DefinitionScope,
  port: StatementPort,
): void {
  for (const key of keys ?? []) {
    const element = asKind(key, 'IndexElem') ?? asKind(key, 'PartitionElem') ?? asKind(key, 'StatsElem');
    if (element === undefined) port.unreadable('unknown-statement');
    else if (element.expr !== undefined) port.expression(element.expr, scope);
  }
}

export function analyzePartitionBound(
  bound: NodeOf<'PartitionBoundSpec'> | undefined,
  port: StatementPort,
): void {
  const datums = [bound?.listdatums, bound?.lowerdatums, bound?.upperdatums];
  for (const datum of datums.flatMap((list) => list ?? [])) {
    // MINVALUE and MAXVALUE come as columns of these names.
    if (kindOf(datum) !== 'ColumnRef') port.expression(datum);
  }
}
