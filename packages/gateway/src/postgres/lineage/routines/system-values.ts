/** Columns of system relations in which values of tables, or statements with values in them, are shown. */
import { classifyRelation } from '../../inspect/routines/system-relations.ts';

/** Of relations that are looked at column by column. All their other columns are counters, names and times. */
const SHOWN: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  (
    [
      [
        'pg_stats',
        'avg_width n_distinct correlation most_common_vals most_common_freqs histogram_bounds most_common_elems most_common_elem_freqs elem_count_histogram range_length_histogram range_bounds_histogram range_empty_frac',
      ],
      [
        'pg_stats_ext',
        'most_common_vals most_common_val_nulls most_common_freqs most_common_base_freqs dependencies n_distinct',
      ],
      [
        'pg_stats_ext_exprs',
        'expr avg_width n_distinct correlation most_common_vals most_common_freqs histogram_bounds most_common_elems most_common_elem_freqs elem_count_histogram range_length_histogram range_bounds_histogram range_empty_frac',
      ],
      [
        'pg_statistic',
        'stawidth stadistinct stavalues1 stavalues2 stavalues3 stavalues4 stavalues5 stanumbers1 stanumbers2 stanumbers3 stanumbers4 stanumbers5',
      ],
      ['pg_statistic_ext_data', 'stxdndistinct stxddependencies stxdmcv stxdexpr'],
      ['pg_stat_activity', 'query'],
      ['pg_stat_statements', 'query'],
      ['pg_prepared_statements', 'statement'],
      ['pg_cursors', 'statement name'],
      ['pg_prepared_xacts', 'gid'],
      ['pg_locks', ''],
      ['pg_sequences', ''],
      ['pg_largeobject', 'data'],
      ['pg_authid', 'rolpassword'],
      ['pg_shadow', 'passwd useconfig'],
      ['pg_user_mapping', 'umoptions'],
      ['pg_user_mappings', 'umoptions'],
      ['pg_subscription', 'subconninfo'],
      ['pg_settings', 'setting boot_val reset_val'],
      ['pg_db_role_setting', 'setconfig'],
      ['pg_file_settings', 'setting error'],
      ['pg_replication_slots', ''],
      ['pg_backend_memory_contexts', 'ident'],
      ['pg_shmem_allocations', ''],
      ['pg_hba_file_rules', 'options error'],
      ['pg_ident_file_mappings', ''],
      ['pg_config', ''],
      ['pg_attribute', 'attmissingval'],
      // The bounds of partitions are values of their keys.
      ['pg_class', 'relpartbound'],
      ['pg_roles', 'rolconfig'],
      ['pg_user', 'useconfig'],
    ] as const
  ).map(([name, columns]) => [name, new Set(columns.split(' '))]),
);

/** Counters of tables, indexes, functions and the like; activity and progress are not among them. */
const COUNTERS =
  /^pg_stat(?:io)?_(?:(?:all|sys|user|xact_all|xact_sys|xact_user)_(?:tables|indexes|sequences|functions)|database(?:_conflicts)?|bgwriter|checkpointer|archiver|wal|io|slru|xact_user_functions|user_functions|statements_info)$/u;

const COUNTER_COLUMNS: ReadonlySet<string> = new Set();
const isOfServer = (schema: string, name: string): boolean =>
  schema === 'pg_catalog' || name === 'pg_stat_statements' || name === 'pg_stat_statements_info';

/**
 * Whether a column of a system relation may show a value of some table: then reading it carries an unknown source. What no list has does, and of a relation
 * of values every column that is not known.
 *
 * @param column undefined: any of them (a whole row).
 */
export function showsValues(schema: string, name: string, column: string | undefined): boolean {
  const relationClass = classifyRelation(schema, name);
  if (relationClass === 'data') return false;
  const shown = isOfServer(schema, name)
    ? (SHOWN.get(name) ?? (COUNTERS.test(name) ? COUNTER_COLUMNS : undefined))
    : undefined;
  if (shown !== undefined) return column === undefined ? hasAny(shown) : shown.has(column);
  return relationClass === 'values';
}

const hasAny = (columns: ReadonlySet<string>): boolean => columns.size > (columns.has('') ? 1 : 0);

/** For the test against real servers. */
export const LISTED: ReadonlyMap<string, ReadonlySet<string>> = SHOWN;
