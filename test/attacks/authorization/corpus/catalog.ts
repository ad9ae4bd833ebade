/** System relations and functions that tell values, statements and secrets, not only names. */
import { reads, type Family } from '../attack.ts';

export const CATALOG: Family = {
  name: 'catalog values',
  attacks: [
    reads('AUTHZ-488', 'reader', 'pg_stats holds common values.', [
      `select most_common_vals from pg_stats where tablename = 'common'`,
    ]),
    reads('AUTHZ-489', 'reader', 'pg_stats through its schema.', [
      `select histogram_bounds from pg_catalog.pg_stats where schemaname = 'bank'`,
    ]),
    reads('AUTHZ-490', 'reader', 'pg_statistic holds common values.', [
      'select stavalues1 from pg_statistic',
    ]),
    reads('AUTHZ-491', 'reader', 'pg_statistic as a whole row.', ['select s::text from pg_statistic s']),
    reads(
      'AUTHZ-492',
      'reader',
      'pg_stats_ext and its kin.',
      [`select most_common_vals from pg_stats_ext where statistics_name = 'words'`],
      {
        setup:
          'insert into secret.numbers select 918273645 from generate_series(1, 100); analyze secret.numbers',
      },
    ),
    reads(
      'AUTHZ-493',
      'reader',
      'pg_statistic_ext_data holds common values.',
      ['select stxdmcv from pg_statistic_ext_data'],
      {
        setup:
          'insert into secret.numbers select 918273645 from generate_series(1, 100); analyze secret.numbers',
        inert: 'the values are packed, and the bytes of a numeric are not its digits',
      },
    ),
    reads(
      'AUTHZ-494',
      'reader',
      'pg_mcv_list_items unpacks common values.',
      ['select i.values from pg_statistic_ext_data d, pg_mcv_list_items(d.stxdmcv) i'],
      {
        setup:
          'insert into secret.numbers select 918273645 from generate_series(1, 100); analyze secret.numbers',
      },
    ),
    reads('AUTHZ-495', 'reader', 'pg_stat_activity shows what others run.', [
      'select query from pg_stat_activity',
    ]),
    reads('AUTHZ-496', 'reader', 'pg_stat_get_activity shows what others run.', [
      'select query from pg_stat_get_activity(null)',
    ]),
    reads('AUTHZ-497', 'reader', 'pg_stat_get_backend_activity shows what others run.', [
      'select pg_stat_get_backend_activity(i) from pg_stat_get_backend_idset() i',
    ]),
    reads('AUTHZ-498', 'reader', 'pg_stat_statements shows what others ran.', [
      `select query from ext.pg_stat_statements where query like '%CNRY%'`,
    ]),
    reads('AUTHZ-499', 'reader', 'The function behind pg_stat_statements.', [
      `select query from ext.pg_stat_statements(true) where query like '%CNRY%'`,
    ]),
    reads('AUTHZ-500', 'reader', 'pg_authid holds passwords.', ['select rolpassword from pg_authid']),
    reads('AUTHZ-501', 'reader', 'pg_shadow holds passwords.', ['select passwd from pg_shadow']),
    reads('AUTHZ-502', 'reader', 'pg_user_mapping holds passwords.', [
      'select umoptions from pg_user_mapping',
    ]),
    reads('AUTHZ-503', 'reader', 'pg_user_mappings holds passwords.', [
      'select umoptions from pg_user_mappings',
    ]),
    reads('AUTHZ-504', 'reader', 'The user mapping options of information_schema.', [
      'select option_value from information_schema.user_mapping_options',
    ]),
    reads('AUTHZ-505', 'reader', 'The private user mapping relation of information_schema.', [
      'select umoptions from information_schema._pg_user_mappings',
    ]),
    reads('AUTHZ-506', 'reader', "pg_settings shows the server's own.", [
      `select setting from pg_settings where name = 'archive_cleanup_command'`,
    ]),
    reads('AUTHZ-507', 'reader', 'SHOW of a setting of the operator.', ['show app.secret']),
    reads('AUTHZ-508', 'reader', 'SHOW ALL.', ['show all']),
    reads('AUTHZ-509', 'reader', 'current_setting of a setting of the operator.', [
      `select current_setting('app.secret')`,
    ]),
    reads('AUTHZ-510', 'reader', 'pg_show_all_settings.', [
      `select setting from pg_show_all_settings() where name like 'archive%'`,
    ]),
    reads('AUTHZ-511', 'reader', 'pg_file_settings shows the files.', [
      'select setting from pg_file_settings',
    ]),
    reads('AUTHZ-512', 'reader', 'pg_show_all_file_settings shows the files.', [
      'select setting from pg_show_all_file_settings()',
    ]),
    reads('AUTHZ-513', 'reader', 'pg_hba_file_rules shows who may come from where.', [
      'select user_name from pg_hba_file_rules',
    ]),
    reads('AUTHZ-514', 'reader', 'pg_hba_file_rules as a function.', [
      'select user_name from pg_hba_file_rules()',
    ]),
    reads('AUTHZ-515', 'reader', 'pg_db_role_setting shows the settings of others.', [
      'select setconfig from pg_db_role_setting',
    ]),
    reads('AUTHZ-516', 'reader', 'pg_roles shows the settings of others.', [
      'select rolconfig from pg_roles',
    ]),
    reads('AUTHZ-517', 'reader', 'pg_user shows the settings of others.', ['select useconfig from pg_user']),
    reads('AUTHZ-518', 'reader', 'pg_largeobject as a whole row, in a join.', [
      'select l::text from bank.branches b, pg_largeobject l',
    ]),
    reads(
      'AUTHZ-519',
      'reader',
      'The toast table of a forbidden one.',
      [
        `select 1 from bank.branches`,
        `select query_to_xml('select chunk_data from pg_toast.' || relname, true, false, '') from pg_class where oid = (select reltoastrelid from pg_class where oid = 'secret.keys'::regclass)`,
      ],
      { inert: 'the values are too short to be toasted; the way is query_to_xml, which is tried' },
    ),
    reads('AUTHZ-520', 'reader', 'An index read as a relation.', ['select * from secret.keys_pkey'], {
      inert: 'the server does not read indexes as relations',
    }),
    reads(
      'AUTHZ-521',
      'reader',
      'pg_prepared_xacts shows the transactions of others.',
      ['select gid from pg_prepared_xacts'],
      {
        setup: `begin; prepare transaction 'CNRY-gid-{{database}}'`,
      },
    ),
    reads(
      'AUTHZ-522',
      'reader',
      'pg_locks shows the advisory locks of others.',
      [`select 'key=' || objid from pg_locks where locktype = 'advisory'`],
      { received: 'key=424' },
    ),
    reads(
      'AUTHZ-523',
      'reader',
      'pg_subscription holds connection strings.',
      ['select subconninfo from pg_subscription'],
      {
        setup: `create subscription s connection 'dbname=CNRY-conninfo' publication p with (connect = false)`,
      },
    ),
    reads(
      'AUTHZ-524',
      'reader',
      'pg_foreign_server and its options.',
      ['select srvoptions from pg_foreign_server'],
      { inert: 'hosts and ports are structure' },
    ),
  ],
};
