/** What the holder of one key, or of the gateway, tries in order to erase alone, twice, later or something else. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { encodeCustodyRequest, type Approval, type CustodyRequest } from 'countersign-verify';
import { TestSession } from '../../packages/gateway/src/record/record-fixture.ts';
import {
  custodyOf,
  legal,
  makeOfficer,
  OFFICERS,
  privacy,
  records,
  recordsAgain,
  Stage,
  stranger,
} from './custody-stage.ts';

let stage: Stage;
let session: TestSession;

before(async () => {
  stage = await new Stage().open();
  session = new TestSession(stage.recorder);
  await session.run('select secret');
  await session.close().durable();
});

after(async () => {
  await stage.close();
  stage.remove();
});

const erase = (more: Partial<CustodyRequest> = {}): CustodyRequest =>
  stage.request('erase', { kind: 'sessions', sessions: [session.id] }, more);

async function refusedFor(
  cause: string,
  request: CustodyRequest,
  approvals: readonly Approval[],
): Promise<void> {
  const before = (await stage.leaves('custody.refused')).length;
  await assert.rejects(
    stage.desk.submit(request.document, approvals),
    (error: { code?: string; detail?: string }) =>
      error.code === 'CS_CUSTODY_REFUSED' && error.detail === cause,
  );
  const refusals = await stage.leaves('custody.refused');
  assert.equal(refusals.length, before + 1, 'the refusal is on the record');
  assert.equal(refusals.at(-1)!['cause'], cause);
  assert.equal((await stage.leaves('erasure.started')).length, 0);
}

const HOUR_US = 3_600_000_000;

/** What is tried, the word of the refusal, and how. */
const ATTACKS: readonly (readonly [string, string, () => readonly [CustodyRequest, readonly Approval[]]])[] =
  [
    ['nobody signed', 'too-few-approvals', () => [erase(), []]],
    [
      'one officer alone',
      'too-few-approvals',
      () => {
        const request = erase();
        return [request, stage.approve(request, records)];
      },
    ],
    [
      'one officer, given twice',
      'too-few-approvals',
      () => {
        const request = erase();
        return [request, stage.approve(request, records, records)];
      },
    ],
    [
      'two names and keys of one owner',
      'too-few-approvals',
      () => {
        const request = erase();
        return [request, stage.approve(request, records, recordsAgain)];
      },
    ],
    [
      'somebody who is no officer',
      'unknown-officer',
      () => {
        const request = erase();
        return [request, stage.approve(request, records, stranger)];
      },
    ],
    [
      "an officer's name with a key of one's own",
      'unknown-officer',
      () => {
        const request = erase();
        const [forged] = stage.approve(request, stranger);
        return [request, [...stage.approve(request, records), { ...forged!, officer: 'privacy' }]];
      },
    ],
    [
      "an officer's name and key with another's signature",
      'bad-signature',
      () => {
        const request = erase();
        const [forged] = stage.approve(request, stranger);
        const [own] = stage.approve(request, privacy);
        return [request, [...stage.approve(request, records), { ...own!, signature: forged!.signature }]];
      },
    ],
    [
      'signatures of another request: it was edited after they signed',
      'bad-signature',
      () => {
        const signed = erase();
        const edited = encodeCustodyRequest({
          ...signed,
          scope: { kind: 'sessions', sessions: [stage.recorder.append({ type: 'alert', code: 'test' }).id] },
        });
        return [edited, stage.approve(signed, records, privacy)];
      },
    ],
    [
      'a reason changed after they signed',
      'bad-signature',
      () => {
        const signed = erase();
        return [
          encodeCustodyRequest({ ...signed, reason: 'a better one' }),
          stage.approve(signed, records, privacy),
        ];
      },
    ],
    [
      'signatures for a hold under the same digest',
      'bad-signature',
      () => {
        const request = erase();
        return [request, stage.approve({ ...request, action: 'place-hold' }, records, privacy)];
      },
    ],
    [
      'a request that has expired',
      'expired',
      () => {
        const now = stage.clock.atUs();
        const request = erase({ requestedAtUs: now - 2 * HOUR_US, expiresAtUs: now - HOUR_US });
        return [request, stage.approve(request, records, privacy)];
      },
    ],
    [
      'a request from the future',
      'not-yet',
      () => {
        const now = stage.clock.atUs();
        const request = erase({ requestedAtUs: now + HOUR_US, expiresAtUs: now + 2 * HOUR_US });
        return [request, stage.approve(request, records, privacy)];
      },
    ],
    [
      'a request for another log',
      'other-log',
      () => {
        const request = erase({ log: 'log.test/another' });
        return [request, stage.approve(request, records, privacy)];
      },
    ],
    [
      'an action that does not exist',
      'unknown-action',
      () => {
        const request = stage.request('erase-everything', {});
        return [request, stage.approve(request, records, privacy)];
      },
    ],
    [
      'a scope with something more in it',
      'bad-scope',
      () => {
        const request = stage.request('erase', { kind: 'sessions', sessions: [session.id], also: 'more' });
        return [request, stage.approve(request, records, privacy)];
      },
    ],
    [
      'a path in place of a class',
      'bad-scope',
      () => {
        const request = stage.request('erase', { kind: 'period', class: '../../log', period: '2020-01' });
        return [request, stage.approve(request, records, privacy)];
      },
    ],
  ];

