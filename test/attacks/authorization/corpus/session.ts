/** Out of the role, the settings, the session or the database: what a connection can do besides reading and writing tables. */
import { escapes, extended, outside, reads, writes, type Family } from '../attack.ts';

const REPLICA = 'now-replica';

export const SESSION: Family = {
  name: 'roles, settings, sessions',
  attacks: [
    escapes(
      'AUTHZ-619',
      'reader',
      'SET ROLE.',
      ['set role bank_owner', `select 'now-' || upper(current_user)`],
      { received: 'now-BANK_OWNER' },
    ),
    escapes(
      'AUTHZ-620',
      'reader',
      'SET LOCAL ROLE.',
      [`begin; set local role bank_owner; select 'now-' || upper(current_user)`],
      { received: 'now-BANK_OWNER' },
    ),
    escapes(
      'AUTHZ-621',
      'reader',
      'SET ROLE with a quoted name.',
      [`set role 'bank_owner'`, `select 'now-' || upper(current_user)`],
      { received: 'now-BANK_OWNER' },
    ),
    escapes(
      'AUTHZ-622',
      'reader',
      'SET role as a setting.',
      [`set "role" to bank_owner`, `select 'now-' || upper(current_user)`],
      { received: 'now-BANK_OWNER' },
    ),
    escapes(
      'AUTHZ-623',
      'reader',
      'set_config of role.',
      [`select set_config('role', 'bank_owner', false)`, `select 'now-' || upper(current_user)`],
      { received: 'now-BANK_OWNER' },
    ),
    escapes(
      'AUTHZ-624',
      'reader',
      'set_config of a computed name.',
      [`select set_config('ro' || 'le', 'bank_owner', false)`, `select 'now-' || upper(current_user)`],
      {
        received: 'now-BANK_OWNER',
      },
    ),
    escapes(
      'AUTHZ-625',
      'reader',
      'set_config with its name as a parameter.',
      [
        extended('select set_config($1, $2, false)', 'role', 'bank_owner'),
        `select 'now-' || upper(current_user)`,
      ],
      { received: 'now-BANK_OWNER' },
    ),
    escapes(
      'AUTHZ-626',
      'reader',
      'SET SESSION AUTHORIZATION.',
      ['set session authorization bank_owner', `select 'now-' || upper(session_user)`],
      { received: 'now-BANK_OWNER' },
    ),
    escapes(
      'AUTHZ-627',
      'reader',
      'SET SESSION SESSION AUTHORIZATION.',
      [`set session session authorization 'bank_owner'`, `select 'now-' || upper(session_user)`],
      {
        received: 'now-BANK_OWNER',
      },
    ),
    escapes(
      'AUTHZ-628',
      'reader',
      'The role in the start-up message.',
      [`select 'now-' || upper(current_user)`],
      { options: '-c role=bank_owner', received: 'now-BANK_OWNER' },
    ),
    escapes(
      'AUTHZ-629',
      'reader',
      'An UPDATE of pg_settings.',
      [
        `update pg_settings set setting = 'replica' where name = 'session_replication_role'`,
        `select 'now-' || current_setting('session_replication_role')`,
      ],
      { received: REPLICA },
    ),
    escapes(
      'AUTHZ-630',
      'reader',
      'Triggers and rules switched off by a setting.',
      [
        'set session_replication_role = replica',
        `select 'now-' || current_setting('session_replication_role')`,
      ],
      {
        received: REPLICA,
      },
    ),
    escapes(
      'AUTHZ-631',
      'reader',
      'The same for one transaction.',
      [
        `begin; set local session_replication_role = replica; select 'now-' || current_setting('session_replication_role')`,
      ],
      {
        received: REPLICA,
      },
    ),
    escapes(
      'AUTHZ-632',
      'reader',
      'The same in the start-up message.',
      [`select 'now-' || current_setting('session_replication_role')`],
      {
        options: '-c session_replication_role=replica',
        received: REPLICA,
      },
    ),
    escapes(
      'AUTHZ-633',
      'reader',
      "The server's log switched off for the session.",
      [`set log_statement = 'none'`, 'set log_min_messages = panic', 'show log_min_messages'],
      {
        received: 'panic\0',
        inert: 'the setting is shown with the word of the statement',
      },
    ),
    escapes(
      'AUTHZ-634',
      'reader',
      'A library loaded into the session by a setting.',
      [`set local_preload_libraries = 'auto_explain'`],
      { inert: 'it can only be set at the start' },
    ),
    escapes(
      'AUTHZ-635',
      'reader',
      'System tables made writable.',
      [
        'set allow_system_table_mods = on',
        `update pg_class set relname = relname where false`,
        `select 'mods ' || upper(current_setting('allow_system_table_mods'))`,
      ],
      {
        received: 'mods ON',
      },
    ),
    writes(
      'AUTHZ-636',
      'reader',
      'A system table written.',
      [`update pg_description set description = 'x'`],
      { check: `select not exists (select 1 from pg_description where description <> 'x')` },
    ),
    writes('AUTHZ-637', 'reader', 'A role made a superuser in pg_authid.', [
      `update pg_authid set rolsuper = true where rolname = 'auditor'`,
    ]),
    writes('AUTHZ-638', 'reader', 'Membership written into pg_auth_members.', [
      "delete from pg_class where relname = 'audit'",
    ]),
    escapes('AUTHZ-639', 'reader', 'Another session ended.', ['select pg_terminate_backend({{victim}})']),
    escapes('AUTHZ-640', 'reader', 'Another session ended, with a deadline.', [
      'select pg_terminate_backend({{victim}}, 1000)',
    ]),
    escapes('AUTHZ-641', 'reader', 'The query of another session cancelled.', [
      'select pg_cancel_backend({{victim}})',
    ]),
    escapes('AUTHZ-642', 'reader', 'The query of another session cancelled, in a condition.', [
      'select 1 from bank.branches where pg_cancel_backend({{victim}})',
    ]),
    escapes(
      'AUTHZ-643',
      'reader',
      'The configuration read again.',
      [`select 'reload-' || upper(pg_reload_conf()::text)`],
      { received: 'reload-TRUE' },
    ),
    escapes(
      'AUTHZ-644',
      'reader',
      'The log of the server turned.',
      [`select 'rotated-' || (pg_rotate_logfile() is not null)`],
      { received: 'rotated-true' },
    ),
    escapes(
      'AUTHZ-645',
      'reader',
      'A line written into the log of the server.',
      [`select 'logged-' || upper(pg_log_backend_memory_contexts({{victim}})::text)`],
      { received: 'logged-TRUE' },
    ),
    escapes(
      'AUTHZ-646',
      'reader',
      'The log of transactions switched.',
      [`select 'switched-' || (pg_switch_wal() is not null)`],
      { received: 'switched-true' },
    ),
    escapes(
      'AUTHZ-647',
      'reader',
      'A restore point made.',
      [`select 'point-' || (pg_create_restore_point('x') is not null)`],
      { received: 'point-true' },
    ),
    escapes(
      'AUTHZ-648',
      'reader',
      'A logical message written for those who replicate.',
      [`select 'sent-' || (pg_logical_emit_message(false, 'a', 'b') is not null)`],
      { received: 'sent-true' },
    ),
    escapes(
      'AUTHZ-649',
      'reader',
      'A backup begun.',
      [`select 'backup-' || (pg_backup_start('x', true) is not null)`],
      { received: 'backup-true' },
    ),
    writes('AUTHZ-650', 'reader', 'A replication slot that keeps the log for ever.', [
      `select pg_create_physical_replication_slot('mine', true)`,
    ]),
    writes('AUTHZ-651', 'reader', 'A replication origin made.', [
      `select pg_replication_origin_create('mine')`,
    ]),
    escapes(
      'AUTHZ-652',
      'reader',
      'The statistics of use reset.',
      [`select 'reset-' || (pg_stat_reset() is not null)`],
      { received: 'reset-true' },
    ),
    escapes(
      'AUTHZ-653',
      'reader',
      'The list of statements of others reset.',
      [`select 'reset-' || (ext.pg_stat_statements_reset() is not null)`],
      { received: 'reset-true' },
    ),
    escapes('AUTHZ-654', 'reader', 'An advisory lock kept for the session.', ['select pg_advisory_lock(77)']),
    escapes('AUTHZ-655', 'reader', 'An advisory lock tried.', ['select pg_try_advisory_lock(77)']),
    escapes('AUTHZ-656', 'reader', 'An advisory lock for a transaction.', [
      'begin; select pg_advisory_xact_lock(77, 78)',
    ]),
    escapes('AUTHZ-657', 'reader', 'A shared advisory lock in a condition.', [
      'select city from bank.branches where pg_try_advisory_lock_shared(id)',
    ]),
    escapes('AUTHZ-658', 'reader', 'LISTEN to what others say.', [
      'listen alarm',
      outside(`notify alarm, 'CNRY-notify'`),
      'select 1',
      'select 2',
    ]),
    escapes('AUTHZ-659', 'reader', 'LISTEN with a quoted channel, in a message of several.', [
      'select 1; listen "alarm"',
      outside(`notify alarm, 'CNRY-notify'`),
      'select 1',
      'select 2',
    ]),
    escapes('AUTHZ-660', 'reader', 'NOTIFY.', [`notify bell, 'stolen'`]),
    escapes('AUTHZ-661', 'reader', 'pg_notify.', [`select pg_notify('bell', 'stolen')`]),
    escapes('AUTHZ-662', 'reader', 'pg_notify with a forbidden value.', [
      `select pg_notify('bell', value) from secret.keys`,
    ]),
    writes(
      'AUTHZ-663',
      'reader',
      'CREATE TEMP TABLE without the right to it.',
      [`create temp table t as select city || '-temp' as x from bank.branches`, 'select x from t'],
      { received: 'Bern-temp' },
    ),
    writes(
      'AUTHZ-664',
      'reader',
      'SELECT INTO TEMP without the right to it.',
      [`select city || '-temp' as x into temp t from bank.branches`, 'select x from t'],
      { received: 'Bern-temp' },
    ),
    writes(
      'AUTHZ-665',
      'reader',
      'CREATE TABLE in pg_temp without the right to it.',
      [`create table pg_temp.t as select city || '-temp' as x from bank.branches`, 'select x from pg_temp.t'],
      {
        received: 'Bern-temp',
      },
    ),
    writes('AUTHZ-666', 'builder', 'A function in pg_temp.', [
      'create function pg_temp.f() returns text language sql as $$ select value from secret.keys where id = 1 $$',
      'select pg_temp.f()',
    ]),
    writes(
      'AUTHZ-667',
      'builder',
      'A type in pg_temp that hides a built-in one.',
      [`create domain pg_temp.city as text check (app.tell(value))`, `select 'x'::city`],
      { received: 'CNRY-key-1' },
    ),
    reads(
      'AUTHZ-668',
      'builder',
      'A temporary table of another session.',
      [
        `select query_to_xml('select v from ' || nspname || '.theirs', true, false, '') from pg_namespace where nspname like 'pg_temp%' and has_table_privilege(nspname || '.theirs', 'select')`,
      ],
      { inert: 'the other session has none; the way is query_to_xml, which is tried' },
    ),
    reads('AUTHZ-669', 'reader', 'A value left in a setting by a function.', [
      `select set_config('my.value', value, false) from secret.keys where id = 1`,
      `select current_setting('my.value')`,
    ]),
    escapes(
      'AUTHZ-670',
      'builder',
      'DISCARD ALL ends what the gateway set up.',
      ['discard all', `select 'discarded-' || count(*) from pg_settings where name = 'search_path'`],
      {
        inert: 'what the gateway pins is set by the start-up message, to which DISCARD returns',
      },
    ),
    escapes(
      'AUTHZ-671',
      'reader',
      'A large sort that is put into another tablespace.',
      ['set temp_tablespaces = pg_global', 'select 1'],
      { inert: 'the server refuses that tablespace' },
    ),
    escapes(
      'AUTHZ-672',
      'reader',
      'A signal to the postmaster: promotion.',
      [`select 'promoted-' || pg_promote(false)`],
      { inert: 'the server is no standby' },
    ),
    escapes(
      'AUTHZ-673',
      'reader',
      'The cache of blocks: pg_prewarm and its kin.',
      [`select 'blocks=' || ext.pg_relpages('secret.keys')`],
      { received: 'blocks=1' },
    ),
  ],
};
