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
 * What it hides of an existing object (its view text, triggers, columns) is what DDL may have changed, so the analysis demands all columns. Triggers,
 * rules, checks and parts of everything that moved may be behind each of the names (a table can take another's, or become a part of it), those that were
 * switched off too.
 */
export class CatalogOverlay implements Catalog {
  readonly data: Catalog['data'];
  readonly epoch: string;
  readonly serverVersion: number;
  readonly ownCasts: Catalog['ownCasts'];
  readonly #base: Catalog;
  /** DDL of these schemas themselves: whatever is in them may have gone with them. */
  readonly #schemas = new Set<string>();
  readonly #names = new Map<string, Set<string>>();
  readonly #behind: BehindNames;
  readonly #open = new Map<CatalogRelation, CatalogRelation>();
  readonly #new = new Map<string, CatalogRelation>();

  /** @param epoch another one than the base's and any other overlay's, for caches. */
  constructor(base: Catalog, moved: readonly MovedObject[], epoch: string) {
    this.#base = base;
    this.data = base.data;
    this.epoch = epoch;
    this.serverVersion = base.serverVersion;
    this.ownCasts = base.ownCasts;
    for (const { schema, name } of moved) {
      if (name === undefined) {
        this.#schemas.add(schema);
        continue;
      }
      const names = this.#names.get(schema);
      if (names === undefined) this.#names.set(schema, new Set([name]));
      else names.add(name);
    }
    this.#behind = behindNames(base, this.#names);
  }

  hasSchema(name: string): boolean {
    return this.#schemas.has(name) || this.#names.has(name) || this.#base.hasSchema(name);
  }

  relation(schema: string, name: string): CatalogRelation | undefined {
    const known = this.#base.relation(schema, name);
    if (known === undefined) return this.#isNamed(schema, name) ? this.#made(schema, name) : undefined;
    return this.isMoved(schema, name) ? this.#opened(known) : known;
  }

  relationByOid(oid: number): CatalogRelation | undefined {
    const known = this.#base.relationByOid(oid);
    return known !== undefined && this.isMoved(known.schema, known.name) ? this.#opened(known) : known;
  }

  routines(schema: string, name: string): readonly CatalogRoutine[] {
    const known = this.#base.routines(schema, name);
    return this.#isNamed(schema, name) ? [...known, openRoutine(schema, name)] : known;
  }

  routineByOid(oid: number): CatalogRoutine | undefined {
    return this.#base.routineByOid(oid);
  }

  type(schema: string, name: string): CatalogType | undefined {
    const known = this.#base.type(schema, name);
    return known === undefined && this.#isNamed(schema, name) ? openType(schema, name) : known;
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

  /** With a schema, all that is in it has moved. */
  isMoved(schema: string, name: string): boolean {
    return this.#schemas.has(schema) || this.#isNamed(schema, name);
  }

  #isNamed(schema: string, name: string): boolean {
    return this.#names.get(schema)?.has(name) === true;
  }

  /** The same object for the same relation: who walks through parts looks whether he has seen one. */
  #opened(relation: CatalogRelation): CatalogRelation {
    let opened = this.#open.get(relation);
    if (opened === undefined) {
      const behind = this.#isNamed(relation.schema, relation.name) ? this.#behind : {};
      opened = { ...relation, ...behind, open: true };
      this.#open.set(relation, opened);
    }
    return opened;
  }

  #made(schema: string, name: string): CatalogRelation {
    const key = `${schema}\0${name}`;
    let made = this.#new.get(key);
    if (made === undefined) {
      made = { ...openRelation(schema, name), ...this.#behind };
      this.#new.set(key, made);
    }
    return made;
  }
}

type BehindNames = Pick<CatalogRelation, 'triggers' | 'rules' | 'expressions' | 'children' | 'referencedBy'>;

function behindNames(base: Catalog, names: ReadonlyMap<string, ReadonlySet<string>>): BehindNames {
  const moved: CatalogRelation[] = [];
  for (const [schema, each] of names) {
    for (const name of each) moved.push(...[base.relation(schema, name) ?? []].flat());
  }
  const references = moved.map(({ referencedBy }) => referencedBy);
  return {
    triggers: moved.flatMap(({ triggers }) =>
      triggers.map((trigger) => (trigger.enabled === 'D' ? { ...trigger, enabled: 'O' as const } : trigger)),
    ),
    rules: moved.flatMap(({ rules }) => rules),
    expressions: moved.flatMap(({ expressions }) => expressions),
    children: moved.flatMap(({ children }) => children).concat(moved.map(({ oid }) => oid)),
    ...(!references.includes(undefined) && { referencedBy: references.flatMap((each) => each ?? []) }),
  };
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
  return { oid: 0, schema, name, kind: 'base', routineOids: [], open: true };
}
