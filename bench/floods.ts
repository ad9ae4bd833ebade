/**
 * `npm run bench -- floods [--seconds N] [kind …]`: what each kind of flood does to other principals, to the record and to memory, on this machine.
 *
 * For each kind a fresh gateway: four sessions of a principal that must not notice send a query every few milliseconds, first alone, then
 * while a process of its own floods. Then the flooding principal's grant is taken away by SIGHUP while the flood goes on. Flooder, gateway, server and
 * clients share the machine; the flooder runs with `nice 19`, so that what is measured is the gateway and not the contest for the CPU.
 */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startPostgres } from '../test/support/postgres-server.ts';
import { EVERYTHING, GatewayFolder, GatewayProcess } from '../test/support/gateway-process.ts';
import { query, RawSession, type RawEndpoint } from '../test/support/raw-session.ts';
import { readMainThreadUs, readProcessCost, resetPeakRss } from './process-cost.ts';

export const KINDS = [
  'connect',
  'silent',
  'slow',
  'passwords',
  'names',
  'refusals',
  'huge',
  'tokens',
  'strings',
  'distinct',
  'pipelined',
  'cancel',
] as const;
const SESSIONS = 4;
const PAUSE_MS = 4;
/** The flood runs so long before anything is measured. */
const WARM_UP_SECONDS = 1.5;

interface Row {
  readonly kind: string;
  readonly quiet: Latency;
  readonly flooded: Latency;
  readonly eventsPerSecond: number;
  readonly leavesPerEvent: number;
  readonly recordBytesPerSecond: number;
  readonly peakRssMb: number;
  readonly connectMs: number;
  readonly revokeMs: number;
  /** CPU time of the data thread for one event of the flood, all its work for others included. */
  readonly dataThreadMs: number;
}

interface Latency {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
}

function latencyOf(samples: readonly number[]): Latency {
  const sorted = samples.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
  return { count: sorted.length, p50: at(0.5), p99: at(0.99) };
}

/** The configuration with a second principal, `flood`, that has the first one's password. */
function addFlooder(folder: GatewayFolder, withGrant: boolean, limits: string): void {
  const principal = `  - name: flood
    owner: Flood Team <flood@example.com>
    kind: service
    credential: file:tester.verifier
grants:
`;
  const grant = `  - id: flood
    principal: flood
    target: bank
    login: app
    expires: 2090-01-01
    scope: ${EVERYTHING}
`;
  const base = readFileSync(`${folder.configFile}.base`, 'utf8').replace('grants:\n', principal);
  writeFileSync(folder.configFile, `${base}${withGrant ? grant : ''}${limits}`);
}

/** Sends a query every few ms in each session until told to stop. */
class Victims {
  readonly #sessions: RawSession[] = [];

  static async connect(endpoint: RawEndpoint): Promise<Victims> {
    const victims = new Victims();
    for (let i = 0; i < SESSIONS; i++) victims.#sessions.push(await RawSession.connect(endpoint));
    return victims;
  }

  async measure(seconds: number): Promise<number[]> {
    const samples: number[] = [];
    const endAt = performance.now() + seconds * 1000;
    await Promise.all(
      this.#sessions.map(async (session) => {
        while (performance.now() < endAt) {
          const startedAt = performance.now();
          session.send(query('select 1'));
          await session.receiveUntil();
          samples.push(performance.now() - startedAt);
          await sleep(PAUSE_MS);
        }
      }),
    );
    return samples;
  }

  end(): void {
    for (const session of this.#sessions) session.end();
  }
}

interface Counters {
  readonly leaves: number;
  readonly bytes: number;
}

async function counters(gateway: GatewayProcess): Promise<Counters> {
  return {
    leaves: await gateway.metric('countersign_leaves_total'),
    bytes: await gateway.metric('countersign_journal_bytes_total'),
  };
}

/** How long one log-in takes, from an address that does not flood. */
async function timeToConnect(endpoint: RawEndpoint): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 5; i++) {
    const startedAt = performance.now();
    const session = await RawSession.connect(endpoint);
    times.push(performance.now() - startedAt);
    session.end();
  }
  return latencyOf(times).p50;
}

