/* oxlint-disable unicorn/require-post-message-target-origin -- between threads, not windows */
/**
 * The thread that writes and syncs (decision 18). It blocks: in `Atomics.wait` until the data thread has a batch, then in
 * pwrite and fdatasync. One group commit = seal the payloads (one AEAD call for each retention class among them), build the
 * frame, write it, sync it.
 */

import { createSecretKey, randomBytes, type KeyObject } from 'node:crypto';
import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { DATA_KEY_BYTES, DATA_KEY_ID_BYTES, NONCE_BYTES, sealBlock } from 'countersign-verify';
import { writeDataKey } from '../vault/data-key-files.ts';
import type { Sealing } from '../vault/sealing.ts';
import { PAYLOADS_HEADER_BYTES } from './batch.ts';
import { createFileLayer } from './file-layer.ts';
import {
  closeFrame,
  FRAME_HASH_BYTES,
  FRAME_HEADER_BYTES,
  FRAME_OVERHEAD_BYTES,
  writeFrameHeader,
} from './frame.ts';
import { dropSegmentFile, openSegmentFile } from './segment-file.ts';
import { encodeSegmentHeader, SEGMENT_HEADER_BYTES } from './segment.ts';
import * as protocol from './sync-protocol.ts';

const data = workerData as protocol.SyncWorkerData;
const answers = parentPort!;
const cells = new Int32Array(data.shared, 0, protocol.CELLS);
const wides = new Float64Array(data.shared, protocol.CELLS * 4, protocol.WIDES);
const hashAnswer = new Uint8Array(data.shared, protocol.CELLS * 4 + protocol.WIDES * 8, protocol.HASH_BYTES);
const layer = createFileLayer(data.faults);

/** Payloads of a batch that are sealed together. */
interface SharedPayloads {
  readonly retentionClass: string;
  /** Bytes and number of the entries. */
  readonly header: Int32Array;
  readonly entries: Buffer;
}

const slots = new Map<number, { readonly leaves: Buffer; readonly payloads: readonly SharedPayloads[] }>();
let frame = Buffer.alloc(256 * 1024);
let hashOfPrevious = Buffer.alloc(FRAME_HASH_BYTES);

interface OpenSegment {
  readonly handle: number;
  readonly number: number;
  /** By retention class. */
  readonly keys: ReadonlyMap<string, SegmentKey>;
  readonly sealing: Sealing;
}
interface SegmentKey {
  readonly keyId: Buffer;
  readonly dataKey: KeyObject;
}
/** Data keys of one segment that are durable, by retention class. */
interface MadeKeys {
  readonly number: number;
  readonly sealing: Sealing;
  readonly keys: Map<string, SegmentKey>;
}

/** Of the segment in use, or of the one that is to be opened next. */
let made: MadeKeys | undefined;
let segment: OpenSegment | undefined;
let offset = 0;
let sequence = 0;

/**
 * Every segment and class has a key of its own and a frame at most one block of a class, so the offset of the frame, which only
 * grows, never repeats under a key.
 */
function nextNonce(): Buffer {
  const nonce = Buffer.alloc(NONCE_BYTES);
  nonce.writeUIntBE(offset, NONCE_BYTES - 6, 6);
  return nonce;
}

function ensureFrame(length: number): void {
  if (frame.length < length) frame = Buffer.alloc(Math.max(length, frame.length * 2));
}

/** Closes the segment. That a broken disk does not even do that changes nothing. */
function leaveSegment(): void {
  const { handle } = segment ?? {};
  segment = undefined;
  try {
    if (handle !== undefined) layer.close(handle);
  } catch {
    // The handle is gone either way.
  }
}

/** Completes the frame whose body is in place, writes and syncs it. Only then do offset, sequence and hash move on. */
function writeFrame(
  kind: 'leaves' | 'snapshot',
  parts: { leavesBytes: number; blockBytes: number; leafCount: number },
): number {
  const length = FRAME_OVERHEAD_BYTES + parts.leavesBytes + parts.blockBytes;
  writeFrameHeader(frame, {
    kind,
    segment: segment!.number,
    leafCount: parts.leafCount,
    sequence,
    offset,
    firstJseq: wides[protocol.WIDE_FIRST_JSEQ]!,
    leavesBytes: parts.leavesBytes,
    blockBytes: parts.blockBytes,
    previousHash: hashOfPrevious,
  });
  closeFrame(frame, length);
  layer.write(segment!.handle, frame, length, offset);
  layer.sync(segment!.handle);
  frame.copy(hashOfPrevious, 0, length - FRAME_HASH_BYTES, length);
  hashAnswer.set(hashOfPrevious);
  offset += length;
  sequence++;
  return length;
}

