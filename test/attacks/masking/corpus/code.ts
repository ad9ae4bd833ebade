/** Code of the target's own: functions, triggers, rules, defaults, operators, casts, blocks. */
import { attempt, extended, functionCall, type Family } from '../attempt.ts';

export const ROUTINES: Family = {
  name: 'functions, triggers, rules',
  attempts: [
    attempt('MASK-591', 'A SQL function.', 'select bank.ssn_of(1)'),
    attempt(
      'MASK-592',
      'A SQL function of each row.',
      'select bank.ssn_of(id) from bank.branches order by id',
    ),
    attempt('MASK-593', 'A SQL function with BEGIN ATOMIC.', 'select bank.ssn_atomic(2)', { since: 14 }),
    attempt('MASK-594', 'A SQL function with RETURN.', 'select bank.ssn_return(2)', { since: 14 }),
    attempt('MASK-595', 'A SQL function that calls another.', 'select bank.ssn_nested(3)'),
    attempt(
      'MASK-596',
      'A SQL function that gives back its argument.',
      'select bank.echo(ssn), bank.shout(name) from bank.customers order by id',
    ),
    attempt('MASK-597', 'A SQL function of rows, in FROM.', 'select ssn from bank.everyone() order by id'),
    attempt('MASK-598', 'A SQL function of rows, as rows.', 'select bank.everyone()'),
    attempt('MASK-599', 'A field of a SQL function of rows.', 'select (bank.everyone()).ssn'),
    attempt('MASK-600', 'A SQL function with TABLE columns.', 'select v from bank.pairs() order by k'),
    attempt('MASK-601', 'A SQL function with OUT parameters.', 'select * from bank.two(1)'),
    attempt(
      'MASK-602',
      'A SQL function with OUT parameters as a row.',
      'select bank.two(1), (bank.two(2)).b',
    ),
    attempt(
      'MASK-603',
      'ROWS FROM with aliases.',
      'select * from rows from (bank.pairs(), bank.opaque_rows()) as r (a, b, c)',
    ),
    attempt(
      'MASK-604',
      'A SQL function in a condition.',
      `select id from bank.branches where bank.ssn_of(id) > '8'`,
    ),
    attempt('MASK-605', 'A SQL function by named argument.', 'select bank.ssn_of(i => 4)'),
    attempt('MASK-606', 'A function that cannot be looked into.', 'select bank.opaque_ssn(1)'),
    attempt(
      'MASK-607',
      'The same, as a part of an expression.',
      `select 'x' || upper(bank.opaque_ssn(1)) || 'y'`,
    ),
    attempt(
      'MASK-608',
      'The same, in a condition.',
      `select id from bank.branches where bank.opaque_ssn(id) > '8'`,
    ),
    attempt('MASK-609', 'The same, that calls itself immutable.', 'select bank.opaque_fixed(1)'),
    attempt('MASK-610', 'The same, of rows.', 'select * from bank.opaque_rows()'),
    attempt('MASK-611', 'The same, of a table.', 'select a, b from bank.opaque_table() order by a'),
    attempt(
      'MASK-612',
      'The same, of JSON in parts.',
      'select jsonb_array_elements_text(bank.opaque_json())',
    ),
    attempt(
      'MASK-613',
      'The same, given the value.',
      'select bank.opaque_echo(ssn) from bank.customers order by id',
    ),
    attempt(
      'MASK-614',
      'The same, that gives a number for the value.',
      'select bank.opaque_bit(name) from bank.customers order by id',
    ),
    attempt(
      'MASK-615',
      'The same, in LIMIT.',
      'select id from bank.customers order by id limit bank.opaque_bit((select name from bank.customers where id = 1)) - 10',
    ),
    attempt(
      'MASK-616',
      'The same, that runs a text.',
      `select bank.execute_it('select ssn from bank.customers where id = 1')`,
    ),
    attempt(
      'MASK-617',
      'The same, that runs a text made of parts.',
      `select bank.execute_it('select string_agg(' || chr(115) || 'sn, '','') from bank.customers')`,
    ),
    attempt('MASK-618', 'A notice of a function.', 'select bank.tell(ssn) from bank.customers where id = 1'),
    attempt(
      'MASK-619',
      'A notice of a function in a condition.',
      'select id from bank.customers where bank.tell(ssn)',
    ),
    attempt('MASK-620', 'A notice of a function that reads for itself.', 'select bank.tell_all(1)'),
    attempt('MASK-621', 'An error of a function.', 'select bank.fail(ssn) from bank.customers where id = 1'),
    attempt(
      'MASK-622',
      'The SQLSTATE of an error of a function.',
      'select bank.fail_state(ssn) from bank.customers where id = 1',
    ),
    attempt(
      'MASK-623',
      'The names in an error of a function.',
      'select bank.fail_names(ssn) from bank.customers where id = 1',
    ),
    attempt(
      'MASK-624',
      'An operator of its own that tells.',
      `select id from bank.customers where ssn operator(bank.~~~) 'x'`,
    ),
    attempt(
      'MASK-625',
      'A cast of its own.',
      `select row(ssn)::bank.wrapped::text from bank.customers order by id`,
    ),
    attempt(
      'MASK-626',
      'A function of the path hides one of the server.',
      ['set search_path = shadow, pg_catalog', 'select upper(ssn) from bank.customers where id = 1'],
      { once: true },
    ),
    attempt(
      'MASK-627',
      'An aggregate of the path hides count.',
      ['set search_path = shadow, pg_catalog', 'select count(ssn) from bank.customers where id = 1'],
      { once: true },
    ),
    attempt(
      'MASK-628',
      'An operator of the path hides equality.',
      ['set search_path = shadow, pg_catalog', `select id from bank.customers where ssn = 'x'`],
      { once: true },
    ),
    attempt(
      'MASK-629',
      'An operator of the path reads for itself.',
      ['set search_path = shadow, pg_catalog', `select city || '' from bank.branches`],
      { once: true },
    ),
    attempt(
      'MASK-630',
      'A table of the path hides another.',
      [
        'set search_path = shadow, bank',
        `create view shadow.customers as select id, ssn as city from bank.customers`,
        'select city from customers order by id',
      ],
      { once: true },
    ),
    attempt(
      'MASK-631',
      'A temporary table hides another.',
      [
        `create temp table branches as select id, ssn as city from bank.customers`,
        'set search_path = bank',
        'select city from branches order by id',
      ],
      { once: true },
    ),
    attempt('MASK-632', 'A trigger raises a notice.', ["insert into bank.inbox values (1, 'x')"], {
      once: true,
    }),
    attempt('MASK-633', 'A trigger raises an error with the old row.', ['update bank.tracked set id = 9'], {
      once: true,
    }),
    attempt(
      'MASK-634',
      'A trigger of the attacker.',
      [
        `create function bank.spy() returns trigger language plpgsql as $$ begin raise notice '%', new; return new; end $$`,
        'create trigger spy before update on bank.customers for each row execute function bank.spy()',
        'update bank.customers set branch = branch where id = 1',
      ],
      { once: true },
    ),
    attempt(
      'MASK-635',
      'A trigger copies to a table.',
      [
        `create function bank.spy() returns trigger language plpgsql as $$ begin insert into bank.plain (id, v) values (new.id + 100, new.ssn); return new; end $$`,
        'create trigger spy after update on bank.customers for each row execute function bank.spy()',
        'update bank.customers set branch = branch where id = 1',
        'select v from bank.plain where id = 101',
      ],
      { once: true },
    ),
    attempt('MASK-636', 'A rule that shows rows.', [`insert into bank.ruled values (1, 'x')`], {
      once: true,
    }),
    attempt(
      'MASK-637',
      'A rule of the attacker.',
      [
        'create rule mine as on update to bank.plain do instead select ssn, name from bank.customers',
        'update bank.plain set v = v where id = 1',
      ],
      { once: true },
    ),
    attempt('MASK-638', 'A default reads.', ['insert into bank.defaults (id) values (1) returning v'], {
      once: true,
    }),
    attempt(
      'MASK-639',
      'A default reads, and is shown later.',
      ['insert into bank.defaults (id) values (1)', 'select v from bank.defaults where id = 1'],
      { once: true },
    ),
    attempt(
      'MASK-640',
      'A function of the attacker, in SQL.',
      [
        `create function bank.mine() returns setof text language sql as 'select ssn from bank.customers'`,
        'select bank.mine()',
      ],
      { once: true },
    ),
    attempt(
      'MASK-641',
      'A function of the attacker that is replaced later.',
      [
        `create function bank.mine() returns setof text language sql as 'select city from bank.branches'`,
        'select bank.mine()',
        `create or replace function bank.mine() returns setof text language sql as 'select ssn from bank.customers'`,
        'select bank.mine()',
      ],
      { once: true },
    ),
    attempt(
      'MASK-642',
      'A temporary function in plpgsql.',
      [
        `create function pg_temp.mine() returns text language plpgsql as $$ begin return (select string_agg(pin, ' ') from bank.customers); end $$`,
        'select pg_temp.mine()',
      ],
      { once: true, blocked: 'functions of the temporary schema are not called through the gateway' },
    ),
    attempt(
      'MASK-643',
      'DO raises a notice.',
      [`do $$ begin raise notice '%', (select string_agg(ssn, ',') from bank.customers); end $$`],
      { once: true },
    ),
    attempt(
      'MASK-644',
      'DO fails with a detail.',
      [
        `do $$ begin raise exception 'x' using detail = (select ssn from bank.customers where id = 1); end $$`,
      ],
      { once: true },
    ),
    attempt(
      'MASK-645',
      'DO copies into a table.',
      [
        `do $$ begin insert into bank.plain (id, v) select id + 100, ssn from bank.customers; end $$`,
        'select v from bank.plain where id > 100',
      ],
      { once: true },
    ),
    attempt(
      'MASK-646',
      'DO makes a temporary table.',
      [
        `do $$ begin create temp table behind as select ssn as v from bank.customers; end $$`,
        'select v from behind',
      ],
      { once: true },
    ),
    attempt(
      'MASK-647',
      'DO fails or not.',
      [
        `do $$ begin if (select ssn from bank.customers where id = 1) > '7' then raise exception 'x'; end if; end $$`,
      ],
      { once: true },
    ),
    attempt(
      'MASK-648',
      'DO makes a table whose existence tells.',
      [
        `do $$ begin if (select ssn from bank.customers where id = 1) > '7' then create table bank.yes (); end if; end $$`,
        `select to_regclass('bank.yes') is null`,
      ],
      { once: true },
    ),
    attempt('MASK-649', 'CALL of a procedure that tells.', ['call bank.tell_procedure()'], { once: true }),
    attempt('MASK-650', 'CALL of a procedure that gives.', ['call bank.give(null)'], { once: true }),
    attempt(
      'MASK-651',
      'CALL of a procedure that copies.',
      ['call bank.copy_over()', 'select v from bank.plain where id > 100'],
      { once: true },
    ),
    attempt(
      'MASK-652',
      'A function makes a temporary table.',
      ['select bank.copy_temp()', 'select ssn from behind'],
      { once: true },
    ),
    attempt(
      'MASK-653',
      'A function opens a cursor.',
      ['begin', 'select bank.opaque_cursor()', 'fetch all from handed', 'rollback'],
      { once: true },
    ),
    attempt('MASK-654', 'A function notifies.', ['listen bell', 'select bank.ring()', 'select 1'], {
      once: true,
    }),
    attempt(
      'MASK-655',
      'A function keeps it in a setting.',
      ['select bank.remember()', `select current_setting('bank.last')`],
      { once: true },
    ),
    attempt(
      'MASK-656',
      'A function keeps it in a setting that is shown.',
      ['select bank.remember()', 'show bank.last'],
      { once: true },
    ),
    attempt(
      'MASK-657',
      'A function keeps it in a setting that is reported.',
      ['select bank.remember_name()'],
      { once: true },
    ),
    attempt(
      'MASK-658',
      'A function that runs a text, by the old message.',
      [functionCall('bank.execute_it', 'select ssn from bank.customers where id = 1')],
      { once: true },
    ),
    attempt(
      'MASK-659',
      'The same, asking for the result in binary.',
      [
        {
          kind: 'function-call',
          routine: 'bank.execute_it',
          arguments: ['select pin from bank.customers where id = 2'],
          binary: true,
        },
      ],
      { once: true },
    ),
    attempt('MASK-660', 'A parameter in a function.', [
      extended('select bank.execute_it($1)', 'select name from bank.customers where id = 2'),
    ]),
    attempt(
      'MASK-661',
      'A conversion by a CREATE CAST of the attacker.',
      [
        `create function bank.mine(c bank.customers) returns text language sql as 'select c.ssn'`,
        'select c.mine from bank.customers c order by id',
        'select bank.mine(c) from bank.customers c order by id',
      ],
      { once: true },
    ),
    attempt(
      'MASK-662',
      'A domain check that tells.',
      [
        `create domain bank.telling as text check (bank.tell(value))`,
        'select ssn::bank.telling from bank.customers where id = 1',
      ],
      { once: true },
    ),
    attempt(
      'MASK-663',
      'An index on an expression that tells.',
      [
        'create index on bank.customers ((bank.opaque_fixed(length(bank.echo(ssn)))))',
        `create function bank.tells(t text) returns text language plpgsql immutable as $$ begin raise notice '%', t; return t; end $$`,
        'create index on bank.customers (bank.tells(ssn))',
      ],
      { once: true },
    ),
    attempt(
      'MASK-664',
      'A constraint with a function that tells.',
      ['alter table bank.customers add check (bank.tell(ssn))'],
      { once: true },
    ),
    attempt(
      'MASK-665',
      'A policy with a function that tells.',
      [
        'create policy p on bank.customers using (bank.tell(ssn))',
        'alter table bank.customers enable row level security',
        'alter table bank.customers force row level security',
        'select count(*) from bank.customers',
      ],
      { once: true, blocked: 'a superuser is not held to policies' },
    ),
    attempt(
      'MASK-666',
      'A generated column of the attacker.',
      [
        'alter table bank.customers add extra text generated always as (reverse(ssn)) stored',
        'select extra from bank.customers order by id',
      ],
      { once: true },
    ),
    attempt(
      'MASK-667',
      'A column type changed by USING.',
      [
        'alter table bank.customers add extra text',
        'alter table bank.customers alter extra type text using ssn',
        'select extra from bank.customers order by id',
      ],
      { once: true },
    ),
    attempt(
      'MASK-668',
      'A column type changed so that it fails with the value.',
      ['alter table bank.tracked alter ssn type int using ssn::int'],
      { once: true },
    ),
    attempt(
      'MASK-669',
      'A column type changed to a smaller one.',
      ['alter table bank.tracked alter ssn type varchar(12)'],
      { once: true },
    ),
    attempt(
      'MASK-670',
      'A column added with it as the default.',
      [
        `alter table bank.branches add extra text default bank.opaque_ssn(1)`,
        'select extra from bank.branches',
      ],
      { once: true },
    ),
    attempt(
      'MASK-671',
      'A child whose column takes the class away.',
      [
        'create table bank.kid () inherits (bank.tracked)',
        'insert into bank.kid select * from bank.tracked',
        'select ssn from bank.kid order by id',
      ],
      { once: true },
    ),
    attempt(
      'MASK-902',
      'A function that calls itself stable and calls one that writes.',
      [
        'create function bank.mine(q text) returns text language plpgsql stable as $$ begin return bank.execute_it(q); end $$',
        `select bank.mine('insert into bank.plain (id, v) select 100, ssn from bank.customers where id = 1 returning v')`,
        'select v from bank.plain where id = 100',
      ],
      { once: true },
    ),
    attempt(
      'MASK-903',
      'A function that calls itself immutable and sets what the server reports.',
      [
        `create function bank.mine() returns int language plpgsql immutable as $$ begin perform set_config('application_name', (select ssn from bank.customers where id = 1), false); return 1; end $$`,
        'select bank.mine()',
        'show application_name',
      ],
      { once: true },
    ),
    attempt(
      'MASK-904',
      'A function that calls itself immutable and sets what is shown.',
      [
        `create function bank.mine() returns int language plpgsql immutable as $$ begin perform set_config('bank.last', (select ssn from bank.customers where id = 1), false); return 1; end $$`,
        'select bank.mine()',
        'show bank.last',
        `select current_setting('bank.last')`,
      ],
      { once: true },
    ),
    attempt(
      'MASK-905',
      'A function that calls itself stable and moves a sequence.',
      [
        `create function bank.mine() returns int language plpgsql stable as $$ begin perform setval('bank.counter', (select score from bank.customers where id = 1)); return 1; end $$`,
        'select bank.mine()',
        'select last_value from bank.counter',
      ],
      { once: true },
    ),
    attempt(
      'MASK-906',
      'A function that calls itself stable and takes a lock.',
      [
        `create function bank.mine() returns int language plpgsql stable as $$ begin perform pg_advisory_lock((select score from bank.customers where id = 1)); return 1; end $$`,
        'select bank.mine()',
        `select objid from pg_locks where locktype = 'advisory'`,
      ],
      { once: true },
    ),
    attempt(
      'MASK-907',
      'A function that calls itself stable and fails when it is so.',
      [
        `create function bank.mine() returns int language plpgsql stable as $$ begin if (select ssn from bank.customers where id = 1) > '7' then raise exception 'x'; end if; return 1; end $$`,
        'select bank.mine()',
      ],
      { once: true },
    ),
    attempt(
      'MASK-908',
      'A stable function of rows whose number tells.',
      [
        `create function bank.mine() returns setof int language plpgsql stable as $$ begin return query select id from bank.customers where ssn < '8'; end $$`,
        'select count(*) from bank.mine()',
        'select bank.mine()',
      ],
      { once: true },
    ),
    attempt(
      'MASK-909',
      'A stable function that gives what is free if it is so.',
      [
        `create function bank.mine(t text) returns boolean language plpgsql stable as $$ begin return (select ssn from bank.customers where id = 1) < '7'; end $$`,
        'select id from bank.branches where bank.mine(city)',
      ],
      { once: true },
    ),
    attempt(
      'MASK-910',
      'A default of a temporary table that runs own code.',
      [
        `create temp table mine (id int, v text default bank.opaque_ssn(1))`,
        'insert into mine (id) values (1)',
        'select v from mine',
      ],
      { once: true },
    ),
    attempt(
      'MASK-911',
      'A generated column that runs own code.',
      [
        `create table bank.mine (id int, v text generated always as (bank.opaque_fixed(id)) stored)`,
        'insert into bank.mine (id) values (1)',
        'select v from bank.mine',
      ],
      { once: true },
    ),
    attempt(
      'MASK-916',
      'A generated column that runs own code, added to a table.',
      [
        `create table bank.mine (id int)`,
        'alter table bank.mine add column v text generated always as (bank.opaque_fixed(id)) stored',
        'insert into bank.mine (id) values (1)',
        'select v from bank.mine',
      ],
      { once: true },
    ),
    attempt(
      'MASK-917',
      'The expression of a generated column, set to own code.',
      [
        `create table bank.mine (id int, v text generated always as ('none') stored)`,
        'alter table bank.mine alter v set expression as (bank.opaque_fixed(id))',
        'insert into bank.mine (id) values (1)',
        'select v from bank.mine',
      ],
      { once: true, since: 17 },
    ),
    attempt(
      'MASK-918',
      'A column of another type, converted by own code.',
      [
        'create table bank.mine (v int)',
        'insert into bank.mine values (1)',
        'alter table bank.mine alter v type text using bank.opaque_fixed(v)',
        'select v from bank.mine',
      ],
      { once: true },
    ),
    attempt(
      'MASK-919',
      'A column of another type, converted by a query in a text.',
      [
        'create table bank.mine (v text)',
        `insert into bank.mine values ('select ssn from bank.customers')`,
        `alter table bank.mine alter v type text using query_to_xml(v, false, false, '')::text`,
        'select v from bank.mine',
      ],
      { once: true },
    ),
    attempt(
      'MASK-912',
      'A view column of own code.',
      [
        `create view bank.mine as select id, bank.opaque_ssn(id) as city from bank.branches`,
        'select city from bank.mine',
      ],
      { once: true },
    ),
    attempt(
      'MASK-913',
      'An INSERT … SELECT of own code.',
      [
        `insert into bank.plain (id, v) select id + 100, bank.opaque_ssn(id) from bank.branches`,
        'select v from bank.plain where id > 100',
      ],
      { once: true },
    ),
    attempt(
      'MASK-914',
      'A table made with a default that reads.',
      [
        'create table bank.mine (id int, v text default bank.opaque_ssn(1))',
        'insert into bank.mine (id) values (1)',
        'select v from bank.mine',
      ],
      { once: true },
    ),
    attempt(
      'MASK-915',
      'A domain with a default that reads.',
      [
        'create domain bank.reading as text default bank.opaque_ssn(1)',
        'create table bank.mine (id int, v bank.reading)',
        'insert into bank.mine (id) values (1)',
        'select v from bank.mine',
      ],
      { once: true },
    ),
  ],
};
