/** A gateway that decides by itself writes a log that verifies as ALTERED: it has the log's key, not the officers'. */

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import type { RecordEvent } from '../../packages/gateway/src/record/events.ts';
import { TestSession } from '../../packages/gateway/src/record/record-fixture.ts';
import { uuidv7 } from '../../packages/gateway/src/record/random.ts';
import { makeOfficer, privacy, records, Stage, type TestOfficer } from './custody-stage.ts';

let stage: Stage;
let session: TestSession;

beforeEach(async () => {
  stage = await new Stage().open();
  session = new TestSession(stage.recorder);
  await session.run('select secret');
  await session.close().durable();
});

afterEach(async () => {
  await stage.close();
  stage.remove();
});

const erasure = (request?: string): RecordEvent => ({
  type: 'erasure.started',
  erasure: uuidv7(Date.now()),
  authority: request === undefined ? 'schedule' : 'request',
  ...(request !== undefined && { request }),
  scope: { kind: 'sessions', sessions: [session.id] },
  ranges: [{ journal: 'w0', from: 0, to: 100 }],
  contents: 3,
});

/** The leaf that says that officers approved. */
function approved(
  officers: readonly TestOfficer[],
  more: { readonly expiresAtUs?: number } = {},
): {
  readonly digest: string;
  readonly event: RecordEvent;
  readonly payload: Parameters<typeof stage.recorder.append>[1];
} {
  const request = stage.request('erase', { kind: 'sessions', sessions: [session.id] });
  const document = stage.recorder.commit(request.document);
  return {
    digest: request.digest,
    payload: [{ field: 'document', commitment: document }],
    event: {
      type: 'custody.approved',
      request: request.digest,
      action: 'erase',
      scope: request.scopeDigest,
      document: document.digest,
      approvals: stage.approve(request, ...officers),
      expiresAtUs: more.expiresAtUs ?? request.expiresAtUs,
    },
  };
}

async function verdictOf(): Promise<readonly [string, readonly string[]]> {
  const report = await stage.verify();
  const codes = report.findings.filter(({ verdict }) => verdict === 'ALTERED').map(({ code }) => code);
  return [report.verdict, [...new Set(codes)]];
}

test('approvals by those in force are accepted by the verifier', async () => {
  const { digest, event, payload } = approved([records, privacy]);
  stage.recorder.append(event, payload);
  stage.recorder.append(erasure(digest));
  assert.deepEqual((await verdictOf())[1], []);
});

test('an erasure without a request, or with one that nobody approved', async () => {
  stage.recorder.append(erasure());
  stage.recorder.append(erasure('A'.repeat(43)));
  assert.deepEqual(await verdictOf(), ['ALTERED', ['custody-unapproved']]);
});

test('approvals of keys that the gateway made itself', async () => {
  const { digest, event, payload } = approved([makeOfficer('records', 'x'), makeOfficer('privacy', 'y')]);
  stage.recorder.append(event, payload);
  stage.recorder.append(erasure(digest));
  assert.deepEqual(await verdictOf(), ['ALTERED', ['custody-approval']]);
});

test('one approval only, for an erasure or under the name of a hold', async () => {
  const { digest, event, payload } = approved([records]);
  stage.recorder.append(event, payload);
  stage.recorder.append(erasure(digest));
  assert.deepEqual(await verdictOf(), ['ALTERED', ['custody-approval']]);
});

test('an approval of a hold is none of an erasure', async () => {
  const request = stage.request('place-hold', { kind: 'all' });
  const document = stage.recorder.commit(request.document);
  stage.recorder.append(
    {
      type: 'custody.approved',
      request: request.digest,
      action: 'place-hold',
      scope: request.scopeDigest,
      document: document.digest,
      approvals: stage.approve(request, records),
      expiresAtUs: request.expiresAtUs,
    },
    [{ field: 'document', commitment: document }],
  );
  stage.recorder.append(erasure(request.digest));
  assert.deepEqual(await verdictOf(), ['ALTERED', ['custody-unapproved']]);
});

test('an approval after its end, and one that is used twice', async () => {
  const late = approved([records, privacy], { expiresAtUs: stage.clock.atUs() - 1_000_000 });
  stage.recorder.append(late.event, late.payload);
  const good = approved([records, privacy]);
  stage.recorder.append(good.event, good.payload);
  stage.recorder.append(erasure(good.digest));
  stage.recorder.append(erasure(good.digest));
  assert.deepEqual(await verdictOf(), ['ALTERED', ['custody-approval', 'custody-unapproved']]);
});

test('an approval for one session is none for another, nor for a whole month', async () => {
  const { digest, event, payload } = approved([records, privacy]);
  stage.recorder.append(event, payload);
  const { scope: _scope, ...rest } = erasure(digest) as Extract<RecordEvent, { type: 'erasure.started' }>;
  stage.recorder.append({ ...rest, scope: { kind: 'period', class: 'default', period: '2020-01' } });
  assert.deepEqual((await verdictOf())[1], ['custody-unapproved']);
});

test('an erasure of what is plainly held', async () => {
  const hold = stage.request('place-hold', { kind: 'session', session: session.id });
  await stage.desk.submit(hold.document, stage.approve(hold, privacy));
  const { digest, event, payload } = approved([records, privacy]);
  stage.recorder.append(event, payload);
  stage.recorder.append(erasure(digest));
  assert.deepEqual(await verdictOf(), ['ALTERED', ['erasure-held']]);
});

test('other officers, a shorter time and a released hold out of nowhere', async () => {
  const owner = stage.recorder.commit(Buffer.from('me'));
  const officers = { officers: [{ officer: 'me', key: 'A'.repeat(43), owner: 0 }], owners: [owner.digest] };
  stage.recorder.append({ type: 'officers.changed', ...officers, approvals: 2, unattended: true }, [
    { field: 'owners.0', commitment: owner },
  ]);
  stage.recorder.append({ type: 'retention.changed', class: 'default', keepDays: 30 });
  stage.recorder.append({ type: 'retention.changed', class: 'default', keepDays: 1 });
  stage.recorder.append({ type: 'hold.released', hold: 'hold-x', request: 'A'.repeat(43) });
  const report = await stage.verify();
  const codes = report.findings.map(({ code }) => code);
  assert.equal(codes.filter((code) => code === 'custody-unapproved').length, 3);
  assert.ok(codes.includes('custody-order'));
});
