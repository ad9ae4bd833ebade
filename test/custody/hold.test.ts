/** What is held is not erased: every kind of hold against every kind of erasure. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { CanonicalObject } from 'countersign-verify';
import { TestSession } from '../../packages/gateway/src/record/record-fixture.ts';
import { privacy, records, Stage } from './custody-stage.ts';

let stage: Stage;
let first: TestSession;
let second: TestSession;

beforeEach(async () => {
  stage = new Stage();
  stage.clock.set('2026-01-15T12:00:00Z');
  await stage.open();
  first = new TestSession(stage.recorder);
  await first.run('select first');
  await first.close().durable();
  second = new TestSession(stage.recorder);
  await second.run('select second');
  await second.close().durable();
  await stage.close();
  stage.clock.set('2026-03-02T12:00:00Z');
  await stage.open();
});

afterEach(async () => {
  await stage.close();
  stage.remove();
});

async function place(scope: CanonicalObject): Promise<string> {
  const request = stage.request('place-hold', scope);
  const { hold } = (await stage.desk.submit(request.document, stage.approve(request, privacy))) as {
    hold: string;
  };
  return hold;
}

const JANUARY = { kind: 'period', class: 'default', period: '2026-01' };
const JANUARY_15 = Date.parse('2026-01-15T00:00:00Z') * 1000;

const HOLDS: readonly (readonly [string, () => CanonicalObject, boolean])[] = [
  ['everything', () => ({ kind: 'all' }), true],
  ['the month', () => ({ kind: 'period', period: '2026-01' }), true],
  ['the class', () => ({ kind: 'period', class: 'default' }), true],
  ['another month', () => ({ kind: 'period', period: '2026-02' }), false],
  ['another class', () => ({ kind: 'period', class: 'other', period: '2026-01' }), false],
  ['a session of it', () => ({ kind: 'session', session: first.id }), true],
  ['the principal of its sessions', () => ({ kind: 'principal', principal: 'alice' }), true],
  ['another principal', () => ({ kind: 'principal', principal: 'bob' }), false],
  ['its day', () => ({ kind: 'time', from_us: JANUARY_15, to_us: JANUARY_15 + 86_400_000_000 }), true],
  [
    'the day before',
    () => ({ kind: 'time', from_us: JANUARY_15 - 86_400_000_000, to_us: JANUARY_15 }),
    false,
  ],
];

for (const [what, scope, isHeld] of HOLDS) {
  test(`a hold on ${what} ${isHeld ? 'keeps' : 'does not keep'} a month from being erased`, async () => {
    const hold = await place(scope());
    if (!isHeld) {
      await stage.submit('erase', JANUARY);
      return;
    }
    await assert.rejects(
      stage.submit('erase', JANUARY),
      (error: { code?: string; detail?: string }) =>
        error.code === 'CS_CONTENTS_HELD' && error.detail === `held by ${hold}`,
    );
    const [refused] = await stage.leaves('custody.refused');
    assert.deepEqual([refused!['cause'], refused!['holds']], ['held', [hold]]);
    assert.equal((await stage.leaves('erasure.started')).length, 0);
    assert.notEqual((await stage.verify()).verdict, 'DISPOSED');
  });
}

test('a hold outlives a restart, ends when two release it, and one cannot', async () => {
  const hold = await place({ kind: 'session', session: first.id });
  await stage.close();
  await stage.open();
  assert.deepEqual(
    (await stage.desk.status()).holds.map((each) => each.hold),
    [hold],
  );
  await assert.rejects(stage.submit('erase', JANUARY), /held/);
  const release = stage.request('release-hold', { hold });
  await assert.rejects(stage.desk.submit(release.document, stage.approve(release, records)), /refused/);
  await stage.desk.submit(release.document, stage.approve(release, records, privacy));
  await assert.rejects(stage.submit('release-hold', { hold }), /refused/);
  await stage.submit('erase', JANUARY);
  const report = await stage.verify();
  assert.equal(report.verdict, 'DISPOSED', JSON.stringify(report.findings));
});

test('a hold that comes between the approval of an erasure and its execution wins', async () => {
  const request = stage.request('erase', JANUARY);
  const approvals = stage.approve(request, records, privacy);
  // Both at once: whichever is taken first, nothing that is held goes afterwards.
  const placed = place({ kind: 'all' });
  const erased = stage.desk.submit(request.document, approvals);
  await placed;
  await assert.rejects(erased, /held/);
  // Refused is not used: it can be carried out when the hold has gone.
  const [hold] = (await stage.desk.status()).holds;
  await stage.submit('release-hold', { hold: hold!.hold });
  await stage.desk.submit(request.document, approvals);
});

test('readings of what is held work', async () => {
  await place({ kind: 'all' });
  const session = new TestSession(stage.recorder);
  await session.run('select third');
  await session.close().durable();
  await stage.verify();
  const texts: string[] = [];
  for await (const { bytes } of stage.recorder.readPayloads(0, stage.recorder.health().durableJseq))
    texts.push(bytes?.toString('latin1') ?? '');
  assert.ok(texts.includes('select third'));
});
