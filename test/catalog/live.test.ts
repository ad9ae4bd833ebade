/** The catalog of a database while sessions use it: shared, fresh, refused when the target is gone, on the record. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from 'pg';

import type { CountersignConfig, PostgresTargetConfig } from '../../packages/gateway/src/config/config.ts';
import { Catalogs } from '../../packages/gateway/src/gateway/catalogs.ts';
import type { CatalogLease } from '../../packages/gateway/src/postgres/catalog/catalog-lease.ts';
import { startTestPostgres, type PostgresServer } from '../support/postgres-server.ts';
import { Harness } from '../translator/harness.ts';

let server: PostgresServer;
let admin: Client;

before(async () => {
  server = await startTestPostgres();
  admin = new Client({ connectionString: server.url() });
  await admin.connect();
  await admin.query('create table accounts (id int primary key, status text)');
});

after(async () => {
  await admin.end();
  await server.stop();
});

const targetOf = (
  config: CountersignConfig,
  changes: Partial<PostgresTargetConfig> = {},
): PostgresTargetConfig => ({
  ...config.targets[0]!,
  ...changes,
});

/** Connections of the catalog in the target. */
async function connections(): Promise<number> {
  const { rows } = await admin.query<{ count: string }>(
    "select count(*) from pg_stat_activity where application_name = 'countersign/gateway catalog'",
  );
  return Number(rows[0]?.count);
}

async function until(what: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await what())) await new Promise((resolve) => setTimeout(resolve, 20));
}

const hasTable = (lease: CatalogLease, name: string): boolean =>
  lease.current?.relation('public', name) !== undefined;

test('sessions of one database share one load and one snapshot', async () => {
  const harness = await Harness.start(server);
  const { catalogs, config } = harness.gateway;
  const leases = Array.from({ length: 20 }, () => catalogs.lease(targetOf(config)));
  assert.equal(leases[0]?.current, undefined);
  const all = await Promise.all(leases.map(async (lease) => lease.get()));
  assert.equal(new Set(all).size, 1);
  assert.equal(all[0]?.relation('public', 'accounts')?.kind, 'table');
  assert.equal(leases[7]?.current, all[0]);
  assert.equal(await connections(), 1);
  for (const lease of leases) lease.release();
  const { leaves, verdict } = await harness.finish();
  assert.equal(verdict, 'VERIFIED');
  const loaded = leaves.filter(({ type }) => type === 'catalog.loaded');
  assert.equal(loaded.length, 1);
  assert.equal(loaded[0]?.['epoch'], all[0]?.epoch);
  assert.equal(loaded[0]?.['database'], 'postgres');
  // Opened, its statements with their outcomes, closed: as any session.
  const opened = leaves.filter(({ type }) => type === 'session.opened').map(({ session }) => session);
  const closed = leaves.filter(({ type }) => type === 'session.closed').map(({ session }) => session);
  assert.deepEqual(new Set(closed), new Set(opened));
  const intents = leaves.filter(({ type }) => type === 'call.intent').map(({ id }) => id);
  const results = leaves.filter(({ type }) => type === 'call.result').map((leaf) => leaf['call']);
  assert.deepEqual(new Set(results), new Set(intents));
});

test('a change beside the gateway comes into force by the poll, one through it at once', async () => {
  const harness = await Harness.start(server);
  const { catalogs, config } = harness.gateway;
  const lease = catalogs.lease(targetOf(config, { catalog: { pollMs: 300 } }));
  const seen: string[] = [];
  lease.onChange(({ epoch }) => seen.push(epoch));
  const first = await lease.get();
  await admin.query('create table beside (id int)');
  // As a translator does: what is in force now, else wait for it.
  await until(async () => (lease.current ?? (await lease.get())).relation('public', 'beside') !== undefined);
  assert.notEqual(lease.current?.epoch ?? (await lease.get()).epoch, first.epoch);
  await admin.query('create table through (id int)');
  lease.invalidate();
  assert.equal(lease.current, undefined);
  assert.ok((await lease.get()).relation('public', 'through'));
  await admin.query('drop table beside, through');
  lease.invalidate();
  const last = await lease.get();
  assert.equal(last.relation('public', 'beside'), undefined);
  assert.equal(last.epoch, first.epoch, 'equal catalogs have equal epochs');
  assert.equal(seen.length, 4, 'the first one, two tables more, none of them');
  await harness.finish();
});

