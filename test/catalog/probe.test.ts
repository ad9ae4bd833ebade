/** The question whether the catalog changed: every DDL that matters shows, what does not matter does not. */
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { Client } from 'pg';

import {
  loadCatalog,
  openCatalogSession,
  probeCatalog,
} from '../../packages/gateway/src/postgres/catalog/load-catalog.ts';
import { openOwnSession } from '../support/catalog.ts';
import {
  binariesOf,
  POSTGRES_MAJORS,
  startTestPostgres,
  type PostgresMajor,
  type PostgresServer,
} from '../support/postgres-server.ts';

const servers: PostgresServer[] = [];
after(async () => {
  for (const server of servers) await server.stop();
});

const SETUP = `
create schema bank; create schema other;
create table bank.account (id int primary key, status text not null, balance numeric default 0);
create table bank.entry (id int primary key, account int references bank.account, note text);
create table bank.parted (id int, region text) partition by list (region);
create view bank.open_account as select id from bank.account where status = 'open';
create view bank.plain as select * from bank.entry;
create materialized view bank.totals as select count(*) from bank.entry;
create sequence bank.numbers;
create function bank.f(a int) returns int language sql as 'select a';
create function bank.t() returns trigger language plpgsql as 'begin return new; end';
create procedure bank.p() language plpgsql as 'begin end';
create type bank.pair as (a int, b int);
create type bank.mood as enum ('sad', 'happy');
create domain bank.amount as numeric check (value >= 0);
create trigger watch after insert on bank.account for each row execute function bank.t();
create rule quiet as on delete to bank.entry do instead nothing;
create role clerk;
`;

/** Each is run after the ones before it. `content: false`: the probe shows it and the content is as before. */
interface Change {
  readonly sql: string;
  readonly since?: PostgresMajor;
  readonly content?: false;
}

const CHANGES: readonly (string | Change)[] = [
  "comment on column bank.account.status is 'state, countersign:class=own'",
  "comment on column bank.account.status is 'Countersign: class=own'",
  "comment on column bank.account.status is 'nothing to see'",
  "comment on column bank.open_account.id is 'countersign:class=own'",
  'comment on column bank.open_account.id is null',
  `set allow_system_table_mods = on; insert into pg_seclabel
   values ('bank.entry'::regclass, 'pg_class'::regclass, 3, 'made up', 'countersign:class=free_text')`,
  'delete from pg_seclabel',
  'create table bank.fresh (id int)',
  'alter table bank.fresh add column more text',
  'alter table bank.fresh rename column more to less',
  'alter table bank.fresh alter column less type varchar(10)',
  'alter table bank.fresh alter column less set not null',
  "alter table bank.fresh alter column less set default 'x'",
  "alter table bank.fresh alter column less set default upper('y')",
  'alter table bank.fresh alter column less drop default',
  'alter table bank.fresh add column twice int generated always as (id * 2) stored',
  'alter table bank.fresh drop column twice',
  'alter table bank.fresh add check (bank.f(id) > 0)',
  'create index on bank.fresh (abs(id))',
  'create index on bank.fresh (id) where abs(id) > 3',
  'alter table bank.fresh rename to renamed',
  'alter table bank.renamed set schema other',
  'alter table other.renamed owner to clerk',
  'drop table other.renamed',
  'create table bank.child () inherits (bank.account)',
  'alter table bank.child no inherit bank.account',
  "create table bank.north partition of bank.parted for values in ('north')",
  'alter table bank.parted detach partition bank.north',
  'create or replace view bank.open_account as select id from bank.account',
  { sql: 'alter view bank.plain set (security_invoker = on)', since: 15 },
  { sql: 'alter view bank.plain reset (security_invoker)', since: 15 },
  'alter view bank.plain rename to plainer',
  'drop view bank.plainer',
  'create materialized view bank.more as select 1 as one',
  { sql: 'refresh materialized view bank.more', content: false },
  'create or replace rule quiet as on delete to bank.entry do also notify gone',
  'alter table bank.entry disable rule quiet',
  'alter table bank.entry enable rule quiet',
  'drop rule quiet on bank.entry',
  "create trigger again before update on bank.account for each row when (new.status <> 'x') execute function bank.t()",
  'alter table bank.account disable trigger again',
  'alter table bank.account enable always trigger again',
  'alter trigger again on bank.account rename to once_more',
  'drop trigger once_more on bank.account',
  'create policy mine on bank.account using (id > 0)',
  'alter table bank.account enable row level security',
  'alter policy mine on bank.account using (id > 1)',
  'drop policy mine on bank.account',
  'alter function bank.f(int) security definer',
  'alter function bank.f(int) security invoker',
  'alter function bank.f(int) immutable',
  'alter function bank.f(int) set search_path = bank',
  "create or replace function bank.f(a int) returns int language sql as 'select a + 1'",
  'alter function bank.f(int) rename to g',
  'alter function bank.g(int) set schema other',
  "create function bank.g(a text) returns int language sql as 'select 1'",
  'drop function bank.g(text)',
  'drop procedure bank.p()',
  'create aggregate bank.total (int) (sfunc = int4pl, stype = int)',
  'create operator bank.=== (leftarg = int, rightarg = int, function = int4eq)',
  'drop operator bank.=== (int, int)',
  'create function bank.to_pair(int) returns bank.pair language sql as $$ select row($1, $1)::bank.pair $$',
  'create cast (int as bank.pair) with function bank.to_pair(int)',
  'drop cast (int as bank.pair)',
  'alter type bank.pair add attribute c int',
  'alter type bank.mood rename to temper',
  'alter domain bank.amount add check (value < 10)',
  'alter domain bank.amount drop constraint amount_check',
  'create type bank.span as range (subtype = int)',
  'alter sequence bank.numbers rename to digits',
  'alter table bank.entry drop constraint entry_account_fkey',
  'alter table bank.entry add foreign key (account) references bank.account on delete cascade',
  "create function bank.ddl() returns event_trigger language plpgsql as 'begin end'",
  'create event trigger noticed on ddl_command_end execute function bank.ddl()',
  'alter event trigger noticed disable',
  'drop event trigger noticed',
  'grant usage on schema other to clerk',
  'revoke usage on schema other from clerk',
  'alter schema other rename to elsewhere',
  'create schema added',
  'drop schema elsewhere cascade',
  { sql: 'create table added.v (id int, twice int generated always as (id * 2) virtual)', since: 18 },
  'drop schema bank cascade',
];

