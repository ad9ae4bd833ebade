/** Contents of two retention classes lie in the same segments: what is decided over one leaves the other alone. */

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { blockBytes } from 'countersign-verify';
import { TestSession } from '../../packages/gateway/src/record/record-fixture.ts';
import { Stage } from './custody-stage.ts';

let stage: Stage;

afterEach(async () => {
  await stage.close();
  stage.remove();
});

const codes = (report: { readonly findings: readonly { readonly code: string }[] }): string[] =>
  [...new Set(report.findings.map(({ code }) => code))].toSorted((a, b) => a.localeCompare(b, 'en'));

const vault = (...parts: readonly string[]): string => join(stage.fixture.directory, 'vault', ...parts);

async function run(texts: readonly string[], retentionClass?: string): Promise<TestSession> {
  const session = new TestSession(stage.recorder, retentionClass);
  for (const text of texts) await session.run(text);
  return session;
}

async function spooled(session: TestSession, retentionClass?: string): Promise<void> {
  const spool = await stage.recorder.openSpool(retentionClass);
  await spool.write(Buffer.alloc(5000, 'x'));
  const commitment = await spool.finish();
  const intent = session.intentWith({ message: commitment.digest }, [{ field: 'message', commitment }]);
  await intent.durable();
  await spool.abort();
  session.result(intent.id);
}

/** January: a session of each class side by side, a value too large to hold in each. Then it is March. */
async function twoClasses(): Promise<{ readonly plain: TestSession; readonly ledger: TestSession }> {
  stage = new Stage();
  stage.clock.set('2026-01-15T12:00:00Z');
  await stage.open();
  const plain = await run(['select plain_1']);
  const ledger = await run(['select ledger_1'], 'ledger');
  await spooled(plain);
  await spooled(ledger, 'ledger');
  for (let i = 0; i < 5; i++) {
    const intents = [plain.intent(`plain ${i}`), ledger.intent(`ledger ${i}`)] as const;
    plain.result(intents[0].id);
    ledger.result(intents[1].id);
  }
  await plain.close().durable();
  await ledger.close().durable();
  await stage.close();
  stage.clock.set('2026-03-02T12:00:00Z');
  await stage.open();
  return { plain, ledger };
}

test('a class and period goes; every content of the other class of that period still opens', async () => {
  await twoClasses();
  assert.equal((await stage.verify()).verdict, 'VERIFIED');
  const kept = readdirSync(vault('blocks/default/2026-01')).map((name) =>
    readFileSync(vault('blocks/default/2026-01', name)),
  );
  await stage.submit('erase', { kind: 'period', class: 'ledger', period: '2026-01' });
  for (const part of ['blocks', 'keys', 'spool']) {
    assert.ok(!existsSync(vault(part, 'ledger/2026-01')), part);
    assert.ok(existsSync(vault(part, 'default/2026-01')), part);
  }
  const after = await stage.verify();
  assert.deepEqual([after.verdict, codes(after)], ['DISPOSED', ['erased']]);
  // Session, statement, spooled value and five statements of the one session.
  assert.match(after.findings[0]!.message, /^9 contents were erased: class ledger, period 2026-01$/);
  const now = readdirSync(vault('blocks/default/2026-01')).map((name) =>
    readFileSync(vault('blocks/default/2026-01', name)),
  );
  assert.deepEqual(now, kept);
});

test('an erasure of one class excuses nothing that is missing of the other', async () => {
  await twoClasses();
  const [file] = readdirSync(vault('blocks/default/2026-01'));
  const path = vault('blocks/default/2026-01', file!);
  await stage.submit('erase', { kind: 'period', class: 'ledger', period: '2026-01' });
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.subarray(0, blockBytes(bytes)));
  const report = await stage.verify();
  assert.equal(report.verdict, 'INCOMPLETE');
  assert.ok(codes(report).includes('payload-missing'));
});

test('holds keep by class: one on the other class, or a session of it, is not in the way', async () => {
  const { ledger, plain } = await twoClasses();
  const held = async (): Promise<void> =>
    assert.rejects(stage.submit('erase', { kind: 'period', class: 'ledger', period: '2026-01' }), /held/i);
  await stage.submit('place-hold', { kind: 'session', session: plain.id });
  await stage.submit('place-hold', { kind: 'period', class: 'default', period: '2026-01' });
  const own = (await stage.submit('place-hold', { kind: 'session', session: ledger.id })) as {
    readonly hold: string;
  };
  await held();
  await stage.submit('release-hold', { hold: own.hold });
  await stage.submit('erase', { kind: 'period', class: 'ledger', period: '2026-01' });
  assert.equal((await stage.verify()).verdict, 'DISPOSED');
});

test('a session is taken out of the files of its class; those of the other are not touched', async () => {
  stage = await new Stage().open();
  const plain = await run(['select plain']);
  const gone = await run(['select secret'], 'ledger');
  const stays = await run(['select ledger'], 'ledger');
  for (const session of [plain, gone, stays]) await session.close().durable();
  const period = readdirSync(vault('keys/default'))[0]!;
  const keysBefore = readdirSync(vault('keys/default', period));
  // A hold on the other class shares the segment and keeps nothing of this session.
  await stage.submit('place-hold', { kind: 'period', class: 'default' });
  await stage.submit('erase', { kind: 'sessions', sessions: [gone.id] });
  const report = await stage.verify();
  assert.deepEqual([report.verdict, codes(report)], ['DISPOSED', ['erased']]);
  assert.match(report.findings[0]!.message, /^3 contents/);
  const keysAfter = readdirSync(vault('keys/default', period));
  for (const key of keysBefore) assert.ok(keysAfter.includes(key), 'a key of the other class went');
  const texts: string[] = [];
  for await (const { bytes } of stage.recorder.readPayloads(0, stage.recorder.health().durableJseq))
    if (bytes !== undefined) texts.push(bytes.toString('latin1'));
  assert.ok(texts.includes('select plain') && texts.includes('select ledger'));
  assert.ok(!texts.includes('select secret'));
});

test('a content under another class than the log states is found', async () => {
  stage = await new Stage().open();
  await run(['select kept'], 'ledger');
  const session = new TestSession(stage.recorder, 'ledger');
  // What a gateway does that seals elsewhere than it says: its own code would not.
  const statement = stage.recorder.commit(Buffer.from('select shredded early'));
  const context = stage.recorder.openContext({ principal: 'alice', class: 'ledger' });
  stage.recorder.append(
    {
      type: 'call.denied',
      session: session.id,
      seq: 1,
      context,
      decision: { effect: 'forbid', policies: [], reasons: ['CS_NO_GRANT'] },
      kind: 'select',
      statement: statement.digest,
      sqlstate: '42501',
    },
    [{ field: 'statement', commitment: statement }],
  );
  const report = await stage.verify();
  assert.equal(report.verdict, 'ALTERED');
  assert.deepEqual(
    report.findings.filter(({ verdict }) => verdict === 'ALTERED').map(({ code }) => code),
    ['payload-class'],
  );
});
