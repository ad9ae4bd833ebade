/** Names of objects that a definition makes, changes or drops: in which schema they are, as the server finds them (namespace.c). */
import type { CatalogRelation } from '../../catalog/catalog.ts';
import { stringsOf } from '../parse/tree.ts';
import type { Node, NodeOf } from '../parse/tree.ts';
import { refuseIfHidden } from '../query/analyze-query.ts';
import type { StatementPort, UnknownKind } from './port.ts';

type RangeVar = NodeOf<'RangeVar'>;

/** Kinds that the catalog knows by name. Others (collations, text search objects, …) are in the schemas that the path names. */
export type ObjectKind = 'relation' | 'routine' | 'type' | 'operator' | 'other';

export interface QualifiedName {
  readonly schema: string | undefined;
  readonly name: string;
}

/** A name in parts; with a database in front, the server takes only its own, so that is left away. */
export function qualifiedName(parts: readonly string[] | undefined): QualifiedName | undefined {
  if (parts === undefined || parts.length === 0 || parts.length > 3) return undefined;
  return { schema: parts.at(-2), name: parts.at(-1)! };
}

export const rangeName = (range: RangeVar): QualifiedName => ({
  schema: range.schemaname,
  name: range.relname ?? '',
});

export const writtenName = ({ schema, name }: QualifiedName): string =>
  schema === undefined ? name : `${schema}.${name}`;

export const isTemporarySchema = (schema: string): boolean =>
  schema === 'pg_temp' || schema.startsWith('pg_temp_');

/** This session's, by whatever number; a schema that is named with one may be another session's. */
const OWN_TEMPORARY_SCHEMA = 'pg_temp';

const isNumberedTemporary = (schema: string | undefined): boolean => schema?.startsWith('pg_temp_') === true;

export interface CreationPlace {
  /** Undefined: the session's temporary schema, or none is known. */
  readonly schema: string | undefined;
  readonly isTemporary: boolean;
}

/**
 * Where CREATE puts an object. Demands what that needs: `ddl` of the schema, or `create-temp`.
 *
 * @param persistence RangeVar.relpersistence: `t` is temporary.
 */
export function demandCreation(
  port: StatementPort,
  name: QualifiedName,
  persistence?: string,
): CreationPlace {
  const place = creationPlace(port, name, persistence);
  if (place.isTemporary) {
    port.demandSpecial('create-temp');
    port.change({ kind: 'temporary', names: [name.name] });
  } else if (place.schema !== undefined) {
    port.demandSchema(place.schema, name.name);
  }
  return place;
}

function creationPlace(port: StatementPort, name: QualifiedName, persistence?: string): CreationPlace {
  if (persistence === 't') return { schema: undefined, isTemporary: true };
  if (isNumberedTemporary(name.schema)) {
    port.unknownName('schema', name.schema ?? '');
    return { schema: undefined, isTemporary: false };
  }
  if (name.schema !== undefined) {
    return isTemporarySchema(name.schema)
      ? { schema: undefined, isTemporary: true }
      : { schema: name.schema, isTemporary: false };
  }
  const first = searchPath(port)?.[0];
  if (first === undefined) {
    // The server says that no schema was chosen; with a path that we do not know, nothing can be said.
    port.unknownName('schema', '');
    return { schema: undefined, isTemporary: false };
  }
  return isTemporarySchema(first)
    ? { schema: undefined, isTemporary: true }
    : { schema: first, isTemporary: false };
}

/** The path, marked as used. Unknown: the statement is unreadable. */
export function searchPath(port: StatementPort): readonly string[] | undefined {
  port.usedSearchPath();
  const path = port.names.searchPath;
  if (path === undefined) port.unreadable('unknown-search-path');
  return path;
}

/** What a name of an existing object may mean. */
export interface FoundObject {
  /** In the order of the path; the first one is what the server takes, unless the object is temporary. */
  readonly schema: string | undefined;
  readonly mayBeTemporary: boolean;
}

