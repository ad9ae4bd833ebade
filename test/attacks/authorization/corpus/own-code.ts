/** Functions, operators, types, triggers, rules and defaults that the database has of its own, or is given. */
import { escapes, reads, writes, type Family } from '../attack.ts';

export const CODE: Family = {
  name: 'own functions',
  attacks: [
    reads('AUTHZ-413', 'reader', 'An own function that reads.', ['select app.read_key(1)']),
    reads('AUTHZ-414', 'reader', 'An own function that gives a table.', ['select * from app.keys()']),
    reads(
      'AUTHZ-415',
      'reader',
      'An own function in a condition.',
      [`select 'Y' || 'ES' from bank.branches where app.read_key(id) like '%key-1'`],
      { received: 'YES' },
    ),
    reads('AUTHZ-416', 'reader', 'An own function by named arguments.', ['select app.read_key(k => 1)']),
    reads(
      'AUTHZ-417',
      'reader',
      'An own function in functional notation for a row.',
      ['select (b).secretly from bank.branches b'],
      { setup: 'set search_path = bank', inert: 'the notation looks functions up in the path only' },
    ),
    reads('AUTHZ-418', 'reader', 'An own function found as the attribute of a row, through the path.', [
      'set search_path = bank',
      'select b.secretly from branches b',
    ]),
    reads('AUTHZ-419', 'reader', 'An own aggregate.', ['select app.gather(owner) from bank.accounts']),
    reads('AUTHZ-420', 'reader', 'An own aggregate as a window function.', [
      'select app.gather(owner) over () from bank.accounts',
    ]),
    reads('AUTHZ-421', 'reader', 'An own operator.', ['select 1 operator(app.===) 2']),
    reads('AUTHZ-422', 'reader', 'An own operator through the path.', [
      'set search_path = app',
      'select 1 === 2',
    ]),
    reads('AUTHZ-423', 'reader', 'An own operator under ANY.', ['select 1 operator(app.===) any (array[2])']),
    reads(
      'AUTHZ-424',
      'reader',
      'An own operator in ORDER BY ... USING.',
      ['select id from bank.branches order by id using operator(app.===)'],
      { inert: 'it orders nothing: no operator class has it' },
    ),
    reads('AUTHZ-425', 'reader', 'A built-in operator, hidden by one of the path.', [
      'set search_path = shadow, pg_catalog',
      `select owner || 'x' from bank.accounts`,
    ]),
    reads('AUTHZ-426', 'reader', 'The = of IN, hidden by one of the path.', [
      'set search_path = shadow, pg_catalog',
      `select 1 from bank.accounts where owner in ('Ada')`,
    ]),
    reads('AUTHZ-427', 'reader', 'The = of CASE, hidden by one of the path.', [
      'set search_path = shadow, pg_catalog',
      `select case owner when 'Ada' then 1 end from bank.accounts`,
    ]),
    reads('AUTHZ-428', 'reader', 'The = of NULLIF, hidden by one of the path.', [
      'set search_path = shadow, pg_catalog',
      `select nullif(owner, 'Ada') from bank.accounts`,
    ]),
    reads('AUTHZ-429', 'reader', 'The = of IS DISTINCT FROM, hidden by one of the path.', [
      'set search_path = shadow, pg_catalog',
      `select owner is distinct from 'Ada' from bank.accounts`,
    ]),
    reads('AUTHZ-430', 'reader', 'The = of JOIN USING, hidden by one of the path.', [
      'set search_path = shadow, pg_catalog',
      'select 1 from bank.accounts a join reporting.daily d using (owner)',
    ]),
    reads('AUTHZ-431', 'reader', 'The = of NATURAL JOIN, hidden by one of the path.', [
      'set search_path = shadow, pg_catalog',
      `select 1 from bank.accounts a natural join (values ('Ada'::pg_catalog.text)) v(owner)`,
    ]),
    reads('AUTHZ-432', 'reader', 'The = of = ANY over a subquery, hidden by one of the path.', [
      'set search_path = shadow, pg_catalog',
      'select 1 from bank.accounts a where owner = any (select owner from reporting.daily)',
    ]),
    reads('AUTHZ-433', 'reader', 'A built-in function, hidden by one of the path.', [
      'set search_path = shadow, pg_catalog',
      'select lower(owner) from bank.accounts',
    ]),
    reads('AUTHZ-434', 'reader', 'A function of the path whose arguments fit better than the built-in one.', [
      'set search_path = pg_catalog, shadow',
      'select abs(owner) from bank.accounts',
    ]),
    reads('AUTHZ-435', 'reader', 'An aggregate of the server, hidden by a function of the path.', [
      'set search_path = shadow, pg_catalog',
      'select count(id) from bank.branches',
    ]),
    reads(
      'AUTHZ-436',
      'reader',
      'The path in the start-up message hides an operator.',
      [`select owner || 'x' from bank.accounts`],
      { options: '-c search_path=shadow,pg_catalog' },
    ),
    reads('AUTHZ-437', 'reader', 'A cast to a domain whose check runs a function.', [`select 'x'::app.loud`]),
    reads('AUTHZ-438', 'reader', 'CAST and the functional spelling of a domain.', [
      `select cast('x' as app.loud)`,
    ]),
    reads('AUTHZ-439', 'reader', 'A domain as the type of a constant.', [`select app.loud 'x'`]),
    reads('AUTHZ-440', 'reader', 'A domain inside of an array type.', [`select array['x']::app.loud[]`]),
    reads('AUTHZ-441', 'reader', 'A domain as a column type of a function in FROM.', [
      `select * from json_to_record('{"a":"x"}') as t(a app.loud)`,
    ]),
    reads('AUTHZ-442', 'reader', 'A built-in type name, hidden by a domain of the path.', [
      'set search_path = shadow, pg_catalog',
      `select cast(1 as "text")`,
    ]),
    reads('AUTHZ-443', 'reader', 'An own cast.', [`select row('x')::app.token::text`]),
    reads('AUTHZ-444', 'reader', 'An own cast, spelled with CAST.', [
      `select cast(row('x')::app.token as text)`,
    ]),
    reads('AUTHZ-445', 'reader', 'JSON to a domain through json_populate_record.', [
      `select (jsonb_populate_record(null::app.typed, '{"word": "x"}')).word`,
    ]),
    reads(
      'AUTHZ-446',
      'reader',
      'A regular cast of a JSON_VALUE to a domain.',
      [`select json_value('"x"', '$' returning app.loud)`],
      { since: 17 },
    ),
    reads('AUTHZ-447', 'builder', 'CREATE FUNCTION in the own schema, run at once.', [
      'create function scratch.f() returns text language sql as $$ select value from secret.keys where id = 1 $$',
      'select scratch.f()',
    ]),
    reads('AUTHZ-448', 'builder', 'CREATE FUNCTION with a body that is parsed at once.', [
      'create function scratch.f() returns text language sql begin atomic select value from secret.keys where id = 1; end',
      'select scratch.f()',
    ]),
    writes('AUTHZ-449', 'builder', 'CREATE FUNCTION over one that others run.', [
      `create or replace function app.hello(name text) returns text language sql as $$ select 'mine' $$`,
    ]),
    writes('AUTHZ-450', 'builder', 'CREATE FUNCTION SECURITY DEFINER.', [
      'create function scratch.f() returns int language plpgsql security definer as $$ begin delete from bank.audit; return 1; end $$',
      'select scratch.f()',
    ]),
    escapes(
      'AUTHZ-451',
      'builder',
      "CREATE FUNCTION of the server's own code.",
      [`create function scratch.f(text) returns text language internal as 'md5_text'; select scratch.f('x')`],
      {
        received: '9dd4e461268c8034f5c8564e155c67a6',
      },
    ),
    writes('AUTHZ-452', 'builder', 'CREATE PROCEDURE and CALL.', [
      'create procedure scratch.p() language sql as $$ delete from bank.audit $$',
      'call scratch.p()',
    ]),
    reads('AUTHZ-453', 'builder', 'A table in the own schema with a default that runs a function.', [
      'create table scratch.t (v text default app.read_key(1))',
      'insert into scratch.t default values',
      'select v from scratch.t',
    ]),
    reads('AUTHZ-454', 'builder', 'A temporary table with a default that runs a function.', [
      'create temp table t (id int, v text default app.read_key(1))',
      'insert into t (id) values (1)',
      'select v from t',
    ]),
    reads('AUTHZ-455', 'builder', 'A generated column of the own schema.', [
      'create table scratch.t (id int, v text generated always as (app.fixed_key(id)) stored)',
      'insert into scratch.t values (1)',
      'select v from scratch.t',
    ]),
    reads('AUTHZ-456', 'builder', 'A check of an own table.', [
      'create table scratch.t (id int check (app.tell(id::text)))',
      'insert into scratch.t values (1)',
    ]),
    reads('AUTHZ-457', 'builder', 'An index expression of an own table.', [
      'create table scratch.t (id int)',
      'create index on scratch.t (app.loud_key(id))',
      'insert into scratch.t values (1)',
    ]),
    reads('AUTHZ-458', 'builder', 'ALTER COLUMN TYPE ... USING.', [
      'create table scratch.t (v text)',
      `insert into scratch.t values ('x')`,
      'alter table scratch.t alter column v type text using app.read_key(1)',
      'select v from scratch.t',
    ]),
    reads('AUTHZ-459', 'builder', 'ADD COLUMN with a default that runs a function.', [
      'create table scratch.t (id int)',
      'insert into scratch.t values (1)',
      'alter table scratch.t add v text default app.read_key(1)',
      'select v from scratch.t',
    ]),
    reads('AUTHZ-460', 'builder', 'A trigger of an own table.', [
      'create table scratch.t (id int, body text)',
      'create trigger t before insert on scratch.t for each row execute function app.fill()',
      'insert into scratch.t values (1) returning body',
    ]),
    reads('AUTHZ-461', 'builder', 'A rule of an own table.', [
      'create table scratch.t (id int)',
      'create rule r as on insert to scratch.t do also select value from secret.keys',
      'insert into scratch.t values (1)',
    ]),
    writes('AUTHZ-462', 'builder', 'A rule of an own table that writes elsewhere.', [
      'create table scratch.t (id int)',
      'create rule r as on insert to scratch.t do also delete from bank.audit',
      'insert into scratch.t values (1)',
    ]),
    reads(
      'AUTHZ-463',
      'builder',
      'A policy of an own table.',
      [
        'create table scratch.t (id int)',
        'insert into scratch.t values (1)',
        'create policy p on scratch.t using (app.tell(id::text))',
        'alter table scratch.t enable row level security, force row level security',
        'select * from scratch.t',
      ],
      { inert: 'a superuser is not subject to policies' },
    ),
    writes('AUTHZ-464', 'builder', 'A domain of the own schema whose check runs a function.', [
      'create domain scratch.d as int check (app.wipe() = value)',
      'select 1::scratch.d',
    ]),
    writes(
      'AUTHZ-465',
      'builder',
      'An operator of the own schema that runs a function.',
      [
        'create operator scratch.=== (function = app.same, leftarg = int, rightarg = int)',
        'select 1 operator(scratch.===) 2',
      ],
      { received: 'CNRY-key-1' },
    ),
    writes('AUTHZ-466', 'builder', 'An aggregate of the own schema that runs a function.', [
      `create aggregate scratch.g (text) (sfunc = app.keep, stype = text, initcond = '')`,
      'select scratch.g(city) from bank.branches',
    ]),
    writes(
      'AUTHZ-467',
      'builder',
      'A cast of the own schema that runs a function.',
      ['create type scratch.ty as (id int)', 'create cast (int as boolean) with function app.tell_int(int)'],
      { inert: 'there is no such function: a cast needs one that fits exactly' },
    ),
  ],
};

