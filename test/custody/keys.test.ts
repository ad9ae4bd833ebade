/** Keys of the record over their life: announced, changed while the gateway runs, given up; and what a verifier makes of it. */

import assert from 'node:assert/strict';
import { copyFileSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import {
  decodeWrappedKeyHeader,
  directorySource,
  formatVerifierKey,
  iterateLeaves,
  parseCheckpoint,
  parseVerifierKey,
  readCheckpoint,
  verifyLog,
  type Verdict,
} from 'countersign-verify';
import { CountersignError } from '../../packages/gateway/src/errors.ts';
import type { Clock } from '../../packages/gateway/src/record/clock.ts';
import { createSystemClock } from '../../packages/gateway/src/record/clock.ts';
import {
  generateSigningKey,
  generateVaultKeyPair,
  parseSigningKey,
  parseVaultPublicKey,
  vaultKeyFingerprint,
} from '../../packages/gateway/src/record/keys.ts';
import type { Recorder } from '../../packages/gateway/src/record/recorder.ts';
import {
  ORIGIN,
  RecordFixture,
  TestSession,
  until,
} from '../../packages/gateway/src/record/record-fixture.ts';
import { needGo, verifyWithGo } from '../foreign/tools.ts';

interface KeyLeaf {
  readonly type: string;
  readonly jseq: number;
  readonly purpose: string;
  readonly key: string;
  readonly previous?: string;
  readonly period?: string;
  readonly class?: string;
}

function newFixture(t: TestContext): RecordFixture {
  const fixture = new RecordFixture();
  t.after(() => fixture.remove());
  return fixture;
}

async function keyLeaves(fixture: RecordFixture): Promise<KeyLeaf[]> {
  const source = directorySource(join(fixture.directory, 'log'));
  const { size } = await readCheckpoint(source);
  const leaves: KeyLeaf[] = [];
  for await (const { bytes } of iterateLeaves(source, { size })) {
    const leaf = JSON.parse(bytes.toString('utf8')) as KeyLeaf;
    if (leaf.type.startsWith('key.')) leaves.push(leaf);
  }
  return leaves;
}

const short = (leaves: readonly KeyLeaf[]): string[] =>
  leaves.map(({ purpose, type }) => `${type} ${purpose}`);

/** A clock whose wall can be moved; the monotonic clock goes on with it, as when time passes. */
function travelling(startMs: number): Clock & { travel(ms: number): void } {
  const system = createSystemClock();
  let offsetUs = startMs * 1000 - system.atUs();
  let passedMs = 0;
  return {
    source: 'test',
    atUs: () => system.atUs() + offsetUs,
    monoUs: () => system.monoUs() + passedMs * 1000,
    nowMs: () => system.nowMs() + passedMs,
    travel(ms) {
      offsetUs += ms * 1000;
      passedMs += ms;
    },
  };
}

const vkeyOf = (pem: string): string => formatVerifierKey(parseSigningKey(pem, ORIGIN));

async function verdictWith(
  fixture: RecordFixture,
  pem: string,
  earlier: readonly string[] = [],
): Promise<{ readonly verdict: Verdict; readonly codes: readonly string[] }> {
  const source = directorySource(join(fixture.directory, 'log'));
  const report = await verifyLog(source, { key: parseVerifierKey(vkeyOf(pem)), earlier });
  return { verdict: report.verdict, codes: report.findings.map(({ code }) => code) };
}

async function runOnce(fixture: RecordFixture, options: Parameters<RecordFixture['open']>[0]): Promise<void> {
  const recorder = await fixture.open(options);
  const session = new TestSession(recorder);
  await session.run();
  session.close();
  await recorder.close('test');
}

test('every key that comes into force is announced, once', async (t) => {
  const fixture = newFixture(t);
  await runOnce(fixture, {});
  assert.deepEqual(short(await keyLeaves(fixture)), [
    'key.created vault-data',
    'key.created log-signing',
    'key.created vault-custodian',
    'key.created vault-gateway',
  ]);
  await runOnce(fixture, {});
  assert.deepEqual(short(await keyLeaves(fixture)).slice(4), ['key.created vault-data']);
  const names = readdirSync(join(fixture.directory, 'vault/keys/default'), { recursive: true });
  for (const { key } of (await keyLeaves(fixture)).filter(({ purpose }) => purpose === 'vault-data')) {
    assert.ok(names.some((name) => String(name).includes(`${key}.custodian`)));
  }
  assert.equal((await fixture.verify()).verdict, 'VERIFIED');
});

test('a key whose announcement a crash hid is announced again', async (t) => {
  const fixture = newFixture(t);
  await runOnce(fixture, {});
  rmSync(join(fixture.directory, 'keys/announced.json'));
  await runOnce(fixture, {});
  assert.equal(
    short(await keyLeaves(fixture)).filter((line) => line === 'key.created log-signing').length,
    2,
  );
  assert.equal((await fixture.verify()).verdict, 'VERIFIED');
});

test('what another log knows of keys says nothing of this one', async (t) => {
  const fixture = newFixture(t);
  await runOnce(fixture, {});
  for (const part of ['log', 'journal', 'vault']) rmSync(join(fixture.directory, part), { recursive: true });
  await runOnce(fixture, { origin: 'log.test/successor' });
  assert.ok(short(await keyLeaves(fixture)).includes('key.created vault-custodian'));
  assert.ok(!short(await keyLeaves(fixture)).some((line) => line.startsWith('key.rotated')));
});

test('a month that ends while the gateway runs: another key, a record of it, the old key destroyed', async (t) => {
  const fixture = newFixture(t);
  const clock = travelling(Date.UTC(2026, 10, 30, 23, 59, 55));
  const recorder = await fixture.open({ clock });
  const session = new TestSession(recorder);
  await session.run('select 1');
  const vault = join(fixture.directory, 'vault');
  assert.deepEqual(keyFiles(vault), ['gateway-2026-11.key']);
  clock.travel(6_000);
  recorder.heartbeat();
  await session.run('select 2');
  await until(() => !existsSync(join(vault, 'gateway-2026-11.key')));
  assert.deepEqual(keyFiles(vault), ['gateway-2026-12.key']);
  await session.run('select 3');
  await integrated(recorder);
  const opened: string[] = [];
  for await (const { bytes, field } of recorder.readPayloads(0, recorder.health().appendedJseq)) {
    if (field === 'statement') opened.push(String(bytes));
  }
  assert.ok(opened.includes('select 3'), 'what is sealed now can be read through the gateway');
  assert.ok(!opened.includes('select 1'), 'what was sealed in the month before cannot');
  session.close();
  await recorder.close('test');
  const rotated = (await keyLeaves(fixture)).filter(({ type }) => type === 'key.rotated');
  assert.deepEqual(
    rotated.map(({ period, purpose }) => [purpose, period]),
    [['vault-gateway', '2026-12']],
  );
  assert.ok(existsSync(join(vault, 'keys/default/2026-12')));
  assert.equal((await fixture.verify()).verdict, 'VERIFIED');
});

test('a start in a new month records the change before it destroys the old key', async (t) => {
  const fixture = newFixture(t);
  await runOnce(fixture, { clock: travelling(Date.UTC(2026, 10, 30, 23, 59)) });
  await runOnce(fixture, { clock: travelling(Date.UTC(2026, 11, 1, 0, 5)) });
  assert.deepEqual(keyFiles(join(fixture.directory, 'vault')), ['gateway-2026-12.key']);
  const rotated = (await keyLeaves(fixture)).find(({ type }) => type === 'key.rotated');
  const created = (await keyLeaves(fixture)).find(
    ({ purpose, type }) => purpose === 'vault-gateway' && type === 'key.created',
  );
  assert.equal(rotated?.previous, created?.key);
});

/** Contents come to the vault when their leaves come to the log. */
async function integrated(recorder: Recorder): Promise<void> {
  const { appendedJseq } = recorder.health();
  await until(() => recorder.health().integratedJseq >= appendedJseq);
}

function keyFiles(vault: string): string[] {
  return readdirSync(vault).filter((name) => name.endsWith('.key'));
}

test('another custodian while running: from then on data keys are wrapped to them, and the record says since when', async (t) => {
  const fixture = newFixture(t);
  const next = generateVaultKeyPair();
  const recorder = await fixture.open();
  const session = new TestSession(recorder);
  await session.run('for the first custodian');
  await recorder.keys.changeCustodian(parseVaultPublicKey(next.publicKey));
  await session.run('for the second custodian');
  const since = recorder.health().appendedJseq;
  session.close();
  await recorder.close('test');
  const leaves = await keyLeaves(fixture);
  const rotated = leaves.find(({ type }) => type === 'key.rotated');
  const second = vaultKeyFingerprint(parseVaultPublicKey(next.publicKey));
  assert.equal(rotated?.purpose, 'vault-custodian');
  assert.equal(rotated?.key, second);
  assert.ok(rotated.jseq < since);
  const recipients = leaves
    .filter(({ purpose }) => purpose === 'vault-data')
    .map((leaf) => recipientOf(fixture, leaf));
  assert.equal(recipients.length, 2);
  assert.notEqual(recipients[0], second);
  assert.equal(recipients[1], second);
  // A restart with the same custodian says nothing more.
  await runOnce(fixture, { custodianKey: next.publicKey });
  assert.equal((await keyLeaves(fixture)).filter(({ purpose }) => purpose === 'vault-custodian').length, 2);
});

function recipientOf(fixture: RecordFixture, { class: name, key, period }: KeyLeaf): string {
  const file = join(fixture.directory, 'vault/keys', name!, period!, `${key}.custodian`);
  const { recipient } = decodeWrappedKeyHeader(readFileSync(file));
  return vaultKeyFingerprint(parseVaultPublicKey(recipient.toString('base64')));
}

test('a compromised vault key is out of service at once: recorded first, its copies of data keys gone, reading goes on', async (t) => {
  const fixture = newFixture(t);
  const recorder = await fixture.open();
  const session = new TestSession(recorder);
  await session.run('before');
  const vault = join(fixture.directory, 'vault');
  const [file] = keyFiles(vault);
  const stolen = readFileSync(join(vault, file!));
  const { key, revoked } = await recorder.keys.revokeVaultKey('compromised');
  assert.notEqual(key, revoked);
  assert.ok(!readFileSync(join(vault, file!)).equals(stolen));
  await session.run('after');
  await integrated(recorder);
  const opened: string[] = [];
  for await (const { bytes, field } of recorder.readPayloads(0, recorder.health().appendedJseq)) {
    if (field === 'statement') opened.push(String(bytes));
  }
  assert.deepEqual(opened, ['after']);
  session.close();
  await recorder.close('test');
  assert.deepEqual(
    short(await keyLeaves(fixture)).filter((line) => /rotated|revoked/.test(line)),
    ['key.revoked vault-gateway', 'key.rotated vault-gateway'],
  );
  // Everything is there for the custodian.
  assert.equal((await fixture.verify()).verdict, 'VERIFIED');
});

test('a log changes its key: whoever pinned either one verifies it, before, during and after', async (t) => {
  const fixture = newFixture(t);
  const [first, second, third] = [generateSigningKey(), generateSigningKey(), generateSigningKey()];
  const checkpointFile = join(fixture.directory, 'log/checkpoint');
  await runOnce(fixture, { signingKey: first });
  const before = readFileSync(checkpointFile, 'utf8');
  await runOnce(fixture, { signingKey: second, previousKey: first });
  const during = readFileSync(checkpointFile, 'utf8');
  assert.equal(parseCheckpoint(during).note.signatures.length, 2);
  // The overlap goes on over a restart, and nothing is announced twice.
  await runOnce(fixture, { signingKey: second, previousKey: first });
  await runOnce(fixture, { signingKey: second });
  const after = readFileSync(checkpointFile, 'utf8');
  assert.equal(parseCheckpoint(after).note.signatures.length, 1);
  await runOnce(fixture, { signingKey: third, previousKey: second });
  await runOnce(fixture, { signingKey: third });
  const rotated = (await keyLeaves(fixture)).filter(({ type }) => type === 'key.rotated');
  assert.deepEqual(
    rotated.map(({ key, previous }) => [previous, key]),
    [
      [vkeyOf(first), vkeyOf(second)],
      [vkeyOf(second), vkeyOf(third)],
    ],
  );
  for (const key of [first, second, third]) {
    const { codes, verdict } = await verdictWith(fixture, key, [before, during, after]);
    assert.equal(verdict, 'VERIFIED', codes.join(', '));
  }
  assert.equal((await verdictWith(fixture, generateSigningKey())).verdict, 'CANNOT-VERIFY');
});

test('a start under a key that the log does not know is refused and leaves log.vkey as it was', async (t) => {
  const fixture = newFixture(t);
  const [first, second] = [generateSigningKey(), generateSigningKey()];
  await runOnce(fixture, { signingKey: first });
  const file = join(fixture.directory, 'log/log.vkey');
  const before = readFileSync(file, 'utf8');
  await assert.rejects(
    async () => runOnce(fixture, { signingKey: second }),
    (error) =>
      error instanceof CountersignError &&
      error.code === 'CS_RECORD_CORRUPT' &&
      error.detail?.startsWith('the checkpoint of the log is signed neither by') === true,
  );
  assert.equal(readFileSync(file, 'utf8'), before);
});

test('a new log has no key before: a start with log.previousKey is refused and writes no leaf', async (t) => {
  const fixture = newFixture(t);
  const [first, second] = [generateSigningKey(), generateSigningKey()];
  await assert.rejects(
    async () => runOnce(fixture, { signingKey: second, previousKey: first }),
    (error) => error instanceof CountersignError && error.code === 'CS_CONFIG_INVALID',
  );
  await runOnce(fixture, { signingKey: second });
  assert.equal((await verdictWith(fixture, second)).verdict, 'VERIFIED');
});

test(
  'Go’s note and tlog packages accept either key in the overlap, and only the new one after it',
  needGo(),
  async (t) => {
    const fixture = newFixture(t);
    const [first, second] = [generateSigningKey(), generateSigningKey()];
    const log = join(fixture.directory, 'log');
    const earlier = join(fixture.directory, 'earlier');
    await runOnce(fixture, { signingKey: first });
    await runOnce(fixture, { signingKey: second, previousKey: first });
    copyFileSync(join(log, 'checkpoint'), earlier);
    for (const key of [first, second]) {
      const { isAccepted, output } = verifyWithGo(log, vkeyOf(key));
      assert.ok(isAccepted, output);
    }
    await runOnce(fixture, { signingKey: second });
    assert.ok(verifyWithGo(log, vkeyOf(second), earlier).isAccepted);
    assert.ok(!verifyWithGo(log, vkeyOf(first)).isAccepted);
  },
);

test('a key that was given up cannot write on', async (t) => {
  const fixture = newFixture(t);
  const [stolen, next] = [generateSigningKey(), generateSigningKey()];
  await runOnce(fixture, { signingKey: stolen });
  await runOnce(fixture, { signingKey: next, previousKey: stolen });
  const text = readFileSync(join(fixture.directory, 'log/checkpoint'), 'utf8');
  const onlyStolen = text
    .split('\n')
    .filter((line) => !line.startsWith('\u2014') || line.includes(signatureOf(text, stolen)))
    .join('\n');
  writeFileSync(join(fixture.directory, 'log/checkpoint'), onlyStolen);
  for (const key of [stolen, next]) {
    const { codes, verdict } = await verdictWith(fixture, key);
    assert.deepEqual([verdict, codes.includes('key-superseded')], ['ALTERED', true]);
  }
});

function signatureOf(text: string, pem: string): string {
  const { keyId } = parseSigningKey(pem, ORIGIN);
  const line = parseCheckpoint(text).note.signatures.find((each) => each.keyId === keyId)!;
  return Buffer.concat([Buffer.from(line.keyId, 'hex'), line.signature]).toString('base64');
}

test('a change of key whose proof was tampered with is not believed', async (t) => {
  const fixture = newFixture(t);
  const [first, second] = [generateSigningKey(), generateSigningKey()];
  await runOnce(fixture, { signingKey: first });
  await runOnce(fixture, { signingKey: second, previousKey: first });
  await runOnce(fixture, { signingKey: second });
  const file = join(fixture.directory, 'log/rotation/0');
  const proof = readFileSync(file, 'utf8');
  const newKeyOnly = proof
    .split('\n')
    .filter(
      (line) =>
        !line.startsWith('\u2014') ||
        !line.includes(signatureOf(proof.split('\n\n').slice(1).join('\n\n'), first)),
    )
    .join('\n');
  writeFileSync(file, newKeyOnly);
  const { verdict } = await verdictWith(fixture, first);
  assert.equal(verdict, 'ALTERED');
  writeFileSync(file, proof);
  assert.equal((await verdictWith(fixture, first)).verdict, 'VERIFIED');
  // Proofs of one log say nothing of another.
  rmSync(file);
  assert.equal((await verdictWith(fixture, first)).verdict, 'CANNOT-VERIFY');
});

test('a new key without the one before is refused: the log would be another one', async (t) => {
  const fixture = newFixture(t);
  await runOnce(fixture, { signingKey: generateSigningKey() });
  await assert.rejects(fixture.open({ signingKey: generateSigningKey() }), { code: 'CS_RECORD_CORRUPT' });
});