/** One block for each class with payloads. */
function sealAll(payloads: readonly SharedPayloads[], { keys, sealing }: OpenSegment): Buffer[] {
  const blocks: Buffer[] = [];
  for (const { entries, header, retentionClass } of payloads) {
    const [bytes = 0, count = 0] = header;
    if (bytes === 0) continue;
    const key = keys.get(retentionClass);
    if (key === undefined) throw new Error('a retention class has no data key in this segment');
    blocks.push(
      sealBlock(
        {
          retentionClass,
          period: sealing.period,
          journal: data.journal,
          keyId: key.keyId,
          firstJseq: wides[protocol.WIDE_FIRST_JSEQ]!,
          count,
          nonce: nextNonce(),
        },
        key.dataKey,
        entries.subarray(0, bytes),
      ),
    );
  }
  return blocks;
}

function commit(): void {
  if (segment === undefined) throw new Error('the segment is given up');
  const slot = slots.get(cells[protocol.CELL_SLOT]!)!;
  const leavesBytes = cells[protocol.CELL_LEAVES_BYTES]!;
  const blocks = sealAll(slot.payloads, segment);
  let blockBytes = 0;
  for (const block of blocks) blockBytes += block.length;
  ensureFrame(FRAME_OVERHEAD_BYTES + leavesBytes + blockBytes);
  slot.leaves.copy(frame, FRAME_HEADER_BYTES, 0, leavesBytes);
  let at = FRAME_HEADER_BYTES + leavesBytes;
  for (const block of blocks) at += block.copy(frame, at);
  cells[protocol.CELL_FRAME_BYTES] = writeFrame('leaves', {
    leavesBytes,
    blockBytes,
    leafCount: cells[protocol.CELL_LEAF_COUNT]!,
  });
  cells[protocol.CELL_OFFSET] = offset;
}

/** Data keys of a segment, wrapped and durable. What an attempt that failed later had made already is taken again. */
function makeKeys(
  number: number,
  sealing: Sealing,
  classes: readonly string[],
): { readonly keys: ReadonlyMap<string, SegmentKey>; readonly fresh: readonly protocol.MadeKey[] } {
  if (made?.number !== number || !isSame(made.sealing, sealing)) made = { number, sealing, keys: new Map() };
  const { keys } = made;
  const fresh = classes.map((retentionClass) => {
    const key = keys.get(retentionClass) ?? makeKey(sealing, retentionClass);
    keys.set(retentionClass, key);
    return { retentionClass, key: key.keyId.toString('hex') };
  });
  return { keys, fresh };
}

function makeKey(sealing: Sealing, retentionClass: string): SegmentKey {
  const keyId = randomBytes(DATA_KEY_ID_BYTES);
  const bytes = randomBytes(DATA_KEY_BYTES);
  writeDataKey(layer, data.vaultDirectory, { retentionClass, period: sealing.period, keyId }, bytes, sealing);
  const dataKey = createSecretKey(bytes);
  bytes.fill(0);
  return { keyId, dataKey };
}

function isSame(one: Sealing, other: Sealing): boolean {
  return (
    one.period === other.period &&
    one.retentionClass === other.retentionClass &&
    Buffer.compare(one.custodian, other.custodian) === 0 &&
    Buffer.compare(one.gateway, other.gateway) === 0
  );
}

/** In the segment in use. A crash before anything is sealed leaves a wrapped key that opens nothing. */
function makeMoreKeys(classes: readonly string[]): protocol.KeysMade {
  if (segment === undefined) throw new Error('the segment is given up');
  const { fresh } = makeKeys(segment.number, segment.sealing, classes);
  return { kind: 'keys-made', keys: fresh };
}

/**
 * Order: (1) the wrapped data keys are durable, (2) the file is whole and has its name, durably, (3) header and snapshot
 * are durable. A crash before the end leaves a file that recovery does not take for a segment (its header is missing
 * or states another number), or a segment without leaves.
 */
