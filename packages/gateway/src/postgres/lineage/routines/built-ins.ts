/**
 * What routines of pg_catalog, PostgreSQL 13 to 18, do with regulated arguments. Closed lists: what is not in here is an oracle, because nothing is known of when
 * it fails, how long it takes or how many rows it makes.
 */
import type { OracleReason } from '../../../masking/lineage.ts';

/** A result that carries what the arguments carry. The call can neither fail, nor run long, nor make other rows, whatever the regulated value is. */
export interface TotalRule {
  /** Positions at which a regulated value may stand; elsewhere it decides what is done, and is an oracle. */
  readonly at: 'any' | 'first' | 'second';
  /**
   * What can be guessed of the argument through the result. `same`: its value in another shape of letters. `whole`: one result for one value. `part`: some of it.
   */
  readonly form: 'same' | 'whole' | 'part';
  /** pg_type.oid of the result. Absent: not said here. */
  readonly returns?: number;
  /** What must hold of the other arguments or of the type of the regulated one. */
  readonly only?: Condition;
}

export type Condition =
  /** The second argument is an integer: with a text, `substring` takes a pattern. */
  | 'integer-second'
  /** All others are constants of at most 1,000 characters: the result cannot become large by them. */
  | 'short-constants'
  /** A constant format without a width that an argument gives. */
  | 'constant-format'
  /** To UTF-8: other encodings lack letters. */
  | 'utf8'
  /** numeric and floating point: the smallest integer has no absolute value. */
  | 'fraction'
  /** No money and no interval: these overflow. */
  | 'number'
  /** No array: those of different dimensions cannot be put together. */
  | 'no-array'
  /** What is sorted is no computed numeric: it would be cast to floating point. */
  | 'plain-number';

export const TEXT = 25;
export const INT4 = 23;
export const INT8 = 20;
export const NUMERIC = 1700;
export const BOOL = 16;
export const JSON_TYPE = 114;
export const JSONB = 3802;
const BYTEA = 17;

interface Group extends TotalRule {
  readonly names: string;
}

