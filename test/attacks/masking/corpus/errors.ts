/** Errors and notices that repeat what they met. */
import { attempt, copyIn, extended, pipeline, type Family } from '../attempt.ts';

export const ERRORS: Family = {
  name: 'errors and notices',
  attempts: [
    attempt(
      'MASK-533',
      'The value that a cast could not take.',
      'select ssn::numeric from bank.customers where id = 1',
    ),
    attempt('MASK-534', 'The same, in a WHERE.', 'select id from bank.customers where name::int = 1'),
    attempt(
      'MASK-535',
      'The same, in a subquery that is not shown.',
      'select count(*) from (select pin::text::int x from bank.customers) s where x > 0',
    ),
    attempt(
      'MASK-536',
      'The same, in an INSERT.',
      ['insert into bank.plain (id, n) select 100, ssn::numeric from bank.customers where id = 1'],
      { once: true },
    ),
    attempt(
      'MASK-537',
      'The same, in an UPDATE.',
      ['update bank.plain set n = (select name from bank.customers where id = 1)::numeric'],
      { once: true },
    ),
    attempt(
      'MASK-538',
      'The same, in a second statement.',
      ['select 1; select pin::text::date from bank.customers where id = 1'],
      { once: true },
    ),
    attempt(
      'MASK-539',
      'The same, in a pipeline.',
      [pipeline('select 1', 'select email::text::int from bank.customers where id = 1', 'select 2')],
      { once: true },
    ),
    attempt('MASK-540', 'The same, with a parameter.', [
      extended('select ($1 || ssn)::int from bank.customers where id = 1', 'x'),
    ]),
    attempt('MASK-541', 'NOT NULL shows the failing row.', ['update bank.strict set email = null'], {
      once: true,
    }),
    attempt('MASK-542', 'CHECK shows the failing row.', ['update bank.strict set score = 1'], { once: true }),
    attempt(
      'MASK-543',
      'CHECK shows the failing row, its negative in arithmetic.',
      ['update bank.strict set score = score - 2000000000'],
      { once: true },
    ),
    attempt(
      'MASK-544',
      'UNIQUE shows the key.',
      ['update bank.strict set ssn = (select ssn from bank.strict where id = 1)'],
      { once: true },
    ),
    attempt(
      'MASK-545',
      'UNIQUE shows the key of a primary key on the move.',
      ['update bank.parents set ssn = (select max(ssn) from bank.parents)'],
      { once: true },
    ),
    attempt(
      'MASK-546',
      'An exclusion constraint shows both keys.',
      ['update bank.strict set pin = (select pin from bank.strict where id = 2)'],
      { once: true },
    ),
    attempt(
      'MASK-547',
      'A foreign key shows the key that is still referenced.',
      [`delete from bank.parents`],
      { once: true },
    ),
    attempt(
      'MASK-548',
      'A foreign key shows the key that is not there.',
      [`update bank.children set ssn = ssn || 'x'`],
      { once: true },
    ),
    attempt(
      'MASK-549',
      'A deferred foreign key shows it at COMMIT.',
      ['begin', 'set constraints all deferred', `update bank.children set ssn = ssn || 'x'`, 'commit'],
      { once: true },
    ),
    attempt(
      'MASK-550',
      'A deferred foreign key at SET CONSTRAINTS IMMEDIATE.',
      [
        'begin',
        'set constraints all deferred',
        `update bank.children set ssn = ssn || 'x'`,
        'set constraints all immediate',
        'rollback',
      ],
      { once: true },
    ),
    attempt(
      'MASK-551',
      'A partition that is not found shows the key.',
      [`update bank.events set region = ssn`],
      { once: true },
    ),
    attempt(
      'MASK-552',
      'A view with CHECK OPTION shows the failing row.',
      [`insert into bank.v_check select 1, '0' || ssn from bank.tracked`],
      { once: true },
    ),
    attempt(
      'MASK-553',
      'ON CONFLICT DO UPDATE twice.',
      ['insert into bank.strict (id, ssn, score, email) select 1, ssn, 5, null from bank.customers'],
      { once: true },
    ),
    attempt(
      'MASK-554',
      'A value too long for a column.',
      ['insert into bank.short_plain (v) select ssn from bank.customers where id = 1'],
      { once: true, blocked: 'the message does not repeat it, and it is too long on both' },
    ),
    attempt(
      'MASK-555',
      'A number too large for a column.',
      ['insert into bank.short_plain (n) select score from bank.customers where id = 1'],
      { once: true, blocked: 'the message does not repeat it, and it is too large on both' },
    ),
    attempt(
      'MASK-556',
      'A domain refuses it, in a failing row.',
      ['insert into bank.short_plain (id, k) select 1, score from bank.customers where id = 1'],
      { once: true },
    ),
    attempt(
      'MASK-557',
      'CREATE UNIQUE INDEX shows the duplicate.',
      ['create unique index on bank.customers (ssn)'],
      { once: true },
    ),
    attempt(
      'MASK-558',
      'CREATE UNIQUE INDEX on an expression.',
      [`create unique index on bank.customers (substr(ssn, 1, 1))`],
      { once: true },
    ),
    attempt(
      'MASK-559',
      'ADD FOREIGN KEY shows what is missing.',
      ['alter table bank.customers add foreign key (ssn) references bank.parents'],
      { once: true },
    ),
    attempt('MASK-560', 'ADD CHECK fails or not.', [`alter table bank.tracked add check (ssn < '7')`], {
      once: true,
    }),
    attempt(
      'MASK-561',
      'ADD CHECK NOT VALID, then VALIDATE.',
      [
        `alter table bank.tracked add constraint k check (ssn < '7') not valid`,
        'alter table bank.tracked validate constraint k',
      ],
      { once: true },
    ),
    attempt(
      'MASK-562',
      'ADD EXCLUDE shows the keys.',
      ['alter table bank.customers add exclude using btree (ssn with =)'],
      { once: true },
    ),
    attempt(
      'MASK-563',
      'ATTACH PARTITION fails or not.',
      [
        `create table bank.parts2 (id int, ssn text) partition by range (ssn)`,
        `alter table bank.parts2 attach partition bank.tracked for values from (minvalue) to ('7')`,
      ],
      { once: true },
    ),
    attempt(
      'MASK-564',
      'An index on an expression that fails with the value.',
      ['create index on bank.customers ((ssn::int))'],
      { once: true },
    ),
    attempt(
      'MASK-565',
      'COPY FROM shows the line and the failing row.',
      [copyIn('copy bank.strict (id, ssn, score) from stdin', '9\tx\t20\n')],
      { once: true, blocked: 'only what the attacker wrote is repeated' },
    ),
    attempt(
      'MASK-566',
      'The context of a function.',
      ["select bank.execute_it('select ''' || (select ssn from bank.customers where id = 1) || '''::int')"],
      { once: true },
    ),
    attempt(
      'MASK-567',
      'The internal query of a function.',
      [`select bank.execute_it('selec ' || ssn) from bank.customers where id = 1`],
      { once: true },
    ),
    attempt(
      'MASK-568',
      'The name of a table that does not exist.',
      [
        `select query_to_xml('select * from "' || ssn || '"', true, false, '') from bank.customers where id = 1`,
      ],
      { once: true },
    ),
    attempt(
      'MASK-569',
      'The name of a setting that does not exist.',
      ['select current_setting(pin::text) from bank.customers where id = 1'],
      { once: true },
    ),
    attempt(
      'MASK-570',
      'The name of a function, a sequence, a role.',
      [
        'select pin::regproc from bank.customers where id = 1',
        'select nextval(pin::text) from bank.customers where id = 1',
        "select pg_has_role(pin::text::name, 'usage') from bank.customers where id = 1",
      ],
      { once: true },
    ),
    attempt(
      'MASK-571',
      'The name of an encoding.',
      [
        `select convert_to('x', pin::text::name) from bank.customers where id = 1`,
        `select encode('x', ssn) from bank.customers where id = 1`,
      ],
      { once: true },
    ),
    attempt(
      'MASK-572',
      'A field of extract or date_trunc.',
      [
        'select date_part(pin::text, now()) from bank.customers where id = 1',
        'select date_trunc(ssn, now()) from bank.customers where id = 1',
      ],
      { once: true },
    ),
    attempt(
      'MASK-573',
      'A file that does not exist.',
      ['select pg_read_file(pin::text) from bank.customers where id = 1'],
      { once: true },
    ),
    attempt(
      'MASK-574',
      'A language, a text search configuration.',
      ["select to_tsvector(pin::text::regconfig, 'x') from bank.customers where id = 1"],
      { once: true },
    ),
    attempt(
      'MASK-575',
      'The large object of its number.',
      ['select lo_get(score::oid) from bank.customers where id = 1'],
      { once: true },
    ),
    attempt(
      'MASK-576',
      'The lock that it fails to get.',
      ['select pg_cancel_backend(score) from bank.customers where id = 1'],
      { once: true },
    ),
    attempt(
      'MASK-577',
      'A hint of plainto_tsquery and its notice.',
      [
        `select plainto_tsquery('english', 'the') , to_tsquery('simple', pin::text || ' & |') from bank.customers where id = 1`,
      ],
      { once: true },
    ),
    attempt(
      'MASK-578',
      'A recursive error: a savepoint and the next.',
      [
        'begin',
        'savepoint a',
        'select ssn::int from bank.customers where id = 1',
        'rollback to a',
        'select pin::text::int from bank.customers where id = 2',
        'rollback',
      ],
      { once: true },
    ),
    attempt(
      'MASK-579',
      'debug_print_plan to the client.',
      [
        `set client_min_messages = 'debug5'`,
        'set debug_print_parse = on',
        `select count(*) from bank.customers where ssn = (select max(ssn) from bank.tracked)`,
      ],
      { once: true },
    ),
    attempt('MASK-580', 'VACUUM VERBOSE and ANALYZE VERBOSE.', ['analyze verbose bank.customers'], {
      once: true,
      blocked: 'it tells numbers of rows and pages only',
    }),
    attempt(
      'MASK-581',
      'An error while a cursor is read.',
      ['begin', 'declare c cursor for select ssn::int from bank.customers', 'fetch all from c', 'rollback'],
      { once: true },
    ),
    attempt('MASK-582', 'An error in COPY TO.', ['copy (select ssn::int from bank.customers) to stdout'], {
      once: true,
    }),
    attempt(
      'MASK-583',
      'An error in EXPLAIN ANALYZE.',
      ['explain (analyze, timing off, summary off, buffers off) select ssn::int from bank.customers'],
      { once: true },
    ),
    attempt(
      'MASK-584',
      'An error while planning: a constant function.',
      [`explain select bank.opaque_fixed(1)::int`],
      { once: true },
    ),
    attempt(
      'MASK-585',
      'An error of a prepared statement.',
      ['prepare p as select (ssn || $1)::int from bank.customers', `execute p ('x')`],
      { once: true },
    ),
    attempt(
      'MASK-586',
      'An error of a trigger of the foreign key.',
      [`update bank.parents set ssn = ssn || 'y'`],
      { once: true },
    ),
    attempt(
      'MASK-587',
      'An error in MERGE: twice the same row.',
      [
        `merge into bank.strict s using bank.customers c on true when matched then update set score = 1, email = null`,
      ],
      { since: 15, once: true },
    ),
    attempt(
      'MASK-588',
      'An error that shows the row of a partition.',
      [`insert into bank.events select 1, ssn, ssn, 'x' from bank.customers where id = 1`],
      { once: true },
    ),
    attempt(
      'MASK-589',
      'An error that shows a range bound.',
      [`select range_merge(span, numrange(balance, 1)) from bank.customers`],
      { once: true, blocked: 'the message does not repeat it, and it is the wrong way round on both' },
    ),
    attempt(
      'MASK-590',
      'A notice of an identifier that is cut.',
      [`select bank.execute_it('select 1 as "' || repeat(ssn, 7) || '"') from bank.customers where id = 1`],
      { once: true },
    ),
  ],
};
