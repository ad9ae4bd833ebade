/** What one session may cost, and how it ends when someone does not play along. */
import { strict as assert } from 'node:assert';
import { connect } from 'node:net';
import { after, before, test } from 'node:test';
import { Client } from 'pg';
import type { CountersignConfig } from '../../packages/gateway/src/config/config.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { bind, errorFields, execute, frame, parse, query, RawSession, sync } from '../support/raw-session.ts';
import { directEndpoint, Harness, play, shape, startServer } from '../translator/harness.ts';

const all = (...messages: readonly Buffer[]): Buffer => Buffer.concat(messages);
const run = (text: string): Buffer => all(parse('', text), bind('', '', []), execute());
const flush = (): Buffer => frame('H');
const LOCK = 815;

let server: PostgresServer;
before(async () => {
  server = await startServer();
  await play(directEndpoint(server), [
    query(`create table slow(a int); create table t(a int);
      create function wait() returns trigger language plpgsql as $$
        begin perform pg_advisory_xact_lock(${LOCK}); return null; end $$;
      create constraint trigger waits after insert on slow deferrable initially deferred
        for each row execute function wait()`),
  ]);
});
after(() => server.stop());

const withTimeout =
  (statementTimeoutMs: number) =>
  (config: CountersignConfig): CountersignConfig => ({
    ...config,
    limits: { ...config.limits, statementTimeoutMs },
  });

