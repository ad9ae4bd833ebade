/** What was measured, and the aims it is held against. */

import type { BulkRun } from './bulk.ts';
import type { PeerName, ProtocolMode, Workload } from './options.ts';
import type { PgbenchRun } from './pgbench.ts';

/** One workload, mode and client count. */
export interface Cell {
  readonly workload: Workload;
  readonly mode: ProtocolMode;
  readonly clients: number;
}

export interface Measured extends PgbenchRun {
  /** CPU of the proxy process per SQL statement, µs; absent for `direct`. */
  readonly cpuPerStatementUs?: number;
  readonly record?: RecordFigures;
}

/** From the gateway's own metrics, over one run. */
export interface RecordFigures {
  readonly syncsPerSecond: number;
  readonly leavesPerSync: number;
  /** Group-commit latency as the recorder's own histogram has it: upper bounds of the buckets, µs. */
  readonly commitP50Us: number;
  readonly commitP99Us: number;
}

export interface BulkMeasured extends BulkRun {
  readonly peakRssBytes?: number;
}

export interface Bulk {
  readonly result: Partial<Record<PeerName, BulkMeasured>>;
  readonly copy: Partial<Record<PeerName, BulkMeasured>>;
}

export interface DiskUse {
  readonly statements: number;
  readonly logBytes: number;
  readonly vaultBytes: number;
}

export interface Results {
  readonly cells: readonly { readonly cell: Cell; readonly peers: Partial<Record<PeerName, Measured>> }[];
  readonly bulk: Bulk | undefined;
  readonly disk: DiskUse | undefined;
}

/** The run in the middle by throughput; of two, the slower one. */
export function medianRun(runs: readonly Measured[]): Measured | undefined {
  const sorted = runs.toSorted((a, b) => a.tps - b.tps);
  return sorted[Math.floor((sorted.length - 1) / 2)];
}

export interface Aim {
  readonly what: string;
  readonly aim: string;
  readonly measured: string;
  readonly isMet: boolean;
}

const ratio = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined || b === 0 ? undefined : a / b;

/** Every aim once per cell that it speaks of; aims whose figures are missing are left out. */
export function judge(results: Results): Aim[] {
  const aims: Aim[] = [];
  for (const { cell, peers } of results.cells) {
    const { direct, pgbouncer, product } = peers;
    const name = `${cell.workload}, ${cell.mode}, ${cell.clients} client${cell.clients === 1 ? '' : 's'}`;
    const throughput = ratio(product?.tps, pgbouncer?.tps);
    if (cell.clients === 32 && throughput !== undefined) {
      aims.push({
        what: `throughput against PgBouncer: ${name}`,
        aim: '≥ 0.6',
        measured: throughput.toFixed(2),
        isMet: throughput >= 0.6,
      });
    }
    const cpu = ratio(product?.cpuPerStatementUs, pgbouncer?.cpuPerStatementUs);
    if (cell.clients === 32 && cpu !== undefined) {
      aims.push({
        what: `CPU against PgBouncer: ${name}`,
        aim: '≤ 2.2',
        measured: cpu.toFixed(2),
        isMet: cpu <= 2.2,
      });
    }
    if (
      cell.clients === 1 &&
      cell.workload === 'select-only' &&
      direct !== undefined &&
      product?.record !== undefined
    ) {
      const added = product.p50 - direct.p50;
      const allowed = product.record.commitP50Us + 100;
      aims.push({
        what: `added p50: ${name}`,
        aim: `≤ ${Math.round(allowed)} µs (recorder's p50 + 100 µs)`,
        measured: `${Math.round(added)} µs`,
        isMet: added <= allowed,
      });
    }
  }
  return [...aims, ...judgeBulk(results.bulk), ...judgeDisk(results.disk)];
}

function judgeBulk(bulk: Bulk | undefined): Aim[] {
  const aims: Aim[] = [];
  for (const [what, runs] of [
    ['result', bulk?.result],
    ['COPY', bulk?.copy],
  ] as const) {
    const speed = ratio(runs?.product?.megabytesPerSecond, runs?.direct?.megabytesPerSecond);
    if (speed !== undefined) {
      aims.push({
        what: `big ${what} against direct`,
        aim: '≥ 0.8',
        measured: speed.toFixed(2),
        isMet: speed >= 0.8,
      });
    }
    const peak = runs?.product?.peakRssBytes;
    if (peak !== undefined) {
      const mb = Math.round(peak / 1e6);
      aims.push({
        what: `peak RSS during the big ${what}`,
        aim: '< 200 MB',
        measured: `${mb} MB`,
        isMet: mb < 200,
      });
    }
  }
  return aims;
}

function judgeDisk(disk: DiskUse | undefined): Aim[] {
  if (disk === undefined) return [];
  const bytes = Math.round((disk.logBytes + disk.vaultBytes) / disk.statements);
  return [
    {
      what: 'disk per recorded pgbench statement',
      aim: '≤ 1,200 B',
      measured: `${bytes} B`,
      isMet: bytes <= 1_200,
    },
  ];
}
