/**
 * Memory: results and parameters far larger than what a gateway may hold. The gateway is a process of its own, whose peak
 * resident memory the kernel tells.
 */
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { GatewayFolder, GatewayProcess } from '../support/gateway-process.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { execute, frame, parse, query, RawSession, sync } from '../support/raw-session.ts';
import { readLeaves, verifyRecord } from '../support/record-view.ts';
import { startServer } from './harness.ts';

const MIB = 1 << 20;
const ALLOWED_GROWTH_BYTES = 120 * MIB;

let server: PostgresServer;
let folder: GatewayFolder;
let gateway: GatewayProcess;
before(async () => {
  server = await startServer();
  folder = await GatewayFolder.create({
    target: { port: server.port, database: 'postgres', user: server.user, password: server.password },
  });
  gateway = await GatewayProcess.start(folder);
});
after(async () => {
  await gateway.stop();
  folder.remove();
  await server.stop();
});

/** VmHWM or VmRSS of the gateway. */
function memory(field: 'VmHWM' | 'VmRSS'): number {
  const status = readFileSync(`/proc/${gateway.pid}/status`, 'utf8');
  return Number(new RegExp(`${field}:\\s+(\\d+) kB`).exec(status)?.[1]) * 1024;
}

/** Takes the socket over, counts the bytes of the answer, and gives its tail when ReadyForQuery has come. */
async function drain(session: RawSession): Promise<{ readonly bytes: number; readonly tail: Buffer }> {
  const socket = session.takeSocket();
  let bytes = 0;
  let tail = Buffer.alloc(0);
  for await (const chunk of socket as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    tail = Buffer.concat([tail, chunk]).subarray(-64);
    if (tail.subarray(-6).equals(Buffer.from('5a0000000549', 'hex'))) break;
  }
  return { bytes, tail };
}

async function connect(): Promise<RawSession> {
  return await RawSession.connect(folder.endpoint(gateway.port));
}

test('a result of 300 MB streams through', { timeout: 120_000 }, async () => {
  const session = await connect();
  const before = memory('VmRSS');
  session.send(query(`select repeat('x', 1000) from generate_series(1, 300000)`));
  const { bytes, tail } = await drain(session);
  assert.ok(bytes > 300e6);
  assert.ok(tail.includes('SELECT 300000'));
  assert.ok(
    memory('VmHWM') - before < ALLOWED_GROWTH_BYTES,
    `grew by ${(memory('VmHWM') - before) / MIB} MiB`,
  );
});

test('a single value of 256 MB streams through', { timeout: 120_000 }, async () => {
  const session = await connect();
  const before = memory('VmRSS');
  session.send(query(`select repeat('x', 256000000)`));
  const { bytes } = await drain(session);
  assert.ok(bytes > 256e6);
  assert.ok(
    memory('VmHWM') - before < ALLOWED_GROWTH_BYTES,
    `grew by ${(memory('VmHWM') - before) / MIB} MiB`,
  );
});

test('a parameter of 200 MB goes through the vault and arrives whole', { timeout: 120_000 }, async () => {
  const session = await connect();
  const before = memory('VmRSS');
  const size = 200 * MIB;
  const head = Buffer.alloc(1 + 1 + 2 + 2 + 2 + 4);
  head.writeInt16BE(1, 2); // one format
  head.writeInt16BE(1, 4); // binary
  head.writeInt16BE(1, 6); // one parameter
  head.writeInt32BE(size, 8);
  const tail = Buffer.alloc(2);
  const header = Buffer.alloc(5);
  header[0] = 0x42;
  header.writeInt32BE(4 + head.length + size + tail.length, 1);
  const { socket } = session;
  session.send(parse('', `select length($1::bytea), md5($1::bytea)`), header, head);
  const block = Buffer.alloc(MIB, 0xa5);
  for (let sent = 0; sent < size; sent += block.length) {
    if (!socket.write(block)) await once(socket, 'drain');
  }
  session.send(tail, execute(), sync());
  const answer = await session.receiveUntil();
  assert.equal(answer.map(({ type }) => type).join(''), '12DCZ', String(answer[1]?.body));
  assert.equal(answer[2]!.body.toString('utf8', 6, 6 + 9), String(size));
  assert.ok(
    memory('VmHWM') - before < ALLOWED_GROWTH_BYTES,
    `grew by ${(memory('VmHWM') - before) / MIB} MiB`,
  );
  session.end();
});

test('200 MB of COPY data stream in', { timeout: 120_000 }, async () => {
  const session = await connect();
  session.send(query('create temp table big(t text)'));
  await session.receiveUntil();
  const before = memory('VmRSS');
  session.send(query('copy big from stdin'));
  await session.receiveUntil('G');
  const rows = frame('d', Buffer.from(`${'y'.repeat(999)}\n`.repeat(1_000)));
  for (let sent = 0; sent < 200; sent++) {
    if (!session.socket.write(rows)) await once(session.socket, 'drain');
  }
  session.send(frame('c'));
  const answer = await session.receiveUntil();
  assert.ok(answer[0]!.body.includes('COPY 200000'));
  assert.ok(
    memory('VmHWM') - before < ALLOWED_GROWTH_BYTES,
    `grew by ${(memory('VmHWM') - before) / MIB} MiB`,
  );
  session.end();
});

test(
  'a client that does not read delays nobody, and its answer is not buffered',
  { timeout: 120_000 },
  async () => {
    const stalled = await connect();
    stalled.takeSocket().pause();
    const before = memory('VmRSS');
    stalled.socket.write(query(`select repeat('x', 1000) from generate_series(1, 300000)`));
    const other = await connect();
    for (let turn = 0; turn < 200; turn++) {
      other.send(query('select 1'));
      assert.equal((await other.receiveUntil()).length, 4);
    }
    other.end();
    assert.ok(memory('VmRSS') - before < ALLOWED_GROWTH_BYTES);
    stalled.destroy();
  },
);

test('all of it is on the record', { timeout: 60_000 }, async () => {
  await gateway.stop();
  const report = await verifyRecord(folder.stateDirectory);
  assert.equal(report.verdict, 'VERIFIED');
  const leaves = readLeaves(folder.stateDirectory);
  const intents = leaves.filter(({ type }) => type === 'call.intent');
  const results = new Map(
    leaves.filter(({ type }) => type === 'call.result').map((leaf) => [leaf['call'], leaf]),
  );
  const spooled = intents.find((leaf) => typeof leaf['message'] === 'string');
  assert.equal(results.get(spooled?.id)?.['status'], 'ok');
  const copy = intents.find((leaf) => leaf['kind'] === 'copy');
  assert.equal(results.get(copy?.id)?.['rows'], 200_000);
  assert.equal(typeof results.get(copy?.id)?.['copied'], 'string');
  assert.equal(intents.length, results.size);
});
