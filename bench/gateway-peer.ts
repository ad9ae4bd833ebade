/** Countersign as a peer, in its stages, and what it says of its own record. */

import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayFolder, GatewayProcess } from '../test/support/gateway-process.ts';
import type { Endpoint } from './pgbench.ts';
import type { PeerName } from './options.ts';
import type { RunningProxy } from './pgbouncer.ts';
import type { RecordFigures } from './results.ts';

const BENCH = import.meta.dirname;

/** The product is `countersign serve`; the other stages are programs of the benchmark. */
const PROGRAMS: Partial<Record<PeerName, string>> = { relay: join(BENCH, 'relay-only.ts') };
const FLAGS: Partial<Record<PeerName, readonly string[]>> = {
  relay: ['--import', join(BENCH, 'without-decisions.ts')],
  record: ['--import', join(BENCH, 'without-decisions.ts')],
};

export interface GatewayPeer extends RunningProxy {
  readonly gateway: GatewayProcess;
  readonly folder: GatewayFolder;
}

export async function startGatewayPeer(
  stage: PeerName,
  target: Endpoint,
  nodeFlags: readonly string[] = [],
): Promise<GatewayPeer> {
  const folder = await GatewayFolder.create({
    target: { port: target.port, database: target.database, user: target.user, password: target.password },
    // The defaults of the product, except for the threshold that a benchmark on a full disk would trip over.
    record: {},
  });
  const program = PROGRAMS[stage];
  const gateway = await GatewayProcess.start(folder, {
    ...(program === undefined ? {} : { program }),
    nodeFlags: [...nodeFlags, ...(FLAGS[stage] ?? [])],
  });
  return {
    pid: gateway.pid,
    endpoint: folder.endpoint(gateway.port),
    gateway,
    folder,
    async stop() {
      await gateway.stop();
      folder.remove();
    },
  };
}

export interface CommitSnapshot {
  readonly commits: number;
  readonly leaves: number;
  /** Cumulative counts by upper bound in seconds. */
  readonly buckets: ReadonlyMap<number, number>;
}

/** The recorder's counters and its latency histogram as they are now. */
export async function readCommits(gateway: GatewayProcess): Promise<CommitSnapshot> {
  const { body } = await gateway.get('metrics');
  const value = (name: string): number => Number(new RegExp(`^${name} (\\S+)$`, 'm').exec(body)?.[1] ?? 0);
  const buckets = new Map<number, number>();
  for (const found of body.matchAll(/^countersign_commit_latency_seconds_bucket\{le="([^"]+)"\} (\d+)$/gm)) {
    buckets.set(found[1] === '+Inf' ? Number.POSITIVE_INFINITY : Number(found[1]), Number(found[2]));
  }
  return { commits: value('countersign_commits_total'), leaves: value('countersign_leaves_total'), buckets };
}

/** Quantile of a histogram's difference, linear within its bucket, as Prometheus' `histogram_quantile`. µs. */
export function histogramQuantileUs(before: CommitSnapshot, after: CommitSnapshot, share: number): number {
  const bounds = [...after.buckets.keys()].sort((a, b) => a - b);
  const count = (bound: number): number => (after.buckets.get(bound) ?? 0) - (before.buckets.get(bound) ?? 0);
  const total = count(Number.POSITIVE_INFINITY);
  const rank = share * total;
  let lower = 0;
  let below = 0;
  for (const bound of bounds) {
    const upTo = count(bound);
    if (upTo >= rank && upTo > below) {
      return (
        (Number.isFinite(bound) ? lower + ((bound - lower) * (rank - below)) / (upTo - below) : lower) * 1e6
      );
    }
    lower = bound;
    below = upTo;
  }
  return Number.NaN;
}

export function recordFigures(before: CommitSnapshot, after: CommitSnapshot, seconds: number): RecordFigures {
  const commits = after.commits - before.commits;
  return {
    syncsPerSecond: commits / seconds,
    leavesPerSync: commits === 0 ? 0 : (after.leaves - before.leaves) / commits,
    commitP50Us: histogramQuantileUs(before, after, 0.5),
    commitP99Us: histogramQuantileUs(before, after, 0.99),
  };
}

function directoryBytes(directory: string): number {
  let bytes = 0;
  for (const entry of readdirSync(directory, { withFileTypes: true, recursive: true })) {
    if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name)).size;
  }
  return bytes;
}

export interface RecordSize {
  readonly log: number;
  readonly vault: number;
}

/** Waits until everything that is durable is in the log, then gives the size of log and vault. */
export async function recordSize(peer: GatewayPeer): Promise<RecordSize> {
  while ((await peer.gateway.metric('countersign_integration_lag_leaves')) > 0) await sleep(100);
  return {
    log: directoryBytes(join(peer.folder.stateDirectory, 'log')),
    vault: directoryBytes(join(peer.folder.stateDirectory, 'vault')),
  };
}
