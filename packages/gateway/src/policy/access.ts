/**
 * What a command would touch, in words that no protocol owns. A translator derives it, grants and policies judge it, the
 * record keeps it. Names are those of the target's catalog, never the caller's own text.
 */

export type RelationVerb = 'select' | 'insert' | 'update' | 'delete' | 'truncate' | 'maintain';

/**
 * What is allowed only by its own name, because no list of relations says what it can do (decision 11 and the opaque ones).
 * `maintain` of a relation (VACUUM, ANALYZE, CLUSTER, REINDEX, LOCK, REFRESH) is a verb instead.
 */
export const SPECIALS = [
  /** Roles, databases, tablespaces, ALTER SYSTEM, extensions, servers, publications, subscriptions, event triggers, CHECKPOINT … */
  'admin',
  /** Large objects, and the functions that read or write files, open connections, or run SQL that is put together at run time. */
  'file-access',
  'network',
  'dynamic-sql',
  'large-objects',
  'do',
  'call',
  'create-function',
  'set-role',
  'set-session-authorization',
  'copy-program',
  'copy-file',
  'load',
  'listen',
  'notify',
  'advisory-locks',
  'prepare-transaction',
  'hold-cursor',
  'create-temp',
  'discard',
  /** Functions that end or signal other backends, or reach into replication, WAL, statistics resets, sleep locks. */
  'signals',
  'replication',
  'server-control',
  /** System relations and functions that show values or statements of others: pg_stats, pg_stat_activity, pg_authid … */
  'catalog-values',
  'security-definer',
  'security-label',
  'function-call-message',
] as const;

export type Special = (typeof SPECIALS)[number];

export interface RelationAccess {
  readonly kind: 'relation';
  readonly verb: RelationVerb;
  readonly schema: string;
  readonly name: string;
  /** Sorted. `*`: all of them, those of tomorrow too (whole rows, or not known). Empty: rows are counted or seen to exist, no column is read. */
  readonly columns: readonly string[] | '*';
  /**
   * `data`: the target's own. `structure`: a system relation that tells names and types. `values`: a system relation that tells
   * values, statements or secrets. `temp`: a temporary relation of this session.
   */
  readonly class: 'data' | 'structure' | 'values' | 'temp';
  /** The view, rule or trigger (`schema.name`) through which it is reached, if the text does not name it itself. */
  readonly via?: string;
}

export interface RoutineAccess {
  readonly kind: 'routine';
  readonly verb: 'execute';
  readonly schema: string;
  readonly name: string;
  /** Why it is not free: what a built-in can reach, or what an own one is. Harmless built-ins are not listed at all. */
  readonly class: 'own' | Special;
  readonly via?: string;
}

/** CREATE, ALTER, DROP, COMMENT, GRANT of objects in a schema; `name` is the object's where there is one. */
export interface SchemaAccess {
  readonly kind: 'schema';
  readonly verb: 'ddl';
  readonly schema: string;
  readonly name?: string;
  /** The object whose end reaches the schema (CASCADE): what depends on it there is not named by the text. */
  readonly via?: string;
}

export interface SpecialAccess {
  readonly kind: 'special';
  readonly verb: Special;
}

export type Access = RelationAccess | RoutineAccess | SchemaAccess | SpecialAccess;
