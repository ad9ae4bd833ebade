/** Results as Markdown: the same text goes to the terminal and to `docs/benchmarks.md`. */

import { PEERS } from './options.ts';
import type { PeerName } from './options.ts';
import { judge } from './results.ts';
import type { BulkMeasured, Measured, RecordFigures, Results } from './results.ts';

export interface Surroundings {
  readonly date: string;
  readonly machine: readonly string[];
  readonly versions: readonly string[];
  readonly command: string;
  readonly notes: readonly string[];
}

const TITLES: Readonly<Record<PeerName, string>> = {
  direct: 'direct',
  pgbouncer: 'PgBouncer',
  relay: 'relay only',
  record: '+ record',
  product: '+ decisions (the product)',
};

const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  return [
    line(head),
    `|${head.map((_, index) => (index === 0 ? '---' : '---:')).join('|')}|`,
    ...rows.map(line),
  ].join('\n');
}

const whole = (value: number | undefined): string =>
  value === undefined || !Number.isFinite(value) ? '–' : Math.round(value).toLocaleString('en-US');

const milliseconds = (us: number | undefined): string =>
  us === undefined || !Number.isFinite(us) ? '–' : (us / 1_000).toFixed(us < 10_000 ? 2 : 1);

type Row = Results['cells'][number];

const label = ({ cell }: Row): string => `${cell.workload}, ${cell.mode}, ${cell.clients}`;

function present(results: Results): PeerName[] {
  return PEERS.filter((peer) => results.cells.some((row) => row.peers[peer] !== undefined));
}

const shareOfPgbouncer = (measured: Measured | undefined, base: Measured | undefined): string => {
  if (measured === undefined) return '–';
  return base === undefined || base === measured
    ? whole(measured.tps)
    : `${whole(measured.tps)} (${(measured.tps / base.tps).toFixed(2)})`;
};

function throughput(results: Results): string {
  const peers = present(results);
  return table(
    ['script, protocol, clients', ...peers.map((peer) => TITLES[peer])],
    results.cells.map((row) => [
      label(row),
      ...peers.map((peer) => shareOfPgbouncer(row.peers[peer], row.peers.pgbouncer)),
    ]),
  );
}

function latency(results: Results): string {
  const peers = present(results);
  return table(
    ['script, protocol, clients', ...peers.map((peer) => TITLES[peer])],
    results.cells.map((row) => [
      label(row),
      ...peers.map((peer) => {
        const run = row.peers[peer];
        return run === undefined ? '–' : [run.p50, run.p99, run.p999].map(milliseconds).join(' / ');
      }),
    ]),
  );
}

const cpuCell = (row: Row, peer: PeerName): string => {
  const us = row.peers[peer]?.cpuPerStatementUs;
  const base = row.peers.pgbouncer?.cpuPerStatementUs;
  if (us === undefined) return '–';
  return peer === 'pgbouncer' || base === undefined
    ? us.toFixed(1)
    : `${us.toFixed(1)} (${(us / base).toFixed(2)})`;
};

function processor(results: Results): string {
  const peers = present(results).filter((peer) => peer !== 'direct');
  return table(
    ['script, protocol, clients', ...peers.map((peer) => TITLES[peer])],
    results.cells.map((row) => [label(row), ...peers.map((peer) => cpuCell(row, peer))]),
  );
}

const figures = (record: RecordFigures | undefined): string[] =>
  record === undefined
    ? ['–', '–', '–', '–']
    : [
        whole(record.syncsPerSecond),
        record.leavesPerSync.toFixed(1),
        milliseconds(record.commitP50Us),
        milliseconds(record.commitP99Us),
      ];

function recorder(results: Results): string {
  return table(
    ['script, protocol, clients', 'syncs/s', 'leaves per sync', 'commit p50 ms', 'commit p99 ms'],
    results.cells.map((row) => [label(row), ...figures(row.peers.product?.record)]),
  );
}

function bulk(results: Results): string {
  if (results.bulk === undefined) return 'Not measured in this run.';
  const { result, copy } = results.bulk;
  const peers = PEERS.filter((peer) => result[peer] !== undefined);
  const cell = (run: BulkMeasured | undefined, direct: BulkMeasured | undefined): string => {
    if (run === undefined) return '–';
    const share =
      direct === undefined || direct === run
        ? ''
        : ` (${(run.megabytesPerSecond / direct.megabytesPerSecond).toFixed(2)})`;
    return `${whole(run.megabytesPerSecond)} MB/s${share}`;
  };
  const peak = (run: BulkMeasured | undefined): string =>
    run?.peakRssBytes === undefined ? '–' : `${whole(run.peakRssBytes / 1e6)} MB`;
  return table(
    ['', ...peers.map((peer) => TITLES[peer])],
    [
      [
        `result of ${whole((result.direct?.bytes ?? 0) / 1e6)} MB`,
        ...peers.map((peer) => cell(result[peer], result.direct)),
      ],
      ['peak RSS of the proxy', ...peers.map((peer) => peak(result[peer]))],
      [
        `COPY of ${whole((copy.direct?.bytes ?? 0) / 1e6)} MB`,
        ...peers.map((peer) => cell(copy[peer], copy.direct)),
      ],
      ['peak RSS of the proxy', ...peers.map((peer) => peak(copy[peer]))],
    ],
  );
}

function disk(results: Results): string {
  if (results.disk === undefined) return 'Not measured in this run.';
  const { statements, logBytes, vaultBytes } = results.disk;
  const per = (bytes: number): string => whole(bytes / statements);
  return `${whole(statements)} statements of tpcb-like: ${per(logBytes)} B in the log and ${per(vaultBytes)} B in the vault each, ${per(logBytes + vaultBytes)} B together. The journal's reused segments are not counted.`;
}

export function render(results: Results, surroundings: Surroundings): string {
  const aims = judge(results);
  const met = aims.filter((aim) => aim.isMet).length;
  return `# Benchmarks

Written by \`${surroundings.command}\` on ${surroundings.date}. Do not edit: run it again.

${[...surroundings.machine, ...surroundings.versions].map((line) => `- ${line}`).join('\n')}

${surroundings.notes.map((line) => `- ${line}`).join('\n')}

## Aims

${met} of ${aims.length} met. What falls short stays here as it is; \`docs/performance.md\` says where the time goes.

${table(
  ['aim', 'wanted', 'measured', ''],
  aims.map((aim) => [aim.what, aim.aim, aim.measured, aim.isMet ? 'met' : '**short**']),
)}

## Transactions per second

In parentheses: share of PgBouncer's.

${throughput(results)}

## Latency of a transaction: p50 / p99 / p99.9, ms

${latency(results)}

## CPU of the proxy process per SQL statement, µs

All threads, user and system. In parentheses: multiple of PgBouncer's.

${processor(results)}

## The recorder during the product's runs

${recorder(results)}

Latency from the recorder's own histogram, interpolated within a bucket.

## Big result and COPY

${bulk(results)}

## Disk

${disk(results)}
`;
}