export const FIRED: Family = {
  name: 'fired by writes',
  attacks: [
    reads('AUTHZ-468', 'teller', 'A default of a granted table that runs a function.', [
      'insert into app.forms (id) values (1) returning stamp',
    ]),
    reads('AUTHZ-469', 'teller', 'A default, named as DEFAULT.', [
      'insert into app.forms values (1, default) returning stamp',
    ]),
    reads('AUTHZ-470', 'teller', 'A default in a list of several rows.', [
      `insert into app.forms values (1, 'x'), (2, default) returning stamp`,
    ]),
    reads('AUTHZ-471', 'teller', 'DEFAULT VALUES.', ['insert into app.forms default values returning stamp']),
    reads('AUTHZ-472', 'teller', 'A default under COPY.', [
      'copy app.forms (id) from program $$echo 1$$',
      'select stamp from app.forms',
    ]),
    reads('AUTHZ-473', 'teller', 'A generated column.', [
      'insert into app.made (id) values (1) returning code',
    ]),
    reads('AUTHZ-474', 'teller', 'A check.', ['insert into app.checked values (1)']),
    reads('AUTHZ-475', 'teller', 'A domain of a column.', [`insert into app.typed values (1, 'x')`]),
    reads('AUTHZ-476', 'teller', 'The predicate of an index.', ['insert into app.indexed values (1)']),
    reads('AUTHZ-477', 'teller', 'A row trigger that fills a column.', [
      'insert into app.inbox values (1, null) returning body',
    ]),
    reads('AUTHZ-478', 'teller', 'A row trigger behind an updatable view.', [
      'insert into reporting.inbox values (1, null) returning body',
    ]),
    reads(
      'AUTHZ-479',
      'teller',
      'A row trigger under MERGE.',
      [
        'merge into app.inbox i using (values (1)) v(id) on i.id = v.id when not matched then insert values (v.id, null) returning i.body',
      ],
      { since: 17 },
    ),
    reads('AUTHZ-480', 'teller', 'A rule that runs a function besides.', [
      'insert into app.outbox values (1)',
    ]),
    writes('AUTHZ-481', 'teller', 'A statement trigger on INSERT.', [
      `insert into app.chain values (2, 'y')`,
    ]),
    writes('AUTHZ-482', 'teller', 'A statement trigger on UPDATE that meets no row.', [
      `update app.chain set body = 'y' where false`,
    ]),
    writes('AUTHZ-483', 'teller', 'A statement trigger on DELETE that meets no row.', [
      'delete from app.chain where id = 77',
    ]),
    writes('AUTHZ-484', 'teller', 'A statement trigger in a common table.', [
      `with w as (update app.chain set body = 'y' where false returning 1) select * from w`,
    ]),
    writes('AUTHZ-485', 'teller', 'A statement trigger under ON CONFLICT DO UPDATE.', [
      `merge into app.chain c using (values (1)) v(id) on c.id = v.id when matched then update set body = 'z'`,
    ]),
    writes(
      'AUTHZ-486',
      'teller',
      'A trigger that a foreign key fires elsewhere.',
      ['delete from bank.accounts where id = 1'],
      {
        setup:
          'alter table bank.customers drop constraint customers_account_id_fkey, add foreign key (account_id) references bank.accounts on delete cascade',
      },
    ),
    writes(
      'AUTHZ-487',
      'teller',
      'A trigger switched off for the session.',
      ['set session_replication_role = replica', `insert into app.chain values (5, 'untouched')`],
      { check: `select count(*) = 1 and exists (select 1 from bank.audit) from app.chain where id = 5` },
    ),
  ],
};