async function watch(): Promise<{ ask: (text: string) => Promise<string>; end: () => void }> {
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

async function until(ask: () => Promise<string> | string, answer: string): Promise<void> {
  while ((await ask()) !== answer) await new Promise((resolve) => setImmediate(resolve));
}

const WAITS = `select count(*) from pg_locks where locktype = 'advisory' and not granted`;

test(
  'a client that says Terminate and vanishes with its answer unread leaves nothing behind',
  { timeout: 60_000 },
  async () => {
    const harness = await Harness.start(server);
    const watcher = await watch();
    const session = await harness.connect();
    session.socket.pause();
    session.send(query(`select repeat('x', 1000) from generate_series(1, 100000)`), frame('X'));
    const stuck = `select count(*) from pg_stat_activity where wait_event = 'ClientWrite'`;
    await until(() => watcher.ask(stuck), '1');
    session.destroy();
    await until(() => String(harness.gateway.sessions.size), '0');
    watcher.end();
    const { verdict, calls, leaves } = await harness.finish();
    assert.equal(verdict, 'VERIFIED');
    assert.equal(calls.at(-1)?.result?.['status'], 'ok');
    assert.equal(calls.at(-1)?.result?.['rows'], 100_000);
    assert.equal(
      leaves.find(({ type, session: id }) => type === 'session.closed' && id === calls.at(-1)?.session)?.[
        'reason'
      ],
      'client',
    );
  },
);

test(
  'the statement timeout is for one statement, not for the pipeline before it',
  { timeout: 60_000 },
  async () => {
    const harness = await Harness.start(server, { change: withTimeout(2_000) });
    const one = all(run('select pg_sleep(0.8)'), sync());
    const session = await harness.connect();
    session.send(all(one, one, one, one));
    for (let time = 0; time < 4; time++) assert.equal(shape(await session.receiveUntil()), '12DCZ');
    session.end();
    const { verdict, calls } = await harness.finish();
    assert.equal(verdict, 'VERIFIED');
    assert.ok(calls.every(({ result }) => result?.['status'] === 'ok'));
  },
);

test('the statement timeout and a cancel reach a commit that a Sync began', { timeout: 60_000 }, async () => {
  for (const how of ['timeout', 'cancel'] as const) {
    const harness = await Harness.start(server, how === 'timeout' ? { change: withTimeout(500) } : {});
    const watcher = await watch();
    await watcher.ask(`select pg_advisory_lock(${LOCK})`);
    const client = new Client({ ...harness.endpoint, ssl: false });
    client.on('error', () => {});
    await client.connect();
    const { processID, secretKey } = client as unknown as { processID: number; secretKey: number };
    const { stream } = (client as unknown as { connection: { stream: RawSession['socket'] } }).connection;
    const session = takeOver(stream);
    session.send(all(run('insert into slow values (1)'), flush()));
    await session.receiveUntil('C');
    session.send(sync());
    await until(() => watcher.ask(WAITS), '1');
    if (how === 'cancel') await sendCancel(harness.endpoint.port, processID, secretKey);
    const answer = await session.receiveUntil();
    assert.equal(errorFields(answer[0]!).get('C'), '57014', how);
    session.send(query('select count(*) from slow'));
    assert.equal(
      (await session.receiveUntil()).find(({ type }) => type === 'D')?.body.toString('utf8', 6),
      '0',
    );
    session.end();
    watcher.end();
    const { verdict } = await harness.finish();
    assert.equal(verdict, 'VERIFIED', how);
  }
});

test(
  'a client that vanishes while its Sync commits has the commit cancelled',
  { timeout: 60_000 },
  async () => {
    const harness = await Harness.start(server);
    const watcher = await watch();
    await watcher.ask(`select pg_advisory_lock(${LOCK})`);
    const session = await harness.connect();
    session.send(all(run('insert into slow values (1)'), sync()));
    await until(() => watcher.ask(WAITS), '1');
    session.destroy();
    await until(() => watcher.ask(WAITS), '0');
    assert.equal(await watcher.ask('select count(*) from slow'), '0');
    watcher.end();
    const { verdict, calls } = await harness.finish();
    assert.equal(verdict, 'VERIFIED');
    assert.equal(calls.at(-1)?.result?.['status'], 'error');
    assert.equal(calls.at(-1)?.result?.['sqlstate'], '57014');
  },
);

test(
  'what a client sends behind a Parse that it never runs is not kept for ever',
  { timeout: 60_000 },
  async () => {
    const harness = await Harness.start(server);
    const session = await harness.connect();
    const describe = frame('D', Buffer.from('S\0'));
    session.send(parse('', 'select 1'), Buffer.concat(Array.from({ length: 3_000 }, () => describe)));
    // No Flush, no Sync: the answers come because the gateway lets go of them.
    await session.receiveUntil('n1');
    session.destroy();
    await until(() => String(harness.gateway.sessions.size), '0');
    const { verdict, calls } = await harness.finish();
    assert.equal(verdict, 'VERIFIED');
    assert.equal(calls.at(-1)?.kind, 'prepare');
  },
);

test(
  'what only a Sync would have committed is not recorded as done without it',
  { timeout: 60_000 },
  async () => {
    const harness = await Harness.start(server);
    for (const leave of [
      (session: RawSession) => session.destroy(),
      (session: RawSession) => session.end(),
    ]) {
      const session = await harness.connect();
      session.send(all(run('insert into t values (9)'), flush()));
      await session.receiveUntil('C');
      leave(session);
      await until(() => String(harness.gateway.sessions.size), '0');
    }
    const { verdict, calls } = await harness.finish();
    assert.equal(verdict, 'VERIFIED');
    const writes = calls.filter(({ kind }) => kind === 'insert');
    assert.deepEqual(
      writes.map(({ result }) => [result?.['status'], result?.['cause']]),
      [
        ['cut', 'CS_CLIENT_LOST'],
        ['cut', 'client'],
      ],
    );
  },
);

test('a client that reads no answers is not read for ever', { timeout: 60_000 }, async () => {
  const harness = await Harness.start(server);
  const session = await harness.connect();
  const closes = Buffer.concat(Array.from({ length: 20_000 }, () => frame('C', Buffer.from('Sx\0'))));
  // A hundred times as many as may be unanswered; each one is answered in the end.
  session.socket.pause();
  for (let time = 0; time < 80; time++) session.socket.write(closes);
  await new Promise<void>((resolve) => {
    let silence = 0;
    let before = -1;
    const look = (): void => {
      silence = session.socket.bytesWritten - session.socket.writableLength === before ? silence + 1 : 0;
      before = session.socket.bytesWritten - session.socket.writableLength;
      if (silence > 200 || session.socket.writableLength === 0) resolve();
      else setTimeout(look, 2);
    };
    look();
  });
  session.send(sync());
  const socket = session.takeSocket();
  let bytes = 0;
  await new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes === 5 * 80 * 20_000 + 6) resolve();
    });
    socket.resume();
  });
  socket.destroy();
  assert.equal((await harness.finish()).verdict, 'VERIFIED');
});

