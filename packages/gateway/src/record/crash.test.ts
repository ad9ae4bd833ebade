import assert from 'node:assert/strict';
import { readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { isCountersignError } from '../errors.ts';
import { realFileLayer } from './journal/file-layer.ts';
import { decodeFrame } from './journal/frame.ts';
import { decodeSegmentHeader, SEGMENT_HEADER_BYTES, segmentFileName } from './journal/segment.ts';
import { RecordFixture, TestSession, until } from './record-fixture.ts';
import { recoverJournal, type Recovered } from './recovery.ts';

function newestSegment(fixture: RecordFixture): number {
  const numbers = readdirSync(fixture.journalDirectory)
    .filter((name) => /^[0-9]{8}\.seg$/.test(name))
    .map((name) => Number.parseInt(name, 10));
  return Math.max(...numbers);
}

const segmentPath = (fixture: RecordFixture, number: number): string =>
  join(fixture.journalDirectory, segmentFileName(number));

/** Traffic of two sessions until the journal is in its segment `segments`; nothing of it is closed. */
async function fill(fixture: RecordFixture, segments: number): Promise<() => Promise<void>> {
  const recorder = await fixture.open();
  const sessions = [new TestSession(recorder), new TestSession(recorder)] as const;
  await recorder.drained();
  while (newestSegment(fixture) < segments) {
    // One batch of several leaves of one session, so that the one that makes the segment rotate has some.
    const first = sessions[0].intent('x'.repeat(300));
    sessions[0].result(first.id);
    const second = sessions[1].intent('y'.repeat(300));
    await second.durable();
    sessions[1].result(second.id);
  }
  await recorder.drained();
  if (fixture.options().record.checkpointMs < 1000) {
    await until(() => recorder.health().integratedJseq === recorder.health().durableJseq);
  }
  return () => recorder.close('test');
}

test('crash: a session that was open when its segment rotated is closed with the right digest', async () => {
  const fixture = new RecordFixture({ segmentBytes: 16 * 1024, checkpointMs: 10 });
  const stop = await fill(fixture, 4);
  const crashed = fixture.copy();
  await stop();
  const next = await crashed.open();
  await next.close('test');
  const report = await crashed.verify();
  const codes = report.findings.map(({ code }) => code);
  assert.deepEqual([report.verdict, codes], ['VERIFIED-WITH-GAPS', ['gap-crash']]);
  crashed.remove();
  fixture.remove();
});

function recover(fixture: RecordFixture, integratedJseq: number): Recovered {
  return recoverJournal({
    layer: realFileLayer,
    journalDirectory: fixture.journalDirectory,
    journal: 'w0',
    integratedJseq,
    acceptLoss: false,
  });
}

/** All but the text of the context, whose members a snapshot has in another order. */
function sessionsOf({ ledger }: Recovered): unknown[] {
  return [...ledger.sessions()].map((session) => {
    const { id, nextSeq, shift, digest, calls, bytesUp, bytesDown, open } = session;
    return [id, nextSeq, shift, digest, calls, bytesUp, bytesDown, [...open]];
  });
}

test('crash: wherever it cuts a new segment, the sessions are those of the leaves that are there', async () => {
  const fixture = new RecordFixture({ segmentBytes: 16 * 1024, checkpointMs: 1_000_000 });
  const stop = await fill(fixture, 3);
  const whole = readFileSync(segmentPath(fixture, 3));
  const { firstJseq } = decodeSegmentHeader(whole)!;
  const snapshot = decodeFrame(whole, SEGMENT_HEADER_BYTES)!;
  const first = decodeFrame(whole, snapshot.end)!;
  const cut = fixture.copy();
  await stop();
  const cuts: [string, (bytes: Buffer) => Buffer][] = [
    ['nothing is there', (bytes) => bytes.fill(0)],
    ['the snapshot without its header', (bytes) => bytes.fill(0, 0, 512).fill(0, snapshot.end)],
    ['the header without its snapshot', (bytes) => bytes.fill(0, SEGMENT_HEADER_BYTES)],
    ['half of the snapshot', (bytes) => bytes.fill(0, snapshot.end - 40)],
    ['no leaf yet', (bytes) => bytes.fill(0, snapshot.end)],
    ['half of the first leaves', (bytes) => bytes.fill(0, first.end - 40)],
    ['the first leaves', (bytes) => bytes.fill(0, first.end)],
  ];
  for (const [what, mutilate] of cuts) {
    writeFileSync(segmentPath(cut, 3), mutilate(Buffer.from(whole)));
    const all = recover(cut, -1);
    // The log has everything up to this segment, so recovery would rather not read the one before.
    const late = recover(cut, firstJseq - 1);
    const { durableJseq } = all.start;
    assert.equal(late.start.durableJseq, durableJseq, what);
    assert.deepEqual(sessionsOf(late), sessionsOf(all), what);
    assert.ok(late.ledger.size === 2, what);
  }
  cut.remove();
  fixture.remove();
});

test('crash: a first start that tore its first leaves leaves a log that begins as any other', async () => {
  const fixture = new RecordFixture({ checkpointMs: 1_000_000 });
  const recorder = await fixture.open();
  const torn = fixture.copy();
  await recorder.close('test');
  const whole = readFileSync(segmentPath(torn, 1));
  const first = decodeFrame(whole, decodeFrame(whole, SEGMENT_HEADER_BYTES)!.end)!;
  assert.equal(first.firstJseq, 0);
  writeFileSync(segmentPath(torn, 1), whole.fill(0, first.end - 40));
  await (await torn.open()).close('test');
  const report = await torn.verify();
  assert.deepEqual([report.verdict, report.findings], ['VERIFIED', []]);
  for (const each of [fixture, torn]) each.remove();
});

test('crash: a torn snapshot, and another crash before the log has anything of it, is not damage', async () => {
  for (const half of [0, 40]) {
    const fixture = new RecordFixture({ segmentBytes: 16 * 1024, checkpointMs: 1_000_000 });
    const stop = await fill(fixture, 3);
    const torn = fixture.copy();
    await stop();
    const whole = readFileSync(segmentPath(torn, 3));
    const end = decodeFrame(whole, SEGMENT_HEADER_BYTES)!.end;
    writeFileSync(segmentPath(torn, 3), whole.fill(0, half === 0 ? SEGMENT_HEADER_BYTES : end - half));
    const second = await torn.open();
    const session = new TestSession(second);
    const { jseq } = await session.run();
    await second.drained();
    const again = torn.copy();
    await second.close('test');
    const third = await again.open();
    await third.close('test');
    const leaves = await again.leaves();
    assert.equal(leaves.find((leaf) => leaf.jseq === jseq)?.session, session.id);
    const report = await again.verify();
    assert.deepEqual(
      [report.verdict, report.findings.filter(({ verdict }) => verdict !== 'VERIFIED-WITH-GAPS')],
      ['VERIFIED-WITH-GAPS', []],
    );
    for (const each of [fixture, torn, again]) each.remove();
  }
});

function damage(fixture: RecordFixture, number: number): void {
  const bytes = readFileSync(segmentPath(fixture, number));
  const snapshot = decodeFrame(bytes, SEGMENT_HEADER_BYTES)!;
  const frame = decodeFrame(bytes, decodeFrame(bytes, snapshot.end)!.end)!;
  bytes[frame.offset + 100]! ^= 0xff;
  writeFileSync(segmentPath(fixture, number), bytes);
}

test('crash: damage in an older segment, accepted, is declared, and a crash before that changes nothing', async () => {
  const fixture = new RecordFixture({ segmentBytes: 16 * 1024, checkpointMs: 1_000_000 });
  const stop = await fill(fixture, 3);
  const damaged = fixture.copy();
  await stop();
  fixture.remove();
  damage(damaged, 2);
  await assert.rejects(damaged.open(), (error) => isCountersignError(error, 'CS_RECORD_CORRUPT'));
  const next = await damaged.open({ acceptLoss: true });
  const early = damaged.copy();
  await next.close('test');
  // As if that run had ended right after it opened its segment: the next one is not asked to accept anything.
  const bytes = readFileSync(segmentPath(early, 4));
  const snapshot = decodeFrame(bytes, SEGMENT_HEADER_BYTES)!;
  writeFileSync(segmentPath(early, 4), bytes.fill(0, snapshot.end));
  const afterwards = await early.open({ acceptLoss: true });
  await afterwards.close('test');
  for (const state of [damaged, early]) {
    const report = await state.verify();
    const codes = new Set(report.findings.map(({ code }) => code));
    // Leaves of the same sessions follow the loss, which is declared only after them, and explains their holes.
    assert.equal(report.verdict, 'VERIFIED-WITH-GAPS', JSON.stringify(report.findings));
    assert.deepEqual([...codes].toSorted(), ['gap-crash', 'gap-declared', 'gap-in-doubt']);
    assert.equal(report.gaps.filter(({ cause, lost }) => cause === 'corruption' && lost > 0).length, 1);
    state.remove();
  }
});

test('crash: an accepted loss in the newest segment is declared even by a later run', async () => {
  const fixture = new RecordFixture({ checkpointMs: 1_000_000 });
  const recorder = await fixture.open();
  const session = new TestSession(recorder);
  for (let i = 0; i < 5; i++) await session.run();
  await recorder.drained();
  const damaged = fixture.copy();
  await recorder.close('test');
  fixture.remove();
  damage(damaged, 1);
  const next = await damaged.open({ acceptLoss: true });
  const early = damaged.copy();
  await next.close('test');
  damaged.remove();
  const bytes = readFileSync(segmentPath(early, 2));
  writeFileSync(segmentPath(early, 2), bytes.fill(0, decodeFrame(bytes, SEGMENT_HEADER_BYTES)!.end));
  const afterwards = await early.open();
  await afterwards.close('test');
  const report = await early.verify();
  assert.equal(report.verdict, 'VERIFIED-WITH-GAPS', JSON.stringify(report.findings));
  assert.equal(report.gaps.filter(({ cause, lost }) => cause === 'corruption' && lost > 0).length, 1);
  early.remove();
});

test('crash: a restart cuts nothing off a damaged vault', async () => {
  const fixture = new RecordFixture();
  const recorder = await fixture.open();
  const session = new TestSession(recorder);
  for (let i = 0; i < 3; i++) await session.run();
  await recorder.drained();
  await until(() => recorder.health().integratedJseq === recorder.health().durableJseq);
  const crashed = fixture.copy();
  await recorder.close('test');
  fixture.remove();
  const blocks = join(crashed.directory, 'vault', 'blocks', 'default');
  const file = join(blocks, readdirSync(blocks)[0]!, '00000001.blk');
  const bytes = readFileSync(file);
  bytes[0]! ^= 0xff;
  writeFileSync(file, bytes);
  const next = await crashed.open();
  await next.close('test');
  assert.ok(readFileSync(file).subarray(0, bytes.length).equals(bytes));
  const report = await crashed.verify();
  assert.equal(report.verdict, 'ALTERED');
  assert.ok(report.findings.some(({ code }) => code === 'vault-malformed'));
  crashed.remove();
});

test('crash: a log that lost its checkpoint and its journal is not begun anew', async () => {
  const fixture = new RecordFixture();
  const recorder = await fixture.open();
  await recorder.close('test');
  rmSync(join(fixture.directory, 'log', 'checkpoint'));
  const again = fixture.copy();
  // With its journal it is the same log again.
  const next = await again.open();
  await next.close('test');
  assert.equal((await again.verify()).verdict, 'VERIFIED');
  again.remove();
  rmSync(join(fixture.directory, 'journal'), { recursive: true });
  for (const acceptLoss of [false, true]) {
    await assert.rejects(fixture.open({ acceptLoss }), (error) =>
      isCountersignError(error, 'CS_RECORD_CORRUPT'),
    );
  }
  fixture.remove();
});

test('crash: entries that are not those of the newest tile are noticed at the start', async () => {
  const fixture = new RecordFixture();
  const recorder = await fixture.open();
  await recorder.close('test');
  const size = recorder.health().treeSize;
  const file = join(fixture.directory, 'log', 'tile', 'entries', '000.p', String(size));
  const bytes = readFileSync(file);
  bytes[bytes.length - 30]! ^= 1;
  writeFileSync(file, bytes);
  await assert.rejects(fixture.open(), (error) => isCountersignError(error, 'CS_RECORD_CORRUPT'));
  fixture.remove();
});

test('crash: damage to what the log has already can be accepted, and nothing is forged to hide it', async () => {
  const fixture = new RecordFixture({ checkpointMs: 10 });
  const recorder = await fixture.open();
  const session = new TestSession(recorder);
  for (let i = 0; i < 5; i++) await session.run();
  await recorder.drained();
  await until(() => recorder.health().integratedJseq === recorder.health().durableJseq);
  const damaged = fixture.copy();
  await recorder.close('test');
  fixture.remove();
  damage(damaged, 1);
  await assert.rejects(damaged.open(), (error) => isCountersignError(error, 'CS_RECORD_CORRUPT'));
  const next = await damaged.open({ acceptLoss: true });
  await next.close('test');
  const report = await damaged.verify();
  // Nothing is lost, then: what the journal cannot say any more of the sessions is read from the log.
  assert.equal(report.verdict, 'VERIFIED-WITH-GAPS', JSON.stringify(report.findings));
  assert.deepEqual(
    report.gaps.filter(({ cause }) => cause === 'corruption').map(({ lost }) => lost),
    [0],
  );
  assert.deepEqual([report.counts.openSessions, report.counts.openCalls], [0, 0]);
  damaged.remove();
});
