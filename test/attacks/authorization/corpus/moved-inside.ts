/** Second thoughts: names that move inside of a text, a transaction or a pipeline. */
import { outside, parse, pipeline, reads, run, type Family } from '../attack.ts';

const OWN_VISITS = 'create table scratch.visits (id int, value text)';
const KEYS = 'create table scratch.keys (id int, value text)';

export const MOVED_INSIDE: Family = {
  name: 'names that move on the way',
  attacks: [
    reads('AUTHZ-674', 'builder', 'Renamed and read in one text.', [
      OWN_VISITS,
      'set search_path = scratch, public',
      'alter table scratch.visits rename to others; select value from visits',
    ]),
    reads(
      'AUTHZ-675',
      'builder',
      'Moved to another schema and read in one text.',
      [
        OWN_VISITS,
        'set search_path = scratch, public',
        'begin; alter table visits set schema pg_temp; select value from visits',
      ],
      { inert: 'the server moves nothing into temporary schemas' },
    ),
    reads('AUTHZ-676', 'builder', 'Dropped in one message and read in the next, inside of a transaction.', [
      OWN_VISITS,
      'set search_path = scratch, public',
      'begin',
      'drop table scratch.visits',
      'select value from visits',
      'rollback',
    ]),
    reads('AUTHZ-677', 'builder', 'Renamed in one message and read in the next, inside of a transaction.', [
      OWN_VISITS,
      'set search_path = scratch, public',
      'begin',
      'alter table scratch.visits rename to others',
      'select value from visits',
      'rollback',
    ]),
    reads('AUTHZ-678', 'builder', 'Dropped and read in one pipeline.', [
      OWN_VISITS,
      'set search_path = scratch, public',
      pipeline('drop table scratch.visits', 'select value from visits'),
    ]),
    reads('AUTHZ-679', 'builder', 'Made, read and dropped in one text, and read again.', [
      'set search_path = scratch, public',
      `${OWN_VISITS}; select value from visits; drop table scratch.visits; select value from visits`,
    ]),
    reads(
      'AUTHZ-680',
      'builder',
      'Made in a transaction that is rolled back to a savepoint in the same text.',
      [
        'set search_path = scratch, public',
        `begin; savepoint a; ${OWN_VISITS}; select value from visits; rollback to a; select value from visits`,
      ],
    ),
    reads('AUTHZ-681', 'builder', 'Made in a transaction that is rolled back in the same text.', [
      'set search_path = scratch, public',
      `begin; ${OWN_VISITS}; rollback; select value from visits`,
    ]),
    reads('AUTHZ-682', 'builder', 'Made in a transaction that fails.', [
      'set search_path = scratch, public',
      'begin',
      OWN_VISITS,
      'select value from visits',
      'select 1 / 0',
      'rollback',
      'select value from visits',
    ]),
    reads('AUTHZ-683', 'builder', 'A temporary table made and dropped in one text, and read.', [
      'create temp table visits (id int, value text); drop table visits; select value from visits',
    ]),
    reads('AUTHZ-684', 'builder', 'A temporary table dropped inside of a transaction.', [
      'create temp table visits (id int, value text)',
      'begin',
      'drop table visits',
      'select value from visits',
      'commit',
    ]),
    reads('AUTHZ-685', 'builder', 'A temporary table dropped in a pipeline.', [
      'create temp table visits (id int, value text)',
      pipeline('drop table visits', 'select value from visits'),
    ]),
    reads('AUTHZ-686', 'builder', 'The whole own schema dropped, so that the name means the next one.', [
      OWN_VISITS,
      'set search_path = scratch, public',
      'begin; drop schema scratch cascade; select value from visits; rollback',
    ]),
    reads('AUTHZ-687', 'builder', 'The path set and used in one pipeline.', [
      KEYS,
      'set search_path = scratch',
      pipeline('set search_path = secret', 'select id, value from keys'),
    ]),
    reads('AUTHZ-688', 'builder', 'A path that a failed transaction takes back.', [
      KEYS,
      'set search_path = secret',
      'begin',
      'set search_path = scratch',
      'select 1 / 0',
      'rollback',
      'select value from keys',
    ]),
    reads('AUTHZ-689', 'builder', 'A path that a failed text takes back.', [
      KEYS,
      'set search_path = secret',
      'set search_path = scratch; select 1 / 0',
      'select value from keys',
    ]),
    reads('AUTHZ-690', 'builder', 'A path that a failed pipeline takes back.', [
      KEYS,
      'set search_path = secret',
      pipeline('set search_path = scratch', 'select 1 / 0'),
      'select value from keys',
    ]),
    reads('AUTHZ-691', 'builder', 'SET LOCAL outside of a transaction changes nothing.', [
      KEYS,
      'set search_path = secret',
      'set local search_path = scratch',
      'select value from keys',
    ]),
    reads('AUTHZ-692', 'builder', 'SET LOCAL ends with COMMIT.', [
      KEYS,
      'set search_path = secret',
      'begin; set local search_path = scratch; commit',
      'select value from keys',
    ]),
    reads('AUTHZ-693', 'builder', 'SET LOCAL ends with COMMIT AND CHAIN.', [
      KEYS,
      'set search_path = secret',
      'begin',
      'set local search_path = scratch',
      'commit and chain',
      'select value from keys',
      'rollback',
    ]),
    reads('AUTHZ-694', 'builder', 'SET ends with ROLLBACK AND CHAIN.', [
      KEYS,
      'set search_path = secret',
      'begin',
      'set search_path = scratch',
      'rollback and chain',
      'select value from keys',
      'rollback',
    ]),
    reads('AUTHZ-695', 'builder', 'ABORT is ROLLBACK.', [
      KEYS,
      'set search_path = secret',
      'begin; set search_path = scratch',
      'abort',
      'select value from keys',
    ]),
    reads('AUTHZ-696', 'builder', 'RELEASE of a savepoint keeps the path of the transaction.', [
      KEYS,
      'set search_path = scratch',
      'begin; savepoint a; set local search_path = secret; release a',
      'select value from keys',
      'rollback',
    ]),
    reads('AUTHZ-697', 'builder', 'Two savepoints of one name.', [
      KEYS,
      'begin; set local search_path = secret; savepoint a; set local search_path = scratch; savepoint a; rollback to a; release a; rollback to a',
      'select value from keys',
      'rollback',
    ]),
    reads(
      'AUTHZ-698',
      'builder',
      'A name of the path that is quoted and differs by case.',
      ['set search_path = "Scratch", scratch', 'select value from keys'],
      {
        setup:
          'create schema "Scratch"; create view "Scratch".keys as select value from secret.keys; create table scratch.keys (value text)',
      },
    ),
    reads('AUTHZ-699', 'builder', 'A schema of the path that is made from outside later.', [
      KEYS,
      'set search_path = later, scratch',
      parse('p', 'select id, value from keys'),
      outside('create schema later; create view later.keys as select * from secret.keys'),
      run('p'),
    ]),
    reads('AUTHZ-700', 'builder', 'A schema of the path that is renamed from outside.', [
      KEYS,
      'set search_path = scratch, secret',
      parse('p', 'select id, value from keys'),
      outside('alter schema scratch rename to former'),
      run('p'),
    ]),
    reads(
      'AUTHZ-701',
      'builder',
      'A prepared statement whose table is dropped and whose name then means another.',
      [
        KEYS,
        'set search_path = scratch, secret',
        'prepare p as select id, value from keys',
        'begin; drop table scratch.keys; execute p',
      ],
    ),
    reads(
      'AUTHZ-702',
      'reader',
      'The schema that is named as the login.',
      ['set search_path = "$user", bank', 'select city from branches'],
      {
        setup:
          'create schema postgres; create view postgres.branches as select value as city from secret.keys',
      },
    ),
    reads(
      'AUTHZ-703',
      'reader',
      'Another database of the same server, with a table of a granted name.',
      ['select city from bank.branches'],
      { database: 'authz_other' },
    ),
  ],
};
