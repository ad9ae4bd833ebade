/**
 * A frame of the journal: one group commit. Big-endian.
 *
 *   0  4  magic "CSJF"
 *   4  1  version, 1
 *   5  1  kind: 0 leaves, 1 snapshot of the session ledger
 *   6  2  zero
 *   8  4  number of the segment it was written to (segments are reused; the number grows with every use)
 *  12  4  number of leaves
 *  16  8  sequence of the frame in its journal
 *  24  8  its own offset in the segment
 *  32  8  jseq of its first leaf
 *  40  4  length of the leaves (or of the snapshot)
 *  44  4  length of the sealed payload blocks; 0 when there is none
 *  48 32  hash of the frame before
 *  80  4  CRC-32C of bytes 0 to 79
 *  84     leaves as in an entry bundle (2 bytes of length, then the leaf), then the sealed blocks one after another: one for each
 *         retention class of the contents, most of the time just one
 *     32  hash: SHA-256 of everything before it
 *
 * It is valid only at its own place: segment number, offset, sequence and the hash of the frame before must match.
 */

import { hash } from 'node:crypto';
import { blockBytes, FormatError } from 'countersign-verify';
import { crc32c } from './crc32c.ts';

export const FRAME_HEADER_BYTES = 84;
export const FRAME_HASH_BYTES = 32;
/** What a frame costs beyond its leaves and its block. */
export const FRAME_OVERHEAD_BYTES: number = FRAME_HEADER_BYTES + FRAME_HASH_BYTES;
export const FRAME_MAGIC: Buffer = Buffer.from('CSJF', 'latin1');

const VERSION = 1;
const CRC_OFFSET = 80;
const TWO_32 = 2 ** 32;

export type FrameKind = 'leaves' | 'snapshot';

export interface FrameHeader {
  readonly kind: FrameKind;
  readonly segment: number;
  readonly leafCount: number;
  readonly sequence: number;
  readonly offset: number;
  readonly firstJseq: number;
  readonly leavesBytes: number;
  /** Of all sealed blocks together. */
  readonly blockBytes: number;
  readonly previousHash: Buffer;
}

export interface Frame extends FrameHeader {
  /** Views of the bytes that were decoded. */
  readonly leaves: Buffer;
  readonly blocks: Buffer;
  readonly hash: Buffer;
  /** Offset of what follows it. */
  readonly end: number;
}

function writeUint53(target: Buffer, value: number, at: number): void {
  target.writeUInt32BE(Math.floor(value / TWO_32), at);
  target.writeUInt32BE(value % TWO_32, at + 4);
}

function readUint53(bytes: Buffer, at: number): number {
  return bytes.readUInt32BE(at) * TWO_32 + bytes.readUInt32BE(at + 4);
}

/** Writes the header at the start of `target`. */
export function writeFrameHeader(target: Buffer, header: FrameHeader): void {
  target.set(FRAME_MAGIC, 0);
  target[4] = VERSION;
  target[5] = header.kind === 'leaves' ? 0 : 1;
  target[6] = 0;
  target[7] = 0;
  target.writeUInt32BE(header.segment, 8);
  target.writeUInt32BE(header.leafCount, 12);
  writeUint53(target, header.sequence, 16);
  writeUint53(target, header.offset, 24);
  writeUint53(target, header.firstJseq, 32);
  target.writeUInt32BE(header.leavesBytes, 40);
  target.writeUInt32BE(header.blockBytes, 44);
  target.set(header.previousHash, 48);
  target.writeUInt32BE(crc32c(target, 0, CRC_OFFSET), CRC_OFFSET);
}

/** The sealed blocks of a frame, one by one. Throws `FormatError` when they are not what a recorder writes. */
export function* frameBlocks({ blocks }: Pick<Frame, 'blocks'>): Generator<Buffer> {
  for (let at = 0; at < blocks.length;) {
    const rest = blocks.subarray(at);
    const length = blockBytes(rest);
    if (length > rest.length) throw new FormatError('a sealed block is cut short');
    yield rest.subarray(0, length);
    at += length;
  }
}

/** Completes a frame whose header and body are in `frame[0, length - 32)`; returns its hash as a latin1 string. */
export function closeFrame(frame: Buffer, length: number): string {
  const digest = hash('sha256', frame.subarray(0, length - FRAME_HASH_BYTES), 'binary');
  frame.write(digest, length - FRAME_HASH_BYTES, 'latin1');
  return digest;
}

/** The header at `at`, when magic, version and checksum are right and it states this very offset. */
export function decodeFrameHeader(bytes: Buffer, at: number, offset: number): FrameHeader | undefined {
  if (at + FRAME_HEADER_BYTES > bytes.length) return undefined;
  const header = bytes.subarray(at, at + FRAME_HEADER_BYTES);
  if (!header.subarray(0, 4).equals(FRAME_MAGIC) || header[4] !== VERSION || header[5]! > 1) return undefined;
  if (header.readUInt32BE(CRC_OFFSET) !== crc32c(header, 0, CRC_OFFSET)) return undefined;
  if (readUint53(header, 24) !== offset) return undefined;
  return {
    kind: header[5] === 0 ? 'leaves' : 'snapshot',
    segment: header.readUInt32BE(8),
    leafCount: header.readUInt32BE(12),
    sequence: readUint53(header, 16),
    offset,
    firstJseq: readUint53(header, 32),
    leavesBytes: header.readUInt32BE(40),
    blockBytes: header.readUInt32BE(44),
    previousHash: header.subarray(48, 80),
  };
}

export function frameBytes(header: Pick<FrameHeader, 'leavesBytes' | 'blockBytes'>): number {
  return FRAME_OVERHEAD_BYTES + header.leavesBytes + header.blockBytes;
}

/**
 * The frame at `at` of `bytes`, where `at` corresponds to `offset` in the segment; undefined when it is not whole or
 * its hash is wrong. That it continues the frame before is for the caller to check.
 */
export function decodeFrame(bytes: Buffer, at: number, offset: number = at): Frame | undefined {
  const header = decodeFrameHeader(bytes, at, offset);
  if (header === undefined) return undefined;
  const length = frameBytes(header);
  if (at + length > bytes.length) return undefined;
  const end = at + length;
  const stored = bytes.subarray(end - FRAME_HASH_BYTES, end);
  const digest = hash('sha256', bytes.subarray(at, end - FRAME_HASH_BYTES), 'buffer');
  if (!digest.equals(stored)) return undefined;
  const bodyAt = at + FRAME_HEADER_BYTES;
  return {
    ...header,
    leaves: bytes.subarray(bodyAt, bodyAt + header.leavesBytes),
    blocks: bytes.subarray(bodyAt + header.leavesBytes, end - FRAME_HASH_BYTES),
    hash: stored,
    end: offset + length,
  };
}
