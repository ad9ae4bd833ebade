/** Which routines run because of a value's type alone: input, output, subscripts, and casts that nobody wrote. */
import type { Catalog, CatalogCast, CatalogRoutine, CatalogType } from '../../catalog/catalog.ts';
import { reachOfRoutine } from '../routines/classify-routine.ts';

/** Types that PostgreSQL itself brings are below this OID; all their routines are built in. */
const FIRST_OWN_OID = 16_384;

interface TypeRoutines {
  /** That may run unasked, in expressions or assignments. */
  readonly casts: ReadonlyMap<number, readonly CatalogCast[]>;
  readonly allCasts: ReadonlyMap<number, readonly CatalogCast[]>;
  /** By OID, negative without explicit casts. */
  readonly routines: Map<number, readonly CatalogRoutine[]>;
}

const known = new WeakMap<Catalog, TypeRoutines>();
const NONE: readonly CatalogRoutine[] = [];

/**
 * Routines that are not harmless and may run where a value of the type is.
 *
 * @param explicitly casts that run only where a cast is written may run too.
 */
export function routinesOfType(
  catalog: Catalog,
  oid: number,
  explicitly: boolean,
): readonly CatalogRoutine[] {
  if (oid < FIRST_OWN_OID && catalog.ownCasts.length === 0) return NONE;
  let types = known.get(catalog);
  if (types === undefined) {
    types = {
      casts: castsByType(catalog.ownCasts.filter(({ context }) => context !== 'explicit')),
      allCasts: castsByType(catalog.ownCasts),
      routines: new Map(),
    };
    known.set(catalog, types);
  }
  const key = explicitly ? oid : -oid;
  let routines = types.routines.get(key);
  if (routines === undefined) {
    const oids = new Set<number>();
    collect(catalog, explicitly ? types.allCasts : types.casts, oid, oids, new Set());
    routines = [...oids]
      .map((routine) => catalog.routineByOid(routine))
      .filter(
        (routine) => routine !== undefined && reachOfRoutine(routine) !== 'harmless',
      ) as CatalogRoutine[];
    types.routines.set(key, routines);
  }
  return routines;
}

const unasked = new WeakMap<Catalog, readonly CatalogCast[]>();

/** Own casts from one built-in type to another that nobody has to write: any value of any expression may be what they take. */
export function unaskedCasts(catalog: Catalog): readonly CatalogCast[] {
  let found = unasked.get(catalog);
  if (found === undefined) {
    found = catalog.ownCasts.filter(
      ({ sourceTypeOid, targetTypeOid, context }) =>
        context !== 'explicit' && sourceTypeOid < FIRST_OWN_OID && targetTypeOid < FIRST_OWN_OID,
    );
    unasked.set(catalog, found);
  }
  return found;
}

/**
 * A cast runs unasked only where one of its types is met. One between an own type and a built-in one is met where the own type is: else every
 * text would demand every cast from text.
 */
function castsByType(all: readonly CatalogCast[]): ReadonlyMap<number, readonly CatalogCast[]> {
  const casts = new Map<number, CatalogCast[]>();
  for (const cast of all) {
    const types = [cast.sourceTypeOid, cast.targetTypeOid];
    const own = types.filter((oid) => oid >= FIRST_OWN_OID);
    for (const oid of own.length > 0 ? own : types) {
      const list = casts.get(oid);
      if (list === undefined) casts.set(oid, [cast]);
      else list.push(cast);
    }
  }
  return casts;
}

const domains = new WeakMap<Catalog, Map<number, readonly CatalogType[]>>();
const NO_TYPES: readonly CatalogType[] = [];

/** Own types with checks or defaults that a value of the type has in it: itself, what it is made of, its elements. */
export function domainsOfType(catalog: Catalog, oid: number): readonly CatalogType[] {
  if (oid < FIRST_OWN_OID) return NO_TYPES;
  let known = domains.get(catalog);
  if (known === undefined) {
    known = new Map();
    domains.set(catalog, known);
  }
  let found = known.get(oid);
  if (found === undefined) {
    const types = new Set<number>();
    collect(catalog, NO_CASTS, oid, new Set(), types);
    found = [...types]
      .map((type) => catalog.typeByOid(type))
      .filter((type): type is CatalogType => type?.expressions !== undefined && type.oid >= FIRST_OWN_OID);
    known.set(oid, found);
  }
  return found;
}

/** What an array, row or range holds, also one that a domain is made of. Of other types nothing. */
export function partsOfType(catalog: Catalog, oid: number): readonly number[] {
  if (oid < FIRST_OWN_OID) return NO_PARTS;
  let type = catalog.typeByOid(oid);
  while (type?.kind === 'domain' && type.baseTypeOid !== undefined)
    type = catalog.typeByOid(type.baseTypeOid);
  if (type === undefined || type.kind === 'domain') return NO_PARTS;
  const row = type.relationOid === undefined ? undefined : catalog.relationByOid(type.relationOid);
  const parts = [type.arrayOf, type.baseTypeOid, ...(row?.columns ?? []).map(({ typeOid }) => typeOid)];
  return parts.filter((part) => part !== undefined);
}

const NO_PARTS: readonly number[] = [];

const NO_CASTS: TypeRoutines['casts'] = new Map();

function collect(
  catalog: Catalog,
  casts: TypeRoutines['casts'],
  oid: number,
  into: Set<number>,
  seen: Set<number>,
): void {
  if (seen.has(oid)) return;
  seen.add(oid);
  for (const { routineOid } of casts.get(oid) ?? []) into.add(routineOid);
  const type = oid < FIRST_OWN_OID ? undefined : catalog.typeByOid(oid);
  if (type === undefined) return;
  for (const routine of type.routineOids) into.add(routine);
  const parts = [type.arrayOf, type.baseTypeOid];
  if (type.relationOid !== undefined) {
    parts.push(...(catalog.relationByOid(type.relationOid)?.columns.map(({ typeOid }) => typeOid) ?? []));
  }
  for (const part of parts) if (part !== undefined) collect(catalog, casts, part, into, seen);
}
