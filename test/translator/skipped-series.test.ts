/** What comes behind an error in its series: the target looks at nothing before the Sync, so nothing may wait for it. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { PostgresServer } from '../support/postgres-server.ts';
import { bind, execute, frame, parse, query, sync } from '../support/raw-session.ts';
import { Harness, shape, startServer } from './harness.ts';

let server: PostgresServer;
before(async () => {
  server = await startServer();
});
after(() => server.stop());

const run = (text: string): Buffer[] => [parse('', text), bind('', '', []), execute()];
const flush = (): Buffer => frame('H');

test('names that own code may have moved are not read back behind an error', async () => {
  const harness = await Harness.start(server);
  const session = await harness.connect();
  for (const text of [
    'create table seen (at int)',
    'create function note() returns int language plpgsql as $$ begin insert into seen values (1); return 1; end $$',
  ]) {
    session.send(query(text));
    assert.equal(shape(await session.receiveUntil()), 'CZ');
  }
  session.send(...run('select note()'), ...run('select 1 / 0'), flush());
  assert.equal(shape(await session.receiveUntil('E')), '12DC1E');
  session.send(...run('select note() from seen'), sync(), query('select count(*) from seen'));
  assert.equal(shape(await session.receiveUntil()), 'Z');
  assert.equal(shape(await session.receiveUntil()), 'TDCZ');
  session.end();
  const { verdict } = await harness.finish();
  assert.equal(verdict, 'VERIFIED');
});
