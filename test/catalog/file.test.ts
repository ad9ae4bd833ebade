/** A snapshot in a file is the same snapshot; anything else is refused. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { Client } from 'pg';

import {
  MAX_CATALOG_FILE_BYTES,
  readCatalogFile,
  writeCatalogFile,
} from '../../packages/gateway/src/postgres/catalog/catalog-file.ts';
import type { CatalogData } from '../../packages/gateway/src/postgres/catalog/catalog.ts';
import { loadTestCatalog } from '../support/catalog.ts';
import { startTestPostgres, type PostgresServer } from '../support/postgres-server.ts';

let server: PostgresServer;
let folder: string;
let data: CatalogData;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'countersign-catalog-'));
  server = await startTestPostgres();
  const admin = new Client({ connectionString: server.url() });
  await admin.connect();
  await admin.query(`
    create table a (id int primary key, b text default 'x' check (b <> ''));
    create table c (id int references a) partition by list (id);
    create function f() returns trigger language plpgsql as 'begin end';
    create trigger t before update on a for each row when (new.id > 0) execute function f();
    create rule r as on delete to a do instead nothing;
    create procedure p(out x int) language plpgsql as 'begin end';
    create domain d as int check (value > 0);
    create function g() returns event_trigger language plpgsql as 'begin end';
    create event trigger e on sql_drop execute function g();
  `);
  await admin.end();
  ({ data } = await loadTestCatalog(server));
});

after(async () => {
  await server.stop();
  rmSync(folder, { recursive: true });
});

test('what is written is read', async () => {
  const path = join(folder, 'catalog.json');
  await writeCatalogFile(path, data);
  assert.deepEqual(await readCatalogFile(path), data);
  assert.equal(statSync(path).mode & 0o777, 0o600);
  await assert.rejects(writeCatalogFile(path, data), { code: 'CS_FILE_EXISTS' });
});

test('anything else is refused', async () => {
  const text = JSON.stringify(data);
  const changed = (
    change: (copy: { relations: Record<string, unknown>[]; format: number }) => void,
  ): string => {
    const copy = JSON.parse(text) as { relations: Record<string, unknown>[]; format: number };
    change(copy);
    return JSON.stringify(copy);
  };
  const cases: readonly (readonly [string, string])[] = [
    ['nothing', ''],
    ['cut off', text.slice(0, -10)],
    ['another document', '{}'],
    ['a later format', changed((copy) => (copy.format = 2))],
    ['an unknown field', changed((copy) => (copy.relations[0]!['friendly'] = true))],
    ['a kind that is not known', changed((copy) => (copy.relations[0]!['kind'] = 'stream'))],
    ['a missing field', changed((copy) => delete copy.relations[0]!['columns'])],
    ['an OID out of bounds', changed((copy) => (copy.relations[0]!['oid'] = -1))],
  ];
  const path = join(folder, 'wrong.json');
  for (const [name, content] of cases) {
    writeFileSync(path, content);
    await assert.rejects(readCatalogFile(path), { code: 'CS_INPUT_UNUSABLE' }, name);
  }
  truncateSync(path, MAX_CATALOG_FILE_BYTES + 1);
  await assert.rejects(readCatalogFile(path), {
    detail: `${path} is larger than ${MAX_CATALOG_FILE_BYTES} bytes`,
  });
  await assert.rejects(readCatalogFile(folder), { code: 'CS_INPUT_UNUSABLE' });
  await assert.rejects(readCatalogFile(join(folder, 'missing')), { code: 'CS_INPUT_UNUSABLE' });
  assert.equal(readFileSync(join(folder, 'catalog.json'), 'utf8'), `${text}\n`);
});
