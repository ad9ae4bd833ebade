/** At least once, in order, never skipped: whatever the receiver, the disk and the log do. */

import assert from 'node:assert/strict';
import { appendFileSync, cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { readCursor, writeCursor } from '../../packages/gateway/src/export/cursor.ts';
import { parseRetryAfter } from '../../packages/gateway/src/export/sinks/http-sink.ts';
import { SinkError, type OutgoingEvent, type Sink } from '../../packages/gateway/src/export/sinks/sink.ts';
import { until } from '../../packages/gateway/src/record/record-fixture.ts';
import { HttpReceiver, parseLines, type ReceivedEvent } from './receivers.ts';
import { assertComplete, duplicatesOf, ExportStage, fileExport, httpExport } from './stage.ts';

const read = (path: string): readonly ReceivedEvent[] => parseLines(readFileSync(path, 'utf8'));

function fail(): never {
  throw new SinkError('unavailable', 'not now', { retryAfterMs: 1 });
}

/** Keeps what it is given; `fail` may throw before or after. */
class ListSink implements Sink {
  readonly events: ReceivedEvent[] = [];
  before: (events: readonly OutgoingEvent[]) => void = () => {};
  after: (events: readonly OutgoingEvent[]) => void = () => {};

  deliver(events: readonly OutgoingEvent[]): Promise<void> {
    return new Promise((resolve) => {
      this.before(events);
      this.events.push(...events.map(({ json }) => JSON.parse(json.toString()) as ReceivedEvent));
      this.after(events);
      resolve();
    });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

test('a file gets every leaf once, in order, as it stands in the log, and goes on where it was', async () => {
  await using stage = new ExportStage();
  const path = join(stage.directory, 'events.jsonl');
  await stage.grow(200);
  await stage.drain(fileExport(path));
  await stage.grow(100);
  const status = await stage.drain(fileExport(path));
  assert.equal(status.state, 'running');
  assert.equal(status.lagLeaves, 0);
  await assertComplete(read(path), stage.logDirectory);
  assert.equal(duplicatesOf(read(path)), 0);
  const [event] = read(path);
  assert.equal(event?.unmapped.countersign.witnessed, false);
});

test('results name who acted, also after a restart between intent and result', async () => {
  await using stage = new ExportStage();
  const path = join(stage.directory, 'events.jsonl');
  await stage.grow(30);
  // One leaf at a time: every pair of leaves has a restart between them.
  const size = await stage.size();
  let stops = 0;
  for (let at = 0; at < size; at += 13) {
    const exporter = stage.start(fileExport(path, { batch: 1 }));
    await until(() => exporter.status.delivered >= Math.min(size, at + 13));
    await stage.stopExports();
    stops++;
  }
  await stage.drain(fileExport(path));
  await assertComplete(read(path), stage.logDirectory);
  const calls = read(path).filter(({ metadata }) => metadata.event_code.startsWith('call.'));
  // A stop between a delivery and its cursor repeats that one: at least once is the promise.
  assert.equal(new Set(calls.map(({ metadata }) => metadata.uid)).size, 60);
  assert.ok(calls.length <= 60 + stops);
  for (const call of calls as unknown as { actor: { user?: { uid: string } }; activity_name: string }[]) {
    assert.equal(call.actor.user?.uid, 'alice');
    assert.equal(call.activity_name, 'Query');
  }
});

test('what the cursor remembers can be made again from the log', async () => {
  await using stage = new ExportStage();
  const path = join(stage.directory, 'events.jsonl');
  await stage.grow(20);
  const exporter = stage.start(fileExport(path, { batch: 1 }));
  await until(() => exporter.status.delivered > 15);
  await stage.stopExports();
  const { memory, ...cursor } = readCursor(stage.directory, 'out')!;
  assert.ok(memory !== undefined && memory.sessions.length === 1);
  writeCursor(stage.directory, cursor);
  await stage.drain(fileExport(path));
  const results = read(path).filter(({ metadata }) => metadata.event_code === 'call.result');
  for (const result of results as unknown as { actor: { user?: { uid: string } } }[])
    assert.equal(result.actor.user?.uid, 'alice');
});

test('a crash between delivery and cursor repeats at most one batch', async () => {
  await using stage = new ExportStage();
  await stage.grow(200);
  const sink = new ListSink();
  const before = stage.start(httpExport('http://127.0.0.1:1', { batch: 20 }), sink);
  await until(() => before.status.delivered >= 100);
  await stage.stopExports();
  const { size } = readCursor(stage.directory, 'out')!;
  // As if the process had died after the receiver took more than the cursor says.
  const taken = sink.events.length;
  assert.ok(taken >= size && taken - size <= 20);
  await stage.drain(httpExport('http://127.0.0.1:1', { batch: 20 }), sink);
  await assertComplete(sink.events, stage.logDirectory);
  assert.ok(duplicatesOf(sink.events) <= 20);
});

test('failures before and after the receiver took a batch lose nothing', async () => {
  await using stage = new ExportStage();
  await stage.grow(150);
  const sink = new ListSink();
  let deliveries = 0;
  sink.before = () => (deliveries++ % 3 === 0 ? fail() : undefined);
  sink.after = () => (deliveries % 3 === 2 ? fail() : undefined);
  const status = await stage.drain(httpExport('http://127.0.0.1:1', { batch: 30 }), sink);
  assert.ok(status.failures > 5);
  await assertComplete(sink.events, stage.logDirectory);
});

test('full files are renamed by the index of their first event; a torn line is cut and written again', async () => {
  await using stage = new ExportStage();
  const folder = join(stage.directory, 'out');
  mkdirSync(folder);
  const path = join(folder, 'events.jsonl');
  await stage.grow(60);
  await stage.drain(fileExport(path, { maxBytes: 40_000, batch: 10 }));
  appendFileSync(path, '{"torn":');
  await stage.grow(60);
  await stage.drain(fileExport(path, { maxBytes: 40_000, batch: 10 }));
  const files = readdirSync(folder).sort();
  assert.ok(files.length > 3);
  // `events.jsonl` sorts first and is the newest.
  const events = [...files.slice(1), files[0]!].flatMap((file) => read(join(folder, file)));
  await assertComplete(events, stage.logDirectory);
  for (const file of files.slice(1)) {
    const [first] = read(join(folder, file));
    assert.equal(file, `events.jsonl.${String(first?.metadata.sequence).padStart(15, '0')}`);
  }
  rmSync(folder, { recursive: true });
});

test('a file whose directory is gone, or that is no file, is told and waited for', async () => {
  await using stage = new ExportStage();
  await stage.grow(10);
  const folder = join(stage.directory, 'absent');
  const path = join(folder, 'events.jsonl');
  const exporter = stage.start(fileExport(path));
  await until(() => exporter.status.state === 'retrying');
  assert.match(exporter.status.reason ?? '', /ENOENT/);
  mkdirSync(folder);
  await until(() => exporter.status.lagLeaves === 0 && exporter.status.state === 'running');
  await assertComplete(read(path), stage.logDirectory);
});

test('HTTP: headers from references, gzip, one array', async () => {
  await using stage = new ExportStage();
  const receiver = await new HttpReceiver().listen();
  try {
    await stage.grow(100);
    const secret = join(stage.directory, 'authorization');
    writeFileSync(secret, 'Bearer s3cret\n');
    await stage.drain(
      httpExport(receiver.url, {
        gzip: true,
        format: 'array',
        headers: [{ name: 'Authorization', value: { kind: 'file', name: secret } }],
      }),
    );
    await assertComplete(receiver.received, stage.logDirectory);
    assert.ok(receiver.requests.length > 3);
    for (const { headers, count } of receiver.requests) {
      assert.equal(headers.authorization, 'Bearer s3cret');
      assert.ok(count <= 50);
    }
  } finally {
    await receiver.close();
  }
});

test('HTTP: errors, broken connections and silence only delay; Retry-After is honoured', async () => {
  await using stage = new ExportStage();
  const receiver = await new HttpReceiver().listen();
  try {
    await stage.grow(120);
    let turn = 0;
    const answers = [
      { status: 503, headers: { 'retry-after': '0' } },
      { status: 429, headers: { 'retry-after': '0' } },
      'keep-and-break',
      { status: 401 },
      'break',
      { status: 302, headers: { location: 'http://127.0.0.1:1/' } },
      'hang',
    ] as const;
    receiver.answer = () => answers[turn++] ?? { status: 200 };
    const status = await stage.drain(httpExport(receiver.url, { batch: 100, timeoutMs: 300 }));
    assert.equal(status.failures, answers.length);
    await assertComplete(receiver.received, stage.logDirectory);
    assert.equal(duplicatesOf(receiver.received), 100);
  } finally {
    await receiver.close();
  }
});

test('Retry-After is read as seconds or as a date, and bounded', () => {
  const now = Date.parse('2026-11-23T00:00:00Z');
  assert.equal(parseRetryAfter(undefined, now), undefined);
  assert.equal(parseRetryAfter('7', now), 7_000);
  assert.equal(parseRetryAfter('Mon, 23 Nov 2026 00:00:05 GMT', now), 5_000);
  assert.equal(parseRetryAfter('Sun, 22 Nov 2026 00:00:00 GMT', now), 0);
  assert.equal(parseRetryAfter('999999999', now), 600_000);
  assert.equal(parseRetryAfter('soon', now), undefined);
});

test('HTTP: one event that is refused stops the export, names the leaf and skips nothing', async () => {
  await using stage = new ExportStage();
  const receiver = await new HttpReceiver().listen();
  const POISON = 83;
  try {
    await stage.grow(100);
    receiver.answer = (events) =>
      events.some(({ metadata }) => metadata.sequence === POISON) ? { status: 422 } : { status: 200 };
    const status = await stage.drain(httpExport(receiver.url));
    assert.equal(status.state, 'stopped');
    assert.match(status.reason ?? '', /^leaf 83 is refused: the receiver answered 422$/);
    assert.ok(receiver.received.every(({ metadata }) => metadata.sequence < POISON));
    assert.ok(receiver.received.some(({ metadata }) => metadata.sequence === POISON - 1));
    assert.equal(readCursor(stage.directory, 'out')?.size, 50);
    // The receiver is mended; the next start goes on from the cursor.
    receiver.answer = () => ({ status: 200 });
    await stage.drain(httpExport(receiver.url));
    await assertComplete(receiver.received, stage.logDirectory);
    assert.ok(duplicatesOf(receiver.received) <= 50);
  } finally {
    await receiver.close();
  }
});

test('another log, another history, a shorter log: nothing more is exported under this cursor', async () => {
  await using stage = new ExportStage();
  await stage.grow(40);
  const older = join(stage.directory, 'older');
  cpSync(stage.logDirectory, older, { recursive: true });
  const path = join(stage.directory, 'events.jsonl');
  await stage.grow(40);
  await stage.drain(fileExport(path));
  await stage.stopRecorder();
  const whole = readFileSync(path, 'utf8');

  // Another history with the same key and origin, and as long.
  await using other = new ExportStage();
  await other.grow(200);
  await other.stopRecorder();
  const own = join(stage.directory, 'own');
  cpSync(stage.logDirectory, own, { recursive: true });
  rmSync(stage.logDirectory, { recursive: true });
  cpSync(other.logDirectory, stage.logDirectory, { recursive: true });
  const forked = await stage.drain(fileExport(path));
  assert.equal(forked.state, 'stopped');
  assert.match(forked.reason ?? '', /does not continue/);

  // Rolled back: waited for, because the newest checkpoint may only be late.
  rmSync(stage.logDirectory, { recursive: true });
  cpSync(older, stage.logDirectory, { recursive: true });
  const exporter = stage.start(fileExport(path));
  await until(() => exporter.status.failures > 1);
  assert.equal(exporter.status.state, 'retrying');
  assert.equal(readFileSync(path, 'utf8'), whole);
  rmSync(stage.logDirectory, { recursive: true });
  cpSync(own, stage.logDirectory, { recursive: true });
  await until(() => exporter.status.state === 'running' && exporter.status.lagLeaves === 0);
  await assertComplete(read(path), stage.logDirectory);
});

test('a leaf that was changed on disk is not exported', async () => {
  await using stage = new ExportStage();
  await stage.grow(10);
  await stage.stopRecorder();
  const bundles = join(stage.logDirectory, 'tile/entries/000.p');
  for (const file of readdirSync(bundles)) {
    const bytes = readFileSync(join(bundles, file));
    const at = bytes.indexOf('alice');
    bytes.write('mafia', at);
    writeFileSync(join(bundles, file), bytes);
  }
  const path = join(stage.directory, 'events.jsonl');
  const status = await stage.drain(fileExport(path));
  assert.equal(status.state, 'stopped');
  assert.match(status.reason ?? '', /are not those of the checkpoint/);
  assert.equal(status.delivered, 0);
});

test('a damaged cursor stops the export: a guess could skip leaves', async () => {
  await using stage = new ExportStage();
  await stage.grow(10);
  const path = join(stage.directory, 'events.jsonl');
  await stage.drain(fileExport(path));
  const cursor = join(stage.directory, 'export/out.cursor');
  for (const text of ['', '{}', readFileSync(cursor, 'utf8').slice(0, 40)]) {
    writeFileSync(cursor, text);
    const status = await stage.drain(fileExport(path));
    assert.equal(status.state, 'stopped');
    assert.match(status.reason ?? '', /cursor of export out cannot be read/);
  }
});

test('an export without progress is stalled until it has won back half of its limit', async () => {
  await using stage = new ExportStage();
  await stage.grow(10);
  const sink = new ListSink();
  let isAway = true;
  sink.before = () => {
    if (isAway) fail();
  };
  const exporter = stage.start(httpExport('http://127.0.0.1:1', { alertAfterMs: 50 }), sink);
  await until(() => {
    exporter.checkLag();
    return exporter.status.isStalled;
  });
  assert.ok(exporter.status.lagLeaves > 0 && exporter.status.lagSeconds > 0);
  isAway = false;
  await until(() => {
    exporter.checkLag();
    return !exporter.status.isStalled;
  });
  assert.equal(exporter.status.lagLeaves, 0);
});