const GROUPS: readonly Group[] = [
  // Of text.
  { names: 'lower upper casefold btrim ltrim rtrim', at: 'first', form: 'same', returns: TEXT },
  { names: 'text', at: 'any', form: 'same', returns: TEXT },
  {
    names: 'reverse quote_literal quote_nullable quote_ident initcap normalize',
    at: 'first',
    form: 'whole',
    returns: TEXT,
  },
  { names: 'left right lpad rpad split_part overlay translate', at: 'first', form: 'part', returns: TEXT },
  { names: 'substr substring', at: 'first', form: 'part', returns: TEXT, only: 'integer-second' },
  { names: 'replace', at: 'first', form: 'part', returns: TEXT, only: 'short-constants' },
  { names: 'concat concat_ws', at: 'any', form: 'whole', returns: TEXT },
  { names: 'format', at: 'any', form: 'part', returns: TEXT, only: 'constant-format' },
  {
    names: 'length char_length character_length octet_length bit_length ascii strpos position',
    at: 'any',
    form: 'part',
    returns: INT4,
  },
  { names: 'pg_column_size', at: 'any', form: 'part', returns: INT4 },
  { names: 'to_hex to_oct to_bin', at: 'any', form: 'whole', returns: TEXT },
  // Digests and codes.
  { names: 'md5', at: 'any', form: 'whole', returns: TEXT },
  { names: 'sha224 sha256 sha384 sha512', at: 'any', form: 'whole', returns: BYTEA },
  { names: 'encode', at: 'first', form: 'whole', returns: TEXT },
  { names: 'convert_to', at: 'first', form: 'whole', returns: BYTEA, only: 'utf8' },
  {
    names: 'hashtext hashbpchar hashname hashint2 hashint4 hashint8 hash_numeric hashfloat4 hashfloat8',
    at: 'any',
    form: 'whole',
    returns: INT4,
  },
  {
    names:
      'hashtextextended hashbpcharextended hashint4extended hashint8extended hash_numeric_extended crc32 crc32c',
    at: 'first',
    form: 'whole',
    returns: INT8,
  },
  // Of numbers.
  { names: 'abs', at: 'any', form: 'part', only: 'fraction' },
  { names: 'round trunc', at: 'first', form: 'part' },
  { names: 'ceil ceiling floor sign scale min_scale trim_scale', at: 'any', form: 'part' },
  // Of dates and times.
  { names: 'date_part', at: 'second', form: 'part', returns: 701 },
  { names: 'extract', at: 'second', form: 'part', returns: NUMERIC },
  { names: 'date_trunc timezone', at: 'second', form: 'part' },
  { names: 'age', at: 'any', form: 'part', returns: 1186 },
  { names: 'date', at: 'any', form: 'part', returns: 1082 },
  { names: 'isfinite', at: 'any', form: 'part', returns: BOOL },
  { names: 'to_char', at: 'first', form: 'part', returns: TEXT },
  // JSON.
  { names: 'to_json row_to_json array_to_json', at: 'first', form: 'whole', returns: JSON_TYPE },
  { names: 'to_jsonb', at: 'any', form: 'whole', returns: JSONB },
  {
    names: 'json_build_object json_build_array json_object_agg json_object_agg_strict',
    at: 'any',
    form: 'part',
    returns: JSON_TYPE,
  },
  { names: 'json_agg json_agg_strict', at: 'any', form: 'part', returns: JSON_TYPE },
  {
    names: 'jsonb_build_object jsonb_build_array jsonb_object_agg jsonb_object_agg_strict',
    at: 'any',
    form: 'part',
    returns: JSONB,
  },
  { names: 'jsonb_agg jsonb_agg_strict', at: 'any', form: 'part', returns: JSONB },
  { names: 'json_typeof jsonb_typeof jsonb_pretty', at: 'any', form: 'part', returns: TEXT },
  {
    names: 'json_extract_path json_object_field json_array_element json_strip_nulls',
    at: 'first',
    form: 'part',
    returns: JSON_TYPE,
  },
  {
    names: 'jsonb_extract_path jsonb_object_field jsonb_array_element jsonb_strip_nulls',
    at: 'first',
    form: 'part',
    returns: JSONB,
  },
  {
    names:
      'json_extract_path_text json_object_field_text json_array_element_text jsonb_extract_path_text jsonb_object_field_text jsonb_array_element_text',
    at: 'first',
    form: 'part',
    returns: TEXT,
  },
  // Arrays, ranges, addresses, identifiers.
  {
    names: 'array_length array_upper array_lower array_ndims cardinality',
    at: 'first',
    form: 'part',
    returns: INT4,
  },
  { names: 'array_to_string array_dims', at: 'first', form: 'part', returns: TEXT },
  { names: 'array_append', at: 'second', form: 'part', only: 'no-array' },
  { names: 'array_prepend', at: 'first', form: 'part', only: 'no-array' },
  { names: 'pg_get_expr', at: 'first', form: 'part', returns: TEXT },
  { names: 'isempty lower_inc lower_inf upper_inc upper_inf', at: 'any', form: 'part', returns: BOOL },
  { names: 'host abbrev', at: 'any', form: 'part', returns: TEXT },
  { names: 'family masklen', at: 'any', form: 'part', returns: INT4 },
  { names: 'network', at: 'any', form: 'part', returns: 650 },
  { names: 'broadcast netmask hostmask', at: 'any', form: 'part', returns: 869 },
  { names: 'uuid_extract_version', at: 'any', form: 'part', returns: 21 },
  { names: 'uuid_extract_timestamp', at: 'any', form: 'part', returns: 1184 },
  // Aggregates: the rows of a group, one value.
  { names: 'min max any_value mode', at: 'any', form: 'part' },
  { names: 'percentile_disc', at: 'second', form: 'part' },
  { names: 'percentile_cont', at: 'second', form: 'part', only: 'plain-number' },
  { names: 'string_agg', at: 'any', form: 'part' },
  { names: 'array_agg', at: 'any', form: 'part', only: 'no-array' },
  {
    names: 'sum avg stddev stddev_pop stddev_samp variance var_pop var_samp',
    at: 'any',
    form: 'part',
    only: 'number',
  },
  { names: 'bit_and bit_or bit_xor', at: 'any', form: 'part' },
  { names: 'bool_and bool_or every', at: 'any', form: 'part', returns: BOOL },
  // Window functions: another row's value.
  { names: 'first_value last_value lag lead nth_value', at: 'first', form: 'whole' },
];

