/** Contents of several retention classes in one journal: sealed apart, found together. */

import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { blockBytes, decodeBlockHeader, vaultEntryBytes, type Leaf } from 'countersign-verify';
import { countFaults, writeFaultControl } from './journal/faulty-file-layer.ts';
import { decodeFrame, FRAME_OVERHEAD_BYTES, frameBlocks, type Frame } from './journal/frame.ts';
import { SEGMENT_HEADER_BYTES, segmentFileName } from './journal/segment.ts';
import { RecordFixture, TestSession, until } from './record-fixture.ts';

/** Every whole frame of a segment. */
function framesOf(fixture: RecordFixture, segment: number): Frame[] {
  const bytes = readFileSync(join(fixture.journalDirectory, segmentFileName(segment)));
  const frames: Frame[] = [];
  for (let at = SEGMENT_HEADER_BYTES; ;) {
    const frame = decodeFrame(bytes, at);
    if (frame?.segment !== segment) return frames;
    frames.push(frame);
    at = frame.end;
  }
}

const classesIn = (frame: Frame): string[] =>
  [...frameBlocks(frame)].map((block) => decodeBlockHeader(block).header.retentionClass);

function leavesIn({ leaves }: Frame): Leaf[] {
  const found: Leaf[] = [];
  for (let at = 0; at < leaves.length;) {
    const end = at + 2 + leaves.readUInt16BE(at);
    found.push(JSON.parse(leaves.toString('utf8', at + 2, end)) as Leaf);
    at = end;
  }
  return found;
}

const blockClasses = (fixture: RecordFixture): string[] =>
  readdirSync(join(fixture.directory, 'vault/blocks')).toSorted((a, b) => a.localeCompare(b, 'en'));

async function assertSound(fixture: RecordFixture): Promise<void> {
  const report = await fixture.verify();
  assert.deepEqual([report.verdict, report.findings], ['VERIFIED', []]);
}

test('each class has a data key of its own in a segment, on record with its first contents', async () => {
  const fixture = new RecordFixture({ segmentBytes: 32 * 1024 });
  const recorder = await fixture.open();
  const sessions = [undefined, 'ledger', 'short'].map((name) => new TestSession(recorder, name));
  for (let i = 0; i < 60; i++) {
    // All in one group commit.
    const intents = sessions.map((session) => session.intent('x'.repeat(200)));
    await intents.at(-1)!.durable();
    for (const [at, session] of sessions.entries()) session.result(intents[at]!.id);
  }
  for (const session of sessions) session.close();
  await recorder.close('test');
  await assertSound(fixture);
  assert.deepEqual(blockClasses(fixture), ['default', 'ledger', 'short']);
  const announced = (await fixture.leaves()).filter(({ type }) => type === 'key.created');
  const keysOf = (name: string): Leaf[] => announced.filter((leaf) => leaf['class'] === name);
  for (const name of blockClasses(fixture)) {
    const [period] = readdirSync(join(fixture.directory, 'vault/blocks', name));
    const files = readdirSync(join(fixture.directory, 'vault/blocks', name, period!));
    assert.ok(files.length > 2, 'several segments');
    /** First leaves of the group commits that use a key. */
    const used = new Map<string, number[]>();
    for (const file of files) {
      const bytes = readFileSync(join(fixture.directory, 'vault/blocks', name, period!, file));
      for (let at = 0; at < bytes.length; at += blockBytes(bytes.subarray(at))) {
        const { firstJseq, keyId } = decodeBlockHeader(bytes.subarray(at)).header;
        const id = keyId.toString('hex');
        used.set(id, [...(used.get(id) ?? []), firstJseq]);
      }
    }
    assert.equal(used.size, files.length, 'one key for each segment');
    const keys = new Map(keysOf(name).map((leaf) => [leaf['key'] as string, leaf.jseq]));
    for (const [id, [, second = Infinity]] of used)
      assert.ok(keys.get(id)! < second, `a key of ${name} is not on record with its first contents`);
  }
  fixture.remove();
});

test('a class that nobody uses has no key; the first contents of one come with theirs', async () => {
  const fixture = new RecordFixture({ checkpointMs: 1_000_000 });
  const recorder = await fixture.open();
  const plain = new TestSession(recorder);
  await plain.run();
  await recorder.drained();
  assert.deepEqual(readdirSync(join(fixture.directory, 'vault/keys')), ['default']);
  const ledger = new TestSession(recorder, 'ledger');
  await ledger.intent().durable();
  const first = framesOf(fixture, 1).find((frame) => classesIn(frame).includes('ledger'));
  const announced = leavesIn(first!).filter(
    (leaf) => leaf.type === 'key.created' && leaf['class'] === 'ledger',
  );
  assert.equal(announced.length, 1);
  const header = [...frameBlocks(first!)]
    .map((block) => decodeBlockHeader(block).header)
    .find((each) => each.retentionClass === 'ledger');
  assert.equal(announced[0]!['key'], header!.keyId.toString('hex'));
  await recorder.close('test');
  fixture.remove();
});

test('the record says the class only where it is not that of the run', async () => {
  const fixture = new RecordFixture();
  const recorder = await fixture.open({ retentionClass: 'standard' });
  for (const name of [undefined, 'standard', 'ledger']) new TestSession(recorder, name).close();
  await recorder.close('test');
  const leaves = await fixture.leaves();
  const stated = (type: string): unknown[] =>
    leaves.filter((leaf) => leaf.type === type).map((leaf) => leaf['class']);
  assert.deepEqual(stated('software.started'), ['standard']);
  assert.deepEqual(stated('context'), [undefined, undefined, 'ledger']);
  await assertSound(fixture);
  fixture.remove();
});

