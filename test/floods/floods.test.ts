/** What a flood does to others and to the record, on a real gateway and a real server. Nothing here is decided by a clock. */

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { encodeCancelRequest } from '../../packages/gateway/src/postgres/wire/index.ts';
import { startTestPostgres } from '../support/postgres-server.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { query } from '../support/raw-session.ts';
import type { Leaf } from '../support/record-view.ts';
import { Harness, type RecordReading } from '../translator/harness.ts';
import { answers, connectFlood, FLOOD, startFlooded, sum } from './two-principals.ts';

const TIMEOUT = { timeout: 60_000 };
const REFUSED = 'set session_replication_role = replica';

let server: PostgresServer;
before(async () => {
  server = await startTestPostgres();
});
after(() => server.stop());

const ofType = (record: RecordReading, type: string): Leaf[] =>
  record.leaves.filter((leaf) => leaf.type === type);

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** Sessions of a principal. */
function sessionsOf(record: RecordReading, principal: string): ReadonlySet<string> {
  const contexts = new Set(
    ofType(record, 'context')
      .filter((leaf) => leaf['principal'] === principal)
      .map(({ jseq }) => jseq),
  );
  return new Set(
    ofType(record, 'session.opened')
      .filter((leaf) => contexts.has((leaf['context'] as { jseq: number }).jseq))
      .map((leaf) => leaf.session!),
  );
}

test(
  'a pipelined flood leaves every turn to others: their commands are among its, not behind them',
  TIMEOUT,
  async () => {
    const harness = await startFlooded(server);
    const floods = await Promise.all([1, 2, 3, 4].map(() => connectFlood(harness)));
    const quiet = await harness.connect();
    const each = 2000;
    const all = Buffer.concat(Array.from({ length: each }, () => query('select 1')));
    const flooded = floods.map(async (session) => {
      session.send(all);
      return answers(session, each);
    });
    for (let i = 0; i < 10; i++) {
      quiet.send(query('select 2'));
      assert.deepEqual(await answers(quiet, 1), []);
    }
    assert.deepEqual((await Promise.all(flooded)).flat(), []);
    for (const session of [...floods, quiet]) session.end();
    const record = await harness.finish();
    assert.equal(record.verdict, 'VERIFIED');
    const theirs = sessionsOf(record, 'tester');
    const intents = ofType(record, 'call.intent');
    const lastQuiet = intents.findLastIndex((leaf) => theirs.has(leaf.session!));
    const behind = intents.slice(lastQuiet).length - 1;
    assert.equal(intents.filter((leaf) => leaf['kind'] === 'select').length >= 8010, true);
    assert.ok(behind > 0, `no command of the flood is behind the last of the other principal`);
  },
);

test('a loop on refusals: each is refused, counted once, and few have a leaf', TIMEOUT, async () => {
  const harness = await startFlooded(server);
  const total = 1500;
  const session = await connectFlood(harness);
  for (let i = 0; i < total / 50; i++) {
    session.send(Buffer.concat(Array.from({ length: 50 }, () => query(REFUSED))));
    const errors = await answers(session, 50);
    assert.deepEqual(new Set(errors), new Set(['42501']));
    assert.equal(errors.length, 50);
  }
  session.send(query('select 1'));
  assert.deepEqual(await answers(session, 1), []);
  session.end();
  const record = await harness.finish();
  assert.equal(record.verdict, 'VERIFIED');
  const denied = ofType(record, 'call.denied');
  assert.equal(sum(denied), total);
  // A hundred at once, and one for every second that the loop took.
  assert.ok(denied.length < total / 2, `${denied.length} leaves`);
  const counted = denied.filter((leaf) => leaf['count'] !== undefined);
  assert.ok(counted.length >= 1);
  for (const leaf of counted) {
    assert.ok(Number(leaf['first_at_us']) <= Number(leaf['last_at_us']));
    assert.equal(leaf['sqlstate'], '42501');
    assert.equal(leaf['statement'], undefined);
  }
  const newest = ofType(record, 'heartbeat').at(-1);
  assert.ok(newest === undefined || Number(newest['denied']) <= total);
});

