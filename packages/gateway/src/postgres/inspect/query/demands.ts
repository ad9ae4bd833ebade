/** Collects what one text demands and reaches: each access once, columns merged, bounded. */
import type { Access, RelationVerb, RoutineAccess, Special } from '../../../policy/access.ts';
import type { Catalog, CatalogRelation, CatalogRoutine, CatalogType } from '../../catalog/catalog.ts';
import type { Meaning, UnreadableReason } from '../meaning.ts';
import { reachOfRoutine } from '../routines/classify-routine.ts';
import { classifyRelation } from '../routines/system-relations.ts';
import { foundInExpression } from './catalog-texts.ts';
import { CATALOG_NAMES } from './context.ts';
import { spendWork } from './work.ts';
import { domainsOfType, partsOfType, routinesOfType, unaskedCasts } from './type-routines.ts';

export type UnknownName = Meaning['unknownNames'][number];

/** More than that many different accesses are no statement that anyone could judge. */
const MAX_DEMANDS = 2000;
/** Partitions are reached, so these may be many. */
const MAX_REACHES = 20_000;
const MAX_UNKNOWN_NAMES = 100;
/**
 * Columns that joins and stars may put together, all in all. A chain of WITH queries that each join the one before with itself doubles them at
 * every step; the server ends at 1,664 columns of one list.
 */
const MAX_COLUMNS = 500_000;

/** Thrown by the analysis, caught where it begins: the statement as a whole cannot be judged. */
export class UnreadableStatement extends Error {
  readonly reason: UnreadableReason;

  constructor(reason: UnreadableReason) {
    super(reason);
    this.reason = reason;
  }
}

/** On whose authority something is touched, and through what. */
export interface Authority {
  /** `owner`: of the view, rule or table through which it is reached; relations are then reached, not demanded. */
  readonly authority: 'caller' | 'owner';
  readonly via?: string;
}

export const BY_CALLER: Authority = { authority: 'caller' };

/** One relation under one verb; the columns used are added as they are found. */
export class ColumnUse {
  readonly verb: RelationVerb;
  readonly schema: string;
  readonly name: string;
  readonly class: 'data' | 'structure' | 'values' | 'temp';
  readonly by: Authority;
  /** Undefined: temporary, nothing is known of it. */
  readonly relation: CatalogRelation | undefined;
  /** Named without ONLY: what inherits from it is used as well. */
  inherited = false;
  #columns: Set<string> | '*' = new Set();

  constructor(verb: RelationVerb, relation: CatalogRelation | string, by: Authority) {
    this.verb = verb;
    this.by = by;
    if (typeof relation === 'string') {
      this.relation = undefined;
      this.schema = 'pg_temp';
      this.name = relation;
      this.class = 'temp';
    } else {
      this.relation = relation;
      this.schema = relation.schema;
      this.name = relation.name;
      this.class = classifyRelation(relation.schema, relation.name);
    }
    // Of an open relation any name may be a column.
    if (this.relation === undefined || this.relation.open === true) this.#columns = '*';
  }

  add(column: string): void {
    if (this.#columns !== '*') this.#columns.add(column);
  }

  addAll(): void {
    this.#columns = '*';
  }

  has(column: string): boolean {
    return this.#columns === '*' || this.#columns.has(column);
  }

  get columns(): readonly string[] | '*' {
    return this.#columns === '*' ? '*' : [...this.#columns].sort();
  }
}

/** What has been found, as `Meaning` has it. */
export interface Found {
  readonly demands: readonly Access[];
  readonly reaches: readonly Access[];
  readonly unknownNames: readonly UnknownName[];
  readonly usesSearchPath: boolean;
  readonly usesCatalog: boolean;
  /** Whether something may be changed: a relation is written or locked, or a routine runs that could. */
  readonly writes: boolean;
  /** Whether code runs that we do not see, so that the session itself may be another afterwards. */
  readonly runsOwnCode: boolean;
}

export class Demands {
  usesSearchPath = false;
  usesCatalog = false;
  writes = false;
  runsOwnCode = false;
  /** Somewhere a type is named: casts that nothing else asks for can be meant. */
  castsExplicitly = false;
  /** Something is computed: a value may be cast unasked. */
  hasExpressions = false;
  readonly catalog: Catalog;
  readonly #relations = new Map<string, ColumnUse>();
  /** Everything else that is demanded, and what was found elsewhere before, by key. */
  readonly #others = new Map<string, Access>();
  readonly #reaches = new Map<string, Access>();
  readonly #unknown = new Map<string, UnknownName>();
  readonly #types = new Set<number>();
  readonly #domains = new Set<CatalogType>();
  #spentColumns = 0;

