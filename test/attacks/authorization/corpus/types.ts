/** Types, operators and expressions that run code where no text names it. */
import { parseTyped, reads, run, writes, type Family } from '../attack.ts';

export const TYPES: Family = {
  name: 'types and expressions that run code',
  attacks: [
    reads('AUTHZ-704', 'reader', 'The type of a parameter, given by its number only.', [
      parseTyped('p', 'select $1', 'app.loud'),
      run('p', 'x'),
    ]),
    reads('AUTHZ-705', 'reader', 'The type of a parameter, an array of a domain, given by its number only.', [
      parseTyped('p', 'select $1', 'app.loud[]'),
      run('p', '{x}'),
    ]),
    reads(
      'AUTHZ-706',
      'reader',
      'The type of a parameter, a row with a domain inside, given by its number only.',
      [parseTyped('p', 'select $1', 'app.typed'), run('p', '(1,x)')],
    ),
    reads('AUTHZ-707', 'reader', 'The type of a parameter, named by PREPARE.', [
      'prepare p (app.loud) as select $1',
      `execute p ('x')`,
    ]),
    reads('AUTHZ-708', 'reader', 'The row of a table as a constant, with a domain inside.', [
      `select '(1,x)'::app.typed`,
    ]),
    reads('AUTHZ-709', 'reader', 'An array of rows with a domain inside.', [
      `select '{"(1,x)"}'::app.typed[]`,
    ]),
    reads(
      'AUTHZ-710',
      'reader',
      'pg_input_is_valid takes the name of a type from a value.',
      [`select pg_input_is_valid('x', 'app' || '.loud')`],
      { since: 16 },
    ),
    reads(
      'AUTHZ-711',
      'reader',
      'pg_input_error_info takes the name of a type from a value.',
      [`select message from pg_input_error_info('x', 'app' || '.loud')`],
      { since: 16 },
    ),
    reads('AUTHZ-712', 'reader', 'A column of XMLTABLE.', [
      `select v from xmltable('/a' passing ('<a>x</a>'::xml) columns v app.loud path '.')`,
    ]),
    reads(
      'AUTHZ-713',
      'reader',
      'A column of JSON_TABLE.',
      [`select v from json_table('"x"', '$' columns (v app.loud path '$'))`],
      { since: 17 },
    ),
    reads('AUTHZ-714', 'reader', 'jsonb_populate_recordset.', [
      `select word from jsonb_populate_recordset(null::app.typed, '[{"word": "x"}]')`,
    ]),
    reads('AUTHZ-715', 'reader', 'XMLSERIALIZE and XMLCAST to a domain.', [
      `select xmlserialize(content '<a/>'::xml as app.loud)`,
    ]),
    reads('AUTHZ-716', 'reader', 'A built-in type name without quotes, hidden by a domain of the path.', [
      'set search_path = shadow, pg_catalog',
      `select 'x'::text`,
    ]),
    reads('AUTHZ-717', 'reader', 'A built-in type name before a constant, hidden by a domain of the path.', [
      'set search_path = shadow, pg_catalog',
      `select text 'x'`,
    ]),
    reads('AUTHZ-718', 'reader', 'LIKE, hidden by an operator of the path.', [
      'set search_path = shadow, pg_catalog',
      `select 1 from bank.accounts where owner like 'x'`,
    ]),
    reads('AUTHZ-719', 'reader', 'BETWEEN, hidden by an operator of the path.', [
      'set search_path = shadow, pg_catalog',
      `select 1 from bank.accounts where owner between 'x' and 'y'`,
    ]),
    reads('AUTHZ-720', 'reader', 'NOT IN, hidden by an operator of the path.', [
      'set search_path = shadow, pg_catalog',
      `select 1 from bank.accounts where owner not in ('x')`,
    ]),
    reads(
      'AUTHZ-721',
      'reader',
      'A comparison of rows, hidden by an operator of the path.',
      [
        'set search_path = shadow, pg_catalog',
        `select 1 from bank.accounts where (owner, status) = ('x', 'y')`,
      ],
      { inert: 'the server compares rows only by operators of its own classes' },
    ),
    reads('AUTHZ-722', 'reader', '= ALL over an array, hidden by an operator of the path.', [
      'set search_path = shadow, pg_catalog',
      `select 1 from bank.accounts where owner = all (array['x'])`,
    ]),
    reads('AUTHZ-723', 'reader', 'An operator of the path in JOIN ... ON.', [
      'set search_path = shadow, pg_catalog',
      `select 1 from bank.accounts a join reporting.daily d on a.owner = d.owner`,
    ]),
    reads('AUTHZ-724', 'reader', 'An operator of the path in EXPLAIN ANALYZE.', [
      'set search_path = shadow, pg_catalog',
      `explain analyze select 1 from bank.accounts where owner = 'x'`,
    ]),
    reads('AUTHZ-725', 'reader', 'current_setting with its name from a list of values.', [
      `select current_setting(name) from (values ('app' || '.secret')) v(name)`,
    ]),
    reads(
      'AUTHZ-726',
      'reader',
      'set_config with its name from a list of values.',
      [
        `select set_config(n, v, false) from (values ('role', 'bank_owner')) s(n, v)`,
        `select 'now-' || upper(current_user)`,
      ],
      { received: 'now-BANK_OWNER' },
    ),
    reads(
      'AUTHZ-727',
      'teller',
      'A second name for the updated table reads a forbidden column.',
      [
        `update bank.limits l set daily = 5 from bank.limits m where m.account_id = l.account_id and m.reason like '%reason'`,
      ],
      { check: 'select count(*) = 2 from bank.limits where daily = 5' },
    ),
    reads(
      'AUTHZ-728',
      'teller',
      'A second name for the table that is deleted from reads a forbidden column.',
      [`delete from bank.drafts d using bank.drafts e where e.id = d.id and e.body like '%draft-1'`],
      { check: 'select count(*) = 1 from bank.drafts' },
    ),
    reads(
      'AUTHZ-729',
      'teller',
      'The whole row of the updated table in its condition.',
      ['update bank.limits set daily = 5 where limits is not null'],
      {
        check: 'select count(*) = 2 from bank.limits where daily = 5',
      },
    ),
    reads('AUTHZ-730', 'builder', 'A default that is set later.', [
      'create table scratch.t (id int, v text)',
      'alter table scratch.t alter v set default app.read_key(1)',
      'insert into scratch.t (id) values (1) returning v',
    ]),
    reads('AUTHZ-731', 'builder', 'A check that is added later.', [
      'create table scratch.t (id int)',
      'insert into scratch.t values (1)',
      'alter table scratch.t add check (app.tell(id::text))',
    ]),
    reads('AUTHZ-732', 'builder', 'A column of a domain that runs a function.', [
      'create table scratch.t (v app.loud)',
      `insert into scratch.t values ('x')`,
    ]),
    reads('AUTHZ-733', 'builder', 'A column of a temporary table of a domain that runs a function.', [
      'create temp table t (v app.loud)',
      `insert into t values ('x')`,
    ]),
    reads('AUTHZ-734', 'builder', 'The key of a partitioned table.', [
      'create table scratch.p (id int) partition by list (app.loud_key(id))',
      `create table scratch.p1 partition of scratch.p for values in ('x')`,
      'insert into scratch.p values (1)',
    ]),
    reads('AUTHZ-735', 'builder', 'The expression of extended statistics.', [
      'create table scratch.t (id int)',
      'insert into scratch.t select generate_series(1, 10)',
      'create statistics scratch.s on id, (app.loud_key(id)) from scratch.t',
      'analyze scratch.t',
    ]),
    reads('AUTHZ-736', 'builder', 'A view of the own schema that runs a function.', [
      'create view scratch.v as select app.read_key(1) as v',
      'select v from scratch.v',
    ]),
    reads('AUTHZ-737', 'builder', 'The condition of a partial index.', [
      'create table scratch.t (id int)',
      `create index on scratch.t (id) where app.loud_key(id) = 'x'`,
      'insert into scratch.t values (1)',
    ]),
    reads('AUTHZ-738', 'builder', 'The condition of a trigger of an own table.', [
      'create table scratch.t (id int)',
      'create trigger t before update on scratch.t for each row when (app.tell(new.id::text)) execute function suppress_redundant_updates_trigger()',
      'insert into scratch.t values (1)',
      'update scratch.t set id = 2',
    ]),
    reads('AUTHZ-739', 'builder', 'The bound of a partition, computed by a function.', [
      'create table scratch.p (id text) partition by list (id)',
      'create table scratch.p1 partition of scratch.p for values in (app.read_key(1))',
      `select 'b=' || pg_get_expr(relpartbound, oid) from pg_class where relname = 'p1'`,
    ]),
    writes(
      'AUTHZ-740',
      'builder',
      'An own table made a child of a forbidden one later.',
      [
        'create table scratch.c (id int, what text)',
        'alter table scratch.c alter id set not null',
        'alter table scratch.c inherit bank.audit',
      ],
      {
        check: `select exists (select 1 from pg_inherits where inhparent = 'bank.audit'::regclass)`,
      },
    ),
    writes('AUTHZ-741', 'builder', 'ALTER EXTENSION ... SET SCHEMA.', [
      'alter extension tablefunc set schema scratch',
    ]),
    writes('AUTHZ-742', 'builder', 'VACUUM of everything.', ['vacuum (analyze)'], {
      check: `select exists (select 1 from pg_statistic where starelid = 'bank.audit'::regclass)`,
      setup: `insert into bank.audit select g, 'x' from generate_series(10, 20) g`,
    }),
    writes('AUTHZ-743', 'builder', 'REINDEX of the whole database.', ['reindex database {{database}}']),
    writes('AUTHZ-744', 'builder', 'ALTER ROUTINE ... DEPENDS ON EXTENSION.', [
      'alter function app.hello(text) depends on extension tablefunc',
      'drop extension tablefunc',
    ]),
  ],
};
