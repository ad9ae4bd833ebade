import { strict as assert } from 'node:assert';
import { after, before, test } from 'node:test';
import type { PostgresServer } from '../support/postgres-server.ts';
import {
  bind,
  execute,
  parse,
  query,
  RawSession,
  sqlStateOf,
  sync,
  type RawMessage,
} from '../support/raw-session.ts';
import { directEndpoint, Harness, shape, startServer, type RecordReading } from './harness.ts';

let server: PostgresServer;
before(async () => {
  server = await startServer();
});
after(() => server.stop());

const SLOW = 'select pg_sleep(600)';
const LOCK = 4711;

/** A session that watches the server itself. */
async function watch(): Promise<{
  readonly ask: (text: string) => Promise<string>;
  readonly end: () => void;
}> {
  const session = await RawSession.connect(directEndpoint(server));
  return {
    ask: async (text) => {
      session.send(query(text));
      const row = (await session.receiveUntil()).find(({ type }) => type === 'D');
      return row?.body.toString('utf8', 6) ?? '';
    },
    end: () => session.end(),
  };
}

/** Resolves when the server says so; there is no clock in it but the test's own limit. */
async function until(
  ask: (text: string) => Promise<string>,
  question: string,
  answer: string,
): Promise<void> {
  while ((await ask(question)) !== answer) await new Promise((resolve) => setImmediate(resolve));
}

const RUNNING = `select count(*) from pg_stat_activity where state = 'active' and query like 'select pg_sleep%'`;

function lastCall(record: RecordReading): RecordReading['calls'][number] {
  assert.equal(record.verdict, 'VERIFIED');
  return record.calls.at(-1)!;
}

function closeReason(record: RecordReading, session: string): unknown {
  return record.leaves.find((leaf) => leaf.type === 'session.closed' && leaf.session === session)?.['reason'];
}

test('a client that vanishes has its statement cancelled in the target; the record says what became of it', async () => {
  const harness = await Harness.start(server);
  const watcher = await watch();
  const session = await harness.connect();
  session.send(query(SLOW));
  await until(watcher.ask, RUNNING, '1');
  session.destroy();
  await until(watcher.ask, RUNNING, '0');
  watcher.end();
  const record = await harness.finish();
  const call = lastCall(record);
  assert.equal(call.result?.['status'], 'cancelled');
  assert.equal(call.result?.['cause'], 'CS_CLIENT_LOST');
  assert.equal(closeReason(record, call.session), 'CS_CLIENT_LOST');
});

test('a statement that ignores its cancel is recorded cut when its client vanishes', async () => {
  const harness = await Harness.start(server);
  const watcher = await watch();
  const session = await harness.connect();
  // Catches the cancel and goes on.
  const stubborn = `do $$ begin loop begin perform pg_sleep(600); exception when query_canceled then perform pg_advisory_lock(${LOCK}); end; end loop; end $$`;
  await watcher.ask(`select pg_advisory_lock(${LOCK})`);
  session.send(query(stubborn));
  await until(
    watcher.ask,
    `select count(*) from pg_stat_activity where state = 'active' and query like 'do $$%'`,
    '1',
  );
  session.destroy();
  while (harness.gateway.sessions.size > 0) await new Promise((resolve) => setImmediate(resolve));
  const record = await harness.finish();
  await watcher.ask(`select pg_terminate_backend(pid) from pg_stat_activity where query like 'do $$%'`);
  watcher.end();
  const call = lastCall(record);
  assert.equal(call.result?.['status'], 'cut');
  assert.equal(call.result?.['cause'], 'CS_CLIENT_LOST');
});

