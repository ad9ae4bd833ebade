/**
 * What a crash left. Segments are followed backwards from the newest to the one that holds the first leaf that the log
 * does not have; then forwards, frame by frame, with every rule of `journal/frame.ts`, up to the last frame that counts.
 * Linear in the bytes of those segments.
 *
 * A segment that has a successor ends where the successor's header says: what follows there was never acknowledged.
 */

import { join } from 'node:path';
import { CountersignError } from '../errors.ts';
import { readDamageNote } from './journal/damage-note.ts';
import type { FileLayer } from './journal/file-layer.ts';
import { decodeFrame, decodeFrameHeader, FRAME_MAGIC, type Frame } from './journal/frame.ts';
import type { JournalStart, SegmentMark } from './journal/journal.ts';
import {
  decodeSegmentHeader,
  isSpareFileName,
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
  /** The leaves of the log, in order: asked for only when loss is accepted and the journal does not say what is open. */
  readonly logLeaves?: () => Iterable<Buffer>;
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
  /** Oldest first. */
  readonly damages: readonly Damage[];
  /** Whether the last run ended with `software.stopped`. */
  readonly wasStopped: boolean;
  readonly isNew: boolean;
}

/** A segment with a header of its own. Its frames are read when it is walked, so that one segment at a time is in memory. */
interface FoundSegment {
  readonly number: number;
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
  #ledger = new SessionLedger();
  /** What the ledger's snapshot covers; undefined when none was found. */
  #snapshotJseq: number | undefined;
  /** True when leaves that the ledger lacks are in the log. */
  #isLedgerStale = false;
  #marks: SegmentMark[] = [];
  #highestNumber = 0;
  #lastType = '';
  #jseq: number;
  #sequence = 0;
  #hash: Buffer = Buffer.alloc(32);
  #segment = 0;
  #damages: Damage[] = [];
  #buffer: Buffer = Buffer.alloc(0);
  /** Leaves that the log does not have; kept only where loss is accepted. */
  #beyondLog: Buffer[] = [];

  constructor(options: RecoveryOptions) {
    this.#options = options;
    this.#jseq = options.integratedJseq;
  }