  constructor(catalog: Catalog) {
    this.catalog = catalog;
  }

  /** @param relation a string is the name of a temporary one. */
  relation(verb: RelationVerb, relation: CatalogRelation | string, by: Authority = BY_CALLER): ColumnUse {
    const [schema, name] = typeof relation === 'string' ? ['', relation] : [relation.schema, relation.name];
    const key = `${by.authority}\0${by.via ?? ''}\0${verb}\0${schema}\0${name}`;
    let use = this.#relations.get(key);
    if (use === undefined) {
      use = new ColumnUse(verb, relation, by);
      this.#relations.set(key, use);
      this.#checkSize();
      if (verb !== 'select') this.writes = true;
    }
    this.usesCatalog = true;
    return use;
  }

  /** Demands a routine, unless it can reach nothing. Routines run with the caller's rights wherever they stand. */
  routine(routine: CatalogRoutine, via?: string): void {
    const reach = reachOfRoutine(routine);
    this.usesCatalog = true;
    if (reach === 'harmless') return;
    // Where the arguments decide, `function-call.ts` looked at them; met without a call (an operator, a trigger), any argument may come.
    const isJudged = reach === 'sequence' || reach === 'setting' || reach === 'rewrite';
    this.reachingRoutine(routine, isJudged ? 'dynamic-sql' : reach, via);
  }

