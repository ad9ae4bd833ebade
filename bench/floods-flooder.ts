/**
 * Floods a gateway in one way until SIGTERM, then prints how much it did: `floods-flooder.ts <kind> <port>`, with the password
 * of the principal `flood` in FLOOD_PASSWORD. A process of its own, started by `floods.ts` with `nice`.
 */

import { writeSync } from 'node:fs';
import { connect, Socket } from 'node:net';
import { Client } from 'pg';
import { encodeCancelRequest } from '../packages/gateway/src/postgres/wire/index.ts';
import { bind, execute, parse, query, RawSession, sync } from '../test/support/raw-session.ts';

/** Floods that need nobody to be known come from an address of their own: before authentication an address is all there is. */
const ELSEWHERE = '127.0.0.66';
const port = Number(process.argv[3]);
const endpoint = {
  host: '127.0.0.1',
  port,
  database: 'bank',
  user: 'flood',
  password: process.env['FLOOD_PASSWORD'] ?? '',
};
let events = 0;

function openSocket(): Socket {
  const socket = connect({ host: '127.0.0.1', port, localAddress: ELSEWHERE });
  socket.on('error', () => {});
  return socket;
}

const closed = (socket: Socket): Promise<void> =>
  new Promise((resolve) => socket.on('close', () => resolve()));

/** So many at a time, each again and again. */
function lanes(count: number, work: (lane: number) => Promise<void>): void {
  for (let lane = 0; lane < count; lane++) void again(() => work(lane));
}

async function again(work: () => Promise<void>): Promise<void> {
  for (;;) {
    try {
      await work();
      events += 1;
    } catch {
      events += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

/** node-postgres from another address. */
class SocketElsewhere extends Socket {
  // @ts-expect-error node-postgres calls it with a port and a host, and nothing else
  override connect(toPort: number, host: string): this {
    return super.connect({ port: toPort, host, localAddress: ELSEWHERE });
  }
}

async function logIn(user: string): Promise<void> {
  const client = new Client({ ...endpoint, user, password: 'a guess', stream: () => new SocketElsewhere() });
  client.on('error', () => {});
  try {
    await client.connect();
  } finally {
    void client.end().catch(() => {});
  }
}

/** Sessions that send a batch as soon as the one before is answered. */
function batches(sessions: number, perBatch: number, batch: () => Buffer): void {
  const run = async (): Promise<void> => {
    const session = await RawSession.connect(endpoint);
    let ready = 0;
    // Only ReadyForQuery counts; taking every message apart would make the flood slower than its victim.
    for (;;) {
      session.send(batch());
      ready = 0;
      while (ready < perBatch) {
        if ((await session.receive()).type === 'Z') {
          ready += 1;
          events += 1;
        }
      }
    }
  };
  for (let i = 0; i < sessions; i++) run().catch(() => {});
}

const repeat = (count: number, message: () => Buffer): Buffer =>
  Buffer.concat(Array.from({ length: count }, message));
const HUGE = query(`select 1 /* ${'x'.repeat(1_000_000)} */`);
/** The server stops at its second word; the gateway reads it all. */
const TOKENS = query(`x x ${'1,'.repeat(500_000)}`);
/** As many strings, each of which is read as a statement of its own. */
const STRINGS = query(`do x ${"'a' ".repeat(250_000)}`);
const PIPELINED = repeat(1000, () => query('select 1'));
const REFUSED = repeat(100, () => query('set session_replication_role = replica'));
let distinct = 0;

const KINDS: Readonly<Record<string, () => void>> = {
  connect: () =>
    lanes(64, () =>
      closed(
        openSocket().once('connect', function end(this: Socket) {
          this.destroy();
        }),
      ),
    ),
  silent: () => lanes(200, () => closed(openSocket())),
  slow: () =>
    lanes(200, async () => {
      const socket = openSocket();
      socket.write(Buffer.from([0, 0]));
      await closed(socket);
    }),
  passwords: () => lanes(16, () => logIn('flood')),
  names: () => lanes(16, () => logIn(`nobody${Math.floor(Math.random() * 1e9)}`)),
  refusals: () => batches(4, 100, () => REFUSED),
  huge: () => batches(8, 1, () => HUGE),
  tokens: () => batches(8, 1, () => TOKENS),
  strings: () => batches(8, 1, () => STRINGS),
  distinct: () =>
    batches(8, 100, () =>
      repeat(100, () =>
        Buffer.concat([parse('', `select ${distinct++}`), bind('', '', []), execute(), sync()]),
      ),
    ),
  pipelined: () => batches(8, 1000, () => PIPELINED),
  cancel: () =>
    lanes(64, async () => {
      const socket = openSocket();
      socket.end(encodeCancelRequest({ processId: 1, key: Buffer.alloc(4) }));
      await closed(socket);
    }),
};

// It also ends by itself, when its sessions were ended.
process.on('exit', () => void writeSync(1, `${events}\n`));
process.on('SIGTERM', () => process.exit(0));
const start = KINDS[process.argv[2] ?? ''];
if (start === undefined) throw new Error(`unknown kind; known: ${Object.keys(KINDS).join(', ')}`);
start();
