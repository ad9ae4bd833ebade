/** Contents go, proofs stay: erasure by key, by rewriting, and cut short at every step. */

import assert from 'node:assert/strict';
import { createHash, createPrivateKey } from 'node:crypto';
import { cpSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, test } from 'node:test';
import { unwrapDataKey, wrapDataKey, x25519PublicKey } from 'countersign-verify';
import { eraseAgain } from '../../packages/gateway/src/record/custody/erase-again.ts';
import { CUSTODIAN_KEY, TestSession } from '../../packages/gateway/src/record/record-fixture.ts';
import { privacy, records, Stage } from './custody-stage.ts';

let stage: Stage;

afterEach(async () => {
  await stage.close();
  stage.remove();
});

const codes = (report: { readonly findings: readonly { readonly code: string }[] }): string[] =>
  [...new Set(report.findings.map(({ code }) => code))].toSorted((a, b) => a.localeCompare(b, 'en'));

/** Names and bytes of everything below a directory of the vault. */
function vaultDigest(): string {
  const root = join(stage.fixture.directory, 'vault');
  const hash = createHash('sha256');
  for (const part of ['blocks', 'keys', 'spool']) {
    if (!existsSync(join(root, part))) continue;
    const names = readdirSync(join(root, part), { recursive: true, withFileTypes: true });
    for (const entry of names.filter((each) => each.isFile()))
      hash.update(entry.name).update(readFileSync(join(entry.parentPath, entry.name)));
  }
  return hash.digest('hex');
}

async function runSession(texts: readonly string[]): Promise<TestSession> {
  const session = new TestSession(stage.recorder);
  for (const text of texts) await session.run(text);
  await session.close().durable();
  return session;
}

test('a session is taken out of the period that runs, and nothing else', async () => {
  stage = await new Stage().open();
  const gone = await runSession(['select secret_1', 'select secret_2']);
  const stays = await runSession(['select other']);
  const before = await stage.verify();
  assert.equal(before.verdict, 'VERIFIED');
  const report = await stage.submit('erase', { kind: 'sessions', sessions: [gone.id] });
  assert.equal((report as { contents: number }).contents, 4);
  const after = await stage.verify();
  assert.equal(after.verdict, 'DISPOSED');
  assert.equal(after.exitCode, 12);
  assert.deepEqual(codes(after), ['erased']);
  assert.match(after.findings[0]!.message, /^4 contents were erased: 1 session\(s\)$/);
  // Traffic goes on, and the rest can be read.
  await runSession(['select later']);
  await stage.verify();
  const texts: string[] = [];
  for await (const { bytes } of stage.recorder.readPayloads(0, stage.recorder.health().durableJseq))
    if (bytes !== undefined) texts.push(bytes.toString('latin1'));
  assert.ok(texts.includes('select other') && texts.includes('select later'));
  assert.ok(!texts.some((text) => text.includes('secret')));
  assert.notEqual(gone.id, stays.id);
  const [approved, started, executed] = await stage.leaves(
    'custody.approved',
    'erasure.started',
    'erasure.executed',
  );
  assert.ok(approved!['jseq']! < started!['jseq']! && started!['jseq']! < executed!['jseq']!);
});

test('one field of one leaf goes; its neighbours stay', async () => {
  stage = await new Stage().open();
  const session = new TestSession(stage.recorder);
  const intent = session.intent('select one');
  await intent.durable();
  await session.run('select two');
  await session.close().durable();
  const { journal, jseq } = intent;
  await stage.submit('erase', {
    kind: 'leaves',
    leaves: [{ journal, from: jseq, to: jseq, fields: ['statement'] }],
  });
  const report = await stage.verify();
  assert.match(report.findings.find(({ code }) => code === 'erased')?.message ?? '', /^1 contents/);
  assert.ok(!codes(report).includes('payload-missing'));
});

