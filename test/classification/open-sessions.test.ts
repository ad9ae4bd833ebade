/** Classes are those of now, for sessions and prepared statements of before too. */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Client } from 'pg';

import { defaultRules } from '../../packages/gateway/src/config/masking-section.ts';
import type { ClassBinding } from '../../packages/gateway/src/config/masking-grants.ts';
import type { CountersignConfig } from '../../packages/gateway/src/config/config.ts';
import { startTestPostgres, type PostgresServer } from '../support/postgres-server.ts';
import { Harness } from '../translator/harness.ts';

process.env['MASKING_KEY'] = 'a-secret-of-masking-with-more-than-32-bytes';
const CANARY = '536-90-4399';

let server: PostgresServer;
let admin: Client;

before(async () => {
  server = await startTestPostgres();
  admin = new Client({ connectionString: server.url() });
  await admin.connect();
  await admin.query(`create table public.person (id int, a text, b text, c text);
    insert into public.person values (1, '${CANARY}', '${CANARY}', '${CANARY}')`);
});

after(async () => {
  await admin.end();
  await server.stop();
});

const bind = (column: string): ClassBinding => ({
  schema: 'public',
  relation: 'person',
  column,
  class: 'ssn',
  written: 'public.person',
});

function withClasses(config: CountersignConfig, ...columns: readonly string[]): CountersignConfig {
  return {
    ...config,
    masking: { key: { kind: 'env', name: 'MASKING_KEY' }, rules: defaultRules() },
    targets: config.targets.map((target) => ({ ...target, classes: columns.map(bind) })),
  };
}

test('a reload, a comment and a new partition reach a prepared statement of before', async () => {
  const harness = await Harness.start(server, { change: (config) => withClasses(config, 'a') });
  const { host, port, user, password, database } = harness.endpoint;
  const client = new Client({ host, port, user, password, database });
  await client.connect();
  const shown = async (): Promise<readonly boolean[]> => {
    const { rows } = await client.query<Record<string, string>>({
      name: 'read',
      text: 'select a, b, c from public.person',
    });
    return ['a', 'b', 'c'].map((column) => rows[0]?.[column] === CANARY);
  };
  try {
    assert.deepEqual(await shown(), [false, true, true]);
    await harness.gateway.reload(withClasses(harness.gateway.config, 'b'));
    assert.deepEqual(await shown(), [true, false, true]);
    await admin.query("comment on column public.person.c is 'countersign:class=ssn'");
    harness.gateway.catalogs.lease(harness.gateway.config.targets[0]!).invalidate();
    assert.deepEqual(await shown(), [true, false, false]);
    await admin.query(`create table public.elder (c text);
      alter table public.person inherit public.elder`);
    harness.gateway.catalogs.lease(harness.gateway.config.targets[0]!).invalidate();
    const { rows } = await client.query<{ c: string }>('select c from public.elder');
    assert.equal(rows.length, 1);
    assert.notEqual(rows[0]?.c, CANARY);
  } finally {
    await client.end();
  }
  const { verdict } = await harness.finish();
  assert.equal(verdict, 'VERIFIED');
});
