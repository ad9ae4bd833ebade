/** CREATE of tables, views, materialized views, indexes, sequences and statistics. */
import type { CatalogRelation } from '../../catalog/catalog.ts';
import type { Effect } from '../classify.ts';
import { asKind } from '../parse/tree.ts';
import type { Node, NodeOf } from '../parse/tree.ts';
import {
  analyzeKeys,
  analyzePartitionBound,
  analyzeTableElement,
  relationInDefinition,
  sequenceOfColumn,
} from './definitions.ts';
import {
  demandCreation,
  demandRelationDdl,
  findObject,
  findRelation,
  partsOf,
  qualifiedName,
  rangeName,
} from './object-names.ts';
import type { CreationPlace, QualifiedName } from './object-names.ts';
import type { StatementPort } from './port.ts';

export function analyzeCreateTable(create: NodeOf<'CreateStmt'>, port: StatementPort): Effect {
  const { relation } = create;
  if (relation === undefined) {
    port.unreadable('unknown-statement');
    return 'write';
  }
  const name = rangeName(relation);
  const place = demandCreation(port, name, relation.relpersistence);
  const scope = [relationInDefinition(name.name)];
  for (const element of create.tableElts ?? []) {
    analyzeTableElement(element, scope, port);
    const column = asKind(element, 'ColumnDef');
    const sequence = column === undefined ? undefined : sequenceOfColumn(name.name, column);
    if (sequence !== undefined) noteCompanion(place, sequence, port);
  }
  for (const constraint of create.constraints ?? []) analyzeTableElement(constraint, scope, port);
  for (const parent of create.inhRelations ?? []) {
    const range = asKind(parent, 'RangeVar');
    if (range === undefined) port.unreadable('unknown-statement');
    else inheritFrom(rangeName(range), port);
  }
  if (create.ofTypename !== undefined) port.type(create.ofTypename);
  analyzeKeys(create.partspec?.partParams, scope, port);
  analyzePartitionBound(create.partbound, port);
  return 'write';
}

/** Defaults and checks of the parent become the child's, which may be temporary and then unknown. */
function inheritFrom(parent: QualifiedName, port: StatementPort): void {
  const relation = demandRelationDdl(port, parent);
  if (relation !== undefined) port.expressionsOf(relation, true);
}

/** What is made along with an object: its sequence. */
function noteCompanion(place: CreationPlace, name: string, port: StatementPort): void {
  if (place.isTemporary) port.change({ kind: 'temporary', names: [name] });
  else if (place.schema !== undefined) port.demandSchema(place.schema, name);
}

export function analyzeCreateForeignTable(
  create: NodeOf<'CreateForeignTableStmt'>,
  port: StatementPort,
): Effect {
  port.demandSpecial('network');
  if (create.base === undefined) port.unreadable('unknown-statement');
  else analyzeCreateTable(create.base, port);
  return 'write';
}

/** CREATE TABLE AS, CREATE MATERIALIZED VIEW: of a query or of EXECUTE. */
export function analyzeCreateTableAs(create: NodeOf<'CreateTableAsStmt'>, port: StatementPort): Effect {
  if (create.query === undefined) port.unreadable('unknown-statement');
  port.statement(create.query);
  analyzeInto(create.into, port);
  return 'write';
}

/** The target of CREATE TABLE AS and SELECT INTO. */
export function analyzeInto(into: NodeOf<'IntoClause'> | undefined, port: StatementPort): void {
  if (into?.rel === undefined) port.unreadable('unknown-statement');
  else demandCreation(port, rangeName(into.rel), into.rel.relpersistence);
}

export function analyzeCreateView(create: NodeOf<'ViewStmt'>, port: StatementPort): Effect {
  const { view, query } = create;
  if (view === undefined || query === undefined) {
    port.unreadable('unknown-statement');
    return 'write';
  }
  const name = rangeName(view);
  const place = demandCreation(port, name, view.relpersistence);
  // A view of a temporary relation becomes temporary itself.
  const { temporary } = port.names;
  const mayBecomeTemporary = name.schema === undefined && (temporary === '*' || temporary.size > 0);
  if (!place.isTemporary && mayBecomeTemporary) {
    port.change({ kind: 'temporary', names: [name.name] });
  }
  port.query(query);
  port.writesThrough(query);
  return 'write';
}

