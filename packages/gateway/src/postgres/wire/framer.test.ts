import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isCountersignError } from '../../errors.ts';
import { MessageFramer } from './framer.ts';
import type { FramerHandler, FramerOptions } from './framer.ts';
import { BACKEND, FRONTEND } from './message-types.ts';
import { encodeCopyData } from './copy-data.ts';
import { encodeDataRow } from './backend/data-row.ts';
import { encodeQuery } from './frontend/query.ts';
import { encodeSync } from './frontend/sync.ts';
import { encodeTerminate } from './frontend/terminate.ts';

const isViolation = (error: unknown): boolean => isCountersignError(error, 'CS_PROTOCOL_VIOLATION');

/** Collects whole messages, and puts large ones together again. */
class Collector implements FramerHandler {
  readonly messages: Buffer[] = [];
  readonly copies: boolean[] = [];
  largest = 0;
  larges = 0;
  onMessage: (() => void) | undefined;
  #large: Buffer[] = [];
  #wanted = 0;

  message(type: number, buffer: Buffer, start: number, end: number): void {
    assert.equal(buffer[start], type);
    assert.equal(buffer.readUInt32BE(start + 1), end - start - 1);
    this.messages.push(Buffer.from(buffer.subarray(start, end)));
    this.onMessage?.();
  }

  largeStart(type: number, bodyLength: number, header: Buffer): void {
    assert.equal(header[0], type);
    assert.equal(header.length, 5);
    this.#large = [header];
    this.#wanted = bodyLength;
    this.larges++;
  }

  largeChunk(buffer: Buffer, start: number, end: number): void {
    assert.ok(end > start);
    this.largest = Math.max(this.largest, end - start);
    this.#large.push(Buffer.from(buffer.subarray(start, end)));
    this.#wanted -= end - start;
  }

