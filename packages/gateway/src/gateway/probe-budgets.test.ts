import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';

import { isCountersignError } from '../errors.ts';
import type { ProbeAsk, ProbeClaim, Spending } from '../masking/probe-budget.ts';
import { writeFaultControl } from '../record/journal/faulty-file-layer.ts';
import { periodStart, ProbeBudgets, type ProbeBudgetsOptions } from './probe-budgets.ts';

const KEY = Buffer.alloc(32, 7);
const NOON = Date.UTC(2026, 10, 23, 12);
const HOUR = 3_600_000;

let stateDirectory: string;
let opened: ProbeBudgets[];

beforeEach(() => {
  stateDirectory = mkdtempSync(join(tmpdir(), 'countersign-probes-'));
  opened = [];
});

afterEach(async () => {
  writeFaultControl(join(stateDirectory, 'faults.json'), undefined);
  for (const budgets of opened) await budgets.close();
  rmSync(stateDirectory, { recursive: true, force: true });
});

const probesFile = (): string => join(stateDirectory, 'masking', 'probes');

async function open(change: Partial<ProbeBudgetsOptions> = {}): Promise<ProbeBudgets> {
  const budgets = await ProbeBudgets.open({
    stateDirectory,
    key: KEY,
    timeoutMs: 60_000,
    now: () => NOON,
    ...change,
  });
  opened.push(budgets);
  return budgets;
}

const ask = (values: ProbeAsk['values'], change: Partial<ProbeAsk> = {}): ProbeAsk => ({
  class: 'ssn',
  period: 'day',
  limit: 10,
  values,
  ...change,
});

/** `[used, fresh]` of each. */
const counted = ({ counts }: ProbeClaim): readonly (readonly number[])[] =>
  counts.map(({ used, fresh }) => [used, fresh]);

function settled(spending: Spending | undefined): Promise<Error | undefined> {
  return new Promise((resolve) => {
    if (spending === undefined) resolve(undefined);
    else spending.onDurable(resolve);
  });
}

async function spend(budgets: ProbeBudgets, asks: readonly ProbeAsk[], owner = 'Team'): Promise<ProbeClaim> {
  const claim = budgets.of(owner).claim(asks);
  assert.equal(await settled(claim.spend()), undefined);
  return claim;
}

test('a value counts once for its owner, class and period', async () => {
  const budgets = await open();
  assert.deepEqual(counted(await spend(budgets, [ask(['1', '2', '1'])])), [[0, 2]]);
  assert.deepEqual(counted(await spend(budgets, [ask(['2', '3'])])), [[2, 1]]);
  assert.deepEqual(counted(await spend(budgets, [ask(['1'], { class: 'email' })])), [[0, 1]]);
  assert.deepEqual(counted(await spend(budgets, [ask(['1'], { period: 'month' })])), [[0, 1]]);
  assert.deepEqual(counted(await spend(budgets, [ask(['1'])], 'Other team')), [[0, 1]]);
  assert.deepEqual(counted(await spend(budgets, [ask(['1']), ask(['1'], { class: 'email' })])), [
    [3, 0],
    [1, 0],
  ]);
});

test('what is not known counts each time', async () => {
  const budgets = await open();
  assert.deepEqual(counted(await spend(budgets, [ask([undefined, undefined])])), [[0, 2]]);
  assert.deepEqual(counted(await spend(budgets, [ask([undefined])])), [[2, 1]]);
});

test('more than is left exceeds, and what is claimed is not spent', async () => {
  const budgets = await open();
  await spend(budgets, [ask(['1', '2'])]);
  const claim = (asks: readonly ProbeAsk[]): ProbeClaim => budgets.of('Team').claim(asks);
  assert.equal(claim([ask(['3'], { limit: 2 })]).exceeds, true);
  assert.equal(claim([ask(['1', '2'], { limit: 2 })]).exceeds, false);
  assert.equal(claim([ask(['3'], { limit: 3 })]).exceeds, false);
  assert.deepEqual(counted(claim([ask(['3'])])), [[2, 1]]);
});

test('it survives restarts, and no value and no owner is in the file', async () => {
  await spend(await open(), [ask(['123-45-6789', '987-65-4321'])]);
  const text = readFileSync(probesFile(), 'utf8');
  assert.doesNotMatch(text, /6789|4321|Team/);
  assert.equal(statSync(probesFile()).mode & 0o777, 0o600);
  const next = await open();
  assert.deepEqual(counted(next.of('Team').claim([ask(['123-45-6789', '1'])])), [[2, 1]]);
});

test('under another masking key the values of before are not known again, and count', async () => {
  await spend(await open(), [ask(['1', '2'])]);
  const next = await open({ key: Buffer.alloc(32, 8) });
  assert.deepEqual(counted(next.of('Team').claim([ask(['1'])])), [[2, 1]]);
});

