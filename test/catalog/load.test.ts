/** What a snapshot says of a real database, and that nothing in the database can change how it is read. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from 'pg';

import { indexCatalog } from '../../packages/gateway/src/postgres/catalog/catalog-index.ts';
import type { Catalog, CatalogRoutine } from '../../packages/gateway/src/postgres/catalog/catalog.ts';
import { loadCatalog, openCatalogSession } from '../../packages/gateway/src/postgres/catalog/load-catalog.ts';
import { loadTestCatalog, openOwnSession } from '../support/catalog.ts';
import { startTestPostgres, type PostgresServer } from '../support/postgres-server.ts';

const ODD = 'Odd "name"\n|ünï\u2028';
const ODD_QUOTED = `"${ODD.replaceAll('"', '""')}"`;

const SETUP = `
create schema bank; create schema ${ODD_QUOTED};
create role clerk login password 'clerk';
create table bank.account (
  id int generated always as identity primary key, status text not null default upper('open'),
  balance numeric(12, 2) check (balance > -1), doubled numeric generated always as (balance * 2) stored,
  gone int);
alter table bank.account drop column gone;
create table ${ODD_QUOTED}.${ODD_QUOTED} (${ODD_QUOTED} int);
create table bank.entry (id int, account int references bank.account on delete cascade);
create table bank.entry_old () inherits (bank.entry);
create table bank.parted (id int, region text) partition by list (lower(region));
create table bank.north partition of bank.parted for values in ('north');
create function bank.check_it(a int) returns boolean immutable language sql as 'select a > 0';
create view bank.open_account as select a.id, e.account from bank.account a join bank.entry e on e.account = a.id where bank.check_it(a.id);
create view bank.as_caller with (security_invoker) as select id from bank.account;
create view bank.as_owner with (security_invoker = off) as select id from bank.account;
create materialized view bank.totals as select count(*) as n from bank.entry;
create index by_check on bank.account (bank.check_it(id)) where bank.check_it(id + 1);
`;

const MORE = `
create policy mine on bank.account for select using (exists (select from bank.entry e where e.account = account.id));
create policy add on bank.account for insert with check (bank.check_it(id));
alter table bank.account enable row level security;
create function bank.on_write() returns trigger language plpgsql security definer set search_path = bank, pg_temp as 'begin return new; end';
create trigger watch before insert or update of status on bank.account for each row when (bank.check_it(new.id)) execute function bank.on_write();
alter table bank.entry disable trigger all;
create rule log_delete as on delete to bank.entry do also insert into bank.entry_old values (old.id);
create function bank.many(a int, b text default 'x', variadic rest int[] default '{}') returns setof int language sql as 'select a';
create function bank.many(a text) returns int language sql return length(a);
create function bank.out_args(in a int, out b int, inout c text) language sql as $$ select a, c $$;
create procedure bank.proc(a int, out b int) language plpgsql as 'begin b := a; end';
create aggregate bank.total (int) (sfunc = int4pl, stype = int);
create type bank.pair as (a int, b text);
create type bank.mood as enum ('sad', 'happy');
create domain bank.amount as numeric default abs(-1) check (bank.check_it(value::int));
create type bank.span as range (subtype = int);
create operator bank.=== (leftarg = int, rightarg = int, function = int4eq);
create function bank.to_pair(int) returns bank.pair language sql as $$ select row($1, '')::bank.pair $$;
create cast (int as bank.pair) with function bank.to_pair(int) as assignment;
create type bank.shell;
create function bank.shell_in(cstring) returns bank.shell language internal immutable strict as 'int4in';
create function bank.shell_out(bank.shell) returns cstring language internal immutable strict as 'int4out';
create type bank.shell (input = bank.shell_in, output = bank.shell_out, like = int4);
create function bank.ddl() returns event_trigger language plpgsql as 'begin end';
create event trigger noticed on ddl_command_end execute function bank.ddl();
create table bank.virtual (id int, twice int generated always as (id * 2) virtual);
`;

let server: PostgresServer;
let admin: Client;
let catalog: Catalog;

before(async () => {
  server = await startTestPostgres();
  admin = new Client({ connectionString: server.url() });
  await admin.connect();
  await admin.query(SETUP);
  await admin.query(MORE);
  await admin.query('create temp table scratch (id int)');
  catalog = await loadTestCatalog(server);
});

after(async () => {
  await admin.end();
  await server.stop();
});

const relation = (name: string, schema = 'bank') => {
  const found = catalog.relation(schema, name);
  assert.ok(found, name);
  return found;
};
const routineName = (oid: number | undefined): string => catalog.routineByOid(oid ?? 0)?.name ?? '';
const withoutOid = ({ oid: _oid, ...rest }: CatalogRoutine): Omit<CatalogRoutine, 'oid'> => rest;

test('relations: kinds, columns, definitions, expressions', () => {
  const account = relation('account');
  assert.equal(account.kind, 'table');
  assert.equal(account.owner, 'postgres');
  assert.deepEqual(
    account.columns.map(({ name, number, typeOid, notNull, generated, default: text }) => [
      name,
      number,
      typeOid,
      notNull,
      generated,
      text,
    ]),
    [
      ['id', 1, 23, true, false, undefined],
      ['status', 2, 25, true, false, "upper('open'::text)"],
      ['balance', 3, 1700, false, false, undefined],
      ['doubled', 4, 1700, false, true, '(balance * (2)::numeric)'],
    ],
  );
  assert.equal(account.rowSecurity, true);
  assert.deepEqual(
    account.expressions.map(({ on, text }) => `${on} ${text}`),
    [
      'read (EXISTS ( SELECT\n   FROM bank.entry e\n  WHERE (e.account = account.id)))',
      "write (balance > ('-1'::integer)::numeric)",
      'write bank.check_it((id + 1))',
      'write bank.check_it(id)',
      'write bank.check_it(id)',
    ],
  );
  assert.match(
    relation('open_account').definition ?? '',
    /FROM \(bank\.account a\s+JOIN bank\.entry e .*bank\.check_it\(a\.id\)/s,
  );
  assert.equal(relation('totals').kind, 'materialized-view');
  assert.match(relation('totals').definition ?? '', /bank\.entry/);
  assert.deepEqual(
    ['as_caller', 'as_owner', 'open_account'].map((name) => relation(name).securityInvoker),
    [true, false, false],
  );
  assert.equal(relation('by_check').kind, 'index');
  assert.equal(relation('by_check').indexOf, account.oid);
  assert.equal(relation('account_id_seq').kind, 'sequence');
  assert.deepEqual(
    relation('account_id_seq').columns.map(({ name }) => name),
    ['last_value', 'log_cnt', 'is_called'],
  );
  assert.equal(relation('pair').kind, 'composite-type');
  assert.deepEqual(relation('virtual').expressions, [{ on: 'both', text: '(id * 2)' }]);
  assert.equal(relation('pg_class', 'pg_catalog').kind, 'table');
  assert.match(relation('tables', 'information_schema').definition ?? '', /pg_class/);
});

test('relations: parents, children, foreign keys, rules, triggers', () => {
  const parented = [
    ['entry', 'entry_old'],
    ['parted', 'north'],
  ] as const;
  for (const [parent, child] of parented) {
    assert.deepEqual(relation(parent).children, [relation(child).oid]);
    assert.deepEqual(relation(child).parents, [relation(parent).oid]);
  }
  assert.equal(relation('parted').kind, 'partitioned-table');
  assert.deepEqual(relation('parted').expressions, [{ on: 'write', text: 'lower(region)' }]);
  assert.deepEqual(relation('account').referencedBy, [
    { relationOid: relation('entry').oid, onDelete: 'c', onUpdate: 'a' },
  ]);
  const [watch, ...others] = relation('account').triggers.toSorted(
    (a, b) => Number(a.internal) - Number(b.internal),
  );
  assert.deepEqual(
    [watch?.name, watch?.enabled, watch?.events, routineName(watch?.routineOid)],
    ['watch', 'O', ['insert', 'update'], 'on_write'],
  );
  assert.match(watch?.definition ?? '', /WHEN \(bank\.check_it\(new\.id\)\)/);
  assert.ok(
    others.length > 0 && others.every(({ internal, definition }) => internal && definition === undefined),
  );
  assert.ok(relation('entry').triggers.every(({ enabled }) => enabled === 'D'));
  const [rule] = relation('entry').rules;
  assert.deepEqual([rule?.name, rule?.event, rule?.instead], ['log_delete', 'delete', false]);
  assert.match(rule?.definition ?? '', /INSERT INTO bank\.entry_old/);
  assert.deepEqual(relation('open_account').rules, []);
});

test('routines: arguments, overloads, settings, bodies', () => {
  const many = catalog
    .routines('bank', 'many')
    .toSorted((a, b) => b.argumentTypes.length - a.argumentTypes.length);
  assert.equal(many.length, 2);
  assert.deepEqual(withoutOid(many[0]!), {
    schema: 'bank',
    name: 'many',
    kind: 'function',
    argumentTypes: [23, 25, 1007],
    argumentNames: ['a', 'b', 'rest'],
    defaults: 2,
    variadic: true,
    returnsSet: true,
    returnTypeOid: 23,
    language: 'sql',
    volatility: 'volatile',
    securityDefiner: false,
    settings: [],
    source: 'select a',
  });
  assert.equal(many[1]?.source, 'RETURN length(a)');
  assert.deepEqual(catalog.routines('bank', 'out_args')[0]?.argumentNames, ['a', 'c']);
  const [proc] = catalog.routines('bank', 'proc');
  assert.deepEqual([proc?.kind, proc?.argumentTypes, proc?.outputArguments], ['procedure', [23], 1]);
  const [trigger] = catalog.routines('bank', 'on_write');
  assert.deepEqual(
    [trigger?.securityDefiner, trigger?.settings, trigger?.source],
    [true, ['search_path'], undefined],
  );
  assert.equal(catalog.routines('bank', 'total')[0]?.kind, 'aggregate');
  assert.equal(catalog.routines('pg_catalog', 'pg_ls_waldir')[0]?.source, 'pg_ls_waldir');
  assert.equal(catalog.routines('pg_catalog', 'row_number')[0]?.kind, 'window');
  assert.equal(catalog.routines('pg_catalog', 'plpgsql_call_handler')[0]?.extension, 'plpgsql');
});

test('types, operators, casts, event triggers', () => {
  const type = (name: string) => catalog.type('bank', name);
  assert.equal(type('pair')?.relationOid, relation('pair').oid);
  assert.equal(type('_pair')?.arrayOf, type('pair')?.oid);
  assert.equal(catalog.type('pg_catalog', 'point')?.arrayOf, undefined);
  assert.deepEqual(
    [type('mood')?.kind, type('span')?.kind, type('span_multirange')?.kind ?? type('spanmultirange')?.kind],
    ['enum', 'range', 'multirange'],
  );
  assert.equal(type('amount')?.baseTypeOid, 1700);
  assert.deepEqual(type('amount')?.expressions, ["abs('-1'::integer)", 'bank.check_it((VALUE)::integer)']);
  assert.deepEqual(type('shell')?.routineOids.map(routineName), ['shell_in', 'shell_out']);
  assert.deepEqual(catalog.type('pg_catalog', 'int4')?.routineOids, []);
  const [operator] = catalog.operators('bank', '===');
  assert.deepEqual(
    [operator?.leftTypeOid, operator?.rightTypeOid, routineName(operator?.routineOid)],
    [23, 23, 'int4eq'],
  );
  assert.deepEqual(
    catalog.ownCasts.map(({ routineOid, context }) => [routineName(routineOid), context]),
    [
      // The server makes this one for every range type.
      ['span_multirange', 'explicit'],
      ['to_pair', 'assignment'],
    ],
  );
  assert.deepEqual(
    catalog.data.eventTriggers.map(({ name, event, routineOid }) => [name, event, routineName(routineOid)]),
    [['noticed', 'ddl_command_end', 'ddl']],
  );
  assert.deepEqual(catalog.data.extensions, ['plpgsql']);
});

test('look-ups: odd names, what is not there, what could be shadowed', () => {
  assert.equal(relation(ODD, ODD).columns[0]?.name, ODD);
  assert.ok(catalog.hasSchema(ODD));
  for (const name of ['scratch', '__proto__', 'constructor', 'Account'])
    assert.equal(catalog.relation('bank', name), undefined);
  assert.ok(!catalog.hasSchema('pg_toast'));
  assert.ok(!catalog.data.schemas.some(({ name }) => name.startsWith('pg_temp')));
  assert.deepEqual(catalog.routines('bank', 'constructor'), []);
  assert.deepEqual(catalog.schemasWith('relation', 'tables'), ['information_schema']);
  assert.deepEqual(catalog.schemasWith('operator', '='), []);
  assert.deepEqual(catalog.schemasWith('operator', '==='), ['bank']);
  assert.deepEqual(catalog.schemasWith('routine', 'many'), ['bank']);
  assert.equal(catalog.serverVersion >= 180_000, true);
  for (const each of catalog.data.relations) assert.equal(catalog.relationByOid(each.oid), each);
});

test('a login with nothing but CONNECT reads the same, whatever is set for it or lies in wait', async () => {
  await admin.query(`
    create schema trap; grant usage on schema trap to public;
    create table trap.pg_class (oid int); create view trap.pg_proc as select 1 as oid;
    create function trap.pg_get_viewdef(oid) returns text language sql as $$ select 'trapped' $$;
    create function trap.trapped(xid, int8) returns boolean language sql as $$ select true $$;
    create function public.concat_ws(text, bigint, numeric, numeric) returns text language sql as $$ select 'trapped' $$;
    create operator trap.= (leftarg = name, rightarg = name, function = nameeq);
    alter role clerk set search_path = trap, pg_catalog, bank;
    alter role clerk set quote_all_identifiers = on;
    alter role clerk set row_security = off;
    alter role clerk set intervalstyle = 'iso_8601';
    alter role clerk set default_transaction_isolation = 'serializable';
    alter role clerk set statement_timeout = 1;
  `);
  const expected = await loadTestCatalog(server);
  const session = await openOwnSession({ port: server.port, user: 'clerk', password: 'clerk' });
  await openCatalogSession(session);
  const { data } = await loadCatalog(session, 'test');
  session.end();
  assert.equal(data.epoch, expected.epoch);
  assert.deepEqual(
    indexCatalog(data).relation('bank', 'open_account'),
    expected.relation('bank', 'open_account'),
  );
});

test('an error of the server, a table that is held, and an answer that is too large are told', async () => {
  const session = await openOwnSession(server);
  await openCatalogSession(session);
  const outcome = await session.run('select 1; select 1/0; select 2', {
    timeoutMs: 20_000,
    maxBytes: 10_000,
  });
  assert.deepEqual(outcome, { sqlState: '22012', transactionStatus: 'I' });
  await assert.rejects(session.run("select repeat('x', 100000)", { timeoutMs: 20_000, maxBytes: 10_000 }), {
    code: 'CS_TARGET_LOST',
  });
  assert.equal(session.alive, false);
  const waiting = await openOwnSession(server);
  await assert.rejects(waiting.run('select pg_sleep(100)', { timeoutMs: 50, maxBytes: 10_000 }), {
    code: 'CS_TARGET_LOST',
  });
});