function openSegment(request: protocol.OpenSegmentRequest): protocol.SegmentOpened {
  leaveSegment();
  const { keys, fresh } = makeKeys(request.number, request.sealing, request.classes);
  const needed =
    SEGMENT_HEADER_BYTES + 2 * FRAME_OVERHEAD_BYTES + request.snapshot.length + request.roomBytes;
  const capacity = Math.max(data.segmentBytes, needed);
  const handle = openSegmentFile(layer, data.journalDirectory, request.number, capacity);
  try {
    const header = encodeSegmentHeader({
      journal: data.journal,
      number: request.number,
      firstJseq: request.firstJseq,
      sequence: request.sequence,
      previousSegment: request.previousSegment,
      previousHash: Buffer.from(request.previousHash),
      keyId: keys.get(request.classes[0]!)!.keyId,
      period: request.sealing.period,
    });
    layer.write(handle, header, header.length, 0);
    segment = {
      handle,
      number: request.number,
      keys,
      sealing: request.sealing,
    };
    offset = SEGMENT_HEADER_BYTES;
    sequence = request.sequence;
    hashOfPrevious = Buffer.from(request.previousHash);
    wides[protocol.WIDE_FIRST_JSEQ] = request.firstJseq;
    ensureFrame(FRAME_OVERHEAD_BYTES + request.snapshot.length);
    frame.set(request.snapshot, FRAME_HEADER_BYTES);
    writeFrame('snapshot', { leavesBytes: request.snapshot.length, blockBytes: 0, leafCount: 0 });
  } catch (error) {
    segment = undefined;
    dropSegmentFile(layer, data.journalDirectory, request.number, handle);
    throw error;
  }
  return {
    kind: 'segment-opened',
    number: request.number,
    offset,
    capacity,
    sequence,
    keys: fresh,
  };
}

function failed(op: protocol.OpFailed['op'], error: unknown): protocol.OpFailed {
  const code = (error as { code?: unknown }).code;
  return {
    kind: 'failed',
    op,
    code: typeof code === 'string' ? code : undefined,
    message: error instanceof Error ? error.message : String(error),
  };
}

/** Returns the answer; undefined when the request asks for none. */
function control(request: protocol.ControlRequest): protocol.SyncAnswer | undefined {
  switch (request.kind) {
    case 'buffers':
      slots.set(request.slot, {
        leaves: Buffer.from(request.leaves),
        payloads: request.payloads.map(({ memory, retentionClass }) => ({
          retentionClass,
          header: new Int32Array(memory, 0, 2),
          entries: Buffer.from(memory, PAYLOADS_HEADER_BYTES),
        })),
      });
      return undefined;
    case 'forget':
      slots.delete(request.slot);
      return undefined;
    case 'open-segment':
      try {
        return openSegment(request);
      } catch (error) {
        return failed('open-segment', error);
      }
    case 'make-keys':
      try {
        return makeMoreKeys(request.classes);
      } catch (error) {
        leaveSegment();
        return failed('make-keys', error);
      }
    default:
      if (segment !== undefined) layer.close(segment.handle);
      return { kind: 'closed' };
  }
}

function takeControl(): protocol.SyncAnswer | undefined {
  let answer: protocol.SyncAnswer | undefined;
  for (;;) {
    const received = receiveMessageOnPort(data.control);
    if (received === undefined) return answer;
    answer = control(received.message as protocol.ControlRequest) ?? answer;
  }
}

let seen = 0;
for (;;) {
  Atomics.wait(cells, protocol.CELL_REQUEST, seen);
  const request = Atomics.load(cells, protocol.CELL_REQUEST);
  if (request === seen) continue;
  seen = request;
  // Buffers come as control messages that precede the commit that uses them.
  let answer: protocol.SyncAnswer | undefined = takeControl();
  if (cells[protocol.CELL_OP] === protocol.OP_COMMIT) {
    try {
      commit();
      answer = 0;
    } catch (error) {
      answer = failed('commit', error);
      // Poisoned: nothing is ever written behind a frame that may or may not be there (nor sealed with its nonce).
      leaveSegment();
    }
  }
  Atomics.store(cells, protocol.CELL_DONE, seen);
  if (answer !== undefined) answers.postMessage(answer);
  if (typeof answer === 'object' && answer.kind === 'closed') break;
}