export function findObject(port: StatementPort, name: QualifiedName, kind: ObjectKind): FoundObject {
  if (name.schema !== undefined) {
    if (name.schema === OWN_TEMPORARY_SCHEMA) return { schema: undefined, mayBeTemporary: true };
    const isThere = kind === 'other' || has(port, kind, name.schema, name.name);
    return { schema: isThere ? name.schema : undefined, mayBeTemporary: false };
  }
  const path = searchPath(port) ?? [];
  const { temporary } = port.names;
  const mayBeTemporary =
    (kind === 'relation' || kind === 'type' || kind === 'other') &&
    (temporary === '*' || temporary.has(name.name));
  const order = path.includes('pg_catalog') ? path : ['pg_catalog', ...path];
  if (kind !== 'other') {
    const isIn = (schema: string): boolean => has(port, kind, schema, name.name);
    const schema = order.find(isIn);
    if (schema !== undefined) refuseIfHidden(name.name, schema, order, port.catalog, isIn);
    return { schema, mayBeTemporary };
  }
  return { schema: undefined, mayBeTemporary };
}

function has(port: StatementPort, kind: ObjectKind, schema: string, name: string): boolean {
  const { catalog } = port;
  switch (kind) {
    case 'relation':
      return catalog.relation(schema, name) !== undefined;
    case 'routine':
      return catalog.routines(schema, name).length > 0;
    case 'type':
      return catalog.type(schema, name) !== undefined || catalog.relation(schema, name) !== undefined;
    case 'operator':
      return catalog.operators(schema, name).length > 0;
    default:
      return false;
  }
}

const UNKNOWN_KIND: Readonly<Record<ObjectKind, UnknownKind>> = {
  relation: 'relation',
  routine: 'routine',
  type: 'type',
  operator: 'routine',
  other: 'relation',
};

/**
 * Demands `ddl` for an object that exists: in its schema, and `create-temp` if it may be one of the session's own. A name that the catalog does
 * not have is unknown; where that is no error (IF EXISTS) or where the catalog does not list such objects, every schema that may be meant is demanded.
 */
export function demandExisting(
  port: StatementPort,
  name: QualifiedName | undefined,
  kind: ObjectKind,
  missingOk = false,
): FoundObject {
  if (name === undefined) {
    port.unreadable('unknown-statement');
    return { schema: undefined, mayBeTemporary: false };
  }
  const found = findObject(port, name, kind);
  if (found.mayBeTemporary) port.demandSpecial('create-temp');
  if (found.schema !== undefined) {
    port.demandSchema(found.schema, name.name);
  } else if (!found.mayBeTemporary || kind === 'other') {
    demandWhereItMayBe(port, name, kind, missingOk);
  }
  return found;
}

function demandWhereItMayBe(
  port: StatementPort,
  name: QualifiedName,
  kind: ObjectKind,
  missingOk: boolean,
): void {
  if ((kind !== 'other' && !missingOk) || isNumberedTemporary(name.schema)) {
    port.unknownName(UNKNOWN_KIND[kind], writtenName(name), 'ddl');
    return;
  }
  const schemas = name.schema === undefined ? (port.names.searchPath ?? []) : [name.schema];
  if (schemas.length === 0) port.unknownName(UNKNOWN_KIND[kind], name.name, 'ddl');
  for (const schema of schemas) {
    if (!isTemporarySchema(schema)) port.demandSchema(schema, name.name);
  }
}

/** `demandExisting` of a relation, with its entry in the catalog. */
export function demandRelationDdl(
  port: StatementPort,
  name: QualifiedName,
  missingOk = false,
): CatalogRelation | undefined {
  const found = demandExisting(port, name, 'relation', missingOk);
  return found.schema === undefined ? undefined : port.catalog.relation(found.schema, name.name);
}

/** The relation that a name means, without demanding anything. */
export function findRelation(port: StatementPort, name: QualifiedName): CatalogRelation | undefined {
  const { schema } = findObject(port, name, 'relation');
  return schema === undefined ? undefined : port.catalog.relation(schema, name.name);
}

/** The parts of a name in a List node, a list of nodes, or a single String. */
export function partsOf(node: Node | undefined): readonly string[] | undefined {
  if (node === undefined) return undefined;
  if ('List' in node) return stringsOf(node.List.items);
  if ('TypeName' in node) return stringsOf(node.TypeName.names);
  if ('ObjectWithArgs' in node) return stringsOf(node.ObjectWithArgs.objname);
  return stringsOf([node]);
}