test('a cancel request of the client cancels its command, and only that', async () => {
  const harness = await Harness.start(server);
  const watcher = await watch();
  const { Client } = (await import('pg')).default;
  const client = new Client({ ...harness.endpoint, ssl: false });
  await client.connect();
  const slow = client.query(SLOW).then(
    () => 'finished',
    (error: { readonly code?: string }) => error.code,
  );
  await until(watcher.ask, RUNNING, '1');
  const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
  await sendCancel(harness.endpoint.port, processID, secretKey);
  assert.equal(await slow, '57014');
  assert.equal((await client.query('select 1 as one')).rows[0]?.one, 1);
  await client.end();
  watcher.end();
  const { calls, verdict } = await harness.finish();
  assert.equal(verdict, 'VERIFIED');
  assert.deepEqual(
    calls.map(({ result }) => result?.['status']),
    ['cancelled', 'ok'],
  );
});

async function sendCancel(port: number, pid: number, key: number): Promise<void> {
  const { connect } = await import('node:net');
  const packet = Buffer.alloc(16);
  packet.writeInt32BE(16, 0);
  packet.writeInt32BE(80_877_102, 4);
  packet.writeInt32BE(pid, 8);
  packet.writeInt32BE(key, 12);
  await new Promise<void>((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(packet));
    socket.on('close', () => resolve());
    socket.resume();
  });
}

test('the statement timeout cancels the command, and the session lives', async () => {
  const harness = await Harness.start(server, {
    change: (config) => ({ ...config, limits: { ...config.limits, statementTimeoutMs: 100 } }),
  });
  const session = await harness.connect();
  session.send(query(SLOW));
  const answer = await session.receiveUntil();
  assert.equal(sqlStateOf(answer.find(({ type }) => type === 'E')!), '57014');
  session.send(query('select 1'));
  assert.equal(shape(await session.receiveUntil()), 'TDCZ');
  session.end();
  const { calls } = await harness.finish();
  const slow = calls.find(({ statement }) => statement === SLOW)!;
  assert.equal(slow.result?.['status'], 'cancelled');
  assert.equal(slow.result?.['cause'], 'CS_STATEMENT_TIMEOUT');
});

test('an idle session is ended with a native error', async () => {
  const harness = await Harness.start(server, {
    change: (config) => ({ ...config, limits: { ...config.limits, idleTimeoutMs: 100 } }),
  });
  const session = await harness.connect();
  const message = await session.receive();
  assert.equal(sqlStateOf(message), '57P05');
  const record = await harness.finish();
  assert.ok(record.leaves.some((leaf) => leaf['reason'] === 'CS_IDLE_TIMEOUT'));
});

/** A session whose grant ends soon; on a busy machine, as soon as it can be had before the grant is over. */
async function connectUnderShortGrant(lifeMs = 1_500): Promise<{ harness: Harness; session: RawSession }> {
  const harness = await Harness.start(server, {
    change: (config) => ({
      ...config,
      grants: config.grants.map((grant) => ({
        ...grant,
        expiresAtUs: BigInt(Date.now() + lifeMs) * 1000n,
      })),
    }),
  });
  try {
    const session = await harness.connect();
    // The first command waits for the catalog.
    session.send(query('select 1'));
    const answer = await session.receiveUntil('ZE');
    if (answer.at(-1)?.type === 'E') throw new Error('the grant was over before a command ran');
    return { harness, session };
  } catch (error) {
    await harness.finish();
    if (lifeMs > 60_000) throw error;
    return await connectUnderShortGrant(lifeMs * 4);
  }
}

/** On a busy machine a short grant may be over before the command begins: then again with a longer one. */
async function expireUnderCommand(
  lifeMs?: number,
): Promise<{ readonly messages: readonly RawMessage[]; readonly record: RecordReading }> {
  const { harness, session } = await connectUnderShortGrant(lifeMs);
  session.send(query('select 1; select pg_sleep(600)'));
  const messages: RawMessage[] = [];
  do messages.push(await session.receive());
  while (messages.at(-1)!.type !== 'E');
  const record = await harness.finish();
  const hasRun = record.calls.at(-1)?.type === 'call.intent';
  return hasRun || lifeMs !== undefined ? { messages, record } : await expireUnderCommand(20_000);
}

