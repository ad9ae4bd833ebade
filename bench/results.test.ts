import assert from 'node:assert/strict';
import { test } from 'node:test';
import { histogramQuantileUs } from './gateway-peer.ts';
import type { CommitSnapshot } from './gateway-peer.ts';
import { parseOptions } from './options.ts';
import { percentile } from './pgbench.ts';
import { judge } from './results.ts';
import type { Measured, Results } from './results.ts';

const measured = (changes: Partial<Measured>): Measured => ({
  transactions: 1,
  statements: 1,
  failed: 0,
  tps: 100,
  p50: 100,
  p99: 200,
  p999: 300,
  ...changes,
});

const snapshot = (...counts: readonly number[]): CommitSnapshot => ({
  commits: 0,
  leaves: 0,
  buckets: new Map(
    [0.0001, 0.0002, Number.POSITIVE_INFINITY].map((bound, index) => [bound, counts[index] ?? 0]),
  ),
});

test('percentiles are nearest ranks', () => {
  const sorted = Uint32Array.from({ length: 100 }, (_, index) => index + 1);
  assert.equal(percentile(sorted, 0.5), 50);
  assert.equal(percentile(sorted, 0.99), 99);
  assert.equal(percentile(sorted, 0.999), 100);
  assert.ok(Number.isNaN(percentile(new Uint32Array(), 0.5)));
});

test('a quantile of the commit histogram counts only what came between two readings', () => {
  // 10 in the first bucket, 10 in the second: the median is the first bound, three quarters lie in the middle of the second.
  const before = snapshot(1_000, 1_000, 1_000);
  assert.equal(Math.round(histogramQuantileUs(before, snapshot(1_010, 1_020, 1_020), 0.5)), 100);
  assert.equal(Math.round(histogramQuantileUs(before, snapshot(1_010, 1_020, 1_020), 0.75)), 150);
  assert.ok(Number.isNaN(histogramQuantileUs(before, before, 0.5)));
});

test('every aim is judged by its own limit, and what falls short says so', () => {
  const results: Results = {
    cells: [
      {
        cell: { workload: 'select-only', mode: 'simple', clients: 32 },
        peers: {
          pgbouncer: measured({ tps: 100, cpuPerStatementUs: 10 }),
          product: measured({ tps: 59, cpuPerStatementUs: 22 }),
        },
      },
      {
        cell: { workload: 'select-only', mode: 'simple', clients: 1 },
        peers: {
          direct: measured({ p50: 100 }),
          product: measured({
            p50: 350,
            record: { syncsPerSecond: 1, leavesPerSync: 1, commitP50Us: 150, commitP99Us: 300 },
          }),
        },
      },
    ],
    bulk: {
      result: {
        direct: { bytes: 1, seconds: 1, megabytesPerSecond: 100 },
        product: { bytes: 1, seconds: 1, megabytesPerSecond: 79, peakRssBytes: 250e6 },
      },
      copy: {},
    },
    disk: { statements: 10, logBytes: 8_000, vaultBytes: 4_000 },
  };
  assert.deepEqual(
    judge(results).map(({ measured: value, isMet }) => [value, isMet]),
    [
      ['0.59', false],
      ['2.20', true],
      ['250 µs', true],
      ['0.79', false],
      ['250 MB', false],
      ['1200 B', true],
    ],
  );
});

test('options: defaults, choices, and words that are not known', () => {
  assert.deepEqual(parseOptions([])?.clients, [1, 8, 32]);
  assert.deepEqual(parseOptions(['--peers', 'direct,product'])?.peers, ['direct', 'product']);
  assert.throws(() => parseOptions(['--modes', 'simpel']), /unknown mode/);
  assert.equal(parseOptions(['--help']), undefined);
});