/** Nothing of these is in a snapshot. */
const NO_CHANGES = [
  'insert into kept.t values (1); update kept.t set id = 2; delete from kept.t',
  'analyze kept.t',
  'vacuum kept.t',
  'create temp table scratch (id int primary key, word text default upper(now()::text), check (id > 0)); drop table scratch',
  'create temp table stays (id int primary key, word text)',
  'create temp view looks as select * from stays',
  "select nextval('kept.s')",
  "comment on column kept.t.id is 'of no interest'; comment on table kept.t is 'countersign:class=own'",
  "create temp table noted (id int); comment on column noted.id is 'countersign:class=own'",
  'select 1',
];

for (const major of POSTGRES_MAJORS) {
  const skip = major !== 18 && binariesOf(major) === undefined ? 'not installed' : false;
  test(`every change shows on PostgreSQL ${major}`, { skip }, async () => {
    const server = await startTestPostgres({ major });
    servers.push(server);
    const admin = new Client({ connectionString: server.url() });
    await admin.connect();
    await admin.query(SETUP);
    const session = await openOwnSession(server);
    await openCatalogSession(session);
    let { data, probe } = await loadCatalog(session, 'bank');
    for (const each of CHANGES) {
      const { sql, since = 13, content = true } = typeof each === 'string' ? { sql: each } : each;
      if (since > major) continue;
      await admin.query(sql);
      assert.equal((await probeCatalog(session, probe)).changed, true, sql);
      const loaded = await loadCatalog(session, 'bank');
      assert.equal(loaded.data.epoch !== data.epoch, content, `content: ${sql}`);
      ({ data, probe } = loaded);
      assert.equal((await probeCatalog(session, probe)).changed, false, `again: ${sql}`);
    }
    await admin.query('create schema kept; create table kept.t (id int); create sequence kept.s');
    ({ data, probe } = await loadCatalog(session, 'bank'));
    for (const sql of NO_CHANGES) {
      await admin.query(sql);
      const answer = await probeCatalog(session, probe);
      assert.equal(answer.changed, false, sql);
      assert.equal((await loadCatalog(session, 'bank')).data.epoch, data.epoch, sql);
      probe = answer.probe;
    }
    session.end();
    await admin.end();
  });
}

test('a transaction that was open for long shows when it commits, and only then', async () => {
  const server = await startTestPostgres();
  servers.push(server);
  const [early, late] = [server.url(), server.url()].map(
    (connectionString) => new Client({ connectionString }),
  );
  await early!.connect();
  await late!.connect();
  await early!.query('create table kept (id int)');
  const session = await openOwnSession(server);
  await openCatalogSession(session);
  let { probe } = await loadCatalog(session, 'bank');
  await early!.query('begin; select txid_current(); alter table kept rename to held');
  await late!.query('create table sooner (id int)');
  const first = await probeCatalog(session, probe);
  assert.equal(first.changed, true);
  const loaded = await loadCatalog(session, 'bank');
  assert.ok(loaded.data.relations.some(({ name }) => name === 'kept'));
  probe = loaded.probe;
  await late!.query('create table later (id int); drop table later');
  const second = await probeCatalog(session, probe);
  assert.equal(second.changed, false, 'made and dropped again');
  await early!.query('commit');
  assert.equal((await probeCatalog(session, second.probe)).changed, true);
  // An update by an older transaction over a newer one: the sum of ids may fall.
  await late!.query('create table swap (id int)');
  await early!.query('begin; select txid_current()');
  await late!.query('alter table swap rename to swapped');
  ({ probe } = await loadCatalog(session, 'bank'));
  await early!.query('alter table swapped rename to swap; commit');
  assert.equal((await probeCatalog(session, probe)).changed, true);
  session.end();
  await early!.end();
  await late!.end();
});