test('a statement of one class costs what it did: one frame, one block, not a byte more', async () => {
  const fixture = new RecordFixture({ checkpointMs: 1_000_000 });
  const recorder = await fixture.open({ retentionClass: 'standard' });
  const session = new TestSession(recorder);
  await recorder.drained();
  const before = framesOf(fixture, 1).length;
  const text = 'select 1';
  const { id } = session.intent(text);
  session.result(id, 'sync');
  await recorder.drained();
  const frames = framesOf(fixture, 1).slice(before);
  const [frame] = frames;
  assert.equal(frames.length, 1);
  const leafBytes = leavesIn(frame!).reduce((sum, leaf) => sum + 2 + JSON.stringify(leaf).length, 0);
  // Header of the block: 56 fixed bytes, the class and the journal after a length each; then entry and tag.
  const block = 56 + 1 + 'standard'.length + 1 + 'w0'.length + vaultEntryBytes('statement', text.length) + 16;
  assert.equal(frame!.end - frame!.offset, FRAME_OVERHEAD_BYTES + leafBytes + block);
  assert.equal(FRAME_OVERHEAD_BYTES, 116);
  assert.equal(block, 143);
  await recorder.close('test');
  fixture.remove();
});

test('contents of all classes are read in the order of their leaves, spooled ones too', async () => {
  const fixture = new RecordFixture({ segmentBytes: 32 * 1024 });
  const recorder = await fixture.open();
  const names = ['zeta', undefined, 'alpha'];
  const sessions = names.map((name) => new TestSession(recorder, name));
  for (let i = 0; i < 40; i++) {
    for (const session of sessions) session.result(session.intent(`statement ${i}`).id);
    if (i % 4 === 0) await recorder.drained();
  }
  const spool = await recorder.openSpool('zeta');
  await spool.write(Buffer.alloc(5000, 1));
  const commitment = await spool.finish();
  await sessions[0]!.intentWith({ message: commitment.digest }, [{ field: 'message', commitment }]).durable();
  await spool.abort();
  assert.deepEqual(readdirSync(join(fixture.directory, 'vault/spool')), ['zeta']);
  const last = recorder.health().appendedJseq;
  await recorder.covered(last);
  for (const [from, to] of [
    [0, last],
    [50, 90],
    [77, 77],
  ] as const) {
    const found: number[] = [];
    for await (const { jseq } of recorder.readPayloads(from, to)) found.push(jseq);
    assert.deepEqual(
      found,
      found.toSorted((a, b) => a - b),
    );
    const intents = (await fixture.leaves()).filter(
      ({ jseq, type }) => type === 'call.intent' && jseq >= from && jseq <= to,
    );
    for (const { jseq } of intents) assert.ok(found.includes(jseq), `leaf ${jseq}`);
  }
  await recorder.close('test');
  fixture.remove();
});

test('a disk that takes no key of a class refuses, recovers, and loses nothing', async () => {
  const fixture = new RecordFixture({ segmentBytes: 64 * 1024 });
  const recorder = await fixture.openFaulty();
  const plain = new TestSession(recorder);
  await plain.run();
  for (let round = 0; round < 3; round++) {
    const before = countFaults(fixture.controlFile);
    writeFaultControl(fixture.controlFile, { fail: 'EIO', path: `vault/keys/late-${round}` });
    const late = new TestSession(recorder, `late-${round}`);
    // In the same group commit: it is refused with the rest.
    const other = plain.intent();
    await assert.rejects(late.intent().durable());
    await assert.rejects(other.durable());
    assert.ok(countFaults(fixture.controlFile) > before);
    // Long enough for another attempt: it needs the key as well.
    await until(() => countFaults(fixture.controlFile) > before + 1);
    writeFaultControl(fixture.controlFile, undefined);
    await until(() => recorder.health().ready);
    await late.run();
    await plain.run();
    late.close();
  }
  plain.close();
  await recorder.close('test');
  const report = await fixture.verify();
  assert.deepEqual([report.verdict, report.counts.voided], ['VERIFIED-WITH-GAPS', 6]);
  fixture.remove();
});

test('a crash between the commits of two classes loses nothing of either', async () => {
  const fixture = new RecordFixture({ segmentBytes: 32 * 1024, checkpointMs: 20 });
  const recorder = await fixture.open();
  const sessions = [new TestSession(recorder), new TestSession(recorder, 'ledger')];
  const copies: { readonly state: RecordFixture; readonly durableJseq: number }[] = [];
  for (let i = 0; i < 60; i++) {
    const intents = sessions.map((session) => session.intent('y'.repeat(300)));
    // Copied while the commit is under way, and the integrator at work.
    if (i % 6 === 0) copies.push({ durableJseq: recorder.health().durableJseq, state: fixture.copy() });
    await intents.at(-1)!.durable();
    for (const [at, session] of sessions.entries()) session.result(intents[at]!.id);
  }
  await recorder.close('test');
  for (const { durableJseq, state } of copies) {
    const next = await state.open();
    assert.ok(next.health().durableJseq >= durableJseq);
    await next.close('test');
    const report = await state.verify();
    const codes = new Set(report.findings.map(({ code }) => code));
    codes.delete('gap-in-doubt');
    codes.delete('gap-declared');
    assert.deepEqual([report.verdict, [...codes]], ['VERIFIED-WITH-GAPS', ['gap-crash']]);
    state.remove();
  }
  const files = readdirSync(join(fixture.directory, 'vault/blocks'), { recursive: true })
    .map((name) => join(fixture.directory, 'vault/blocks', String(name)))
    .filter((name) => name.endsWith('.blk'));
  assert.ok(files.length >= 4 && files.every((name) => statSync(name).size > 0));
  fixture.remove();
});
