/**
 * What a statement would do, as the analysis understands it on one catalog snapshot. Plain data: it is cached, passed between threads and printed by
 * `countersign explain`.
 */
import type { Access } from '../../policy/access.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Effect, StatementKind } from './classify.ts';

/** What the analysis has to know of the session: part of the key under which its result is cached. */
export interface SessionNames {
  /**
   * The effective search_path: existing schemas in order, "$user" replaced, without implicit ones (pg_temp and pg_catalog, which the analysis adds
   * as the server does). Undefined: not known, so only names that cannot be mistaken are resolved.
   */
  readonly searchPath: readonly string[] | undefined;
  /**
   * Names of temporary relations and types that may exist in this session; a superset (a rolled back one stays in it). An unqualified name in here may
   * mean pg_temp or, just as well, what search_path finds: both are demanded. `*`: any name may.
   */
  readonly temporary: ReadonlySet<string> | '*';
}

/** Why a statement cannot be judged. `ruleId`s are public: they stand in the refusal, the record and docs/analysis.md. */
export type UnreadableReason =
  | 'syntax'
  | 'too-long'
  | 'too-deep'
  | 'invalid-utf8'
  | 'nul'
  | 'deadline'
  | 'parser-failure'
  | 'unknown-statement'
  | 'unknown-expression'
  | 'unknown-search-path'
  | 'unknown-prepared-statement'
  | 'view-unreadable'
  | 'too-many-objects';

export interface Unreadable {
  readonly reason: UnreadableReason;
  /** Of a syntax error: the parser's own message, for the client only (it repeats the client's text), and the 1-based position in characters. */
  readonly message?: string;
  readonly position?: number;
}

/** What a statement leaves behind in the session. */
export type SessionChange =
  /** SET, SET LOCAL, RESET, set_config of search_path. `value` undefined: not known from the text. */
  | {
      readonly kind: 'search-path';
      readonly value: readonly string[] | 'default' | undefined;
      readonly local: boolean;
    }
  | { readonly kind: 'temporary'; readonly names: readonly string[] | '*' }
  | { readonly kind: 'drop-temporary' }
  /** PREPARE: what EXECUTE of the name will mean. The text of the inner statement is in the PREPARE itself. */
  | { readonly kind: 'prepare'; readonly name: string; readonly inner: Meaning }
  /** Without a name: all of them. */
  | { readonly kind: 'deallocate'; readonly name?: string }
  | {
      readonly kind: 'transaction';
      readonly verb: 'begin' | 'commit' | 'rollback' | 'savepoint' | 'release' | 'rollback-to' | 'prepare';
      readonly savepoint?: string;
    }
  /** It runs code that we do not see (an own function, DO, a trigger): everything above may have happened. */
  | { readonly kind: 'anything' };

export interface Meaning {
  readonly kind: StatementKind;
  readonly effect: Effect;
  /** How many statements, empty ones not counted. */
  readonly statements: number;
  /** libpg_query's fingerprint, 16 hex digits: equal for statements that differ only in constants. Absent when unreadable. */
  readonly fingerprint?: string;
  /** What must be granted, each once, columns merged, sorted by kind, verb, schema, name. */
  readonly demands: readonly Access[];
  /** What is reached besides through views, rules and triggers on their owner's authority: recorded, not demanded. */
  readonly reaches: readonly Access[];
  /** Relations and routines that the text names and the catalog does not have (any more): nothing can be demanded of them. As the caller wrote them; never recorded. */
  readonly unknownNames: readonly {
    readonly kind: 'relation' | 'routine' | 'column' | 'type' | 'schema';
    readonly written: string;
    /** `ddl`: the statement would change or drop it, so if it were there `ddl` of its schema would be demanded. */
    readonly verb?: 'ddl';
  }[];
  /** EXECUTE of a statement that SQL or the protocol prepared: the session looks its meaning up and demands that as well. */
  readonly executes?: readonly string[];
  /** Whether a name was looked up through search_path or in pg_temp: then the result holds for those `SessionNames` only. */
  readonly usesSearchPath: boolean;
  /** Whether any object was looked up at all: then the result holds for this catalog epoch only. */
  readonly usesCatalog: boolean;
  readonly changes: readonly SessionChange[];
  readonly unreadable?: Unreadable;
}

/** @param text UTF-8, no NUL. Never throws. `analyze-statement.ts` has it. */
export type AnalyzeStatement = (text: Uint8Array, catalog: Catalog, names: SessionNames) => Meaning;
