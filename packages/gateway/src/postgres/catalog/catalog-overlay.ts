import type { Catalog, CatalogRelation, CatalogRoutine, CatalogType } from './catalog.ts';

/** What DDL made or changed since the snapshot was taken. Without a name: the schema itself. */
export interface MovedObject {
  readonly schema: string;
  readonly name?: string;
}

const NONE = 'none';

/**
 * A snapshot with objects over it that it does not show yet, because the transaction that made or changed them is open or because an
 * earlier statement of the same text does. Of none of them is it known what it is: each name is at once a relation with any columns, a routine that
 * takes anything, and a type. What the server finds under the name was made under a granted `ddl` of that schema; what the analysis demands for it is
 * what it would demand for the target's own objects.
 *
 * What it hides of an existing object (its view text, triggers, columns) is what DDL may have changed, so the analysis demands all columns and,
 * since the former triggers and rules may still fire, those stay.
 */
export class CatalogOverlay implements Catalog {
  readonly data: Catalog['data'];
  readonly epoch: string;
  readonly serverVersion: number;
  readonly ownCasts: Catalog['ownCasts'];
  readonly #base: Catalog;
  readonly #schemas = new Set<string>();
  readonly #names = new Map<string, Set<string>>();

  /** @param epoch another one than the base's and any other overlay's, for caches. */
  constructor(base: Catalog, moved: readonly MovedObject[], epoch: string) {
    this.#base = base;
    this.data = base.data;
    this.epoch = epoch;
    this.serverVersion = base.serverVersion;
    this.ownCasts = base.ownCasts;
    for (const { schema, name } of moved) {
      this.#schemas.add(schema);
      if (name === undefined) continue;
      const names = this.#names.get(schema);
      if (names === undefined) this.#names.set(schema, new Set([name]));
      else names.add(name);
    }
  }

  hasSchema(name: string): boolean {
    return this.#schemas.has(name) || this.#base.hasSchema(name);
  }

  relation(schema: string, name: string): CatalogRelation | undefined {
    const known = this.#base.relation(schema, name);
    if (!this.#isMoved(schema, name)) return known;
    return known === undefined ? openRelation(schema, name) : { ...known, open: true };
  }

  relationByOid(oid: number): CatalogRelation | undefined {
    const known = this.#base.relationByOid(oid);
    return known !== undefined && this.#isMoved(known.schema, known.name) ? { ...known, open: true } : known;
  }

  routines(schema: string, name: string): readonly CatalogRoutine[] {
    const known = this.#base.routines(schema, name);
    return this.#isMoved(schema, name) ? [...known, openRoutine(schema, name)] : known;
  }

  routineByOid(oid: number): CatalogRoutine | undefined {
    return this.#base.routineByOid(oid);
  }

  type(schema: string, name: string): CatalogType | undefined {
    const known = this.#base.type(schema, name);
    return known === undefined && this.#isMoved(schema, name) ? openType(schema, name) : known;
  }

  typeByOid(oid: number): CatalogType | undefined {
    return this.#base.typeByOid(oid);
  }

  operators(schema: string, name: string): ReturnType<Catalog['operators']> {
    return this.#base.operators(schema, name);
  }

  schemasWith(what: Parameters<Catalog['schemasWith']>[0], name: string): readonly string[] {
    const known = this.#base.schemasWith(what, name);
    if (what === 'operator') return known;
    const moved = [...this.#names].filter(([schema, names]) => names.has(name) && !known.includes(schema));
    return moved.length === 0 ? known : [...known, ...moved.map(([schema]) => schema)];
  }

  #isMoved(schema: string, name: string): boolean {
    return this.#names.get(schema)?.has(name) === true;
  }
}

function openRelation(schema: string, name: string): CatalogRelation {
  return {
    oid: 0,
    schema,
    name,
    kind: 'table',
    owner: NONE,
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

function openRoutine(schema: string, name: string): CatalogRoutine {
  return {
    oid: 0,
    schema,
    name,
    kind: 'function',
    argumentTypes: [],
    argumentNames: [],
    defaults: 0,
    variadic: true,
    returnsSet: false,
    returnTypeOid: 0,
    language: NONE,
    volatility: 'volatile',
    securityDefiner: false,
    settings: [],
    open: true,
  };
}

function openType(schema: string, name: string): CatalogType {
  return { oid: 0, schema, name, kind: 'base', routineOids: [] };
}
