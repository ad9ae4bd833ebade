import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isCountersignError } from '../errors.ts';
import { createSystemClock } from './clock.ts';
import { Integrator } from './integrator/integrator.ts';
import { realFileLayer, type FileLayer } from './journal/file-layer.ts';
import { closeFrame, decodeFrame, writeFrameHeader, type Frame } from './journal/frame.ts';
import { SEGMENT_HEADER_BYTES, segmentFileName } from './journal/segment.ts';
import type { OpenedRecorder } from './open-recorder.ts';
import { RecordFixture, TestSession } from './record-fixture.ts';
import { recoverJournal, type Recovered } from './recovery.ts';

/** A journal of one segment with small frames that nothing has been integrated from. */
let fixture: RecordFixture;
let recorder: OpenedRecorder;
let segment: Buffer;
let frames: Frame[];

before(async () => {
  fixture = new RecordFixture({ checkpointMs: 1_000_000, segmentBytes: 16 * 1024 });
  recorder = await fixture.open();
  const session = new TestSession(recorder);
  for (let i = 0; i < 4; i++) await session.run('q');
  await recorder.drained();
  segment = readFileSync(join(fixture.journalDirectory, segmentFileName(1)));
  frames = [];
  for (let at = SEGMENT_HEADER_BYTES; ;) {
    const frame = decodeFrame(segment, at);
    if (frame === undefined) break;
    frames.push(frame);
    at = frame.end;
  }
  assert.ok(frames.length >= 6, 'a snapshot and some commits');
});

after(async () => {
  await recorder.close('test');
  fixture.remove();
});

/** Recovers as if the segment held these bytes. */
function recover(bytes: Buffer, options: { acceptLoss?: boolean } = {}): Recovered {
  const layer: FileLayer = {
    ...realFileLayer,
    exists: () => true,
    open: () => 0,
    close: () => undefined,
    size: () => bytes.length,
    read: (_handle, target, length, position) => bytes.copy(target, 0, position, position + length),
  };
  return recoverJournal({
    layer,
    journalDirectory: fixture.journalDirectory,
    journal: 'w0',
    integratedJseq: -1,
    acceptLoss: options.acceptLoss ?? false,
  });
}

const lastJseqOf = (frame: Frame): number => frame.firstJseq + frame.leafCount - 1;

/** The last jseq of the frames that end at or before `cut`. */
function durableAt(cut: number): number {
  const whole = frames.filter((frame) => frame.kind === 'leaves' && frame.end <= cut);
  const newest = whole.at(-1);
  return newest === undefined ? -1 : lastJseqOf(newest);
}

/** An earlier use of the same file: whole frames at the same places, of another segment and with other contents. */
function earlierUse(): Buffer {
  const bytes = Buffer.from(segment);
  for (const frame of frames) {
    const whole = bytes.subarray(frame.offset, frame.end);
    for (let at = 84; at < whole.length; at++) whole[at]! ^= 0xff;
    writeFrameHeader(whole, { ...frame, previousHash: Buffer.from(frame.previousHash), segment: 7 });
    closeFrame(whole, whole.length);
    assert.ok(decodeFrame(bytes, frame.offset) !== undefined);
  }
  return bytes;
}

for (const rest of ['zeros', 'garbage', 'frames of an earlier use'] as const) {
  test(`recovery: cut at every byte of the last three frames, then ${rest}`, () => {
    const end = frames.at(-1)!.end;
    const start = frames.at(-3)!.offset;
    const earlier = earlierUse();
    const noise = randomBytes(segment.length);
    for (let cut = start; cut <= end; cut++) {
      const bytes = Buffer.from(segment);
      if (rest === 'zeros') bytes.fill(0, cut);
      else (rest === 'garbage' ? noise : earlier).copy(bytes, cut, cut);
      const recovered = recover(bytes);
      assert.equal(recovered.start.durableJseq, durableAt(cut), `cut at ${cut}`);
      assert.notEqual(recovered.damages[0]?.cause, 'corruption');
      const isInside = frames.some(({ offset, end: frameEnd }) => cut > offset + 84 && cut < frameEnd);
      if (isInside) assert.equal(recovered.damages[0]?.cause, 'torn-tail', `cut at ${cut}`);
    }
  });
}

test('recovery: a damaged frame before a whole one is corruption, and loss is only accepted on request', () => {
  const damaged = frames.at(-3)!;
  for (let at = damaged.offset; at < damaged.end; at += 7) {
    const bytes = Buffer.from(segment);
    bytes[at]! ^= 0x10;
    assert.throws(
      () => recover(bytes),
      (error) => isCountersignError(error, 'CS_RECORD_CORRUPT') && error.fatal,
      `flipped a bit at ${at}`,
    );
    const { damages, start } = recover(bytes, { acceptLoss: true });
    const to = lastJseqOf(frames.at(-1)!);
    assert.deepEqual(damages[0], {
      cause: 'corruption',
      segment: 1,
      from: damaged.firstJseq,
      to,
      lost: to - damaged.firstJseq + 1,
    });
    assert.equal(start.durableJseq, to);
  }
});