test(
  'wrong passwords from one address: counted once each, refused unread soon, and nobody else waits',
  TIMEOUT,
  async () => {
    const harness = await startFlooded(server);
    const codes: string[] = [];
    for (let i = 0; i < 40; i++) {
      await assert.rejects(connectFlood(harness, { password: 'guess' }), (error: { code?: string }) => {
        codes.push(error.code ?? '');
        return true;
      });
    }
    assert.deepEqual(new Set(codes), new Set(['28P01', '28000']));
    assert.deepEqual(codes.slice(0, 5), Array(5).fill('28P01'));
    const other = await harness.connect();
    other.end();
    const record = await harness.finish();
    assert.equal(record.verdict, 'VERIFIED');
    const refused = ofType(record, 'authn.result').filter((leaf) => leaf['outcome'] === 'refused');
    assert.equal(sum(refused), 40);
    assert.ok(refused.length <= 4, `${refused.length} leaves`);
    assert.deepEqual(new Set(refused.map((leaf) => leaf['principal'])), new Set([FLOOD]));
    assert.deepEqual(
      new Set(refused.map((leaf) => leaf['reason'])),
      new Set(['credential', 'CS_AUTHN_BACKOFF']),
    );
  },
);

test(
  'unknown names, unknown targets, missing grants: counted once each in a few leaves',
  TIMEOUT,
  async () => {
    const harness = await startFlooded(server, { authnBackoffMs: 0 });
    const attempts = [{ user: 'nobody' }, { database: 'nowhere' }, { database: 'bank/another' }];
    for (let i = 0; i < 30; i++) {
      for (const attempt of attempts) await assert.rejects(connectFlood(harness, attempt));
    }
    const record = await harness.finish();
    const refused = ofType(record, 'authn.result').filter((leaf) => leaf['outcome'] === 'refused');
    assert.equal(sum(refused), 90);
    assert.ok(refused.length <= 6, `${refused.length} leaves`);
  },
);

test('a grant is revoked while its principal floods: no command is admitted after it', TIMEOUT, async () => {
  const harness = await startFlooded(server);
  const { config } = harness.gateway;
  const floods = await Promise.all([1, 2, 3].map(() => connectFlood(harness)));
  const some = Buffer.concat(Array.from({ length: 500 }, () => query('select 1')));
  const ended = floods.map(async (session) => {
    session.send(some);
    let isOver = false;
    while (!isOver) {
      try {
        await answers(session, 500);
        session.send(some);
      } catch {
        isOver = true;
      }
    }
  });
  await until(() => harness.gateway.traffic.totals.commands > 1000);
  await harness.gateway.reload({ ...config, grants: config.grants.filter(({ id }) => id !== FLOOD) });
  await Promise.all(ended);
  const record = await harness.finish();
  assert.equal(record.verdict, 'VERIFIED');
  const revoked = record.leaves.findIndex((leaf) => leaf.type === 'grant.revoked' && leaf['grant'] === FLOOD);
  assert.ok(revoked > 0);
  const theirs = sessionsOf(record, FLOOD);
  const later = record.leaves
    .slice(revoked)
    .filter((leaf) => leaf.type === 'call.intent' && theirs.has(leaf.session!));
  assert.deepEqual(later, []);
  const closed = ofType(record, 'session.closed').filter((leaf) => theirs.has(leaf.session!));
  assert.deepEqual(
    closed.map((leaf) => leaf['reason']),
    Array(3).fill('CS_GRANT_ENDED'),
  );
});

test('over its quota a principal is slowed, not refused, and the record says so once', TIMEOUT, async () => {
  const harness = await startFlooded(server, {
    principal: { commandsPerSecond: 200, recordBytesPerSecond: 0, burstMs: 1000, overQuota: 'wait' },
  });
  const session = await connectFlood(harness);
  session.send(Buffer.concat(Array.from({ length: 300 }, () => query('select 1'))));
  assert.deepEqual(await answers(session, 300), []);
  // Its goodbye is read, though it waits behind the quota with everything else.
  session.send(Buffer.concat(Array.from({ length: 20 }, () => query('select 1'))));
  session.end();
  await until(() => harness.gateway.sessions.size === 0);
  const record = await harness.finish();
  assert.equal(record.verdict, 'VERIFIED');
  const alerts = ofType(record, 'alert').filter((leaf) => leaf['code'] === 'quota');
  assert.deepEqual(
    alerts.map((leaf) => [leaf['principal'], leaf['quota']]),
    [[FLOOD, 'commands']],
  );
  assert.ok((harness.gateway.admission.counts.commands ?? 0) > 0);
  const theirs = sessionsOf(record, FLOOD);
  const closed = ofType(record, 'session.closed').find((leaf) => theirs.has(leaf.session!));
  assert.equal(closed?.['reason'], 'client');
  assert.equal(closed?.['calls'], 320);
});

