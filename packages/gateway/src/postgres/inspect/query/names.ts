/**
 * Names → objects, as the server finds them (namespace.c): temporary objects first, then pg_catalog, then search_path in order; where
 * the path names pg_catalog itself, it has its place there. Routines and operators are never looked up among temporary objects, and all of
 * a name on the path are candidates.
 */
import type {
  Catalog,
  CatalogOperator,
  CatalogRelation,
  CatalogRoutine,
  CatalogType,
} from '../../catalog/catalog.ts';
import { reachOfRoutine } from '../routines/classify-routine.ts';
import type { QueryContext } from './context.ts';
import { UnreadableStatement } from './demands.ts';

const CATALOG_SCHEMA = 'pg_catalog';

/** Which relation a name may mean. Both: the session may or may not have a temporary one of that name. */
export interface FoundRelation {
  readonly relation?: CatalogRelation;
  /** Name of a temporary one. */
  readonly temporary?: string;
}

export interface WrittenName {
  readonly database?: string | undefined;
  readonly schema?: string | undefined;
  readonly name: string;
}

export const isTemporarySchema = (schema: string): boolean =>
  schema === 'pg_temp' || schema.startsWith('pg_temp_');

export const writtenAs = ({ schema, name }: WrittenName): string =>
  schema === undefined ? name : `${schema}.${name}`;

/** @returns undefined: there is none; the caller decides whether that is an unknown name. */
export function findRelation(written: WrittenName, context: QueryContext): FoundRelation | undefined {
  const { catalog, demands } = context;
  const { database, schema, name } = written;
  demands.usesCatalog = true;
  // The server has no other database to look into.
  if (database !== undefined && database !== catalog.data.database) return undefined;
  if (schema !== undefined) {
    if (schema === 'pg_temp') {
      demands.usesSearchPath = true;
      return { temporary: name };
    }
    const relation = catalog.relation(schema, name);
    return relation === undefined ? undefined : { relation };
  }
  demands.usesSearchPath = true;
  const path = pathOf(context);
  const temporary = mayBeTemporary(name, context) ? { temporary: name } : undefined;
  for (const place of path) {
    const relation = catalog.relation(place, name);
    if (relation === undefined) continue;
    refuseIfHidden(name, place, path, catalog, (other) => catalog.relation(other, name) !== undefined);
    return { ...temporary, relation };
  }
  return temporary;
}

/**
 * What DDL has moved may be gone, and then the name means what another schema of the path has.
 *
 * @throws UnreadableStatement `unknown-search-path`, when there is such a schema.
 */
export function refuseIfHidden(
  name: string,
  found: string,
  path: readonly string[],
  catalog: Catalog,
  has: (schema: string) => boolean,
): void {
  if (catalog.isMoved?.(found, name) !== true) return;
  if (path.slice(path.indexOf(found) + 1).some((other) => has(other)))
    throw new UnreadableStatement('unknown-search-path');
}

function mayBeTemporary(name: string, { names }: QueryContext): boolean {
  return names.temporary === '*' || names.temporary.has(name);
}

/** The path with pg_catalog in its place. Not known: nothing that is not qualified can be judged. */
function pathOf({ names: { searchPath } }: QueryContext): readonly string[] {
  if (searchPath === undefined) throw new UnreadableStatement('unknown-search-path');
  return searchPath.includes(CATALOG_SCHEMA) ? searchPath : [CATALOG_SCHEMA, ...searchPath];
}

/** Schemas besides pg_catalog in which an object of that name could be meant. */
function otherSchemas(
  what: 'routine' | 'operator' | 'type',
  name: string,
  context: QueryContext,
): readonly string[] {
  const schemas = context.catalog.schemasWith(what, name);
  if (schemas.length === 0) return schemas;
  context.demands.usesSearchPath = true;
  return pathOf(context).filter((schema) => schemas.includes(schema));
}

interface SplitName {
  readonly schema: string | undefined;
  readonly name: string;
}

/** The last two parts of a name; a database in front is left away, as the server takes only its own there. */
function split(parts: readonly string[]): SplitName {
  return { schema: parts.at(-2), name: parts.at(-1) ?? '' };
}

