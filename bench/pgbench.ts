/** One run of pgbench, with percentiles from its per-transaction log. */

import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { ProtocolMode, Workload } from './options.ts';

const run = promisify(execFile);

/** Where a client connects. The password travels in the environment, never in argv. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
}

export interface PgbenchRun {
  readonly transactions: number;
  readonly statements: number;
  readonly failed: number;
  /** Transactions per second without the time that connecting took, as pgbench prints it. */
  readonly tps: number;
  /** Latency of a transaction, µs. */
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

/** Statements in one transaction of pgbench's built-in scripts, `BEGIN` and `END` included. */
export const STATEMENTS_PER_TRANSACTION: Readonly<Record<Workload, number>> = {
  'select-only': 1,
  'tpcb-like': 7,
};

export function connectionEnvironment(endpoint: Endpoint): NodeJS.ProcessEnv {
  return {
    ...process.env,
    PGHOST: endpoint.host,
    PGPORT: String(endpoint.port),
    PGDATABASE: endpoint.database,
    PGUSER: endpoint.user,
    PGPASSWORD: endpoint.password,
    PGSSLMODE: 'disable',
    PGGSSENCMODE: 'disable',
  };
}

/** Creates pgbench's tables. Call it on the server itself, not through a peer. */
export async function initialise(endpoint: Endpoint, scale: number): Promise<void> {
  await run('pgbench', ['--initialize', '--quiet', `--scale=${scale}`], {
    env: connectionEnvironment(endpoint),
  });
}

/** Value below which `share` of a sorted list lies (nearest rank). */
export function percentile(sorted: Uint32Array, share: number): number {
  if (sorted.length === 0) return Number.NaN;
  const rank = Math.ceil(share * sorted.length) - 1;
  return sorted[Math.min(Math.max(rank, 0), sorted.length - 1)] ?? Number.NaN;
}

/** pgbench writes one file per thread: `client transaction latency_us script epoch us`. */
function readLatencies(directory: string): Uint32Array {
  const latencies: number[] = [];
  for (const name of readdirSync(directory)) {
    for (const line of readFileSync(join(directory, name), 'latin1').split('\n')) {
      const from = line.indexOf(' ', line.indexOf(' ') + 1) + 1;
      if (from > 0) latencies.push(Number.parseInt(line.slice(from), 10));
    }
  }
  return Uint32Array.from(latencies).sort();
}

export interface PgbenchSettings {
  readonly workload: Workload;
  readonly mode: ProtocolMode;
  readonly clients: number;
  readonly seconds: number;
}

/** Throws with pgbench's own words when it fails or when a transaction of it failed. */
export async function runPgbench(endpoint: Endpoint, settings: PgbenchSettings): Promise<PgbenchRun> {
  const directory = mkdtempSync(join(tmpdir(), 'countersign-bench-'));
  try {
    const { stdout } = await run(
      'pgbench',
      [
        '--no-vacuum',
        `--builtin=${settings.workload}`,
        `--protocol=${settings.mode}`,
        `--client=${settings.clients}`,
        `--jobs=1`,
        `--time=${settings.seconds}`,
        '--log',
        `--log-prefix=${join(directory, 'transactions')}`,
      ],
      { env: connectionEnvironment(endpoint), maxBuffer: 16 << 20 },
    );
    const transactions = Number(/number of transactions actually processed: (\d+)/.exec(stdout)?.[1]);
    const failed = Number(/number of failed transactions: (\d+)/.exec(stdout)?.[1] ?? 0);
    const tps = Number(/tps = ([\d.]+) \(without initial connection time\)/.exec(stdout)?.[1]);
    if (!Number.isFinite(transactions) || !Number.isFinite(tps))
      throw new Error(`pgbench printed no result:\n${stdout}`);
    if (failed > 0) throw new Error(`${failed} transactions failed in pgbench`);
    const sorted = readLatencies(directory);
    return {
      transactions,
      statements: transactions * STATEMENTS_PER_TRANSACTION[settings.workload],
      failed,
      tps,
      p50: percentile(sorted, 0.5),
      p99: percentile(sorted, 0.99),
      p999: percentile(sorted, 0.999),
    };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
