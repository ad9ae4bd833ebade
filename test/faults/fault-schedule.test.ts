import assert from 'node:assert/strict';
import { test } from 'node:test';
import { runSchedule } from './fault-schedule.ts';

const seed = Math.floor(Math.random() * 0x7fff_ffff);

test('a disk that fails at random under load, and kills: everything the target did is on the record', async (context) => {
  context.diagnostic(`seed ${seed}`);
  const report = await runSchedule({ seed, faults: 24 });
  context.diagnostic(JSON.stringify({ ...report, violations: report.violations.length }));
  assert.deepEqual(report.violations.slice(0, 10), [], `seed ${seed}`);
  assert.ok(
    report.hits > 3 && report.statements > 50,
    `seed ${seed}: too little happened: ${JSON.stringify(report)}`,
  );
});