test(
  'where configuration says so, a principal over its quota is refused, in one answer per command',
  TIMEOUT,
  async () => {
    const harness = await startFlooded(server, {
      principal: { commandsPerSecond: 1, recordBytesPerSecond: 0, burstMs: 10_000, overQuota: 'refuse' },
    });
    const session = await connectFlood(harness);
    session.send(Buffer.concat(Array.from({ length: 100 }, () => query('select 1'))));
    const errors = await answers(session, 100);
    assert.deepEqual(new Set(errors), new Set(['53400']));
    assert.ok(errors.length >= 80);
    session.end();
    const record = await harness.finish();
    assert.equal(record.verdict, 'VERIFIED');
    assert.equal(sum(ofType(record, 'call.denied')), errors.length);
  },
);

test('connections faster than the limit are counted and closed; who is in goes on', TIMEOUT, async () => {
  const harness = await startFlooded(server, { connectionRatePerAddress: 1, connectionsPerAddress: 5 });
  const session = await harness.connect();
  const total = 200;
  await Promise.all(
    Array.from({ length: total }, async () => {
      const socket = connect({ port: harness.endpoint.port, host: '127.0.0.1' });
      socket.on('error', () => {});
      socket.end(encodeCancelRequest({ processId: 1, key: Buffer.alloc(4) }));
      await new Promise((resolve) => socket.on('close', resolve));
    }),
  );
  session.send(query('select 1'));
  assert.deepEqual(await answers(session, 1), []);
  session.end();
  const cancelsUnknown = harness.gateway.cancels.counts.unknown;
  const record = await harness.finish();
  const limited = ofType(record, 'authn.result').filter((leaf) => leaf['reason'] === 'CS_CONNECTION_LIMIT');
  assert.ok(cancelsUnknown >= 4, 'within the limit a cancel request is heard');
  assert.equal(sum(limited) + cancelsUnknown, total);
  assert.ok(limited.length <= 2);
});

test('thousands of distinct statements leave nothing behind in the session', TIMEOUT, async () => {
  const harness = await startFlooded(server);
  const session = await connectFlood(harness);
  for (let i = 0; i < 20; i++) {
    session.send(
      Buffer.concat(Array.from({ length: 100 }, (_, n) => query(`select ${i * 100 + n} -- ${n}`))),
    );
    assert.deepEqual(await answers(session, 100), []);
  }
  assert.equal(harness.gateway.admission.waiting, 0);
  session.end();
  const record = await harness.finish();
  assert.equal(record.verdict, 'VERIFIED');
  assert.equal(record.calls.filter(({ statement }) => statement?.includes('--')).length, 2000);
});

test(
  'statements of a megabyte in thirty sessions at once: each is put together in its turn',
  TIMEOUT,
  async () => {
    const harness = await startFlooded(server);
    const sessions = await Promise.all(Array.from({ length: 30 }, () => connectFlood(harness)));
    const quiet = await harness.connect();
    const huge = query(`select length('${'x'.repeat(1_000_000)}')`);
    // One that never sends the rest takes room, and keeps it from nobody for ever.
    const stalled = await connectFlood(harness);
    stalled.send(huge.subarray(0, 600_000));
    const answered = sessions.map(async (session) => {
      session.send(huge);
      return answers(session, 1);
    });
    quiet.send(huge);
    assert.deepEqual(await answers(quiet, 1), []);
    assert.deepEqual((await Promise.all(answered)).flat(), []);
    for (const session of [...sessions, quiet, stalled]) session.end();
    await until(() => harness.gateway.sessions.size === 0);
    const record = await harness.finish();
    assert.equal(record.verdict, 'VERIFIED');
    assert.equal(record.calls.filter(({ statement }) => (statement?.length ?? 0) > 1_000_000).length, 31);
  },
);

test('a disk that runs low is an alarm, once, and commands go on', TIMEOUT, async () => {
  const harness = await Harness.start(server, {
    change: (config) => ({
      ...config,
      record: { ...config.record, warnFreeBytes: Number.MAX_SAFE_INTEGER, checkpointMs: 50 },
    }),
  });
  const session = await harness.connect();
  // Room is looked at when the log is written.
  let checkpoints = 0;
  for (let size = 0; checkpoints < 3;) {
    session.send(query('select 1'));
    assert.deepEqual(await answers(session, 1), []);
    const { treeSize } = harness.gateway.recorder.health();
    if (treeSize > size) checkpoints += 1;
    size = treeSize;
  }
  assert.equal(harness.gateway.recorder.health().isLow, true);
  session.end();
  const record = await harness.finish();
  const alerts = ofType(record, 'alert').filter((leaf) => leaf['code'] === 'disk-low');
  assert.equal(alerts.length, 1);
  assert.ok(Number(alerts[0]?.['free_bytes']) > 0);
});
