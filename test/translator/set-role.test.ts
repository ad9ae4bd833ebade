/** SET ROLE where the scope and the target's configuration both name it: names mean what they mean to that role. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { PostgresServer } from '../support/postgres-server.ts';
import { query, type RawSession } from '../support/raw-session.ts';
import { Harness, shape, startServer } from './harness.ts';

let server: PostgresServer;
before(async () => {
  server = await startServer();
});
after(() => server.stop());

async function ask(session: RawSession, text: string): Promise<string> {
  session.send(query(text));
  const messages = await session.receiveUntil();
  const row = messages.find(({ type }) => type === 'D');
  return row === undefined ? shape(messages) : row.body.subarray(6).toString('utf8');
}

test('a role is taken and given back, and each statement is judged as its caller', async () => {
  const harness = await Harness.start(server, {
    change: (config) => ({
      ...config,
      targets: config.targets.map((target) => ({ ...target, allowedSettings: ['role'] })),
    }),
  });
  const session = await harness.connect();
  for (const text of [
    'create role joe',
    'create table public.t1 (a int)',
    'grant select on public.t1 to joe',
  ])
    assert.equal(await ask(session, text), 'CZ', text);
  assert.match(await ask(session, 'set role joe'), /^CS?Z$/);
  assert.equal(await ask(session, 'select current_user'), 'joe');
  assert.equal(await ask(session, 'select * from t1'), 'TCZ');
  assert.match(await ask(session, 'reset role'), /^CS?Z$/);
  assert.equal(await ask(session, 'select current_user'), 'postgres');
  assert.equal(await ask(session, 'set session authorization joe'), 'EZ');
  assert.equal(await ask(session, 'select current_user'), 'postgres');
  session.end();
  const { verdict, calls } = await harness.finish();
  assert.equal(verdict, 'VERIFIED');
  assert.equal(calls.filter(({ type }) => type === 'call.denied').length, 1);
});