export const TOTAL: ReadonlyMap<string, TotalRule> = new Map(
  GROUPS.flatMap(({ names, ...rule }) => names.split(' ').map((name) => [name, rule] as const)),
);

/** Tell nothing of the values they are given but whether they are null. */
export const FREE: ReadonlySet<string> = new Set(
  'count num_nulls num_nonnulls pg_typeof pg_collation_for grouping'.split(' '),
);

/** Window functions without arguments; as aggregates (WITHIN GROUP) they place a value among the others. */
export const PLACES: ReadonlySet<string> = new Set(
  'row_number rank dense_rank percent_rank cume_dist ntile'.split(' '),
);

/** Aggregates that may be free where a statement shows the minimum group size: the ones that a configuration can name with effect. */
export const POOLING: ReadonlySet<string> = new Set(
  'sum avg stddev stddev_pop stddev_samp variance var_pop var_samp'.split(' '),
);

const PATTERN =
  /like|regex|^regexp|^similar|^starts_with$|^ts_|tsvector|tsquery|_path_(?:match|exists|query)|^jsonb_(?:contain|exist)|^array(?:contain|overlap)/u;
const RANGE =
  /^(?:bt)?(?:array|bit|bool|bpchar|bytea|char|date|enum|float|inet|int|interval|jsonb|macaddr|money|name|network|numeric|oid|range|record|text|time|timestamp|timestamptz|timetz|uuid)[a-z0-9_]*?(?:lt|le|gt|ge|cmp|larger|smaller)$|^width_bucket$|^overlaps$/u;

/** Why a regulated argument of a routine that is on no list is an oracle. */
export function reasonOf(name: string): OracleReason {
  if (PATTERN.test(name)) return 'pattern';
  return RANGE.test(name) ? 'range' : 'fallible';
}

/** Where an argument of a built-in goes, other than into its result. */
export const SINKS: ReadonlyMap<string, Sink> = new Map(
  (
    [
      ['setting', 'set_config'],
      ['sequence', 'nextval setval currval'],
      ['notification', 'pg_notify'],
      ['message', 'pg_logical_emit_message'],
      [
        'lock',
        'pg_advisory_lock pg_advisory_lock_shared pg_advisory_unlock pg_advisory_unlock_shared pg_advisory_xact_lock pg_advisory_xact_lock_shared pg_try_advisory_lock pg_try_advisory_lock_shared pg_try_advisory_xact_lock pg_try_advisory_xact_lock_shared',
      ],
      ['large-object', 'lo_from_bytea lo_put lowrite lo_creat lo_create lo_import lo_open'],
      ['file', 'pg_file_write lo_export pg_file_rename pg_file_unlink'],
    ] as const
  ).flatMap(([what, names]) => names.split(' ').map((name) => [name, what] as const)),
);

export type Sink = 'setting' | 'sequence' | 'notification' | 'message' | 'lock' | 'large-object' | 'file';

/** Specials whose routines show what is in files, tables, statements of others … */
export const SHOWING: ReadonlySet<string> = new Set([
  'file-access',
  'dynamic-sql',
  'large-objects',
  'network',
  'replication',
  'catalog-values',
]);

/** Harmless, but for values that stand in definitions: the bounds of partitions. */
export const SHOWING_BOUNDS: ReadonlySet<string> = new Set(['pg_get_partition_constraintdef']);

/** Of `catalog-values`, the ones that show no value of anybody: counters, sizes, times, places. */
const COUNTERS = /^pg_stat_get_(?!activity|backend_activity|wal_senders|subscription|wal_receiver|progress)/u;
const MEASURES: ReadonlySet<string> = new Set(
  'pg_lock_status pg_blocking_pids pg_safe_snapshot_blocking_pids pg_sequence_last_value pg_get_sequence_data pg_current_wal_lsn pg_current_wal_insert_lsn pg_current_wal_flush_lsn pg_last_wal_receive_lsn pg_last_wal_replay_lsn pg_last_xact_replay_timestamp pg_is_wal_replay_paused pg_stat_have_stats pg_get_backend_memory_contexts pg_get_shmem_allocations'.split(
    ' ',
  ),
);

export const showsCounters = (name: string): boolean => COUNTERS.test(name) || MEASURES.has(name);