  largeEnd(): void {
    assert.equal(this.#wanted, 0);
    this.messages.push(Buffer.concat(this.#large));
    this.onMessage?.();
  }
}

function feed(
  chunks: readonly Buffer[],
  options: FramerOptions,
): { collector: Collector; framer: MessageFramer } {
  const collector = new Collector();
  const framer = new MessageFramer(options, collector);
  for (const chunk of chunks) framer.push(chunk);
  return { collector, framer };
}

const messages = [
  encodeQuery('SELECT 1'),
  encodeSync(),
  encodeCopyData(Buffer.alloc(300, 7)),
  encodeCopyData(Buffer.alloc(0)),
  encodeQuery(''),
  encodeTerminate(),
];
const stream = Buffer.concat(messages);

test('a stream split at every position gives the same messages', () => {
  for (const wholeLimitBytes of [5, 64, 65_536]) {
    for (let at = 0; at <= stream.length; at++) {
      const { collector, framer } = feed([stream.subarray(0, at), stream.subarray(at)], {
        side: 'frontend',
        wholeLimitBytes,
      });
      assert.deepEqual(collector.messages, messages, `split at ${at}, whole limit ${wholeLimitBytes}`);
      assert.ok(framer.atBoundary);
    }
  }
});

test('a stream cut into pieces of every size gives the same messages', () => {
  for (const wholeLimitBytes of [5, 64, 65_536]) {
    for (let size = 1; size < 40; size++) {
      const chunks: Buffer[] = [];
      for (let at = 0; at < stream.length; at += size) chunks.push(stream.subarray(at, at + size));
      const { collector } = feed(chunks, { side: 'frontend', wholeLimitBytes });
      assert.deepEqual(collector.messages, messages);
    }
  }
});

test('a message that lies in one chunk is handed over in place', () => {
  const seen: Buffer[] = [];
  const framer = new MessageFramer(
    { side: 'frontend', wholeLimitBytes: 5 },
    {
      message: (_type, buffer) => void seen.push(buffer),
      largeStart: () => assert.fail(),
      largeChunk: () => assert.fail(),
      largeEnd: () => assert.fail(),
    },
  );
  framer.push(stream);
  assert.equal(seen.length, messages.length);
  assert.ok(seen.every((buffer) => buffer === stream));
});

test('a message over the whole limit streams, unless its type is needed whole', () => {
  const big = encodeQuery('x'.repeat(10_000));
  const chunks = [big.subarray(0, 100), big.subarray(100, 5_000), big.subarray(5_000)];
  const streamed = feed(chunks, { side: 'frontend', wholeLimitBytes: 1_000 });
  assert.equal(streamed.collector.larges, 1);
  assert.deepEqual(streamed.collector.messages, [big]);
  const whole = feed(chunks, {
    side: 'frontend',
    wholeLimitBytes: 1_000,
    needsWhole: (type) => type === FRONTEND.query,
  });
  assert.equal(whole.collector.larges, 0);
  assert.deepEqual(whole.collector.messages, [big]);
});

const rejected: readonly [string, readonly number[]][] = [
  ['a length that does not count itself', [0x51, 0, 0, 0, 3]],
  ['length zero', [0x51, 0, 0, 0, 0]],
  ['a negative length', [0x51, 0xff, 0xff, 0xff, 0xff]],
  ['the smallest negative length', [0x51, 0x80, 0, 0, 0]],
  ['one more than the limit of a large message', [0x51, 0x3f, 0xff, 0xff, 0xff]],
  ['one more than the limit of a small message (10,000 = 0x2710)', [0x45, 0, 0, 0x27, 0x11]],
  ['a Sync with a body', [0x53, 0, 0, 0, 5, 0]],
  ['a type that no client sends', [0x5a, 0, 0, 0, 5, 0x49]],
  ['type zero', [0, 0, 0, 0, 4]],
];

for (const [name, bytes] of rejected) {
  test(`refused: ${name}`, () => {
    for (let at = 1; at <= bytes.length; at++) {
      const framer = new MessageFramer({ side: 'frontend' }, new Collector());
      assert.throws(() => {
        framer.push(Buffer.from(bytes.slice(0, at)));
        framer.push(Buffer.from(bytes.slice(at)));
      }, isViolation);
      assert.throws(() => framer.push(encodeSync()), isViolation, 'unusable afterwards');
    }
  });
}

test('the largest lawful length is not allocated', () => {
  const before = process.memoryUsage().arrayBuffers;
  const framers = Array.from({ length: 100 }, () => {
    const framer = new MessageFramer({ side: 'frontend', needsWhole: () => true }, new Collector());
    framer.push(Buffer.from([0x51, 0x3f, 0xff, 0xff, 0xfe, 0x20]));
    return framer;
  });
  const grown = process.memoryUsage().arrayBuffers - before;
  assert.equal(framers.length, 100);
  assert.ok(grown < 4_000_000, `${grown} bytes for 100 lies`);
});

test('a cap from the options holds beside the protocol’s own', () => {
  const options: FramerOptions = {
    side: 'frontend',
    maxBodyBytes: (type) => (type === FRONTEND.query ? 10 : -1),
  };
  assert.equal(feed([encodeQuery('123456789')], options).collector.messages.length, 1);
  assert.throws(() => feed([encodeQuery('1234567890')], options));
  assert.throws(() => feed([encodeSync()], options));
});

test('stop keeps the rest of the chunk, resume goes on, and nothing is lost', () => {
  for (let size = 1; size < 60; size++) {
    const collector = new Collector();
    const framer = new MessageFramer({ side: 'frontend', wholeLimitBytes: 64 }, collector);
    collector.onMessage = () => framer.stop();
    for (let at = 0; at < stream.length; at += size) framer.push(stream.subarray(at, at + size));
    for (let count = 1; count < messages.length; count++) {
      assert.equal(collector.messages.length, count);
      framer.resume();
    }
    assert.deepEqual(collector.messages, messages);
    assert.ok(framer.atBoundary);
  }
});

test('stop in any callback of a large message holds back the next one, its end included', () => {
  const big = encodeQuery('x'.repeat(200));
  const bytes = Buffer.concat([big, encodeSync()]);
  for (let size = 1; size <= bytes.length; size++) {
    const calls: string[] = [];
    const stopAfter = (name: string) => (): void => {
      assert.ok(!framer.stopped, `${name} while stopped`);
      calls.push(name);
      framer.stop();
    };
    const handler: FramerHandler = {
      message: stopAfter('message'),
      largeStart: stopAfter('start'),
      largeChunk: stopAfter('chunk'),
      largeEnd: stopAfter('end'),
    };
    const framer = new MessageFramer({ side: 'frontend', wholeLimitBytes: 64 }, handler);
    for (let at = 0; at < bytes.length; at += size) framer.push(bytes.subarray(at, at + size));
    for (let turn = 0; !framer.atBoundary || framer.stopped; turn++) {
      assert.ok(turn < 400);
      framer.resume();
    }
    const distinct = calls.filter((name, index) => name !== calls[index - 1]);
    const isWhole = size >= big.length;
    assert.deepEqual(
      distinct,
      isWhole ? ['message'] : ['start', 'chunk', 'end', 'message'],
      `pieces of ${size}`,
    );
  }
});

test('a stopped framer hands its rest to the next reader', () => {
  const collector = new Collector();
  const framer = new MessageFramer({ side: 'frontend' }, collector);
  collector.onMessage = () => framer.stop();
  framer.push(stream.subarray(0, 20));
  framer.push(stream.subarray(20));
  assert.deepEqual(framer.takeRest(), stream.subarray(messages[0]!.length));
  assert.equal(framer.waitingBytes, 0);
});

test('resume inside a callback undoes stop', () => {
  const collector = new Collector();
  const framer = new MessageFramer({ side: 'frontend' }, collector);
  collector.onMessage = () => {
    framer.stop();
    framer.resume();
  };
  framer.push(stream);
  assert.deepEqual(collector.messages, messages);
});

test('what the handler throws passes through and ends the framer', () => {
  const collector = new Collector();
  collector.onMessage = () => {
    throw new Error('handler');
  };
  const framer = new MessageFramer({ side: 'frontend' }, collector);
  assert.throws(() => framer.push(stream), /handler/u);
  assert.throws(() => framer.push(stream), isCountersignError);
});

test('backend messages: a data row over the whole limit streams in bounded pieces', () => {
  const row = encodeDataRow([Buffer.alloc(1_000_000, 1)]);
  const chunks: Buffer[] = [];
  for (let at = 0; at < row.length; at += 65_536) chunks.push(row.subarray(at, at + 65_536));
  const { collector } = feed(chunks, { side: 'backend' });
  assert.equal(collector.messages[0]![0], BACKEND.dataRow);
  assert.deepEqual(collector.messages, [row]);
  assert.ok(collector.largest <= 65_536);
});
