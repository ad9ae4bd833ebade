/**
 * What a short text may cost: small names for many partitions, deep views, wide tables, said over and over. Not by the clock: each of these would be millions
 * of accesses, and is refused by their number.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from 'pg';
import type { Catalog } from '../../packages/gateway/src/postgres/catalog/catalog.ts';
import { initParser } from '../../packages/gateway/src/postgres/inspect/parse/parse-statement.ts';
import { loadTestCatalog } from '../support/catalog.ts';
import { startTestPostgres } from '../support/postgres-server.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { analyze } from './fixture.ts';

const SETUP = `
CREATE SCHEMA scratch; SET search_path = scratch;
CREATE TABLE t (id int, a text);
CREATE VIEW v0 AS SELECT * FROM t;
DO $$ BEGIN FOR i IN 1..60 LOOP EXECUTE format('CREATE VIEW v%s AS SELECT x.id, y.a FROM v%s x JOIN v%s y USING (id)', i, i - 1, i - 1); END LOOP; END $$;
CREATE TABLE p (id int) PARTITION BY LIST (id);
DO $$ BEGIN FOR i IN 1..400 LOOP EXECUTE format('CREATE TABLE p%s PARTITION OF p FOR VALUES IN (%s)', i, i); END LOOP; END $$;`;

let server: PostgresServer;
let catalog: Catalog;

before(async () => {
  server = await startTestPostgres();
  const client = new Client({ connectionString: server.url() });
  await client.connect();
  await client.query(SETUP);
  await client.end();
  await initParser();
  catalog = await loadTestCatalog(server);
});

after(async () => {
  await server.stop();
});

const repeated = (count: number, text: string, separator = '; '): string =>
  Array.from({ length: count }, () => text).join(separator);

const COSTLY: ReadonlyMap<string, string> = new Map([
  ['partitions, again and again', repeated(1_000, 'DELETE FROM p')],
  ['partitions whose rows move', repeated(700, 'UPDATE p SET id = 1')],
  [
    'deep views, each time on another catalog',
    Array.from({ length: 300 }, (_, index) => `CREATE VIEW w${String(index)} AS SELECT * FROM v60`).join(
      '; ',
    ),
  ],
  ['many names in many tables', `SELECT ${repeated(4_000, 'q', ',')} FROM ${repeated(4_000, 't', ',')}`],
]);

for (const [says, sql] of COSTLY) {
  test(`${says} cost too much`, () => {
    assert.ok(sql.length <= 16_384);
    assert.equal(analyze(sql, catalog).unreadable?.reason, 'too-many-objects');
  });
}

test('each of them is judged once, also after one was refused', () => {
  for (const sql of [
    'DELETE FROM p',
    'UPDATE p SET id = 1',
    'CREATE VIEW w AS SELECT * FROM v60',
    repeated(20, 'DELETE FROM p'),
  ]) {
    assert.equal(analyze(sql, catalog).unreadable, undefined, sql);
  }
});
