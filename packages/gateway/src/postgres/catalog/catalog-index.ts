import { FIRST_OWN_OID } from './catalog-queries.ts';
import type {
  Catalog,
  CatalogCast,
  CatalogData,
  CatalogOperator,
  CatalogRelation,
  CatalogRoutine,
  CatalogType,
} from './catalog.ts';

type Kind = 'operator' | 'routine' | 'type' | 'relation';

const NONE: readonly never[] = Object.freeze([]);

/** Makes a catalog of plain data: each look-up is one or two map accesses. The data must not change afterwards. */
export function indexCatalog(data: CatalogData): Catalog {
  return new IndexedCatalog(data);
}

class IndexedCatalog implements Catalog {
  readonly data: CatalogData;
  readonly ownCasts: readonly CatalogCast[];
  readonly #schemas: ReadonlySet<string>;
  readonly #relations: ReadonlyMap<string, ReadonlyMap<string, CatalogRelation>>;
  readonly #relationsByOid: ReadonlyMap<number, CatalogRelation>;
  readonly #routines: ReadonlyMap<string, ReadonlyMap<string, readonly CatalogRoutine[]>>;
  readonly #routinesByOid: ReadonlyMap<number, CatalogRoutine>;
  readonly #types: ReadonlyMap<string, ReadonlyMap<string, CatalogType>>;
  readonly #typesByOid: ReadonlyMap<number, CatalogType>;
  readonly #operators: ReadonlyMap<string, ReadonlyMap<string, readonly CatalogOperator[]>>;
  readonly #schemasWith: Readonly<Record<Kind, ReadonlyMap<string, readonly string[]>>>;

  constructor(data: CatalogData) {
    this.data = data;
    this.#schemas = new Set(data.schemas.map(({ name }) => name));
    this.#relations = bySchemaAndName(data.relations);
    this.#relationsByOid = byOid(data.relations);
    this.#routines = groupsBySchemaAndName(data.routines);
    this.#routinesByOid = byOid(data.routines);
    this.#types = bySchemaAndName(data.types);
    this.#typesByOid = byOid(data.types);
    this.#operators = groupsBySchemaAndName(data.operators);
    this.ownCasts = data.casts.filter(({ routineOid }) => routineOid >= FIRST_OWN_OID);
    this.#schemasWith = {
      relation: schemasByName(data.relations),
      routine: schemasByName(data.routines),
      type: schemasByName(data.types),
      operator: schemasByName(data.operators),
    };
  }

  get epoch(): string {
    return this.data.epoch;
  }

  get serverVersion(): number {
    return this.data.serverVersion;
  }

  hasSchema(name: string): boolean {
    return this.#schemas.has(name);
  }

  relation(schema: string, name: string): CatalogRelation | undefined {
    return this.#relations.get(schema)?.get(name);
  }

  relationByOid(oid: number): CatalogRelation | undefined {
    return this.#relationsByOid.get(oid);
  }

  routines(schema: string, name: string): readonly CatalogRoutine[] {
    return this.#routines.get(schema)?.get(name) ?? NONE;
  }

  routineByOid(oid: number): CatalogRoutine | undefined {
    return this.#routinesByOid.get(oid);
  }

  type(schema: string, name: string): CatalogType | undefined {
    return this.#types.get(schema)?.get(name);
  }

  typeByOid(oid: number): CatalogType | undefined {
    return this.#typesByOid.get(oid);
  }

  operators(schema: string, name: string): readonly CatalogOperator[] {
    return this.#operators.get(schema)?.get(name) ?? NONE;
  }

  schemasWith(what: Kind, name: string): readonly string[] {
    return this.#schemasWith[what].get(name) ?? NONE;
  }
}

interface Named {
  readonly schema: string;
  readonly name: string;
}

function byOid<T extends { readonly oid: number }>(items: readonly T[]): ReadonlyMap<number, T> {
  return new Map(items.map((item) => [item.oid, item]));
}

function bySchemaAndName<T extends Named>(items: readonly T[]): ReadonlyMap<string, ReadonlyMap<string, T>> {
  const schemas = new Map<string, Map<string, T>>();
  for (const item of items) inner(schemas, item.schema).set(item.name, item);
  return schemas;
}

function groupsBySchemaAndName<T extends Named>(
  items: readonly T[],
): ReadonlyMap<string, ReadonlyMap<string, readonly T[]>> {
  const schemas = new Map<string, Map<string, T[]>>();
  for (const item of items) {
    const names = inner(schemas, item.schema);
    const group = names.get(item.name);
    if (group === undefined) names.set(item.name, [item]);
    else group.push(item);
  }
  return schemas;
}

function inner<V>(schemas: Map<string, Map<string, V>>, schema: string): Map<string, V> {
  const known = schemas.get(schema);
  if (known !== undefined) return known;
  const made = new Map<string, V>();
  schemas.set(schema, made);
  return made;
}

/** pg_catalog aside. */
function schemasByName(items: readonly Named[]): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const { schema, name } of items) {
    if (schema === 'pg_catalog') continue;
    const schemas = found.get(name);
    if (schemas === undefined) found.set(name, [schema]);
    else if (!schemas.includes(schema)) schemas.push(schema);
  }
  return found;
}