test('a period ends by the calendar, and a clock that is set back opens none again', async () => {
  let now = NOON;
  const budgets = await open({ now: () => now });
  await spend(budgets, [ask(['1']), ask(['1'], { class: 'email', period: 'hour' })]);
  now += HOUR;
  assert.deepEqual(
    counted(await spend(budgets, [ask(['1']), ask(['2'], { class: 'email', period: 'hour' })])),
    [
      [1, 0],
      [0, 1],
    ],
  );
  now = NOON;
  assert.deepEqual(counted(budgets.of('Team').claim([ask(['1'], { class: 'email', period: 'hour' })])), [
    [1, 1],
  ]);
  now += 24 * HOUR;
  assert.deepEqual(counted(budgets.of('Team').claim([ask(['1'])])), [[0, 1]]);
});

test('what is over is gone from the file with the next start', async () => {
  await spend(await open(), [ask(['1'])]);
  assert.notEqual(readFileSync(probesFile(), 'utf8'), '');
  await open({ now: () => NOON + 24 * HOUR });
  assert.equal(readFileSync(probesFile(), 'utf8'), '');
});

test('periods begin with the hour, the day, Monday and the month, in UTC', () => {
  const sunday = Date.UTC(2026, 10, 1, 23, 59);
  const starts = (['hour', 'day', 'week', 'month'] as const).map((period) => periodStart(period, sunday));
  assert.deepEqual(starts, ['2026-11-01T23', '2026-11-01', '2026-10-26', '2026-11']);
  assert.equal(periodStart('week', Date.UTC(2026, 10, 2)), '2026-11-02');
});

test('a torn last line was told to nobody and is dropped; a damaged one before it stops the start', async () => {
  await spend(await open(), [ask(['1'])]);
  appendFileSync(probesFile(), '00000000 ["half');
  const next = await open();
  assert.deepEqual(counted(next.of('Team').claim([ask(['1', '2'])])), [[1, 1]]);
  writeFileSync(probesFile(), `x${readFileSync(probesFile(), 'utf8')}`);
  await assert.rejects(open(), (error) => isCountersignError(error, 'CS_RECORD_CORRUPT'));
});

const faulty = (): Partial<ProbeBudgetsOptions> => ({
  faults: { controlFile: join(stateDirectory, 'faults.json') },
});

for (const call of ['write', 'sync'] as const) {
  test(`a ${call} that fails refuses the command; the value stays spent, and waits for the next try`, async () => {
    const budgets = await open(faulty());
    writeFaultControl(join(stateDirectory, 'faults.json'), { calls: [call], path: 'masking', fail: 'EIO' });
    const claim = budgets.of('Team').claim([ask(['1'])]);
    const error = await settled(claim.spend());
    assert.ok(isCountersignError(error, 'CS_RECORD_FAILED'));
    // The same value again: nothing is new, and it is not on disk all the same.
    const again = budgets.of('Team').claim([ask(['1'])]);
    assert.deepEqual(counted(again), [[1, 0]]);
    assert.ok(isCountersignError(await settled(again.spend()), 'CS_RECORD_FAILED'));
    writeFaultControl(join(stateDirectory, 'faults.json'), undefined);
    assert.equal(
      await settled(
        budgets
          .of('Team')
          .claim([ask(['1'])])
          .spend(),
      ),
      undefined,
    );
    await spend(budgets, [ask(['2'])]);
    const next = await open();
    assert.deepEqual(counted(next.of('Team').claim([ask(['1', '2', '3'])])), [[2, 1]]);
  });
}

test('a disk that stands still refuses in bounded time, and goes on when it can', async () => {
  const budgets = await open({ ...faulty(), timeoutMs: 50 });
  writeFaultControl(join(stateDirectory, 'faults.json'), { calls: ['sync'], path: 'masking', stall: true });
  const error = await settled(
    budgets
      .of('Team')
      .claim([ask(['1'])])
      .spend(),
  );
  assert.ok(isCountersignError(error, 'CS_RECORD_TIMEOUT'));
  writeFaultControl(join(stateDirectory, 'faults.json'), undefined);
  await budgets.close();
  const next = await open();
  assert.deepEqual(counted(next.of('Team').claim([ask(['1', '2'])])), [[1, 1]]);
});

test('a value that is on its way to the disk for another command is waited for', async () => {
  const budgets = await open();
  const claim = (asks: readonly ProbeAsk[]): ProbeClaim => budgets.of('Team').claim(asks);
  const first = claim([ask(['1'])]).spend();
  const second = claim([ask(['1'])]).spend();
  assert.equal(first?.isDurable, false);
  assert.equal(second?.isDurable, false);
  assert.deepEqual(await Promise.all([settled(first), settled(second)]), [undefined, undefined]);
  assert.equal(claim([ask(['1'])]).spend(), undefined);
});