test('a spooled value goes with its key', async () => {
  stage = await new Stage().open();
  const spool = await stage.recorder.openSpool();
  await spool.write(Buffer.alloc(300_000, 'x'));
  const commitment = await spool.finish();
  // Reading it back closes the file.
  for await (const chunk of spool.read()) assert.ok(chunk.length > 0);
  const session = new TestSession(stage.recorder);
  const leaf = stage.recorder.append(
    { type: 'config.changed', config: 'test', text: commitment.digest, cause: 'reload' },
    [{ field: 'text', commitment }],
  );
  await leaf.durable();
  await session.close().durable();
  const root = join(stage.fixture.directory, 'vault/spool');
  const spooled = (): string[] =>
    readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.includes('.'))
      .map(({ name }) => name);
  assert.equal(spooled().length, 1);
  assert.equal((await stage.verify()).verdict, 'VERIFIED');
  await stage.submit('erase', {
    kind: 'leaves',
    leaves: [{ journal: leaf.journal, from: leaf.jseq, to: leaf.jseq }],
  });
  assert.equal(spooled().length, 0);
  assert.equal((await stage.verify()).verdict, 'DISPOSED');
});

test('a period goes by its keys, the running one does not', async () => {
  stage = new Stage();
  stage.clock.set('2026-01-15T12:00:00Z');
  await stage.open();
  await runSession(['select january']);
  await assert.rejects(
    stage.submit('erase', { kind: 'period', class: 'default', period: '2026-01' }),
    /refused/,
  );
  await stage.close();
  stage.clock.set('2026-03-02T12:00:00Z');
  await stage.open();
  await runSession(['select march']);
  const erased = await stage.submit('erase', { kind: 'period', class: 'default', period: '2026-01' });
  assert.ok((erased as { keys: number }).keys >= 1);
  for (const part of ['blocks', 'keys', 'spool'])
    assert.ok(!existsSync(join(stage.fixture.directory, 'vault', part, 'default/2026-01')), part);
  const report = await stage.verify();
  assert.equal(report.verdict, 'DISPOSED');
  assert.deepEqual(codes(report), ['erased']);
  await assert.rejects(
    stage.submit('erase', { kind: 'period', class: 'default', period: '2026-01' }),
    /refused/,
  );
  const causes = (await stage.leaves('custody.refused')).map((leaf) => leaf['cause']);
  assert.deepEqual(causes, ['current', 'nothing']);
});

/** Every place where a crash can come, as the step that is not done any more. */
for (const kind of ['sessions', 'period'] as const) {
  test(`an erasure of a ${kind} that is cut short at any step is completed by the next start`, async () => {
    stage = new Stage();
    stage.clock.set('2026-01-15T12:00:00Z');
    await stage.open();
    const gone = await runSession(['select secret_1', 'select secret_2']);
    await runSession(['select other']);
    if (kind === 'period') {
      await stage.close();
      stage.clock.set('2026-03-02T12:00:00Z');
      await stage.open();
      await runSession(['select march']);
    }
    await stage.close();
    const scope =
      kind === 'sessions' ? { kind, sessions: [gone.id] } : { kind, class: 'default', period: '2026-01' };
    let cuts = 0;
    for (let isCut = true; isCut; cuts++) {
      const copy = new Stage(stage.fixture.copy());
      copy.clock.offsetUs = stage.clock.offsetUs;
      isCut = await cutAt(copy, scope, cuts);
      await copy.close();
      copy.remove();
    }
    assert.ok(cuts > 3, `${cuts} steps`);
    await stage.open();
  });
}