  reachingRoutine(routine: CatalogRoutine, reach: RoutineAccess['class'], via?: string): void {
    const { schema, name, volatility } = routine;
    this.#demand({
      kind: 'routine',
      verb: 'execute',
      schema,
      name,
      class: reach,
      ...(via !== undefined && { via }),
    });
    if (reach === 'catalog-values') return;
    if (volatility === 'volatile' || reach !== 'own') this.writes = true;
    this.runsOwnCode ||= routine.oid === 0 || routine.oid >= 16_384;
    for (const type of [...routine.argumentTypes, routine.returnTypeOid]) {
      this.typeSeen(type);
      this.#makes(type);
    }
  }

  special(verb: Special): void {
    this.#demand({ kind: 'special', verb });
    if (verb !== 'catalog-values') this.writes = true;
  }

  schema(schema: string, name?: string, via?: string): void {
    this.#demand({
      kind: 'schema',
      verb: 'ddl',
      schema,
      ...(name !== undefined && { name }),
      ...(via !== undefined && { via }),
    });
    this.writes = true;
  }

  /** @param written as the caller wrote it. */
  unknownName(kind: UnknownName['kind'], written: string, verb?: UnknownName['verb']): void {
    this.usesCatalog = true;
    if (this.#unknown.size >= MAX_UNKNOWN_NAMES) return;
    const name = { kind, written, ...(verb !== undefined && { verb }) };
    this.#unknown.set(`${kind}\0${verb ?? ''}\0${written}`, name);
  }

  /** A value of the type is made, changed into another or sent: its own routines run. Which ones is found at the end. */
  typeSeen(oid: number): void {
    if (oid !== 0) this.#types.add(oid);
  }

  /** Counts columns that are put together. */
  spendColumns(count: number): void {
    spendWork(count);
    this.#spentColumns += count;
    if (this.#spentColumns > MAX_COLUMNS) throw new UnreadableStatement('too-many-objects');
  }

  /** Takes over what an earlier analysis of a view, an expression or another statement found. */
  include(found: Found): void {
    for (const access of found.demands) this.#demand(access);
    for (const access of found.reaches) this.#reach(access);
    for (const { kind, written, verb } of found.unknownNames) this.unknownName(kind, written, verb);
    this.usesSearchPath ||= found.usesSearchPath;
    this.usesCatalog ||= found.usesCatalog;
    this.writes ||= found.writes;
    this.runsOwnCode ||= found.runsOwnCode;
  }

  finish(): Found {
    if (this.hasExpressions) {
      for (const { routineOid } of unaskedCasts(this.catalog)) {
        const routine = this.catalog.routineByOid(routineOid);
        if (routine !== undefined) this.routine(routine);
      }
    }
    // The types of columns may demand routines, and those see further types: so these are first.
    for (const use of this.#relations.values()) this.#seeTypes(use);
    // A routine's own types may be new: the set grows while it is walked.
    for (const oid of this.#types) {
      for (const routine of routinesOfType(this.catalog, oid, this.castsExplicitly)) this.routine(routine);
    }
    for (const domain of this.#domains) this.#checks(domain);
    for (const use of this.#relations.values()) this.#finishRelation(use);
    return {
      demands: sorted(this.#others),
      reaches: sorted(this.#reaches),
      unknownNames: [...this.#unknown.values()],
      usesSearchPath: this.usesSearchPath,
      usesCatalog: this.usesCatalog,
      writes: this.writes,
      runsOwnCode: this.runsOwnCode,
    };
  }

  /** A literal becomes a value of whatever type it is needed as, so checks run where no type is named. */
  #makes(oid: number): void {
    for (const domain of domainsOfType(this.catalog, oid)) this.#domains.add(domain);
  }

  #checks(domain: CatalogType): void {
    const { catalog } = this;
    const context = {
      ...BY_CALLER,
      catalog,
      names: CATALOG_NAMES,
      demands: this,
      depth: 0,
      onWrite: () => {},
    };
    for (const text of domain.expressions ?? []) this.include(foundInExpression(text, domain, context));
  }

  #finishRelation(use: ColumnUse): void {
    const access = accessOf(use);
    if (use.by.authority === 'owner') this.#reach(access);
    else this.#demand(access);
    if (use.inherited && use.relation !== undefined) {
      this.#reachChildren(use.relation, access, new Set([use.relation.oid]));
    }
  }

  #seeTypes(use: ColumnUse): void {
    for (const { name, typeOid } of use.relation?.columns ?? []) {
      if (!use.has(name)) continue;
      this.typeSeen(typeOid);
      // A literal beside a column of a domain becomes what the domain is made of. Of a whole row, each field can be made.
      if (use.columns === '*') this.#makes(typeOid);
      else for (const part of partsOfType(this.catalog, typeOid)) this.#makes(part);
    }
  }

  /** Partitions and inheriting tables have the columns of their parent. */
  #reachChildren(parent: CatalogRelation, access: Access, seen: Set<number>): void {
    for (const oid of parent.children) {
      const child = this.catalog.relationByOid(oid);
      if (child === undefined || seen.has(oid)) continue;
      seen.add(oid);
      const { schema, name } = child;
      this.#reach({ ...access, schema, name, via: `${parent.schema}.${parent.name}` } as Access);
      this.#reachChildren(child, access, seen);
    }
  }

  #demand(access: Access): void {
    spendWork(weightOf(access));
    const before = this.#others.size;
    mergeInto(this.#others, access);
    if (this.#others.size !== before) this.#checkSize();
  }

  #reach(access: Access): void {
    spendWork(weightOf(access));
    mergeInto(this.#reaches, access);
    if (this.#reaches.size > MAX_REACHES) throw new UnreadableStatement('too-many-objects');
  }

  #checkSize(): void {
    if (this.#relations.size + this.#others.size > MAX_DEMANDS)
      throw new UnreadableStatement('too-many-objects');
  }
}

/** Columns are merged and sorted. */
const weightOf = (access: Access): number =>
  access.kind === 'relation' && access.columns !== '*' ? 4 + access.columns.length / 4 : 4;

function accessOf(use: ColumnUse): Access {
  const { verb, schema, name, columns, by } = use;
  return {
    kind: 'relation',
    verb,
    schema,
    name,
    columns,
    class: use.class,
    ...(by.via !== undefined && { via: by.via }),
  };
}

/** Kind, verb, schema, name, via: what makes an access one of its own. Sorting by it is the order of the lists. */
function keyOf(access: Access): string {
  if (access.kind === 'special') return `special\0${access.verb}`;
  const via = access.kind === 'schema' ? '' : (access.via ?? '');
  const what = access.kind === 'schema' ? '' : access.class;
  return `${access.kind}\0${access.verb}\0${access.schema}\0${access.name ?? ''}\0${what}\0${via}`;
}

function mergeInto(map: Map<string, Access>, access: Access): void {
  const key = keyOf(access);
  const known = map.get(key);
  if (known?.kind === 'relation' && access.kind === 'relation') {
    const columns =
      known.columns === '*' || access.columns === '*'
        ? '*'
        : [...new Set([...known.columns, ...access.columns])].sort();
    map.set(key, { ...known, columns });
  } else if (known === undefined) map.set(key, access);
}

function sorted(map: ReadonlyMap<string, Access>): readonly Access[] {
  const keys = [...map.keys()].sort();
  return keys.map((key) => map.get(key)!);
}
