/** Cancel requests with the right key, many at once: the target hears of one, and nothing that comes later is hit. */

import assert from 'node:assert/strict';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { after, before, test } from 'node:test';
import { Client } from 'pg';
import { encodeCancelRequest } from '../../packages/gateway/src/postgres/wire/index.ts';
import { startTestPostgres } from '../support/postgres-server.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { Harness } from '../translator/harness.ts';

const CANCEL_REQUEST = 80_877_102;

let server: PostgresServer;
before(async () => {
  server = await startTestPostgres();
});
after(() => server.stop());

/** Passes connections on to the server; those that begin with a CancelRequest wait until they are let through. */
class CancelGate {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #held: (() => void)[] = [];
  cancels = 0;
  isOpen = false;

  private constructor(toPort: number) {
    // Who sends a CancelRequest says nothing more, and waits for the other side to close.
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      this.#keep(socket);
      socket.once('data', (first: Buffer) => {
        const pass = (): void => {
          const upstream = this.#keep(connect({ port: toPort, host: '127.0.0.1', allowHalfOpen: true }));
          upstream.write(first);
          socket.pipe(upstream).pipe(socket);
        };
        socket.pause();
        if (first.readInt32BE(4) !== CANCEL_REQUEST) pass();
        else {
          this.cancels += 1;
          if (this.isOpen) pass();
          else this.#held.push(pass);
        }
      });
    });
  }

  static async listen(toPort: number): Promise<CancelGate> {
    const gate = new CancelGate(toPort);
    await new Promise<void>((resolve) => gate.#server.listen(0, '127.0.0.1', resolve));
    return gate;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  open(): void {
    this.isOpen = true;
    for (const pass of this.#held.splice(0)) pass();
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    return socket;
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

/** What node-postgres has of its session's key. */
interface WithKey {
  readonly processID: number;
  readonly secretKey: number;
}

test('forty cancel requests for one command are one at the target', { timeout: 60_000 }, async () => {
  const gate = await CancelGate.listen(server.port);
  const harness = await Harness.start({ ...server, port: gate.port });
  const { gateway } = harness;
  const client = new Client(harness.endpoint);
  await client.connect();
  const { processID, secretKey } = client as unknown as WithKey;
  const key = Buffer.alloc(4);
  key.writeInt32BE(secretKey);
  let asked = 0;
  const ask = (): void => {
    asked += 1;
    const socket = connect(harness.endpoint.port, '127.0.0.1');
    socket.on('error', () => {});
    socket.end(encodeCancelRequest({ processId: processID, key }));
  };
  try {
    const running = assert.rejects(client.query('select pg_sleep(3600)'), { code: '57014' });
    await until(() => gateway.traffic.totals.commands > 0);
    // One that comes before the command has gone to the target goes nowhere.
    while (gate.cancels === 0) {
      ask();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    // While the first is on its way to the target, the others are one with it.
    for (let i = 1; i < 40; i++) ask();
    await until(() => gateway.cancels.counts.known === asked);
    assert.equal(gate.cancels, 1);
    gate.open();
    await running;
    const { rows } = await client.query('select 1 as one');
    assert.deepEqual(rows, [{ one: 1 }], 'the next command is not hit');
    assert.equal(gate.cancels, 1);
    // With nothing under way a cancel goes nowhere.
    ask();
    await until(() => gateway.cancels.counts.known === asked);
    assert.equal(gate.cancels, 1);
    // The next command can be cancelled like the first.
    const again = assert.rejects(client.query('select pg_sleep(3600)'), { code: '57014' });
    await until(() => gateway.traffic.totals.commands > 2);
    while (gate.cancels === 1) {
      ask();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    await again;
    await client.end();
    const record = await harness.finish();
    assert.equal(record.verdict, 'VERIFIED');
    assert.deepEqual(
      record.calls
        .filter(({ kind }) => kind === 'select')
        .slice(-3)
        .map(({ result }) => result?.['status']),
      ['cancelled', 'ok', 'cancelled'],
    );
  } finally {
    gate.close();
  }
});
