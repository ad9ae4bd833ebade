/**
 * What a crash left. Segments are followed backwards from the newest to the one that holds the first leaf that the log
 * does not have; then forwards, frame by frame, with every rule of `journal/frame.ts`, up to the last frame that counts.
 * Linear in the bytes of those segments.
 *
 * A segment that has a successor ends where the successor's header says: what follows there was never acknowledged.
 */

import { join } from 'node:path';
import { CountersignError } from '../errors.ts';
import { readWhole, type FileLayer } from './journal/file-layer.ts';
import { decodeFrame, decodeFrameHeader, FRAME_MAGIC, type Frame } from './journal/frame.ts';
import type { JournalStart, SegmentMark } from './journal/journal.ts';
import {
  decodeSegmentHeader,
  parseSegmentFileName,
  SEGMENT_HEADER_BYTES,
  segmentFileName,
  type SegmentHeader,
} from './journal/segment.ts';
import { SessionLedger, type LeafFacts } from './session-ledger.ts';

export interface RecoveryOptions {
  readonly layer: FileLayer;
  readonly journalDirectory: string;
  readonly journal: string;
  /** Highest jseq in the log; -1 when there is none. */
  readonly integratedJseq: number;
  /** Continue behind a frame that is damaged although it was acknowledged. */
  readonly acceptLoss: boolean;
}

/** What has to be said in a `gap.declared`. */
export interface Damage {
  readonly cause: 'torn-tail' | 'corruption';
  readonly segment: number;
  readonly from: number;
  readonly to: number;
  readonly lost: number;
}

export interface Recovered {
  readonly start: JournalStart;
  readonly marks: readonly SegmentMark[];
  readonly ledger: SessionLedger;
  readonly damage: Damage | undefined;
  /** Whether the last run ended with `software.stopped`. */
  readonly wasStopped: boolean;
  readonly isNew: boolean;
}

interface LoadedSegment {
  readonly number: number;
  readonly bytes: Buffer;
  readonly header: SegmentHeader;
}

function corrupt(detail: string): CountersignError {
  return new CountersignError('CS_RECORD_CORRUPT', {
    detail,
    fatal: true,
    hint: 'Restore the state directory, or start once with --accept-loss: what is lost is then declared in the record.',
  });
}

class Recovery {
  readonly #options: RecoveryOptions;
  readonly #ledger = new SessionLedger();
  readonly #marks: SegmentMark[] = [];
  #highestNumber = 0;
  #lastType = '';
  #jseq: number;
  #sequence = 0;
  #hash: Buffer = Buffer.alloc(32);
  #segment = 0;
  #damage: Damage | undefined;

  constructor(options: RecoveryOptions) {
    this.#options = options;
    this.#jseq = options.integratedJseq;
  }

  run(): Recovered {
    const chain = this.#chain();
    for (const [i, segment] of chain.entries()) this.#walk(segment, chain[i + 1]?.header);
    if (chain.length === 0 && this.#options.integratedJseq >= 0 && !this.#options.acceptLoss) {
      throw corrupt('the log has leaves but the journal has no segment');
    }
    if (this.#jseq < this.#options.integratedJseq) throw corrupt('the journal ends before the log does');
    return {
      start: {
        durableJseq: Math.max(this.#jseq, this.#damage?.to ?? -1),
        sequence: this.#sequence,
        hash: this.#hash,
        segment: this.#segment,
        nextSegment: this.#highestNumber + 1,
      },
      marks: this.#marks,
      ledger: this.#ledger,
      damage: this.#damage,
      wasStopped: this.#lastType === 'software.stopped',
      isNew: this.#jseq < 0 && this.#damage === undefined,
    };
  }

  /** Segments to walk, oldest first. */
  #chain(): LoadedSegment[] {
    const { layer, journalDirectory, integratedJseq } = this.#options;
    const numbers = layer
      .list(journalDirectory)
      .map(parseSegmentFileName)
      .filter((number) => number !== undefined)
      .sort((a, b) => b - a);
    this.#highestNumber = numbers[0] ?? 0;
    const newest = this.#newest(numbers);
    if (newest === undefined) return [];
    const chain = [newest];
    while (chain[0]!.header.firstJseq > integratedJseq + 1) {
      const { previousSegment } = chain[0]!.header;
      const previous = previousSegment === 0 ? undefined : this.#load(previousSegment);
      if (previous === undefined) {
        if (chain[0]!.header.firstJseq === 0 || this.#options.acceptLoss) break;
        throw corrupt(`segment ${previousSegment} is missing or its header is damaged`);
      }
      chain.unshift(previous);
    }
    return chain;
  }

  /** The newest segment with a header; a newer file without one must not hold frames of its own. */
  #newest(numbers: readonly number[]): LoadedSegment | undefined {
    for (const number of numbers) {
      const loaded = this.#load(number);
      if (loaded !== undefined) return loaded;
      const bytes = this.#read(number);
      const isDamaged =
        findFrame(bytes, SEGMENT_HEADER_BYTES, { segment: number, sequence: 0 }) !== undefined;
      if (isDamaged && !this.#options.acceptLoss) throw corrupt(`the header of segment ${number} is damaged`);
    }
    return undefined;
  }

  #read(number: number): Buffer {
    return (
      readWhole(this.#options.layer, join(this.#options.journalDirectory, segmentFileName(number))) ??
      Buffer.alloc(0)
    );
  }

  #load(number: number): LoadedSegment | undefined {
    const bytes = this.#read(number);
    const header = decodeSegmentHeader(bytes.subarray(0, SEGMENT_HEADER_BYTES));
    const isOwn = header?.number === number && header.journal === this.#options.journal;
    return isOwn ? { number, bytes, header } : undefined;
  }

  #walk(segment: LoadedSegment, successor: SegmentHeader | undefined): void {
    const { bytes, header } = segment;
    if (this.#marks.length === 0) {
      this.#hash = header.previousHash;
      this.#jseq = header.firstJseq - 1;
    }
    this.#sequence = header.sequence;
    this.#segment = segment.number;
    let at = SEGMENT_HEADER_BYTES;
    let previousHash = header.previousHash;
    for (;;) {
      if (successor !== undefined && at > SEGMENT_HEADER_BYTES && successor.previousHash.equals(previousHash))
        break;
      const frame = decodeFrame(bytes, at);
      if (frame === undefined || !this.#continues(frame, segment.number, previousHash)) {
        this.#judgeEnd(segment, at, successor);
        break;
      }
      this.#take(frame);
      previousHash = frame.hash;
      at = frame.end;
    }
    this.#hash = Buffer.from(previousHash);
    this.#marks.push({ segment: segment.number, end: at });
  }