  run(): Recovered {
    const { acceptLoss, integratedJseq } = this.#options;
    const chain = this.#chain();
    this.#walkAll(chain);
    while (!this.#isLedgerWhole(chain) && this.#extend(chain)) this.#walkAll(chain);
    if (chain.length === 0 && integratedJseq >= 0) {
      if (!acceptLoss) throw corrupt('the log has leaves but the journal has no segment');
      // What the log did not have yet is lost, and nobody knows how much that was.
      this.#lose(0, integratedJseq);
    }
    if (this.#jseq < integratedJseq) {
      if (!acceptLoss) throw corrupt('the journal ends before the log does');
      this.#lose(this.#segment, integratedJseq);
    }
    this.#heedNote();
    if (this.#isLedgerStale) this.#rebuildLedger();
    // A first start that tore its own first frame recorded nothing: the log still has to begin, and there is no gap in it.
    const isNew = this.#jseq < 0 && this.#damages.every(({ cause }) => cause === 'torn-tail');
    return {
      start: {
        durableJseq: this.#jseq,
        sequence: this.#sequence,
        hash: this.#hash,
        segment: this.#segment,
        nextSegment: this.#highestNumber + 1,
      },
      marks: this.#marks,
      ledger: this.#ledger,
      damages: isNew ? [] : this.#damages,
      wasStopped: this.#lastType === 'software.stopped',
      isNew,
    };
  }

  /** What was acknowledged and not really written leaves no trace but this one. */
  #heedNote(): void {
    const { acceptLoss, journal, journalDirectory, layer } = this.#options;
    const note = readDamageNote(layer, journalDirectory, journal);
    if (note === undefined || note.acknowledged <= this.#jseq) return;
    if (!acceptLoss)
      throw corrupt(`leaves up to ${note.acknowledged} were acknowledged, the journal ends at ${this.#jseq}`);
    this.#damages = this.#damages.filter(({ cause }) => cause !== 'torn-tail');
    this.#lose(note.segment, note.acknowledged);
  }

  /** From the log, and what survived of the journal behind it: the leaves that whoever verifies will see. */
  #rebuildLedger(): void {
    this.#ledger = new SessionLedger();
    for (const bytes of this.#options.logLeaves?.() ?? []) this.#ledger.replay(parseLeaf(bytes), bytes);
    for (const bytes of this.#beyondLog) this.#ledger.replay(parseLeaf(bytes), bytes);
  }

  #walkAll(chain: readonly FoundSegment[]): void {
    this.#ledger = new SessionLedger();
    this.#snapshotJseq = undefined;
    this.#isLedgerStale = false;
    this.#marks = [];
    this.#damages = [];
    this.#beyondLog = [];
    this.#lastType = '';
    this.#jseq = this.#options.integratedJseq;
    for (const [i, segment] of chain.entries()) this.#walk(segment, chain[i + 1]?.header);
  }

  /**
   * A segment's snapshot is written before the leaves that made the journal go on to that segment, and covers them. When
   * a crash came in between (or tore the snapshot), the sessions must be read from the segment before.
   */
  #isLedgerWhole(chain: readonly FoundSegment[]): boolean {
    const first = chain[0]?.header.firstJseq ?? 0;
    return first === 0 || (this.#snapshotJseq !== undefined && this.#snapshotJseq <= this.#jseq);
  }

  #extend(chain: FoundSegment[]): boolean {
    const number = chain[0]!.header.previousSegment;
    const previous = number === 0 ? undefined : this.#find(number);
    if (previous === undefined) {
      if (!this.#options.acceptLoss) throw corrupt(`segment ${number} is missing or its header is damaged`);
      this.#isLedgerStale = true;
      return false;
    }
    chain.unshift(previous);
    return true;
  }

  /** Segments to walk, oldest first. */
  #chain(): FoundSegment[] {
    const { layer, journalDirectory, integratedJseq } = this.#options;
    const names = layer.list(journalDirectory);
    const numbers = names
      .map(parseSegmentFileName)
      .filter((number) => number !== undefined)
      .sort((a, b) => b - a);
    // A spare is named for its last use: no number comes twice, even after loss was accepted.
    this.#highestNumber = Math.max(numbers[0] ?? 0, ...names.map(spareNumber));
    const newest = this.#newest(numbers);
    if (newest === undefined) return [];
    const chain = [newest];
    while (chain[0]!.header.firstJseq > integratedJseq + 1) {
      const { previousSegment } = chain[0]!.header;
      const previous = previousSegment === 0 ? undefined : this.#find(previousSegment);
      if (previous === undefined) {
        if (chain[0]!.header.firstJseq === 0 || this.#options.acceptLoss) break;
        throw corrupt(`segment ${previousSegment} is missing or its header is damaged`);
      }
      chain.unshift(previous);
    }
    return chain;
  }

  /** The newest segment with a header; a newer file without one must not hold frames of its own. */
  #newest(numbers: readonly number[]): FoundSegment | undefined {
    for (const number of numbers) {
      const found = this.#find(number);
      if (found !== undefined) return found;
      const bytes = this.#read(number);
      // Header and snapshot are synced together: a crash may leave the snapshot alone. Leaves came only after that sync.
      const isDamaged =
        highestJseq(bytes, SEGMENT_HEADER_BYTES, { segment: number, sequence: 0 }) !== undefined;
      if (isDamaged && !this.#options.acceptLoss) throw corrupt(`the header of segment ${number} is damaged`);
    }
    return undefined;
  }

  /** The whole segment. Valid until the next one is read: one buffer serves them all. */
  #read(number: number): Buffer {
    const { journalDirectory, layer } = this.#options;
    const path = join(journalDirectory, segmentFileName(number));
    if (!layer.exists(path)) return Buffer.alloc(0);
    const handle = layer.open(path, 'read');
    try {
      const size = layer.size(handle);
      if (this.#buffer.length < size) this.#buffer = Buffer.allocUnsafeSlow(size);
      return this.#buffer.subarray(0, layer.read(handle, this.#buffer, size, 0));
    } finally {
      layer.close(handle);
    }
  }

  #find(number: number): FoundSegment | undefined {
    const header = decodeSegmentHeader(this.#readHeader(number));
    const isOwn = header?.number === number && header.journal === this.#options.journal;
    return isOwn ? { number, header } : undefined;
  }

  #readHeader(number: number): Buffer {
    const { journalDirectory, layer } = this.#options;
    const path = join(journalDirectory, segmentFileName(number));
    if (!layer.exists(path)) return Buffer.alloc(0);
    const handle = layer.open(path, 'read');
    try {
      const header = Buffer.alloc(SEGMENT_HEADER_BYTES);
      return header.subarray(0, layer.read(handle, header, header.length, 0));
    } finally {
      layer.close(handle);
    }
  }

  #walk(segment: FoundSegment, successor: SegmentHeader | undefined): void {
    const { header } = segment;
    const bytes = this.#read(segment.number);
    if (this.#marks.length === 0) {
      if (header.firstJseq > this.#jseq + 1) this.#lose(header.previousSegment, header.firstJseq - 1);
      this.#hash = header.previousHash;
      this.#jseq = header.firstJseq - 1;
    } else if (header.firstJseq > this.#jseq + 1) {
      // A run that was told to accept this loss ended before its declaration was durable (else `#take` finds it).
      this.#lose(this.#segment, header.firstJseq - 1);
    }
    this.#sequence = header.sequence;
    this.#segment = segment.number;
    let at = SEGMENT_HEADER_BYTES;
    let previousHash = header.previousHash;
    let isBroken = false;
    for (;;) {
      // Right behind the header: a crash tore the snapshot, and the run after it went on from the segment before.
      if (successor?.previousHash.equals(previousHash) === true) break;
      const frame = decodeFrame(bytes, at);
      if (frame === undefined || !this.#continues(frame, segment.number, previousHash)) {
        isBroken = this.#judgeEnd(segment, bytes, at, successor);
        break;
      }
      this.#take(frame);
      previousHash = frame.hash;
      at = frame.end;
    }
    this.#hash = Buffer.from(previousHash);
    this.#marks.push({ segment: segment.number, end: at, isBroken });
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
      if (this.#marks.length === 0) this.#snapshotJseq = this.#ledger.restore(frame.leaves);
      return;
    }
    const { leaves } = frame;
    const covered = this.#snapshotJseq ?? -1;
    for (let at = 0, jseq = frame.firstJseq; at < leaves.length; jseq++) {
      const end = at + 2 + leaves.readUInt16BE(at);
      const bytes = leaves.subarray(at + 2, end);
      const leaf = parseLeaf(bytes);
      if (this.#options.acceptLoss && jseq > this.#options.integratedJseq)
        this.#beyondLog.push(Buffer.from(bytes));
      if (jseq > covered) this.#ledger.replay(leaf, bytes);
      if (leaf.type === 'gap.declared' && leaf.cause === 'corruption') {
        this.#damages = this.#damages.filter(({ from }) => from !== leaf.from);
      }
      this.#lastType = leaf.type;
      at = end;
    }
    this.#jseq = frame.firstJseq + frame.leafCount - 1;
  }

  /** Leaves up to `to` are lost. Those that the log has already are not, but the ledger lacks them. */
  #lose(segment: number, to: number): void {
    const { integratedJseq } = this.#options;
    if (this.#jseq < integratedJseq) this.#isLedgerStale = true;
    const from = Math.max(this.#jseq, integratedJseq) + 1;
    const last = Math.max(to, from - 1);
    this.#damages.push({ cause: 'corruption', segment, from, to: last, lost: last - from + 1 });
    this.#jseq = Math.max(this.#jseq, last);
  }

  /** The frame at `at` does not count. Was it never acknowledged (a torn tail), or is it damaged? True for damage. */
  #judgeEnd(segment: FoundSegment, bytes: Buffer, at: number, successor: SegmentHeader | undefined): boolean {
    const place = { segment: segment.number, sequence: this.#sequence };
    const later = highestJseq(bytes, at, place);
    if (later === undefined && successor === undefined) {
      const header = decodeFrameHeader(bytes, at, at);
      if (header?.segment === segment.number && header.sequence === this.#sequence) {
        this.#damages.push({
          cause: 'torn-tail',
          segment: segment.number,
          from: this.#jseq + 1,
          to: this.#jseq,
          lost: 0,
        });
      }
      return false;
    }
    if (!this.#options.acceptLoss) throw corrupt(`segment ${segment.number} is damaged at ${at}`);
    // What lies behind the place where a successor took over was given up, and written again there.
    this.#lose(segment.number, successor === undefined ? later! : successor.firstJseq - 1);
    return true;
  }
}

function parseLeaf(bytes: Buffer): LeafFacts {
  return JSON.parse(bytes.toString('utf8')) as LeafFacts;
}

function spareNumber(name: string): number {
  return isSpareFileName(name) ? Number.parseInt(name.slice('spare-'.length), 10) : 0;
}

interface Place {
  readonly segment: number;
  /** Sequence of the frame that is missing. */
  readonly sequence: number;
}

/** A whole frame of this use of the segment at or behind `from`, not earlier than the one that is missing. */
function findFrame(bytes: Buffer, from: number, place: Place): Frame | undefined {
  for (let at = bytes.indexOf(FRAME_MAGIC, from); at >= 0; at = bytes.indexOf(FRAME_MAGIC, at + 1)) {
    const frame = decodeFrame(bytes, at);
    if (frame?.segment === place.segment && frame.sequence >= place.sequence) return frame;
  }
  return undefined;
}

/** The newest leaf in such frames; undefined when there is no frame with leaves. */
function highestJseq(bytes: Buffer, from: number, place: Place): number | undefined {
  let highest: number | undefined;
  for (
    let frame = findFrame(bytes, from, place);
    frame !== undefined;
    frame = findFrame(bytes, frame.end, place)
  ) {
    if (frame.kind === 'leaves') highest = Math.max(highest ?? -1, frame.firstJseq + frame.leafCount - 1);
  }
  return highest;
}

/** Reads the journal. Throws `CS_RECORD_CORRUPT` for damage to what was acknowledged, unless loss is accepted. */
export function recoverJournal(options: RecoveryOptions): Recovered {
  return new Recovery(options).run();
}