test('recovery: accepted loss is declared, and the log verifies with its gap', async () => {
  const copy = fixture.copy();
  const path = join(copy.journalDirectory, segmentFileName(1));
  const handle = realFileLayer.open(path, 'write');
  realFileLayer.write(handle, Buffer.from([0xff]), 1, frames.at(-3)!.offset + 100);
  realFileLayer.close(handle);
  await assert.rejects(copy.open(), (error) => isCountersignError(error, 'CS_RECORD_CORRUPT'));
  const recorder = await copy.open({ acceptLoss: true });
  await recorder.close('test');
  const report = await copy.verify();
  assert.equal(report.verdict, 'VERIFIED-WITH-GAPS');
  assert.ok(report.gaps.some(({ cause, lost }) => cause === 'corruption' && lost > 0));
  copy.remove();
});

test('recovery: what a power cut takes was never acknowledged; a build that does not sync is caught', async () => {
  for (const faults of [{ loseUnsynced: true }, { loseUnsynced: true, lazySyncMs: 1_000_000 }]) {
    const state = new RecordFixture({ checkpointMs: 1_000_000, timeoutMs: 100 });
    const recorder = await state.open({ faults });
    const session = new TestSession(recorder);
    let acknowledged = -1;
    for (let i = 0; i < 10; i++) {
      const intent = session.intent();
      await intent.durable();
      acknowledged = intent.jseq;
      session.result(intent.id);
    }
    const cut = state.copy();
    let durableJseq = -1;
    try {
      const { start } = recoverJournal({
        layer: realFileLayer,
        journalDirectory: cut.journalDirectory,
        journal: 'w0',
        integratedJseq: -1,
        acceptLoss: false,
      });
      ({ durableJseq } = start);
    } finally {
      const isSound = durableJseq >= acknowledged;
      assert.equal(isSound, faults.lazySyncMs === undefined);
      await recorder.close('test');
      cut.remove();
      state.remove();
    }
  }
});

/** A layer that fails at the `limit`-th call that changes anything; nothing works afterwards. */
function crashingLayer(limit: number): { readonly layer: FileLayer; readonly isCrashed: () => boolean } {
  let calls = 0;
  const step = (): void => {
    calls++;
    if (calls >= limit) throw new Error('crashed here');
  };
  const layer: FileLayer = {
    ...realFileLayer,
    write: (handle, bytes, length, position) => {
      // A crash in a write leaves half of it.
      if (calls + 1 === limit) realFileLayer.write(handle, bytes, length >> 1, position);
      step();
      realFileLayer.write(handle, bytes, length, position);
    },
    truncate: (handle, length) => (step(), realFileLayer.truncate(handle, length)),
    sync: (handle) => (step(), realFileLayer.sync(handle)),
    rename: (from, to) => (step(), realFileLayer.rename(from, to)),
    remove: (path) => (step(), realFileLayer.remove(path)),
    syncDirectory: (path) => (step(), realFileLayer.syncDirectory(path)),
    makeDirectory: (path) => (step(), realFileLayer.makeDirectory(path)),
  };
  return { layer, isCrashed: () => calls >= limit };
}

/** One run of the integrator over everything that the journal holds; returns the size of the log. */
async function integrate(fixture: RecordFixture, layer: FileLayer): Promise<number> {
  const { signingKey, origin, record } = fixture.options();
  const paths = {
    journalDirectory: fixture.journalDirectory,
    logDirectory: join(fixture.directory, 'log'),
    vaultDirectory: join(fixture.directory, 'vault'),
  };
  const options = {
    ...paths,
    journal: 'w0',
    origin,
    signingKey,
    segmentBytes: record.segmentBytes,
    faults: undefined,
  };
  const integrator = new Integrator(options, layer);
  const { jseq } = await integrator.load();
  const { marks } = recoverJournal({
    layer: realFileLayer,
    journalDirectory: paths.journalDirectory,
    journal: 'w0',
    integratedJseq: jseq,
    acceptLoss: false,
  });
  const atUs = createSystemClock().atUs();
  return (await integrator.integrate({ kind: 'integrate', marks, durableJseq: -1, wantSpare: false, atUs }))
    .size;
}

test('integrator: cut off at every step, the next run completes the same log', async () => {
  const state = new RecordFixture({ checkpointMs: 1_000_000, segmentBytes: 64 * 1024 });
  const recorder = await state.open();
  const session = new TestSession(recorder);
  // Two retention classes, so that each segment has two files of blocks.
  const other = new TestSession(recorder, 'ledger');
  const run = async (): Promise<void> => {
    for (let i = 0; i < 150; i++) {
      const own = i % 3 === 0 ? other : session;
      own.result(own.intent().id);
      if (i % 50 === 0) await recorder.drained();
    }
    await recorder.drained();
  };
  await run();
  const half = state.copy();
  await run();
  // One checkpoint exists already, so that superseding it is cut off as well.
  await integrate(half, realFileLayer);
  let isDone = false;
  let steps = 0;
  for (let limit = 1; !isDone; limit++) {
    const cut = state.copy();
    for (const place of ['log', 'vault']) {
      cpSync(join(half.directory, place), join(cut.directory, place), { recursive: true });
    }
    const { layer, isCrashed } = crashingLayer(limit);
    await integrate(cut, layer).catch((error: unknown) => assert.ok(isCrashed(), String(error)));
    isDone = !isCrashed();
    const size = await integrate(cut, realFileLayer);
    assert.equal(size, recorder.health().durableJseq + 1);
    const report = await cut.verify();
    assert.deepEqual([report.verdict, report.findings], ['VERIFIED', []], `after ${limit} calls`);
    cut.remove();
    steps = limit;
  }
  assert.ok(steps > 20, `${steps} steps`);
  session.close();
  other.close();
  await recorder.close('test');
  half.remove();
  state.remove();
});