/** All overloads that a name may mean. */
export function findRoutines(parts: readonly string[], context: QueryContext): readonly CatalogRoutine[] {
  const { catalog } = context;
  const { schema, name } = split(parts);
  context.demands.usesCatalog = true;
  if (schema !== undefined) return catalog.routines(schema, name);
  const builtIn = catalog.routines(CATALOG_SCHEMA, name);
  const others = otherSchemas('routine', name, context);
  return others.length === 0
    ? builtIn
    : [...builtIn, ...others.flatMap((other) => catalog.routines(other, name))];
}

/** @returns undefined: none. `temporary`: one of the session's own, of which nothing is known. */
export function findType(
  parts: readonly string[],
  context: QueryContext,
): CatalogType | 'temporary' | undefined {
  const { catalog } = context;
  const { schema, name } = split(parts);
  context.demands.usesCatalog = true;
  if (schema !== undefined) return schema === 'pg_temp' ? 'temporary' : catalog.type(schema, name);
  const others = otherSchemas('type', name, context);
  const builtIn = catalog.type(CATALOG_SCHEMA, name);
  if (others.length === 0 && builtIn !== undefined) return builtIn;
  const path = others.length === 0 ? [] : pathOf(context);
  for (const place of path) {
    const type = catalog.type(place, name);
    if (type === undefined) continue;
    refuseIfHidden(name, place, path, catalog, (other) => catalog.type(other, name) !== undefined);
    return type;
  }
  if (mayBeTemporary(name, context)) {
    context.demands.usesSearchPath = true;
    return 'temporary';
  }
  return undefined;
}

/** Demands the routines of an operator, of whatever types. Operators of pg_catalog only compute. */
export function useOperator(parts: readonly string[], context: QueryContext): void {
  const { catalog, demands, via } = context;
  const { schema, name } = split(parts);
  let isKnown = false;
  const use = (operators: readonly CatalogOperator[]): void => {
    isKnown ||= operators.length > 0;
    for (const { routineOid } of operators) {
      const routine = catalog.routineByOid(routineOid);
      if (routine !== undefined) demands.routine(routine, via);
    }
  };
  if (schema === undefined || schema === CATALOG_SCHEMA) {
    isKnown = isBuiltInOperator(name, catalog);
    use(reachingOperators(catalog).get(name) ?? []);
  } else use(catalog.operators(schema, name));
  if (schema === undefined) {
    for (const other of otherSchemas('operator', name, context)) use(catalog.operators(other, name));
  }
  demands.usesCatalog = true;
  if (!isKnown) demands.unknownName('routine', parts.join('.'));
}

/** `<>` is written `!=` too; the parser has replaced that. Deprecated postfix and renamed ones are not in the catalog and so unknown. */
function isBuiltInOperator(name: string, catalog: Catalog): boolean {
  return catalog.operators(CATALOG_SCHEMA, name).length > 0;
}

const reaching = new WeakMap<Catalog, ReadonlyMap<string, readonly CatalogOperator[]>>();

/** Operators that someone put into pg_catalog and whose routines are not known to be harmless. */
function reachingOperators(catalog: Catalog): ReadonlyMap<string, readonly CatalogOperator[]> {
  let found = reaching.get(catalog);
  if (found === undefined) {
    found = Map.groupBy(
      catalog.data.operators.filter((operator) => {
        if (operator.schema !== CATALOG_SCHEMA) return false;
        const routine = catalog.routineByOid(operator.routineOid);
        return routine !== undefined && reachOfRoutine(routine) !== 'harmless';
      }),
      ({ name }) => name,
    );
    reaching.set(catalog, found);
  }
  return found;
}

/**
 * Reads the text of a constant that names an object (`'app.orders_id_seq'`) as the server does: folded unless quoted. Undefined: it is not such a
 * name.
 */
export function readQualifiedName(text: string): readonly string[] | undefined {
  const parts: string[] = [];
  const part = /\s*(?:"((?:[^"]|"")+)"|([^\s".]+))\s*(\.|$)/uy;
  while (part.lastIndex < text.length) {
    const match = part.exec(text);
    if (match === null) return undefined;
    const [, quoted, plain, separator] = match;
    parts.push(quoted === undefined ? foldCase(plain!) : quoted.replaceAll('""', '"'));
    if (separator === '') return parts;
    if (part.lastIndex >= text.length) return undefined;
  }
  return undefined;
}

/** Of UTF-8, only ASCII letters are folded; other letters may be, by the server's locale, in single-byte encodings only. */
function foldCase(name: string): string {
  return name.replaceAll(/[A-Z]/gu, (letter) => letter.toLowerCase());
}