test('a refresh sees what was committed before it, and refreshes are shared', async () => {
  const harness = await Harness.start(server);
  const lease = harness.gateway.catalogs.lease(targetOf(harness.gateway.config));
  const before = await lease.get();
  await admin.query('create table newcomer (id int)');
  assert.equal(hasTable(lease, 'newcomer'), false);
  const found = await Promise.all(Array.from({ length: 50 }, async () => lease.refresh()));
  assert.ok(found.every((catalog) => catalog.relation('public', 'newcomer') !== undefined));
  assert.notEqual(found[0], before);
  const unchanged = await lease.refresh();
  assert.equal(unchanged, found[0], 'an unchanged catalog stays the same object');
  await admin.query('drop table newcomer');
  const { leaves } = await harness.finish();
  assert.ok(leaves.filter(({ type }) => type === 'call.intent').length < 12, 'one question for all who wait');
});

test('a lost connection is made again; while the target is gone nothing is in force', async () => {
  const own = await startTestPostgres();
  const harness = await Harness.start(own);
  const lease = harness.gateway.catalogs.lease(
    targetOf(harness.gateway.config, { catalog: { pollMs: 200 } }),
  );
  const first = await lease.get();
  const killer = new Client({ connectionString: own.url() });
  await killer.connect();
  await killer.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where application_name like '%catalog'",
  );
  await killer.end();
  assert.equal((await lease.refresh()).epoch, first.epoch);
  await own.stop();
  await until(() => lease.current === undefined);
  await assert.rejects(lease.get(), { code: 'CS_CATALOG_UNAVAILABLE' });
  await assert.rejects(lease.refresh(), { code: 'CS_CATALOG_UNAVAILABLE' });
  const [figures] = harness.gateway.catalogs.figures;
  assert.ok((figures?.failures ?? 0) > 0);
  await harness.finish();
});

test('a wrong login, a missing database and an unknown server version are told as one thing', async () => {
  const harness = await Harness.start(server);
  const { catalogs, config } = harness.gateway;
  const target = targetOf(config);
  const missing = catalogs.lease(target, 'no_such_database');
  await assert.rejects(missing.get(), { code: 'CS_CATALOG_UNAVAILABLE' });
  const nobody = catalogs.lease(targetOf(config, { name: 'other', logins: {} }));
  await assert.rejects(nobody.get(), { code: 'CS_CATALOG_UNAVAILABLE' });
  await harness.finish();
});

test('idle sessions ask nothing; without a session the connection ends, and the snapshot is found again', async () => {
  const harness = await Harness.start(server);
  const { config, logger, recorder, secrets } = harness.gateway;
  const catalogs = new Catalogs({ recorder, logger, secrets, lingerMs: 50 });
  const target = targetOf(config, { catalog: { pollMs: 100 } });
  const lease = catalogs.lease(target);
  const first = await lease.get();
  // One poll may still be due because of the use just now; then there is silence, and the snapshot grows old.
  await until(() => (catalogs.figures[0]?.ageSeconds ?? 0) > 0.5);
  lease.release();
  await until(async () => (await connections()) === 0);
  const again = catalogs.lease(target);
  assert.equal(await again.get(), first, 'an equal catalog is the same object');
  again.release();
  await catalogs.close();
  await assert.rejects(again.get(), { code: 'CS_CATALOG_UNAVAILABLE' });
  assert.throws(() => catalogs.lease(target), { code: 'CS_SHUTTING_DOWN' });
  const { leaves } = await harness.finish();
  assert.equal(leaves.filter(({ type }) => type === 'catalog.loaded').length, 1);
});

test('a reload with another login serves new sessions by it and leaves old ones alone', async () => {
  const harness = await Harness.start(server);
  const { catalogs, config } = harness.gateway;
  const before = targetOf(config);
  const old = catalogs.lease(before);
  await old.get();
  const next = targetOf(config, { catalog: { pollMs: 5_000 } });
  catalogs.reload([next]);
  const fresh = catalogs.lease(next);
  await fresh.get();
  assert.equal(await connections(), 2);
  assert.ok(await old.refresh());
  old.release();
  catalogs.reload([next]);
  await until(async () => (await connections()) === 1);
  fresh.release();
  await harness.finish();
});
