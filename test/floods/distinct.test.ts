/**
 * A caller that never says the same thing twice leaves nothing of it behind: what the gateway keeps is counted object by object, not
 * by how large the process has become. `npm run bench -- distinct` is the same with a million statements.
 */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { queryObjects } from 'node:v8';
import { startTestPostgres } from '../support/postgres-server.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { bind, execute, frame, parse, query, sync, type RawSession } from '../support/raw-session.ts';
import type { Harness } from '../translator/harness.ts';
import { answers, connectFlood, startFlooded } from './two-principals.ts';

const ROUND = 1_000;
/** What may differ between two moments of a gateway that does nothing else: less than one object for ten statements of a round. */
const NOISE = ROUND / 10;

let server: PostgresServer;
before(async () => {
  server = await startTestPostgres();
});
after(() => server.stop());

const closeStatement = (name: string): Buffer => frame('C', Buffer.from(`S${name}\0`));

/** Each way in which a statement can be new. Everything is over when the answer has come. */
const WAYS: Readonly<Record<string, (n: number) => Buffer>> = {
  'as queries': (n) => query(`select ${n}`),
  'parsed without a name': (n) =>
    Buffer.concat([parse('', `select ${n}`), bind('', '', []), execute(), sync()]),
  'prepared under names of their own, and closed': (n) =>
    Buffer.concat([
      parse(`s${n}`, `select ${n}`),
      bind(`p${n}`, `s${n}`, []),
      execute(`p${n}`),
      closeStatement(`s${n}`),
      sync(),
    ]),
  'prepared by SQL, and deallocated': (n) =>
    query(`prepare s${n} as select ${n}; execute s${n}; deallocate s${n}`),
  'prepared and never executed': (n) => Buffer.concat([parse('', `select ${n} as a${n}`), sync()]),
  'with parameters that differ': (n) =>
    Buffer.concat([parse('', `select $1::text as a${n}`), bind('', '', [`v${n}`]), execute(), sync()]),
  'with errors': (n) => query(`select ${n} / 0`),
  'with settings of their own': (n) => query(`set application_name = 'a${n}'`),
  'refused by name': (n) => query(`set nobody.s${n} = 1`),
};

/** All objects of the process that the collector could not take away. */
const countObjects = (): number => queryObjects(Object, { format: 'count' });

async function sendRound(session: RawSession, way: (n: number) => Buffer, from: number): Promise<void> {
  for (let at = from; at < from + ROUND; at += 100) {
    session.send(Buffer.concat(Array.from({ length: 100 }, (_, n) => way(at + n))));
    await answers(session, 100);
  }
}

/** Everything is on disk and in the log, so that nothing waits any more. */
async function settle({ gateway }: Harness): Promise<void> {
  for (;;) {
    const { treeSize, durableJseq } = gateway.recorder.health();
    if (treeSize > durableJseq) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

test('thousands of distinct statements leave no object behind', { timeout: 60_000 }, async (context) => {
  // What statements mean is kept, up to a limit; here nothing is.
  const harness = await startFlooded(server, { statementCacheBytes: 0 });
  const session = await connectFlood(harness);
  let number = 0;
  // Code is compiled and pools are filled by the first of each.
  for (const way of Object.values(WAYS)) await sendRound(session, way, (number += ROUND));
  await settle(harness);
  let before = countObjects();
  for (const [name, way] of Object.entries(WAYS)) {
    await context.test(name, async () => {
      await sendRound(session, way, (number += ROUND));
      await settle(harness);
      const after = countObjects();
      assert.ok(after - before < NOISE, `${after - before} more objects after ${ROUND} statements`);
      before = after;
    });
  }
  await context.test('and what is kept would be seen', async () => {
    await sendRound(
      session,
      (n) => Buffer.concat([parse(`s${n}`, `select ${n}`), sync()]),
      (number += ROUND),
    );
    await settle(harness);
    assert.ok(countObjects() - before >= ROUND);
  });
  session.end();
  const record = await harness.finish();
  assert.equal(record.verdict, 'VERIFIED');
  assert.ok(record.calls.length >= 2 * ROUND * (Object.keys(WAYS).length - 1));
});
