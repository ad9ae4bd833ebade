/**
 * A segment: one preallocated file of a journal, `NNNNNNNN.seg`. It is overwritten and reused: reuse renames the file
 * to the next number, and no frame of an earlier use is valid under the new one.
 *
 * It starts with a block of 4096 bytes: magic "CSJS", version (2 bytes), length of the JSON (2 bytes), the JSON of
 * `SegmentHeader` in snake_case, SHA-256 of all that. The first frame is always a snapshot of the session ledger, so
 * that recovery can begin at any segment.
 */

import { hash } from 'node:crypto';

export const SEGMENT_HEADER_BYTES = 4096;

const MAGIC = Buffer.from('CSJS', 'latin1');
const VERSION = 1;
const PREFIX_BYTES = 8;

export interface SegmentHeader {
  readonly journal: string;
  readonly number: number;
  /** jseq that the first leaf of this segment has. */
  readonly firstJseq: number;
  /** Sequence of its first frame. */
  readonly sequence: number;
  /** The segment it continues, and the hash of the last frame there that counts; what follows it there was given up. */
  readonly previousSegment: number;
  readonly previousHash: Buffer;
  /** Data key that seals the blocks of this segment. */
  readonly keyId: Buffer;
  readonly period: string;
}

export function segmentFileName(number: number): string {
  return `${String(number).padStart(8, '0')}.seg`;
}

/** The number in a file name; undefined for other files. */
export function parseSegmentFileName(name: string): number | undefined {
  return /^[0-9]{8}\.seg$/.test(name) ? Number.parseInt(name, 10) : undefined;
}

export function isSpareFileName(name: string): boolean {
  return /^spare-[0-9]+\.seg$/.test(name);
}

export function encodeSegmentHeader(header: SegmentHeader): Buffer {
  const json = Buffer.from(
    JSON.stringify({
      journal: header.journal,
      number: header.number,
      first_jseq: header.firstJseq,
      sequence: header.sequence,
      previous_segment: header.previousSegment,
      previous_hash: header.previousHash.toString('hex'),
      key_id: header.keyId.toString('hex'),
      period: header.period,
    }),
  );
  const block = Buffer.alloc(SEGMENT_HEADER_BYTES);
  block.set(MAGIC, 0);
  block.writeUInt16BE(VERSION, 4);
  block.writeUInt16BE(json.length, 6);
  block.set(json, PREFIX_BYTES);
  const end = PREFIX_BYTES + json.length;
  block.set(hash('sha256', block.subarray(0, end), 'buffer'), end);
  return block;
}

/** Undefined when the block is not a whole header. */
export function decodeSegmentHeader(block: Buffer): SegmentHeader | undefined {
  if (block.length < SEGMENT_HEADER_BYTES || !block.subarray(0, 4).equals(MAGIC)) return undefined;
  if (block.readUInt16BE(4) !== VERSION) return undefined;
  const end = PREFIX_BYTES + block.readUInt16BE(6);
  if (end + 32 > SEGMENT_HEADER_BYTES) return undefined;
  if (!hash('sha256', block.subarray(0, end), 'buffer').equals(block.subarray(end, end + 32)))
    return undefined;
  const json = JSON.parse(block.toString('utf8', PREFIX_BYTES, end)) as Record<string, string & number>;
  return {
    journal: json['journal']!,
    number: json['number']!,
    firstJseq: json['first_jseq']!,
    sequence: json['sequence']!,
    previousSegment: json['previous_segment']!,
    previousHash: Buffer.from(json['previous_hash']!, 'hex'),
    keyId: Buffer.from(json['key_id']!, 'hex'),
    period: json['period']!,
  };
}