test('a grant that expires while its command runs: nothing more is released, the command is stopped and recorded', async () => {
  const { messages, record } = await expireUnderCommand();
  assert.equal(sqlStateOf(messages.at(-1)!), '57P01');
  assert.match(messages.at(-1)!.body.toString(), /FATAL.*the grant of this session has ended/s);
  assert.ok(!messages.some(({ body }) => body.includes('canceling')));
  const call = lastCall(record);
  // `cut`: the target had no time to say that it was cancelled.
  assert.match(String(call.result?.['status']), /^(cancelled|cut)$/);
  assert.equal(call.result?.['cause'], 'CS_GRANT_ENDED');
  assert.equal(closeReason(record, call.session), 'CS_GRANT_ENDED');
  const types = record.leaves.map(({ type }) => type);
  assert.ok(types.indexOf('grant.expired') < types.lastIndexOf('session.closed'));
});

test('a grant that disappears on reload ends its idle session', async () => {
  const harness = await Harness.start(server);
  const session = await harness.connect();
  session.send(query('begin'));
  await session.receiveUntil();
  await harness.gateway.reload({ ...harness.gateway.config, grants: [] });
  assert.equal(sqlStateOf(await session.receive()), '57P01');
  const record = await harness.finish();
  assert.equal(record.verdict, 'VERIFIED');
  assert.ok(record.leaves.some((leaf) => leaf.type === 'grant.revoked'));
});

test('the target goes away: the client is told, the call is cut', async () => {
  const harness = await Harness.start(server);
  const watcher = await watch();
  const session = await harness.connect();
  session.send(parse('', SLOW), bind('', '', []), execute(), sync());
  await until(watcher.ask, RUNNING, '1');
  await watcher.ask(
    `select pg_terminate_backend(pid) from pg_stat_activity where query like 'select pg_sleep%'`,
  );
  watcher.end();
  const answer = await session.receiveUntil('E');
  assert.equal(sqlStateOf(answer.at(-1)!), '57P01');
  const record = await harness.finish();
  const call = lastCall(record);
  assert.equal(call.result?.['status'], 'error');
  assert.equal(call.result?.['sqlstate'], '57P01');
  assert.equal(closeReason(record, call.session), 'CS_TARGET_LOST');
});

test('a polite end waits for the transaction, and then says so', async () => {
  const harness = await Harness.start(server);
  const session = await harness.connect();
  session.send(query('begin'));
  await session.receiveUntil();
  void harness.gateway.sessions.end(600_000);
  session.send(query('select 1'));
  assert.equal(shape(await session.receiveUntil()), 'TDCZ');
  session.send(query('commit'));
  assert.equal(shape(await session.receiveUntil()), 'CZ');
  assert.equal(sqlStateOf(await session.receive()), '57P01');
  const record = await harness.finish();
  assert.equal(closeReason(record, lastCall(record).session), 'CS_SHUTTING_DOWN');
});

test('bytes that are no protocol end the session with a native error, on the record', async () => {
  const harness = await Harness.start(server);
  const session = await harness.connect();
  session.send(query('select 1'));
  await session.receiveUntil();
  session.send(Buffer.from('51ffffffff', 'hex'));
  assert.equal(sqlStateOf(await session.receive()), '08P01');
  const record = await harness.finish();
  assert.equal(closeReason(record, lastCall(record).session), 'CS_PROTOCOL_VIOLATION');
});

test('Terminate right behind a command: the command runs to its end, as at the server', async () => {
  const harness = await Harness.start(server);
  const session = await harness.connect();
  session.send(query('select pg_sleep(0.2)'));
  session.end();
  const watcher = await watch();
  await until(
    watcher.ask,
    `select count(*) from pg_stat_activity where application_name like 'countersign/%'`,
    '0',
  );
  watcher.end();
  const record = await harness.finish();
  const call = lastCall(record);
  assert.equal(call.result?.['status'], 'ok');
  assert.equal(closeReason(record, call.session), 'client');
});