test(
  'a session ended by the administrator of the target: the client reads why, the record too',
  { timeout: 60_000 },
  async () => {
    const harness = await Harness.start(server);
    const watcher = await watch();
    const kill = `select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'countersign/%'`;
    const idle = await harness.connect();
    idle.send(query('select 1'));
    await idle.receiveUntil();
    await watcher.ask(kill);
    assert.equal(errorFields((await idle.receiveUntil('E'))[0]!).get('C'), '57P01');
    await watcher.ask(`select pg_advisory_lock(${LOCK})`);
    const busy = await harness.connect();
    busy.send(
      all(
        run('insert into t values (1)'),
        run(`select pg_advisory_lock(${LOCK})`),
        run('insert into t values (2)'),
        sync(),
      ),
    );
    await until(() => watcher.ask(WAITS), '1');
    await watcher.ask(kill);
    const answer = await busy.receiveUntil('E');
    assert.equal(errorFields(answer.at(-1)!).get('C'), '57P01');
    await assert.rejects(busy.receive());
    await watcher.ask(`select pg_advisory_unlock(${LOCK})`);
    assert.equal(await watcher.ask('select count(*) from t'), '0');
    watcher.end();
    const { verdict, calls } = await harness.finish();
    assert.equal(verdict, 'VERIFIED');
    assert.deepEqual(
      calls.slice(-3).map(({ result }) => result?.['status']),
      ['ok', 'error', 'skipped'],
    );
  },
);

function takeOver(stream: RawSession['socket']): RawSession {
  for (const event of ['data', 'end', 'close', 'error']) stream.removeAllListeners(event);
  return RawSession.over(stream);
}

async function sendCancel(port: number, pid: number, key: number): Promise<void> {
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

test(
  'prepared texts are kept up to a limit; what is closed or deallocated makes room',
  { timeout: 60_000 },
  async () => {
    const harness = await Harness.start(server);
    const session = await harness.connect();
    const prepare = async (name: string): Promise<string> => {
      session.send(parse(name, `select 1 /* ${'x'.repeat(1_000_000)} */`), sync());
      const answer = await session.receiveUntil();
      const error = answer.find(({ type }) => type === 'E');
      return error === undefined ? shape(answer) : String(errorFields(error).get('C'));
    };
    const answers: string[] = [];
    while (answers.at(-1) !== '53400' && answers.length < 100) {
      answers.push(await prepare(`s${answers.length}`));
    }
    // 64 MiB, at 1,000,000 bytes and a little each.
    assert.deepEqual(answers, [...Array.from({ length: 67 }, () => '1Z'), '53400']);
    session.send(frame('C', Buffer.from('Ss0\0')), sync());
    await session.receiveUntil();
    assert.equal(await prepare('again'), '1Z');
    assert.equal(await prepare('more'), '53400');
    session.send(query('deallocate all'));
    await session.receiveUntil();
    assert.equal(await prepare('anew'), '1Z');
    session.end();
    assert.equal((await harness.finish()).verdict, 'VERIFIED');
  },
);

test(
  'texts that are prepared behind one another, without a Sync, meet the same limit, and it is over with the series',
  { timeout: 60_000 },
  async () => {
    const harness = await Harness.start(server);
    const session = await harness.connect();
    const text = `select 1 /* ${'x'.repeat(1_000_000)} */`;
    // All unnamed: each replaces the one before, but none is answered yet. The last good one stays, and counts later.
    for (const room of [67, 66, 66]) {
      for (let count = 0; count < 80; count++) session.send(parse('', text));
      session.send(sync());
      const answer = await session.receiveUntil();
      assert.equal(shape(answer), `${'1'.repeat(room)}EZ`);
      assert.equal(errorFields(answer.at(-2)!).get('C'), '53400');
    }
    session.send(run('select 2'), sync());
    assert.equal(shape(await session.receiveUntil()), '12DCZ');
    session.end();
    assert.equal((await harness.finish()).verdict, 'VERIFIED');
  },
);
