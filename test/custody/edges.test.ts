/** Custody where months, clocks, spellings and lent keys meet. */

import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { wrapDataKey, x25519PublicKey } from 'countersign-verify';
import { makeRequest } from '../../packages/gateway/src/cli/custody-file.ts';
import { ORIGIN, TestSession } from '../../packages/gateway/src/record/record-fixture.ts';
import { legal, privacy, records, Stage } from './custody-stage.ts';

let stage: Stage;

afterEach(async () => {
  await stage.close();
  stage.remove();
});

async function runSession(text: string): Promise<TestSession> {
  const session = new TestSession(stage.recorder);
  await session.run(text);
  await session.close().durable();
  return session;
}

const refusal = (cause: string) => (error: { detail?: string }) => error.detail === cause;

test('a value that was still coming when its month ended goes with its leaf', async () => {
  stage = new Stage();
  stage.clock.set('2026-01-31T23:59:00Z');
  await stage.open();
  const spool = await stage.recorder.openSpool();
  await spool.write(Buffer.alloc(300_000, 'x'));
  stage.clock.set('2026-02-01T00:01:00Z');
  // The gateway looks at the clock with the next contents, once a second at most.
  while (stage.recorder.vault.sealing().period !== '2026-02') await runSession('select february');
  const commitment = await spool.finish();
  for await (const chunk of spool.read()) assert.ok(chunk.length > 0);
  const leaf = stage.recorder.append(
    { type: 'config.changed', config: 'test', text: commitment.digest, cause: 'reload' },
    [{ field: 'text', commitment }],
  );
  await leaf.durable();
  const spooled = (): string[] =>
    readdirSync(join(stage.fixture.directory, 'vault/spool'), { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.includes('.'))
      .map(({ parentPath }) => parentPath.slice(-7));
  assert.deepEqual(spooled(), ['2026-01']);
  assert.equal((await stage.verify()).verdict, 'VERIFIED');
  const { journal, jseq } = leaf;
  await stage.submit('erase', { kind: 'leaves', leaves: [{ journal, from: jseq, to: jseq }] });
  assert.deepEqual(spooled(), []);
  assert.equal((await stage.verify()).verdict, 'DISPOSED');
});

test('keys that are lent and do not open are found before anything is begun', async () => {
  stage = new Stage();
  stage.clock.set('2026-01-15T12:00:00Z');
  await stage.open();
  const gone = await runSession('select secret');
  await stage.close();
  stage.clock.set('2026-03-02T12:00:00Z');
  await stage.open();
  const scope = { retentionClass: 'default', period: '2026-01' };
  const ids = readdirSync(join(stage.fixture.directory, 'vault/keys/default/2026-01'));
  const recipient = x25519PublicKey(Buffer.from((await stage.desk.status()).gatewayKey, 'base64url'));
  const lent = [...new Set(ids.map((name) => name.split('.')[0]!))].map((id) =>
    wrapDataKey({ ...scope, keyId: Buffer.from(id, 'hex') }, randomBytes(32), recipient),
  );
  const request = stage.request('erase', { kind: 'sessions', sessions: [gone.id] });
  const approvals = stage.approve(request, records, privacy);
  await assert.rejects(stage.desk.submit(request.document, approvals, lent), refusal('sealed'));
  await assert.rejects(
    stage.desk.submit(request.document, approvals, [randomBytes(200), Buffer.alloc(0)]),
    refusal('sealed'),
  );
  assert.equal((await stage.leaves('erasure.started')).length, 0);
  assert.equal((await stage.verify()).verdict, 'VERIFIED');
});

test('where a clock once was years ahead, requests are made for the time that the record goes by', async () => {
  stage = new Stage();
  stage.clock.set('2031-06-15T12:00:00Z');
  await stage.open();
  await runSession('select early');
  await stage.close();
  stage.clock.set('2026-03-02T12:00:00Z');
  await stage.open();
  const options = { reason: 'asked for by a test', expires: '1h' };
  const now = makeRequest(ORIGIN, 'place-hold', { kind: 'all' }, options);
  await assert.rejects(stage.desk.submit(now.document, stage.approve(now, privacy)), refusal('expired'));
  const { nowUs } = await stage.desk.status();
  const at = new Date(nowUs / 1000).toISOString();
  const then = makeRequest(ORIGIN, 'place-hold', { kind: 'all' }, { ...options, at });
  await stage.desk.submit(then.document, stage.approve(then, privacy));
  assert.equal((await stage.desk.status()).holds.length, 1);
  assert.throws(() => makeRequest(ORIGIN, 'place-hold', { kind: 'all' }, { ...options, at: 'soon' }), {
    code: 'CS_USAGE',
  });
});

test('two spellings of one owner are one owner, in a request of officers too', async () => {
  stage = await new Stage().open();
  const { officers } = await stage.desk.status();
  const pair = officers.slice(0, 2).map(({ key, officer }, owner) => ({ key, officer, owner }));
  for (const second of ['records management ', 'Records\u00a0Management', 'Rec\u00adords Management']) {
    const scope = { officers: pair, owners: ['Records Management', second], approvals: 2, unattended: false };
    const request = stage.request('change-officers', scope);
    const approvals = stage.approve(request, records, privacy, legal);
    await assert.rejects(stage.desk.submit(request.document, approvals), refusal('bad-scope'));
  }
});
