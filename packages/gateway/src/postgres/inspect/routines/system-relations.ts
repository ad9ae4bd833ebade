/**
 * The relations of pg_catalog and information_schema, PostgreSQL 13 to 18: which tell names and types (`structure`, open to
 * every scope for reading), and which tell values, statements, secrets or the doings of others. What is not listed is `values`.
 */

const names = (text: string): readonly string[] => text.trim().split(/\s+/u);

/** Of pg_catalog. All others there are `values`: pg_statistic, pg_stats, pg_stat_*, pg_authid, pg_settings, pg_largeobject … */
const STRUCTURE: ReadonlySet<string> = new Set(
  names(`
    pg_aggregate pg_am pg_amop pg_amproc pg_attrdef pg_attribute pg_auth_members pg_available_extension_versions
    pg_available_extensions pg_cast pg_class pg_collation pg_constraint pg_conversion pg_database pg_default_acl pg_depend
    pg_description pg_enum pg_event_trigger pg_extension pg_foreign_data_wrapper pg_foreign_server pg_foreign_table
    pg_group pg_index pg_indexes pg_inherits pg_init_privs pg_language pg_largeobject_metadata pg_matviews pg_namespace
    pg_opclass pg_operator pg_opfamily pg_parameter_acl pg_partitioned_table pg_policies pg_policy pg_proc pg_publication
    pg_publication_namespace pg_publication_rel pg_publication_tables pg_range pg_replication_origin pg_rewrite pg_roles
    pg_rules pg_seclabel pg_seclabels pg_sequence pg_shdepend pg_shdescription pg_shseclabel pg_statistic_ext
    pg_subscription_rel pg_tables pg_tablespace pg_timezone_abbrevs pg_timezone_names pg_transform pg_trigger pg_ts_config
    pg_ts_config_map pg_ts_dict pg_ts_parser pg_ts_template pg_type pg_user pg_views pg_wait_events`),
);

/** Listed so that a test can say of every relation of the real servers that it was looked at. */
export const VALUES: ReadonlySet<string> = new Set(
  names(`
    pg_aios pg_authid pg_backend_memory_contexts pg_config pg_cursors pg_db_role_setting pg_file_settings
    pg_hba_file_rules pg_ident_file_mappings pg_largeobject pg_locks pg_prepared_statements pg_prepared_xacts
    pg_replication_origin_status pg_replication_slots pg_sequences pg_settings pg_shadow pg_shmem_allocations
    pg_shmem_allocations_numa pg_statistic pg_statistic_ext_data pg_stats pg_stats_ext pg_stats_ext_exprs pg_subscription
    pg_user_mapping pg_user_mappings`),
);

/** Counters and activity: pg_stat_activity, pg_stat_all_tables, pg_statio_… */
const VALUES_PREFIX = /^pg_stat(?:io)?_/u;

/** Of information_schema: the options of user mappings hold passwords. */
const INFORMATION_VALUES: ReadonlySet<string> = new Set(['user_mapping_options', '_pg_user_mappings']);

const INFORMATION_STRUCTURE: ReadonlySet<string> = new Set(
  names(`
    _pg_foreign_data_wrappers _pg_foreign_servers _pg_foreign_table_columns _pg_foreign_tables
    administrable_role_authorizations applicable_roles attributes character_sets check_constraint_routine_usage
    check_constraints collation_character_set_applicability collations column_column_usage column_domain_usage
    column_options column_privileges column_udt_usage columns constraint_column_usage constraint_table_usage
    data_type_privileges domain_constraints domain_udt_usage domains element_types enabled_roles
    foreign_data_wrapper_options foreign_data_wrappers foreign_server_options foreign_servers foreign_table_options
    foreign_tables information_schema_catalog_name key_column_usage parameters referential_constraints
    role_column_grants role_routine_grants role_table_grants role_udt_grants role_usage_grants routine_column_usage
    routine_privileges routine_routine_usage routine_sequence_usage routine_table_usage routines schemata sequences
    sql_features sql_implementation_info sql_parts sql_sizing table_constraints table_privileges tables transforms
    triggered_update_columns triggers udt_privileges usage_privileges user_defined_types user_mappings
    view_column_usage view_routine_usage view_table_usage views`),
);

/** Views of extensions that tell what others do; they stand in whatever schema the extension was put into. */
const EXTENSION_VALUES: ReadonlySet<string> = new Set([
  'pg_stat_statements',
  'pg_stat_statements_info',
  'pg_buffercache',
  'pg_buffercache_numa',
]);

/** The class of a relation that is not temporary. A TOAST table holds rows of its table. */
export function classifyRelation(schema: string, name: string): 'data' | 'structure' | 'values' {
  if (schema === 'pg_catalog') return STRUCTURE.has(name) ? 'structure' : 'values';
  if (schema === 'information_schema') return INFORMATION_STRUCTURE.has(name) ? 'structure' : 'values';
  if (schema === 'pg_toast') return 'values';
  return EXTENSION_VALUES.has(name) ? 'values' : 'data';
}

/** Columns of `structure` relations that tell values all the same: settings of roles. */
const VALUE_COLUMNS: ReadonlyMap<string, readonly string[]> = new Map([
  ['pg_roles', ['rolconfig']],
  ['pg_user', ['useconfig']],
]);

/** Whether the columns that are read of a `structure` relation of pg_catalog tell values. */
export function tellsValues(name: string, columns: readonly string[] | '*'): boolean {
  const telling = VALUE_COLUMNS.get(name);
  return telling !== undefined && (columns === '*' || telling.some((column) => columns.includes(column)));
}

/** Whether a list has the relation at all. For the test against real servers. */
export function isListedSystemRelation(schema: string, name: string): boolean {
  if (schema === 'information_schema') return INFORMATION_STRUCTURE.has(name) || INFORMATION_VALUES.has(name);
  return STRUCTURE.has(name) || VALUES.has(name) || VALUES_PREFIX.test(name);
}
