import { createHash } from 'node:crypto';

import type { NamePattern, ScopeConfig } from '../config/scope-section.ts';
import type { Access, RelationAccess, RelationVerb, RoutineAccess, Special } from '../policy/access.ts';
import { compareNumbers, scopeWidth } from './scope-width.ts';

/** What a scope says of one verb on what one pattern names. Each pattern and verb occurs once, columns merged. */
export interface ScopeEntry {
  readonly on: NamePattern;
  readonly verb: RelationVerb;
  /** Sorted. */
  readonly columns: readonly string[] | '*';
}

const NOTHING: ScopeConfig = { relations: [], functions: [], ddl: [], allow: [] };

/**
 * What a grant covers. Immutable. Names are compared exactly. A `*` covers the target's own data: never the relations and
 * functions of the system's schemas, never what shows values of others, never a SECURITY DEFINER function. Those are covered by their
 * exact names, or by `allow`. DDL in the system's schemas is covered by no scope; system relations that tell structure may be read under every one.
 */
export class Scope {
  /** Sorted by pattern and verb. What another entry with wider wildcards says as well is left out. */
  readonly entries: readonly ScopeEntry[];
  /** Sorted, each once. */
  readonly functions: readonly NamePattern[];
  readonly ddl: readonly string[] | 'any';
  readonly allow: readonly Special[] | 'all';
  /** The same for scopes that say the same: what `digest` is of. */
  readonly canonical: string;
  /** SHA-256 of `canonical`, base64url. */
  readonly digest: string;
  readonly #entries = new Map<string, ScopeEntry>();
  readonly #functions = new Set<string>();
  readonly #ddl: ReadonlySet<string>;
  readonly #allow: ReadonlySet<string>;

  /** Absent: covers nothing. */
  constructor(config: ScopeConfig = NOTHING) {
    this.entries = normalizedEntries(config);
    this.functions = normalizedPatterns(config.functions);
    this.ddl = config.ddl === 'any' ? 'any' : config.ddl.toSorted(compareText);
    this.allow = config.allow === 'all' ? 'all' : config.allow.toSorted(compareText);
    for (const entry of this.entries) this.#entries.set(entryKey(entry.on, entry.verb), entry);
    for (const each of this.functions) this.#functions.add(patternKey(each));
    this.#ddl = new Set(this.ddl === 'any' ? [] : this.ddl);
    this.#allow = new Set(this.allow === 'all' ? [] : this.allow);
    this.canonical = canonicalText(this);
    this.digest = createHash('sha256').update(this.canonical).digest('base64url');
  }

  get isEmpty(): boolean {
    return [this.entries, this.functions, this.ddl, this.allow].every((list) => list.length === 0);
  }

  covers(access: Access): boolean {
    return this.missingOf(access) === undefined;
  }

  /** What is not covered, of relations the columns alone. Empty exactly when all of them are covered. */
  missing(accesses: readonly Access[]): readonly Access[] {
    return accesses.flatMap((access) => this.missingOf(access) ?? []);
  }

  /** The part of it that is not covered. */
  missingOf(access: Access): Access | undefined {
    if (access.kind === 'relation') return this.#missingOfRelation(access);
    return this.#coversWhole(access) ? undefined : access;
  }

  allows(special: Special): boolean {
    return this.allow === 'all' || this.#allow.has(special);
  }

  /** Columns of a relation that a verb is covered for; undefined: none, not even to count its rows. */
  columnsOf(verb: RelationVerb, schema: string, name: string): readonly string[] | '*' | undefined {
    const found = this.#entriesFor(verb, schema, name, isSystemSchema(schema));
    if (found.length === 0) return undefined;
    const named = new Set<string>();
    for (const { columns } of found) {
      if (columns === '*') return '*';
      for (const column of columns) named.add(column);
    }
    return [...named].toSorted(compareText);
  }

