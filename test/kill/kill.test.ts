/**
 * No effect without a record, even when the gateway is killed. `npm test` runs the short form; `npm run test:kill --
 * [--kills N] [--minutes N] [--seed N]` a longer one.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseArgs } from 'node:util';
import { runKillLoop } from './kill-loop.ts';
import type { KillReport } from './kill-loop.ts';

const CI_KILLS = 120;
/** A broken build shows itself in nearly every kill that meets traffic; on a machine with other work few of them do. */
const BROKEN_KILLS = 10;
const BROKEN_ROUNDS = 6;

const { values } = parseArgs({
  args: JSON.parse(process.env['COUNTERSIGN_KILL_OPTIONS'] ?? '[]') as string[],
  options: {
    long: { type: 'boolean', default: false },
    kills: { type: 'string' },
    minutes: { type: 'string' },
    seed: { type: 'string' },
  },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 0xffff_ffff));
const minutes =
  values.minutes === undefined
    ? values.long && values.kills === undefined
      ? 10
      : undefined
    : Number(values.minutes);
const kills =
  values.kills === undefined
    ? minutes === undefined
      ? CI_KILLS
      : Number.MAX_SAFE_INTEGER
    : Number(values.kills);

function describe(report: KillReport): string {
  const { violations, findings, ...counts } = report;
  const sample = violations.slice(0, 5).map((violation) => `\n  ${violation.kind}: ${violation.detail}`);
  return `${JSON.stringify(counts)}, ${violations.length} violations, ${findings.length} findings${[...sample, ...findings.slice(0, 5).map((text) => `\n  ${text}`)].join('')}`;
}

test('the real build: everything the target did is on the record', async (context) => {
  context.diagnostic(`seed ${seed}`);
  const report = await runKillLoop({
    build: 'real',
    seed,
    kills,
    ...(minutes === undefined ? {} : { minutes }),
    report: (text) => context.diagnostic(text),
  });
  context.diagnostic(describe(report));
  assert.deepEqual(report.violations.slice(0, 20), [], `seed ${seed}: ${describe(report)}`);
  assert.ok(
    report.verdict === 'VERIFIED' || report.verdict === 'VERIFIED-WITH-GAPS',
    `seed ${seed}: ${describe(report)}`,
  );
  // A run in which little happened would prove little.
  assert.ok(report.statements > report.kills && report.effects > report.kills, describe(report));
});

for (const build of ['forward-first', 'no-sync'] as const) {
  test(`the broken build '${build}' is caught`, async (context) => {
    let unrecorded: KillReport['violations'] = [];
    for (let round = 0; round < BROKEN_ROUNDS && unrecorded.length === 0; round++) {
      const report = await runKillLoop({ build, seed: seed + round, kills: BROKEN_KILLS });
      context.diagnostic(describe(report));
      unrecorded = report.violations.filter((violation) => violation.kind === 'statement');
    }
    assert.ok(
      unrecorded.length > 0,
      `seed ${seed}: the loop did not notice, so its other verdicts are worth nothing`,
    );
  });
}