async function measureKind(kind: string, target: Target, seconds: number, limits: string): Promise<Row> {
  const folder = await GatewayFolder.create({ target, record: {} });
  writeFileSync(`${folder.configFile}.base`, readFileSync(folder.configFile, 'utf8'));
  addFlooder(folder, true, limits);
  const gateway = await GatewayProcess.start(folder);
  try {
    const endpoint = folder.endpoint(gateway.port);
    const victims = await Victims.connect(endpoint);
    const witness = await RawSession.connect({ ...endpoint, user: 'flood' });
    await victims.measure(1);
    const quiet = latencyOf(await victims.measure(seconds));
    const flooder = spawn(
      'nice',
      [
        '-n',
        '19',
        process.execPath,
        join(import.meta.dirname, 'floods-flooder.ts'),
        kind,
        String(gateway.port),
      ],
      { env: { ...process.env, FLOOD_PASSWORD: folder.password }, stdio: ['ignore', 'pipe', 'inherit'] },
    );
    let told = '';
    flooder.stdout.on('data', (chunk: Buffer) => (told += chunk.toString()));
    await victims.measure(WARM_UP_SECONDS);
    resetPeakRss(gateway.pid);
    const before = await counters(gateway);
    const startedAt = performance.now();
    const cpuBefore = readMainThreadUs(gateway.pid);
    const samples = await victims.measure(seconds);
    const cpuUs = readMainThreadUs(gateway.pid) - cpuBefore;
    const after = await counters(gateway);
    const elapsed = (performance.now() - startedAt) / 1000;
    const { peakRssBytes } = readProcessCost(gateway.pid);
    const connectMs = await timeToConnect(endpoint);
    const lost = new Promise<void>((resolve) => witness.socket.on('close', () => resolve()));
    addFlooder(folder, false, limits);
    const revokedAt = performance.now();
    gateway.child.kill('SIGHUP');
    await lost;
    const revokeMs = performance.now() - revokedAt;
    const ended = once(flooder, 'close');
    flooder.kill('SIGTERM');
    await ended;
    const total = (revokedAt + revokeMs - startedAt) / 1000 + WARM_UP_SECONDS;
    const eventsPerSecond = Number(told) / total;
    const leavesOfFlood = Math.max(0, (after.leaves - before.leaves - 2 * samples.length) / elapsed);
    victims.end();
    return {
      kind,
      quiet,
      flooded: latencyOf(samples),
      eventsPerSecond,
      leavesPerEvent: eventsPerSecond === 0 ? 0 : leavesOfFlood / eventsPerSecond,
      recordBytesPerSecond: (after.bytes - before.bytes) / elapsed,
      peakRssMb: peakRssBytes / 2 ** 20,
      connectMs,
      revokeMs,
      dataThreadMs: eventsPerSecond === 0 ? 0 : cpuUs / 1000 / elapsed / eventsPerSecond,
    };
  } finally {
    await gateway.kill();
    folder.remove();
  }
}

type Target = Parameters<typeof GatewayFolder.create>[0]['target'];

const ms = (value: number): string => value.toFixed(1);

function render(rows: readonly Row[], seconds: number, load: number): string {
  const lines = rows.map((row) => {
    const { quiet, flooded } = row;
    const cells = [
      row.kind,
      `${ms(quiet.p50)} / ${ms(quiet.p99)}`,
      `${ms(flooded.p50)} / ${ms(flooded.p99)}`,
      `${(flooded.p50 / quiet.p50).toFixed(1)} / ${(flooded.p99 / quiet.p99).toFixed(1)}`,
      ms(row.connectMs),
      String(Math.round(row.revokeMs)),
      row.eventsPerSecond.toFixed(row.eventsPerSecond < 100 ? 1 : 0),
      row.dataThreadMs.toFixed(3),
      row.leavesPerEvent.toFixed(3),
      (row.recordBytesPerSecond / 2 ** 20).toFixed(2),
      String(Math.round(row.peakRssMb)),
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    `${seconds} s per measurement, ${SESSIONS} other sessions with a pause of ${PAUSE_MS} ms, flooder at nice 19; load average before: ${load.toFixed(2)}.`,
    '',
    '| flood | others alone, p50 / p99 ms | under flood | ratio | log-in ms | revoked after ms | events/s | data thread ms per event | leaves per event | record MiB/s | peak RSS MB |',
    '|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|',
    ...lines,
    '',
  ].join('\n');
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    options: { seconds: { type: 'string', default: '4' }, limits: { type: 'string', default: '' } },
    allowPositionals: true,
  });
  const seconds = Number(values.seconds);
  const named = positionals.filter((word) => word !== 'floods');
  const kinds = named.length === 0 ? KINDS : named;
  const load = loadavg()[0] ?? 0;
  const server = await startPostgres({
    settings: { fsync: 'on', max_connections: '150', log_min_error_statement: 'panic' },
  });
  try {
    const { port, user, password } = server;
    const target: Target = { port, database: 'postgres', user, password };
    const rows: Row[] = [];
    for (const kind of kinds) {
      rows.push(await measureKind(kind, target, seconds, values.limits));
      process.stdout.write(`${render(rows.slice(-1), seconds, load).split('\n').at(-2)}\n`);
    }
    process.stdout.write(`\n${render(rows, seconds, load)}`);
  } finally {
    await server.stop();
  }
}

await main();
