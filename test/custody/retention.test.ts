/** How long contents are kept: who may change it, what is due, and what the schedule erases by itself. */

import assert from 'node:assert/strict';
import { afterEach, test } from 'node:test';
import type { RetentionConfig } from '../../packages/gateway/src/config/config.ts';
import { TestSession } from '../../packages/gateway/src/record/record-fixture.ts';
import { privacy, Stage } from './custody-stage.ts';

let stage: Stage;

afterEach(async () => {
  await stage.close();
  stage.remove();
});

const keep = (keepDays: number, requireApproval = true): RetentionConfig => ({
  requireApproval,
  classes: [{ class: 'default', keepDays }],
});

/** Contents of January, and the time of another opening. */
async function january(retention: RetentionConfig, then: string): Promise<void> {
  stage = new Stage();
  stage.clock.set('2026-01-15T12:00:00Z');
  await stage.open({ retention });
  const session = new TestSession(stage.recorder);
  await session.run('select january');
  await session.close().durable();
  await stage.close();
  stage.clock.set(then);
  await stage.open({ retention });
}

const inForce = async (): Promise<unknown> => (await stage.desk.status()).retention;

test('the configured time counts, longer at once, shorter only with officers', async () => {
  stage = await new Stage().open({ retention: keep(30) });
  assert.deepEqual(await inForce(), [{ class: 'default', keepDays: 30 }]);
  for (const [days, expected] of [
    [60, 60],
    [10, 60],
  ] as const) {
    stage.desk = stage.makeDesk({ retention: keep(days) });
    await stage.desk.start();
    assert.deepEqual(await inForce(), [{ class: 'default', keepDays: expected }]);
  }
  assert.deepEqual((await stage.desk.status()).proposals, [
    'class default: 10 days are configured, kept 60 days',
  ]);
  const alone = stage.request('set-retention', { class: 'default', keep_days: 10 });
  await assert.rejects(stage.desk.submit(alone.document, stage.approve(alone, privacy)), /refused/);
  await stage.submit('set-retention', { class: 'default', keep_days: 10 });
  assert.deepEqual(await inForce(), [{ class: 'default', keepDays: 10 }]);
  // A class without limit is kept for ever: to limit it later is to shorten it.
  const more = { requireApproval: true, classes: [{ class: 'other', keepDays: 1 }] };
  stage.desk = stage.makeDesk({ retention: more });
  await stage.desk.start();
  assert.deepEqual(await inForce(), [{ class: 'default', keepDays: 10 }]);
  assert.equal((await stage.verify()).verdict, 'VERIFIED');
});

test('a month is due when it is over and its days have passed, not earlier', async () => {
  await january(keep(30), '2026-03-02T12:00:00Z');
  assert.deepEqual((await stage.desk.status()).due, []);
  await stage.close();
  stage.clock.set('2026-03-03T12:00:00Z');
  await stage.open({ retention: keep(30) });
  const { due } = await stage.desk.status();
  assert.deepEqual(
    due.map((each) => [each.class, each.period, each.dueSinceUs]),
    [['default', '2026-01', Date.parse('2026-03-03T00:00:00Z') * 1000]],
  );
  // Where officers approve each disposal, the schedule does nothing.
  assert.deepEqual(await stage.desk.runSchedule(), []);
  await stage.submit('erase', { kind: 'period', class: 'default', period: '2026-01' });
  assert.deepEqual((await stage.desk.status()).due, []);
});

test('where the officers let it, the schedule erases what is due and nothing that is held', async () => {
  await january(keep(30, false), '2026-04-02T12:00:00Z');
  const request = stage.request('place-hold', { kind: 'period', period: '2026-01' });
  const placed = await stage.desk.submit(request.document, stage.approve(request, privacy));
  assert.deepEqual(await stage.desk.runSchedule(), []);
  await stage.submit('release-hold', placed as { hold: string });
  const [report, ...others] = await stage.desk.runSchedule();
  assert.ok(report!.contents > 0 && others.length === 0);
  assert.deepEqual(await stage.desk.runSchedule(), []);
  const [started] = await stage.leaves('erasure.started');
  assert.equal(started!['authority'], 'schedule');
  const verified = await stage.verify();
  assert.equal(verified.verdict, 'DISPOSED', JSON.stringify(verified.findings));
});

test('that the schedule may erase by itself is not for configuration to decide later', async () => {
  await january(keep(30, true), '2026-04-02T12:00:00Z');
  stage.desk = stage.makeDesk({ retention: keep(30, false) });
  await stage.desk.start();
  assert.deepEqual(await stage.desk.runSchedule(), []);
  assert.deepEqual((await stage.desk.status()).proposals, ['the configured officers are not those in force']);
});
