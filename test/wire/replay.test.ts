/**
 * The same bytes, cut differently: a session through the gateway must give the same answer and leave the same record
 * wherever its bytes are split, and the answer must be the one that the server gives without a gateway.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import {
  decodeRowDescription,
  encodeRowDescription,
} from '../../packages/gateway/src/postgres/wire/index.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import {
  bind,
  copyData,
  copyDone,
  execute,
  frame,
  parse,
  query,
  RawSession,
  sync,
} from '../support/raw-session.ts';
import type { RawEndpoint, RawMessage } from '../support/raw-session.ts';
import { directEndpoint, Harness, startServer } from '../translator/harness.ts';
import type { RecordedCall } from '../translator/harness.ts';

let server: PostgresServer;

before(async () => {
  server = await startServer();
});

after(async () => {
  await server?.stop();
});

/** Simple, extended, a suspended portal, COPY, an error, and an error in the middle of a pipeline. */
const ordinary = Buffer.concat([
  query('CREATE TEMP TABLE t (a int, b text)'),
  parse('', 'INSERT INTO t VALUES ($1, $2)'),
  bind('', '', ['1', 'é']),
  execute(),
  sync(),
  query('COPY t FROM STDIN'),
  copyData('2\tx\n3\t'),
  copyData('\\N\n'),
  copyDone(),
  query('BEGIN'),
  parse('s', 'SELECT * FROM t ORDER BY a'),
  bind('p', 's', []),
  execute('p', 2),
  execute('p'),
  sync(),
  query('SELECT nope'),
  query('ROLLBACK'),
  parse('', 'SELECT 1/$1::int'),
  bind('', '', ['0']),
  execute(),
  execute(),
  sync(),
  query('COPY t TO STDOUT'),
  query('SELECT 1; SELECT 2'),
]);

/** With a refusal in the middle of a pipeline, which only a gateway makes. */
const refused = Buffer.concat([
  ordinary,
  parse('', 'SET ROLE other'),
  bind('', '', []),
  execute(),
  sync(),
  query("SELECT set_config('role', 'other', false)"),
  query('SELECT 3'),
]);

/** Sizes around those at which messages are assembled, held or streamed. */
const large = Buffer.concat([
  query('CREATE TEMP TABLE t (a int, b text)'),
  query(`SELECT 1 AS a -- ${'x'.repeat(100_000)}`),
  parse('', 'INSERT INTO t VALUES ($1, $2)'),
  bind('', '', ['1', 'y'.repeat(70_000)]),
  execute(),
  bind('', '', ['2', 'z'.repeat(1_500_000)]),
  execute(),
  sync(),
  query('COPY t FROM STDIN'),
  copyData(`3\t${'w'.repeat(200_000)}\n`),
  copyDone(),
  query('SELECT a, b, length(b) FROM t ORDER BY a'),
  query('COPY t TO STDOUT'),
]);

/** OIDs and the name of the temporary schema differ from session to session. */
function normalise({ type, body }: RawMessage): string {
  if (type !== 'T') return `${type} ${body.toString('latin1').replaceAll(/pg_temp_\d+/gu, 'pg_temp')}`;
  const message = frame('T', body);
  const columns = decodeRowDescription(message, 0, message.length).map((column) =>
    Object.assign({}, column, { tableOid: 0 }),
  );
  return `T ${encodeRowDescription(columns).toString('latin1')}`;
}

/** Sends `bytes` in pieces that end at `cuts`, and gives everything up to the `count`th ReadyForQuery. */
async function replay(
  endpoint: RawEndpoint,
  bytes: Buffer,
  cuts: readonly number[],
  count: number,
): Promise<string[]> {
  const session = await RawSession.connect(endpoint);
  session.socket.setNoDelay(true);
  let from = 0;
  for (const to of [...cuts, bytes.length]) {
    session.send(bytes.subarray(from, to));
    from = to;
    // So that the pieces arrive apart. Should two of them meet, the test asks less, and does not fail.
    if (to < bytes.length) await delay(1);
  }
  const answers: string[] = [];
  for (let ready = 0; ready < count; ready++) {
    for (const message of await session.receiveUntil()) answers.push(normalise(message));
  }
  session.end();
  return answers;
}

function countReady(bytes: Buffer): number {
  let count = 0;
  for (let at = 0; at < bytes.length; at += 1 + bytes.readInt32BE(at + 1)) {
    if (bytes[at] === 0x51 || bytes[at] === 0x53) count++;
  }
  return count;
}

/** What must not depend on how the bytes came: everything but ids, times, and digests with a salt or key. */
function essence(call: RecordedCall): unknown {
  const { type, kind, effect, statement, params, sqlstate, reasons, result } = call;
  const told = ['status', 'rows', 'bytes_up', 'bytes_down', 'sqlstate', 'truncated'];
  const outcome = told.map((field) => [field, result?.[field]]);
  return {
    type,
    kind,
    effect,
    statement,
    params,
    sqlstate,
    reasons,
    outcome,
    resumes: call.resumes !== undefined,
  };
}

/** Replays with every list of cuts, and holds answers and record against those of the uncut session. */
async function checkCuts(bytes: Buffer, lists: readonly (readonly number[])[]): Promise<void> {
  const harness = await Harness.start(server);
  const count = countReady(bytes);
  try {
    const expected = await replay(harness.endpoint, bytes, [], count);
    const waiting = [...lists];
    const work = async (): Promise<void> => {
      for (let cuts = waiting.pop(); cuts !== undefined; cuts = waiting.pop()) {
        assert.deepEqual(
          await replay(harness.endpoint, bytes, cuts, count),
          expected,
          `cut at ${cuts.join(' ')}`,
        );
      }
    };
    await Promise.all(Array.from({ length: 8 }, work));
  } catch (error) {
    await harness.finish();
    throw error;
  }
  const { verdict, calls } = await harness.finish();
  assert.equal(verdict, 'VERIFIED');
  // The gateway's own statement on each connection is a session of its own, with a single call.
  const sessions = [...Map.groupBy(calls, (call) => call.session).values()].filter((own) => own.length > 1);
  assert.equal(sessions.length, lists.length + 1);
  const [first] = sessions;
  assert.ok(first !== undefined && first.length >= 7);
  for (const session of sessions) assert.deepEqual(session.map(essence), first.map(essence));
}

test('the answer is the one that the server gives without a gateway', async () => {
  const harness = await Harness.start(server);
  try {
    for (const bytes of [ordinary, large]) {
      const count = countReady(bytes);
      const direct = await replay(directEndpoint(server), bytes, [], count);
      assert.deepEqual(await replay(harness.endpoint, bytes, [], count), direct);
    }
  } finally {
    await harness.finish();
  }
});

test('a short session cut at every position', async () => {
  await checkCuts(
    refused,
    Array.from({ length: refused.length - 1 }, (_, index) => [index + 1]),
  );
});

test('a long session cut at random positions', async () => {
  // A small generator with a fixed seed, so that a failure can be repeated.
  let state = 12_345;
  const random = (below: number): number => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return state % below;
  };
  const lists = Array.from({ length: 10 }, () =>
    Array.from({ length: 25 }, () => 1 + random(large.length - 1)).toSorted((one, other) => one - other),
  );
  await checkCuts(large, lists);
});