export function analyzeCreateIndex(create: NodeOf<'IndexStmt'>, port: StatementPort): Effect {
  if (create.relation === undefined) {
    port.unreadable('unknown-statement');
    return 'write';
  }
  const name = rangeName(create.relation);
  const { relation, isUnknown, scope } = demandTable(name, port);
  // An index is in the schema of its table.
  if (create.idxname !== undefined) {
    if (relation !== undefined) port.demandSchema(relation.schema, create.idxname);
    else if (isUnknown) port.unknownName('relation', create.idxname, 'ddl');
  }
  analyzeKeys(create.indexParams, scope, port);
  if (create.whereClause !== undefined) port.expression(create.whereClause, scope);
  return 'write';
}

interface TableOfDefinition {
  readonly relation: CatalogRelation | undefined;
  /** Neither in the catalog nor of the session's own. */
  readonly isUnknown: boolean;
  readonly scope: readonly CatalogRelation[];
}

/** `ddl` of a table whose columns expressions may name. */
export function demandTable(name: QualifiedName, port: StatementPort): TableOfDefinition {
  const relation = demandRelationDdl(port, name);
  const { mayBeTemporary } = findObject(port, name, 'relation');
  // Of a temporary relation the columns are not known, and reading them needs no more than having it.
  const scope = relation === undefined || mayBeTemporary ? [relationInDefinition(name.name)] : [relation];
  return { relation, isUnknown: relation === undefined && !mayBeTemporary, scope };
}

export function analyzeCreateStatistics(create: NodeOf<'CreateStatsStmt'>, port: StatementPort): Effect {
  const name = qualifiedName(partsOf({ List: { items: create.defnames ?? [] } }));
  if (name !== undefined) demandCreation(port, name);
  for (const node of create.relations ?? []) {
    const range = asKind(node, 'RangeVar');
    if (range === undefined) {
      port.unreadable('unknown-statement');
      continue;
    }
    const { scope } = demandTable(rangeName(range), port);
    analyzeKeys(create.exprs, scope, port);
  }
  return 'write';
}

export function analyzeCreateSequence(create: NodeOf<'CreateSeqStmt'>, port: StatementPort): Effect {
  const { sequence } = create;
  if (sequence === undefined) {
    port.unreadable('unknown-statement');
    return 'write';
  }
  demandCreation(port, rangeName(sequence), sequence.relpersistence);
  analyzeSequenceOptions(create.options, port);
  return 'write';
}

export function analyzeAlterSequence(alter: NodeOf<'AlterSeqStmt'>, port: StatementPort): Effect {
  if (alter.sequence === undefined) port.unreadable('unknown-statement');
  else demandRelationDdl(port, rangeName(alter.sequence), alter.missing_ok === true);
  analyzeSequenceOptions(alter.options, port);
  return 'write';
}

/** OWNED BY names a column of a table, which must be the caller's too. */
function analyzeSequenceOptions(options: readonly Node[] | undefined, port: StatementPort): void {
  for (const option of options ?? []) {
    const element = asKind(option, 'DefElem');
    if (element === undefined) port.unreadable('unknown-statement');
    else if (element.defname === 'owned_by') {
      const parts = partsOf(element.arg);
      // NONE is the only name of one part.
      const table = parts !== undefined && parts.length > 1 ? qualifiedName(parts.slice(0, -1)) : undefined;
      if (table !== undefined) demandRelationDdl(port, table);
    }
  }
}

/** REFRESH runs the query of the materialized view. */
export function analyzeRefresh(refresh: NodeOf<'RefreshMatViewStmt'>, port: StatementPort): Effect {
  if (refresh.relation === undefined) {
    port.unreadable('unknown-statement');
    return 'write';
  }
  const name = rangeName(refresh.relation);
  const relation = findRelation(port, name);
  if (relation === undefined) {
    port.unknownName('relation', name.name);
    return 'write';
  }
  port.demandRelation('maintain', relation, []);
  if (refresh.skipData !== true) port.viewContent(relation);
  return 'write';
}

/** CREATE SCHEMA, with what it makes inside. */
export function analyzeCreateSchema(create: NodeOf<'CreateSchemaStmt'>, port: StatementPort): Effect {
  const schema = create.schemaname;
  if (create.authrole !== undefined || schema === undefined) {
    // A schema for another role, or named after it.
    port.demandSpecial('admin');
  }
  if (schema !== undefined) port.demandSchema(schema);
  if (create.schemaElts !== undefined && create.schemaElts.length > 0) {
    if (schema === undefined) port.unreadable('unknown-statement');
    port.statementsIn(schema, create.schemaElts);
  }
  return 'write';
}