/** Erases up to step `cut`, restarts, and checks the end. False when there was no such step. */
async function cutAt(copy: Stage, scope: Parameters<Stage['submit']>[1], cut: number): Promise<boolean> {
  let step = 0;
  await copy.open({
    onStep: () => {
      if (step++ >= cut) throw new Error('cut');
    },
  });
  const isCut = await copy.submit('erase', scope).then(
    () => false,
    (error: Error) => {
      assert.equal(error.message, 'cut');
      return true;
    },
  );
  if (isCut) assert.equal((await copy.leaves('erasure.executed')).length, 0);
  await copy.close();
  await copy.open();
  const report = await copy.verify();
  assert.deepEqual(codes(report), ['erased'], `cut ${cut}: ${JSON.stringify(report.findings)}`);
  assert.equal((await copy.leaves('erasure.executed')).length, 1);
  return isCut;
}

test('what nothing covers stays missing; what came back is told', async () => {
  stage = await new Stage().open();
  const gone = await runSession(['select secret']);
  await stage.verify();
  const copy = stage.fixture.copy();
  try {
    await stage.submit('erase', { kind: 'sessions', sessions: [gone.id] });
    const digest = vaultDigest();
    // A backup of the vault put back beside the newer log.
    const vault = join(stage.fixture.directory, 'vault');
    cpSync(vault, `${vault}.kept`, { recursive: true });
    cpSync(join(copy.directory, 'vault'), vault, { recursive: true });
    assert.notEqual(vaultDigest(), digest);
    const back = await stage.verify();
    assert.equal(back.verdict, 'INCOMPLETE');
    assert.ok(codes(back).includes('erased-present'));
    rmSync(vault, { recursive: true });
    cpSync(`${vault}.kept`, vault, { recursive: true });
    assert.equal((await stage.verify()).verdict, 'DISPOSED');
    rmSync(join(vault, 'blocks'), { recursive: true });
    const missing = await stage.verify();
    assert.equal(missing.verdict, 'INCOMPLETE');
    assert.ok(codes(missing).includes('payload-missing'));
  } finally {
    copy.remove();
  }
});

test('an older vault beside the log: erased months go again, single contents that came back are named', async () => {
  stage = new Stage();
  stage.clock.set('2026-01-15T12:00:00Z');
  await stage.open();
  await runSession(['select january']);
  await stage.close();
  stage.clock.set('2026-03-02T12:00:00Z');
  await stage.open();
  const gone = await runSession(['select secret']);
  await stage.verify();
  const copy = stage.fixture.copy();
  try {
    await stage.submit('erase', { kind: 'period', class: 'default', period: '2026-01' });
    await stage.submit('erase', { kind: 'sessions', sessions: [gone.id] });
    await stage.verify();
    assert.deepEqual(await eraseAgain(stage.fixture.directory), { periods: 0, cameBack: [] });
    const [, single] = await stage.leaves('erasure.started');
    await stage.close();
    const put = (part: string): void =>
      cpSync(join(copy.directory, 'vault', part), join(stage.fixture.directory, 'vault', part), {
        recursive: true,
      });
    for (const part of ['blocks/default/2026-01', 'keys/default/2026-01']) put(part);
    assert.equal((await stage.fixture.verify()).verdict, 'INCOMPLETE');
    assert.deepEqual(await eraseAgain(stage.fixture.directory), { periods: 1, cameBack: [] });
    assert.equal((await stage.fixture.verify()).verdict, 'DISPOSED');
    for (const part of ['blocks', 'keys']) put(part);
    assert.deepEqual(await eraseAgain(stage.fixture.directory), {
      periods: 1,
      cameBack: [single!['erasure']],
    });
    assert.ok(codes(await stage.fixture.verify()).includes('erased-present'));
  } finally {
    copy.remove();
    await stage.open();
  }
});