  #coversWhole(access: Exclude<Access, RelationAccess>): boolean {
    switch (access.kind) {
      case 'routine':
        return this.#coversRoutine(access);
      case 'schema':
        return this.#coversSchema(access.schema);
      case 'special':
        return this.allows(access.verb);
      default:
        // Whatever else comes from a translator is not known here.
        return false;
    }
  }

  #missingOfRelation(access: RelationAccess): RelationAccess | undefined {
    const { class: kind, verb, schema, name, columns } = access;
    if (kind === 'temp') return this.allows('create-temp') ? undefined : access;
    if (kind === 'structure' && verb === 'select') return undefined;
    if (kind === 'values' && verb === 'select' && this.allows('catalog-values')) return undefined;
    const found = this.#entriesFor(verb, schema, name, kind !== 'data' || isSystemSchema(schema));
    if (found.length === 0) return access;
    if (found.some((entry) => entry.columns === '*')) return undefined;
    if (columns === '*') return access;
    const rest = columns.filter((column) => !found.some((entry) => entry.columns.includes(column)));
    return rest.length === 0 ? undefined : { ...access, columns: rest };
  }

  #coversRoutine({ class: kind, schema, name }: RoutineAccess): boolean {
    if (this.#functions.has(patternKey({ schema, name }))) return true;
    if (kind !== 'own') return this.allows(kind);
    if (isSystemSchema(schema)) return false;
    return WILD.some((wild) => this.#functions.has(patternKey(wild(schema, name))));
  }

  #coversSchema(schema: string): boolean {
    return !isSystemSchema(schema) && (this.ddl === 'any' || this.#ddl.has(schema));
  }

  #entriesFor(verb: RelationVerb, schema: string, name: string, exactly: boolean): readonly ScopeEntry[] {
    const exact = this.#entries.get(entryKey({ schema, name }, verb));
    const found = exact === undefined ? [] : [exact];
    if (exactly) return found;
    for (const wild of WILD) {
      const entry = this.#entries.get(entryKey(wild(schema, name), verb));
      if (entry !== undefined) found.push(entry);
    }
    return found;
  }
}

/** The patterns with a `*` that a name matches. */
const WILD: readonly ((schema: string, name: string) => NamePattern)[] = [
  () => ({}),
  (schema) => ({ schema }),
  (_, name) => ({ name }),
];

/**
 * Schemas whose content belongs to the server. `pg_` is reserved for them by the server itself.
 */
export function isSystemSchema(schema: string): boolean {
  return schema === 'information_schema' || schema.startsWith('pg_');
}

/**
 * The narrower scope first (decision 31), zero when neither is. A scope that covers nothing is no help to anybody: it comes last. Then
 * by width, see `scopeWidth`.
 */
export function compareScopes(a: Scope, b: Scope): number {
  if (a.isEmpty !== b.isEmpty) return a.isEmpty ? 1 : -1;
  return compareNumbers(scopeWidth(a), scopeWidth(b));
}

function normalizedEntries({ relations }: ScopeConfig): readonly ScopeEntry[] {
  const merged = new Map<string, ScopeEntry>();
  for (const { on, verbs, columns } of relations) {
    for (const each of on) {
      for (const verb of verbs) {
        const key = entryKey(each, verb);
        const known = merged.get(key);
        merged.set(key, {
          on: each,
          verb,
          columns: mergedColumns(known?.columns ?? [], columns),
        });
      }
    }
  }
  // An exact name says more than a wildcard (see the class), so it stays beside one.
  const entries = [...merged.values()].filter(({ on, verb, columns }) => {
    if (!isWild(on) || isWholly(on)) return true;
    const wider = merged.get(entryKey({}, verb));
    return wider === undefined || !columnsWithin(columns, wider.columns);
  });
  return entries.toSorted((a, b) => compareText(entryKey(a.on, a.verb), entryKey(b.on, b.verb)));
}

function normalizedPatterns(patterns: readonly NamePattern[]): readonly NamePattern[] {
  const merged = new Map(patterns.map((each) => [patternKey(each), each]));
  const hasAll = merged.has(patternKey({}));
  return [...merged]
    .filter(([, each]) => !hasAll || !isWild(each) || isWholly(each))
    .toSorted(([a], [b]) => compareText(a, b))
    .map(([, each]) => each);
}

function isWild(on: NamePattern): boolean {
  return on.schema === undefined || on.name === undefined;
}

function isWholly(on: NamePattern): boolean {
  return on.schema === undefined && on.name === undefined;
}

function mergedColumns(a: ScopeEntry['columns'], b: ScopeEntry['columns']): ScopeEntry['columns'] {
  if (a === '*' || b === '*') return '*';
  return [...new Set([...a, ...b])].toSorted(compareText);
}

function columnsWithin(a: ScopeEntry['columns'], b: ScopeEntry['columns']): boolean {
  if (b === '*') return true;
  return a !== '*' && a.every((column) => b.includes(column));
}

/** JSON, because names may contain anything; null for `*`, which no name is. */
function patternKey({ schema, name }: NamePattern): string {
  return JSON.stringify([schema ?? null, name ?? null]);
}

function entryKey({ schema, name }: NamePattern, verb: RelationVerb): string {
  return JSON.stringify([schema ?? null, name ?? null, verb]);
}

/** By code units: the same on every machine. */
function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

function canonicalText({ entries, functions, ddl, allow }: Scope): string {
  return JSON.stringify({
    format: 1,
    relations: entries.map(({ on, verb, columns }) => [on.schema ?? null, on.name ?? null, verb, columns]),
    functions: functions.map(({ schema, name }) => [schema ?? null, name ?? null]),
    ddl,
    allow,
  });
}
