/**
 * The routines of pg_catalog, PostgreSQL 13 to 18, that reach beyond the values they are given; by what they can reach.
 * Made from the servers' own lists and read against their source. Names, not signatures: where overloads differ
 * (ts_rewrite), `routine-call.ts` looks at the arguments.
 *
 * A routine that could stand in two lists stands in the one that is granted more rarely. Sleeping (pg_sleep) is harmless:
 * it holds a session no longer than any long query does, and deadlines end both.
 */
import type { Special } from '../../../policy/access.ts';

const names = (text: string): readonly string[] => text.trim().split(/\s+/u);

export const REACHING_ROUTINES: Readonly<Partial<Record<Special, readonly string[]>>> = {
  // Files of the server, by name or by folder; large objects that are files; what adminpack puts into pg_catalog.
  'file-access': names(`
    pg_read_file pg_read_file_old pg_read_binary_file pg_stat_file pg_current_logfile pg_ls_dir pg_ls_logdir
    pg_ls_waldir pg_ls_tmpdir pg_ls_archive_statusdir pg_ls_logicalmapdir pg_ls_logicalsnapdir pg_ls_replslotdir
    pg_ls_summariesdir lo_import lo_export pg_file_write pg_file_sync pg_file_rename pg_file_unlink pg_file_read
    pg_file_length pg_logdir_ls`),
  // A string is run as SQL, or names the relation, cursor, schema or type whose content or code is used; a type by its OID (domain_in).
  'dynamic-sql': names(`
    query_to_xml query_to_xmlschema query_to_xml_and_xmlschema cursor_to_xml cursor_to_xmlschema table_to_xml
    table_to_xmlschema table_to_xml_and_xmlschema schema_to_xml schema_to_xmlschema schema_to_xml_and_xmlschema
    database_to_xml database_to_xmlschema database_to_xml_and_xmlschema ts_stat pg_input_is_valid pg_input_error_info
    array_in domain_in multirange_in range_in record_in`),
  'large-objects': names(`
    lo_close lo_creat lo_create lo_from_bytea lo_get lo_lseek lo_lseek64 lo_open lo_put lo_tell lo_tell64 lo_truncate
    lo_truncate64 lo_unlink loread lowrite`),
  'advisory-locks': names(`
    pg_advisory_lock pg_advisory_lock_shared pg_advisory_unlock pg_advisory_unlock_shared
    pg_advisory_xact_lock pg_advisory_xact_lock_shared pg_try_advisory_lock pg_try_advisory_lock_shared
    pg_try_advisory_xact_lock pg_try_advisory_xact_lock_shared`),
  notify: ['pg_notify'],
  signals: names('pg_cancel_backend pg_terminate_backend'),
  replication: names(`
    pg_copy_logical_replication_slot pg_copy_physical_replication_slot pg_create_logical_replication_slot
    pg_create_physical_replication_slot pg_drop_replication_slot pg_logical_emit_message
    pg_logical_slot_get_binary_changes pg_logical_slot_get_changes pg_logical_slot_peek_binary_changes
    pg_logical_slot_peek_changes pg_replication_origin_advance pg_replication_origin_create pg_replication_origin_drop
    pg_replication_origin_oid pg_replication_origin_progress pg_replication_origin_session_is_setup
    pg_replication_origin_session_progress pg_replication_origin_session_reset pg_replication_origin_session_setup
    pg_replication_origin_xact_reset pg_replication_origin_xact_setup pg_replication_slot_advance
    pg_sync_replication_slots`),
  // Changes of the server itself: WAL, backups, recovery, configuration, statistics, upgrade support, index upkeep by OID.
  'server-control': names(`
    pg_reload_conf pg_rotate_logfile pg_rotate_logfile_old pg_switch_wal pg_promote pg_create_restore_point
    pg_backup_start pg_backup_stop pg_start_backup pg_stop_backup pg_wal_replay_pause pg_wal_replay_resume
    pg_log_backend_memory_contexts pg_log_standby_snapshot pg_export_snapshot pg_nextoid pg_stop_making_pinned_objects
    pg_import_system_collations pg_extension_config_dump pg_stat_reset pg_stat_reset_backend_stats
    pg_stat_reset_replication_slot pg_stat_reset_shared pg_stat_reset_single_function_counters
    pg_stat_reset_single_table_counters pg_stat_reset_slru pg_stat_reset_subscription_stats pg_clear_attribute_stats
    pg_clear_relation_stats pg_restore_attribute_stats pg_restore_relation_stats brin_summarize_new_values
    brin_summarize_range brin_desummarize_range gin_clean_pending_list binary_upgrade_add_sub_rel_state
    binary_upgrade_create_empty_extension binary_upgrade_logical_slot_has_caught_up binary_upgrade_replorigin_advance
    binary_upgrade_set_missing_value binary_upgrade_set_next_array_pg_type_oid binary_upgrade_set_next_heap_pg_class_oid
    binary_upgrade_set_next_heap_relfilenode binary_upgrade_set_next_index_pg_class_oid
    binary_upgrade_set_next_index_relfilenode binary_upgrade_set_next_multirange_array_pg_type_oid
    binary_upgrade_set_next_multirange_pg_type_oid binary_upgrade_set_next_pg_authid_oid
    binary_upgrade_set_next_pg_enum_oid binary_upgrade_set_next_pg_tablespace_oid binary_upgrade_set_next_pg_type_oid
    binary_upgrade_set_next_toast_pg_class_oid binary_upgrade_set_next_toast_pg_type_oid
    binary_upgrade_set_next_toast_relfilenode binary_upgrade_set_record_init_privs`),
  // Values, statements and doings of others; configuration that may hold secrets; a row's place by a relation's name (currtid).
  'catalog-values': names(`
    pg_show_all_settings pg_show_all_file_settings pg_hba_file_rules pg_ident_file_mappings pg_config pg_cursor
    pg_prepared_statement pg_prepared_xact pg_lock_status pg_blocking_pids pg_safe_snapshot_blocking_pids
    pg_isolation_test_session_is_blocked pg_get_backend_memory_contexts pg_get_shmem_allocations
    pg_get_shmem_allocations_numa pg_get_aios pg_get_loaded_modules pg_get_replication_slots
    pg_show_replication_origin_status pg_sequence_last_value pg_get_sequence_data currtid currtid2
    pg_current_wal_flush_lsn pg_current_wal_insert_lsn pg_current_wal_lsn pg_last_wal_receive_lsn
    pg_last_wal_replay_lsn pg_last_xact_replay_timestamp pg_last_committed_xact pg_get_multixact_members
    pg_get_wal_replay_pause_state pg_is_wal_replay_paused pg_get_wal_summarizer_state pg_available_wal_summaries
    pg_wal_summary_contents pg_control_checkpoint pg_control_init pg_control_recovery pg_control_system
    pg_stat_have_stats`),
};

/** Whole families, those of servers to come included: every name that begins so. */
export const REACHING_PREFIXES: readonly (readonly [prefix: string, reach: Special])[] = [
  ['pg_stat_get_', 'catalog-values'],
  ['pg_stat_reset', 'server-control'],
  ['pg_ls_', 'file-access'],
  ['pg_file_', 'file-access'],
  ['pg_read_', 'file-access'],
  ['binary_upgrade_', 'server-control'],
  ['pg_advisory_', 'advisory-locks'],
  ['pg_try_advisory_', 'advisory-locks'],
  ['pg_logical_', 'replication'],
  ['pg_replication_', 'replication'],
  ['lo_', 'large-objects'],
];

/** Their first argument is a sequence: what they demand of it is a relation's verb. */
export const SEQUENCE_ROUTINES: ReadonlyMap<string, readonly ('select' | 'update')[]> = new Map([
  ['nextval', ['update']],
  ['setval', ['update']],
  ['currval', ['select']],
  ['lastval', ['select']],
]);
