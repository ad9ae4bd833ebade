/** One big result and one big COPY through a peer, with a client that costs as little as possible. */

import { once } from 'node:events';
import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { copyDone, frame, query, RawSession } from '../test/support/raw-session.ts';
import type { Endpoint } from './pgbench.ts';

export interface BulkRun {
  readonly bytes: number;
  readonly seconds: number;
  /** 10^6 bytes of payload per second. */
  readonly megabytesPerSecond: number;
}

const ROW_BYTES = 1_000;
const COPY_CHUNK_BYTES = 64 * 1024;

const finished = (bytes: number, startedAt: number): BulkRun => {
  const seconds = (performance.now() - startedAt) / 1_000;
  return { bytes, seconds, megabytesPerSecond: bytes / 1e6 / seconds };
};

/**
 * Reads until the connection is quiet behind a ReadyForQuery. Only the last six bytes are looked at: `Z`, length 5
 * and `I`. The filler of the rows holds no such bytes.
 */
export async function drainUntilReady(socket: Socket): Promise<number> {
  let received = 0;
  let tail = Buffer.alloc(0);
  return await new Promise<number>((resolve, reject) => {
    const onData = (chunk: Buffer): void => {
      received += chunk.length;
      tail = Buffer.concat([tail.subarray(-5), chunk.subarray(-6)]).subarray(-6);
      if (tail.length === 6 && tail[0] === 0x5a && tail.readInt32BE(1) === 5 && tail[5] === 0x49) {
        socket.off('data', onData);
        resolve(received);
      }
    };
    socket.on('data', onData);
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('the connection closed in the middle of the answer')));
    socket.resume();
  });
}

/** Rows of 1,000 bytes made by the server on the fly; the client counts and discards them. */
export async function runBigResult(endpoint: Endpoint, bytes: number): Promise<BulkRun> {
  const session = await RawSession.connect(endpoint);
  const socket = session.takeSocket();
  const rows = Math.ceil(bytes / ROW_BYTES);
  const startedAt = performance.now();
  // A set-returning function in the select list streams; in FROM it would first be written to a temporary file.
  socket.write(query(`select repeat('x', ${ROW_BYTES}), generate_series(1, ${rows})`));
  const received = await drainUntilReady(socket);
  const run = finished(rows * ROW_BYTES, startedAt);
  socket.destroy();
  if (received < rows * ROW_BYTES) throw new Error(`only ${received} of ${rows * ROW_BYTES} bytes came back`);
  return run;
}

async function writeCopyData(socket: Socket, bytes: number): Promise<number> {
  const line = `${'x'.repeat(ROW_BYTES - 1)}\n`;
  const lines = Math.floor(COPY_CHUNK_BYTES / line.length);
  const chunk = frame('d', Buffer.from(line.repeat(lines)));
  let rows = 0;
  for (let sent = 0; sent < bytes; sent += lines * line.length) {
    rows += lines;
    if (!socket.write(chunk)) await once(socket, 'drain');
  }
  return rows;
}

/** COPY into an unlogged table that is emptied before and after, so that the server's own log costs the least. */
export async function runBigCopy(endpoint: Endpoint, bytes: number): Promise<BulkRun> {
  const session = await RawSession.connect(endpoint);
  const command = async (text: string): Promise<void> => {
    session.send(query(text));
    const answer = await session.receiveUntil();
    if (answer.some((message) => message.type === 'E')) throw new Error(`refused: ${text}`);
  };
  await command('create unlogged table if not exists bench_copy (line text)');
  await command('truncate bench_copy');
  session.send(query('copy bench_copy from stdin'));
  await session.receiveUntil('GE');
  const startedAt = performance.now();
  const rows = await writeCopyData(session.socket, bytes);
  session.send(copyDone());
  const answer = await session.receiveUntil();
  const run = finished(rows * ROW_BYTES, startedAt);
  const complete = answer.find((message) => message.type === 'C')?.body.toString('latin1');
  if (complete !== `COPY ${rows}\0`)
    throw new Error(`COPY answered ${complete ?? 'an error'}, not COPY ${rows}`);
  await command('truncate bench_copy');
  session.end();
  return run;
}
