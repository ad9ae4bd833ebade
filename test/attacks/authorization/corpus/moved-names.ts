/** Names that mean something else when a statement runs than when it was judged. */
import { outside, parse, reads, run, type Family } from '../attack.ts';

export const MOVED: Family = {
  name: 'moved names',
  attacks: [
    reads('AUTHZ-295', 'builder', 'SET search_path between Parse and Execute.', [
      'create table scratch.keys (id int, value text)',
      'set search_path = scratch',
      parse('p', 'select id, value from keys'),
      'set search_path = secret',
      run('p'),
    ]),
    reads('AUTHZ-296', 'builder', 'SET LOCAL search_path in a transaction, undone by ROLLBACK.', [
      'create table scratch.keys (id int, value text)',
      'set search_path = secret',
      'begin',
      'set local search_path = scratch',
      parse('p', 'select id, value from keys'),
      'rollback',
      run('p'),
    ]),
    reads('AUTHZ-297', 'builder', 'ROLLBACK TO a savepoint puts the search path back.', [
      'create table scratch.keys (id int, value text)',
      'begin; set local search_path = secret; savepoint a; set local search_path = scratch',
      'select id, value from keys',
      'rollback to a',
      'select id, value from keys',
    ]),
    reads('AUTHZ-298', 'builder', 'The path set and used in a single message.', [
      'create table scratch.keys (id int, value text); set search_path = scratch; select * from keys; set search_path = secret; select * from keys',
    ]),
    reads('AUTHZ-299', 'builder', 'The path set by set_config.', [
      'create table scratch.keys (id int, value text)',
      'set search_path = scratch',
      parse('p', 'select id, value from keys'),
      `select set_config('search_path', 'secret', false)`,
      run('p'),
    ]),
    reads('AUTHZ-300', 'builder', 'The path set by set_config with a computed name.', [
      'create table scratch.keys (id int, value text)',
      'set search_path = scratch',
      `select set_config('search' || '_path', 'sec' || 'ret', false)`,
      'select id, value from keys',
    ]),
    reads('AUTHZ-301', 'builder', 'The path set by an UPDATE of pg_settings.', [
      `update pg_settings set setting = 'secret' where name = 'search_path'`,
      'select id, value from keys',
    ]),
    reads('AUTHZ-302', 'builder', 'A statement prepared by SQL, executed under another path.', [
      'create table scratch.keys (id int, value text)',
      'set search_path = scratch',
      'prepare p as select id, value from keys',
      'set search_path = secret',
      'execute p',
    ]),
    reads('AUTHZ-303', 'builder', 'RESET and DISCARD put the path back.', [
      'create table scratch.visits (id int, value text)',
      'set search_path = scratch',
      parse('p', 'select value from visits'),
      'reset search_path',
      run('p'),
    ]),
    reads('AUTHZ-304', 'builder', 'RESET ALL puts the path back.', [
      'create table scratch.visits (id int, value text)',
      'set search_path = scratch',
      'reset all',
      'select value from visits',
    ]),
    reads('AUTHZ-305', 'reader', 'The path in the start-up message.', ['select value from keys'], {
      options: '-c search_path=secret',
    }),
    reads(
      'AUTHZ-306',
      'reader',
      'The path in the start-up message, spelled as a long option.',
      ['select value from keys'],
      {
        options: '--search-path=secret',
      },
    ),
    reads('AUTHZ-307', 'builder', 'A temporary table that hides a forbidden one, gone by ROLLBACK.', [
      'begin',
      'create temp table visits (id int, value text)',
      parse('p', 'select id, value from visits'),
      'rollback',
      run('p'),
      'select value from visits',
    ]),
    reads('AUTHZ-308', 'builder', 'A temporary table that hides a forbidden one, gone by ROLLBACK TO.', [
      'begin; savepoint a; create temp table visits (id int, value text)',
      'select value from visits',
      'rollback to a',
      'select value from visits',
    ]),
    reads('AUTHZ-309', 'builder', 'A temporary table that hides a forbidden one, dropped.', [
      'create temp table visits (id int, value text)',
      'prepare p as select id, value from visits',
      'drop table visits',
      'execute p',
    ]),
    reads('AUTHZ-310', 'builder', 'A temporary table that ends with its transaction.', [
      'begin; create temp table visits (id int, value text) on commit drop',
      'select value from visits',
      'commit',
      'select value from visits',
    ]),
    reads('AUTHZ-311', 'builder', 'DISCARD TEMP takes the temporary table away.', [
      'create temp table visits (id int, value text)',
      'select value from visits',
      'discard temp',
      'select value from visits',
    ]),
    reads('AUTHZ-312', 'builder', 'A temporary table that is renamed out of the way.', [
      'create temp table visits (id int, value text)',
      'alter table visits rename to others',
      'select value from visits',
    ]),
    reads('AUTHZ-313', 'builder', 'CREATE TEMP TABLE IF NOT EXISTS that fails with its message.', [
      'create temp table visits (id int, value text); select 1 / 0',
      'select value from visits',
    ]),
    reads('AUTHZ-314', 'builder', 'The pg_temp schema last in the path, so that it hides nothing.', [
      'create temp table visits (id int, value text)',
      'set search_path = public, pg_temp',
      'select value from visits',
    ]),
    reads('AUTHZ-315', 'builder', 'An own table dropped, so that the name means the next one of the path.', [
      'create table scratch.visits (id int, value text)',
      'set search_path = scratch, public',
      parse('p', 'select id, value from visits'),
      'drop table scratch.visits',
      run('p'),
    ]),
    reads('AUTHZ-316', 'builder', 'An own table renamed, so that the name means the next one of the path.', [
      'create table scratch.visits (id int, value text)',
      'set search_path = scratch, public',
      parse('p', 'select id, value from visits'),
      'alter table scratch.visits rename to other',
      run('p'),
    ]),
    reads(
      'AUTHZ-317',
      'builder',
      'An own table dropped and ROLLBACK forgotten: the name moves inside of the transaction.',
      [
        'create table scratch.visits (id int, value text)',
        'set search_path = scratch, public',
        'begin; drop table scratch.visits; select value from visits; rollback',
      ],
    ),
    reads('AUTHZ-318', 'reader', 'Two tables swapped from outside between Parse and Execute.', [
      parse('p', 'select id, city from bank.branches'),
      outside(
        'alter table bank.branches set schema hr; create view bank.branches with (security_invoker) as select id, value as city from secret.keys',
      ),
      run('p'),
    ]),
    reads('AUTHZ-319', 'builder', 'A forbidden table moved into the own schema.', [
      'alter table secret.keys set schema scratch',
      'select value from scratch.keys',
    ]),
    reads('AUTHZ-320', 'builder', 'A forbidden schema renamed to a free name.', [
      'alter schema scratch rename to gone',
      'alter schema secret rename to scratch',
      'select value from scratch.keys',
    ]),
    reads('AUTHZ-321', 'reader', 'The user that $user means, in the path.', [
      'set search_path = "$user", public',
      'select value from visits',
    ]),
  ],
};