test('a log whose entries were edited decides nothing', async () => {
  stage = await new Stage().open();
  await runSession(['select one']);
  await stage.recorder.covered(stage.recorder.health().appendedJseq);
  const entries = join(stage.fixture.directory, 'log/tile/entries');
  for (const entry of readdirSync(entries, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const text = readFileSync(path, 'latin1');
    writeFileSync(path, text.replace('"officers.changed"', '"officers.chanqed"'), 'latin1');
  }
  const desk = stage.makeDesk();
  await assert.rejects(desk.start(), (error: { code?: string }) => error.code === 'CS_RECORD_CORRUPT');
});

test('traffic and readings go on while contents are taken out', async () => {
  stage = await new Stage().open();
  const gone: string[] = [];
  for (let i = 0; i < 3; i++) gone.push((await runSession([`select secret_${i}`])).id);
  const stop = new AbortController();
  const traffic = (async () => {
    let sessions = 0;
    for (; !stop.signal.aborted; sessions++) await runSession([`select ${sessions}`, 'select again']);
    return sessions;
  })();
  const readings = (async () => {
    let read = 0;
    while (!stop.signal.aborted) {
      for await (const { bytes } of stage.recorder.readPayloads(0, stage.recorder.health().durableJseq))
        read += bytes?.length ?? 0;
    }
    return read;
  })();
  for (const session of gone) await stage.submit('erase', { kind: 'sessions', sessions: [session] });
  stop.abort();
  assert.ok((await traffic) > 0 && (await readings) > 0);
  const report = await stage.verify();
  assert.equal(report.verdict, 'DISPOSED', JSON.stringify(report.findings));
  assert.equal(report.findings.length, 3);
});

/** The custodian's part: the data keys of January, wrapped to the gateway of today. */
async function unlockedKeys(): Promise<Buffer[]> {
  const directory = join(stage.fixture.directory, 'vault/keys/default/2026-01');
  const recipient = x25519PublicKey(Buffer.from((await stage.desk.status()).gatewayKey, 'base64url'));
  return readdirSync(directory)
    .filter((name) => name.endsWith('.custodian'))
    .map((name) => {
      const opened = unwrapDataKey(readFileSync(join(directory, name)), createPrivateKey(CUSTODIAN_KEY));
      return wrapDataKey(opened, opened.dataKey, recipient);
    });
}

test('single contents of a month that is over go when the custodian lends the keys', async () => {
  stage = new Stage();
  stage.clock.set('2026-01-15T12:00:00Z');
  await stage.open();
  const gone = await runSession(['select secret']);
  await runSession(['select other']);
  await stage.close();
  stage.clock.set('2026-03-02T12:00:00Z');
  await stage.open();
  // As it is when a month ends: the gateway's own key to it was destroyed.
  const request = stage.request('erase', { kind: 'sessions', sessions: [gone.id] });
  const approvals = stage.approve(request, records, privacy);
  await assert.rejects(
    stage.desk.submit(request.document, approvals),
    (error: { detail?: string }) => error.detail === 'sealed',
  );
  assert.equal((await stage.leaves('erasure.started')).length, 0);
  const keys = await unlockedKeys();
  let step = 0;
  const desk = stage.makeDesk({
    onStep: (name) => {
      if (name === 'write-blocks' && step++ === 0) throw new Error('cut');
    },
  });
  await assert.rejects(desk.submit(request.document, approvals, keys), /cut/);
  // Without the keys it cannot be completed; with them the same request does it.
  // That is no failure to be tried again, and is shown.
  const waiting = stage.makeDesk();
  await waiting.start();
  assert.equal((await waiting.status()).unfinished.length, 1);
  await stage.makeDesk().submit(request.document, approvals, keys);
  const report = await stage.verify();
  assert.equal(report.verdict, 'DISPOSED', JSON.stringify(report.findings));
  assert.deepEqual(codes(report), ['erased']);
  const directory = join(stage.fixture.directory, 'vault/keys/default/2026-01');
  assert.ok(readdirSync(directory).some((name) => name.endsWith('.custodian')));
  // The gateway keeps nothing that opens January.
  for await (const { bytes } of stage.recorder.readPayloads(0, stage.recorder.health().durableJseq))
    assert.notEqual(bytes?.toString('latin1'), 'select other');
});
