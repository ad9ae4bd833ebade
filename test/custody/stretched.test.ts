/** What a gateway could try under cover of officers who approved something smaller, or earlier, or nothing at all. */

import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';
import { TestSession } from '../../packages/gateway/src/record/record-fixture.ts';
import { uuidv7 } from '../../packages/gateway/src/record/random.ts';
import { privacy, records, Stage } from './custody-stage.ts';

let stage: Stage;

beforeEach(() => {
  stage = new Stage();
});

afterEach(async () => {
  await stage.close();
  stage.remove();
});

async function runAt(iso: string): Promise<void> {
  if ((stage.recorder as unknown) !== undefined) await stage.close();
  stage.clock.set(iso);
  await stage.open();
  const session = new TestSession(stage.recorder);
  await session.run(`select ${iso}`);
  await session.close().durable();
}

/** As the gateway records an approval by two officers; `expiresAtUs`: what the leaf says. */
async function approve(scope: Parameters<Stage['request']>[1], expiresAtUs?: number): Promise<string> {
  const past = stage.clock.atUs() - 7_200_000_000;
  const times = expiresAtUs === undefined ? {} : { requestedAtUs: past, expiresAtUs: past + 60_000_000 };
  const request = stage.request('erase', scope, times);
  const document = stage.recorder.commit(request.document);
  await stage.recorder
    .append(
      {
        type: 'custody.approved',
        request: request.digest,
        action: 'erase',
        scope: request.scopeDigest,
        document: document.digest,
        approvals: stage.approve(request, records, privacy),
        expiresAtUs: expiresAtUs ?? request.expiresAtUs,
      },
      [{ field: 'document', commitment: document }],
    )
    .durable();
  return request.digest;
}

async function codes(): Promise<string[]> {
  const report = await stage.verify();
  return [report.verdict, ...new Set(report.findings.map(({ code }) => code))];
}

test('an approved erasure of one month does not excuse what is missing of another', async () => {
  await runAt('2026-01-15T12:00:00Z');
  await runAt('2026-02-15T12:00:00Z');
  await runAt('2026-03-15T12:00:00Z');
  const scope = { kind: 'period', class: 'default', period: '2026-01' } as const;
  const request = await approve(scope);
  const erasure = uuidv7(Date.now());
  stage.recorder.append({
    type: 'erasure.started',
    erasure,
    authority: 'request',
    request,
    scope,
    ranges: [{ journal: 'w0', from: 0, to: 1_000_000 }],
    contents: 1_000_000,
  });
  await stage.recorder.append({ type: 'erasure.executed', erasure, contents: 1_000_000, keys: 1 }).durable();
  for (const period of ['2026-01', '2026-02'])
    for (const part of ['blocks', 'keys'])
      rmSync(join(stage.fixture.directory, 'vault', part, 'default', period), { recursive: true });
  assert.deepEqual(await codes(), ['INCOMPLETE', 'payload-missing', 'erased']);
});

test('what the gateway says of the end of an approval is not what officers signed', async () => {
  await runAt('2026-01-15T12:00:00Z');
  await approve({ kind: 'sessions', sessions: [uuidv7(Date.now())] }, stage.clock.atUs() + 3_600_000_000);
  assert.deepEqual(await codes(), ['ALTERED', 'custody-approval']);
});

test('a first limit for a class, once there is any, needs officers', async () => {
  await runAt('2026-01-15T12:00:00Z');
  await stage.recorder.append({ type: 'retention.changed', class: 'other', keepDays: 400 }).durable();
  await stage.recorder.append({ type: 'retention.changed', class: 'more', keepDays: 400 }).durable();
  assert.deepEqual(await codes(), ['VERIFIED']);
  await runAt('2026-02-15T12:00:00Z');
  await stage.recorder.append({ type: 'retention.changed', class: 'default', keepDays: 1 }).durable();
  assert.deepEqual(await codes(), ['ALTERED', 'custody-unapproved']);
});

test('what was written under a clock that was set back is not due to the schedule', async () => {
  const retention = { requireApproval: false, classes: [{ class: 'default', keepDays: 30 }] };
  stage.clock.set('2026-05-15T12:00:00Z');
  await stage.open({ retention });
  await stage.close();
  stage.clock.set('2026-01-15T12:00:00Z');
  await stage.open({ retention });
  const session = new TestSession(stage.recorder);
  await session.run('select may');
  await session.close().durable();
  await stage.close();
  stage.clock.set('2026-05-15T12:00:00Z');
  await stage.open({ retention });
  assert.deepEqual(await stage.desk.runSchedule(), []);
  assert.equal((await stage.verify()).verdict, 'VERIFIED');
});