for (const [what, cause, attack] of ATTACKS) {
  test(`${what}: refused (${cause}), recorded, nothing erased`, async () => {
    await refusedFor(cause, ...attack());
  });
}

test('approvals of a narrower scope do not carry over to a wider one', async () => {
  const narrow = erase();
  const wide = encodeCustodyRequest({
    ...narrow,
    scope: { kind: 'period', class: 'default', period: '2020-01' },
  });
  await refusedFor('bad-signature', wide, stage.approve(narrow, records, privacy));
});

test('what is no request at all is refused and recorded without quoting it', async () => {
  const before = (await stage.leaves('custody.refused')).length;
  for (const text of [
    '',
    '{}',
    '{"v":1}',
    'x'.repeat(40_000),
    erase().document.toString('utf8').replace('"v":1', '"v": 1'),
  ])
    await assert.rejects(stage.desk.submit(Buffer.from(text), []), /refused/);
  const refusals = (await stage.leaves('custody.refused')).slice(before);
  assert.equal(refusals.length, 5);
  assert.ok(refusals.every((leaf) => leaf['cause'] === 'malformed' && leaf['request'] === undefined));
});

test('invisible characters cannot be signed', () => {
  for (const reason of ['right\u202eleft', 'zero\u200bwidth', 'line\nbreak', 'bell\u0007', ''])
    assert.throws(() => erase({ reason }), /reason/);
});

test('a clock that is set back does not bring an expired request to life', async () => {
  const request = erase({
    requestedAtUs: stage.clock.atUs() - HOUR_US,
    expiresAtUs: stage.clock.atUs() - 60_000_000,
  });
  const approvals = stage.approve(request, records, privacy);
  stage.clock.offsetUs = -30 * 60_000_000;
  try {
    await refusedFor('expired', request, approvals);
    // A restart does not forget what time it was.
    const desk = stage.makeDesk();
    await assert.rejects(
      desk.submit(request.document, approvals),
      (error: { detail?: string }) => error.detail === 'expired',
    );
  } finally {
    stage.clock.offsetUs = 0;
  }
});

test('configuration alone changes no officers', async () => {
  const mine = [makeOfficer('a', 'Me'), makeOfficer('b', 'Also me')];
  const desk = stage.makeDesk({ custody: custodyOf(mine) });
  await desk.start();
  const status = await desk.status();
  assert.deepEqual(
    status.officers.map(({ officer }) => officer),
    OFFICERS.map(({ name }) => name),
  );
  assert.deepEqual(status.proposals, ['the configured officers are not those in force']);
  const request = erase();
  const approvals = stage.approve(request, ...mine);
  await assert.rejects(
    desk.submit(request.document, approvals),
    (error: { detail?: string }) => error.detail === 'unknown-officer',
  );
  const change = stage.request('change-officers', desk.officersProposal()!);
  await assert.rejects(desk.submit(change.document, stage.approve(change, ...mine)), /refused/);
});

test('a request is carried out once, also across a restart', async () => {
  const request = erase();
  const approvals = stage.approve(request, records, legal);
  await stage.desk.submit(request.document, approvals);
  await assert.rejects(
    stage.desk.submit(request.document, approvals),
    (error: { detail?: string }) => error.detail === 'replayed',
  );
  await stage.close();
  await stage.open();
  await assert.rejects(
    stage.desk.submit(request.document, approvals),
    (error: { detail?: string }) => error.detail === 'replayed',
  );
  const report = await stage.verify();
  assert.equal(report.verdict, 'DISPOSED', JSON.stringify(report.findings));
});

test('officers in force change officers; the new ones count from then on', async () => {
  const next = [legal, makeOfficer('newcomer', 'Internal Audit')];
  const desk = stage.makeDesk({ custody: custodyOf(next) });
  await desk.start();
  const change = stage.request('change-officers', desk.officersProposal()!);
  await desk.submit(change.document, stage.approve(change, records, privacy));
  const hold = stage.request('place-hold', { kind: 'all' });
  await assert.rejects(
    desk.submit(hold.document, stage.approve(hold, records)),
    (error: { detail?: string }) => error.detail === 'unknown-officer',
  );
  await desk.submit(hold.document, stage.approve(hold, next[1]!));
  assert.deepEqual((await desk.status()).proposals, []);
  assert.equal((await stage.verify()).verdict, 'DISPOSED');
});