  #continues(frame: Frame, segment: number, previousHash: Buffer): boolean {
    return (
      frame.segment === segment &&
      frame.sequence === this.#sequence &&
      frame.previousHash.equals(previousHash)
    );
  }

  #take(frame: Frame): void {
    this.#sequence = frame.sequence + 1;
    if (frame.kind === 'snapshot') {
      if (this.#marks.length === 0) this.#ledger.restore(frame.leaves);
      return;
    }
    const { leaves } = frame;
    for (let at = 0; at < leaves.length;) {
      const end = at + 2 + leaves.readUInt16BE(at);
      const bytes = leaves.subarray(at + 2, end);
      const leaf = JSON.parse(bytes.toString('utf8')) as LeafFacts;
      this.#ledger.replay(leaf, bytes);
      this.#lastType = leaf.type;
      at = end;
    }
    this.#jseq = frame.firstJseq + frame.leafCount - 1;
  }

  /** The frame at `at` does not count. Was it never acknowledged (a torn tail), or is it damaged? */
  #judgeEnd(segment: LoadedSegment, at: number, successor: SegmentHeader | undefined): void {
    const place = { segment: segment.number, sequence: this.#sequence };
    const later = findFrame(segment.bytes, at, place);
    if (later === undefined && successor === undefined) {
      const header = decodeFrameHeader(segment.bytes, at, at);
      if (header?.segment === segment.number && header.sequence === this.#sequence) {
        this.#damage = {
          cause: 'torn-tail',
          segment: segment.number,
          from: this.#jseq + 1,
          to: this.#jseq,
          lost: 0,
        };
      }
      return;
    }
    if (!this.#options.acceptLoss) throw corrupt(`segment ${segment.number} is damaged at ${at}`);
    const to = Math.max(
      successor === undefined ? -1 : successor.firstJseq - 1,
      highestJseq(segment.bytes, at, place),
    );
    this.#damage = {
      cause: 'corruption',
      segment: segment.number,
      from: this.#jseq + 1,
      to,
      lost: Math.max(0, to - this.#jseq),
    };
  }
}

interface Place {
  readonly segment: number;
  /** Sequence of the frame that is missing. */
  readonly sequence: number;
}

/** A whole frame of this use of the segment at or behind `from`, later than the one that is missing. */
function findFrame(bytes: Buffer, from: number, place: Place): Frame | undefined {
  for (let at = bytes.indexOf(FRAME_MAGIC, from); at >= 0; at = bytes.indexOf(FRAME_MAGIC, at + 1)) {
    const frame = decodeFrame(bytes, at);
    if (frame?.segment === place.segment && frame.sequence >= place.sequence) return frame;
  }
  return undefined;
}

function highestJseq(bytes: Buffer, from: number, place: Place): number {
  let highest = -1;
  for (
    let frame = findFrame(bytes, from, place);
    frame !== undefined;
    frame = findFrame(bytes, frame.end, place)
  ) {
    highest = Math.max(highest, frame.firstJseq + frame.leafCount - 1);
  }
  return highest;
}

/** Reads the journal. Throws `CS_RECORD_CORRUPT` for damage to what was acknowledged, unless loss is accepted. */
export function recoverJournal(options: RecoveryOptions): Recovered {
  return new Recovery(options).run();
}
