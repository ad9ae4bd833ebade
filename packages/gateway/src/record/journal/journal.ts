/**
 * The journal on the data thread: leaves are put into the batch that fills; one batch at a time is with the thread that
 * syncs. Deadlines, poisoned segments and rotation are decided here.
 *
 *   open ──▶ rotating ──▶ open          the segment is full, or contents are sealed otherwise from now on
 *   open ──▶ keying ──▶ open            the first contents of a retention class in this segment: it needs a data key
 *   open ──▶ degraded ──▶ recovering ──▶ open
 *
 * A sync that fails or is late poisons its segment (decision 18): everything not acknowledged fails towards its caller.
 * The leaves are kept in memory, though, and written to the next segment: what was reported as failed is then in the
 * record together with a `call.voided`, results of what did run are not lost, and `jseq` and `seq` have no hole.
 */

import { CountersignError, type ErrorCode } from '../../errors.ts';
import type { Clock } from '../clock.ts';
import type { GapCause } from '../events.ts';
import type { SegmentDataKey, Sealing } from '../vault/sealing.ts';
import type { AppendedLeaf } from './appended-leaf.ts';
import { Batch } from './batch.ts';
import { FRAME_OVERHEAD_BYTES } from './frame.ts';
import type { MadeKey, OpFailed, SegmentOpened, SyncAnswer } from './sync-protocol.ts';
import { SyncThread, type SyncThreadOptions } from './sync-thread.ts';

/** A sealed block's header and tag, at most. */
const BLOCK_OVERHEAD_BYTES = 512;
/** A deadline that fires this much late was held up by this thread (or the whole process was), not by the disk. */
const HELD_UP_MS = 20;
/** Between attempts to open a new segment: doubled with each that fails, so that a disk which flaps for hours is not hammered. */
const RETRY_MS = 100;
const MAX_RETRY_MS = 1000;
const SPARE_BATCHES = 2;
/** Room for the leaves that a new segment brings with it: its data key, and what is said after a failure. */
const OPENING_LEAVES_BYTES = 4096;
/** A leaf that announces a data key, at most. */
const KEY_LEAF_BYTES = 512;

/** Where a journal continues: after the last frame that counts. */
export interface JournalStart {
  readonly durableJseq: number;
  readonly sequence: number;
  readonly hash: Buffer;
  /** Segment of that frame; 0 for a new journal. */
  readonly segment: number;
  /** Number for the first new segment. */
  readonly nextSegment: number;
}

/** A stretch of a segment that holds acknowledged frames, up to `end`. */
export interface SegmentMark {
  readonly segment: number;
  readonly end: number;
  /** True where acknowledged frames are lost: the next segment does not continue the hash of the last one here. */
  readonly isBroken?: boolean;
}

export interface Failure {
  readonly cause: Extract<GapCause, 'sync-failed' | 'sync-late'>;
  readonly code: ErrorCode;
  /** errno name, if the system gave one. */
  readonly errno: string | undefined;
  readonly segment: number;
  /** jseq of the leaves that were not acknowledged. */
  readonly from: number;
  readonly to: number;
  readonly atUs: number;
  readonly intents: readonly AppendedLeaf[];
}

export interface JournalHooks {
  /** State of the sessions after leaf `jseq`, the newest one that was added; written at the start of a segment. */
  snapshot(jseq: number): Buffer;
  /** Another object than before: a segment with another data key is begun. */
  sealing(): Sealing;
  /** The segment in use has this data key; leaves may be added, except before the journal's first segment is reported open. */
  onDataKey(dataKey: SegmentDataKey): void;
  onCommit(latencyMs: number, leaves: number, bytes: number): void;
  /** May add leaves; the callers of what failed have not been told yet. */
  onDegraded(failure: Failure): void;
  /** A new segment takes over; leaves that say so may be added. */
  onReopened(failure: Failure): void;
  /** Everything that was kept is durable. */
  onRestored(): void;
  onDeath(error: Error): void;
}

export interface JournalOptions {
  readonly sync: SyncThreadOptions;
  readonly timeoutMs: number;
  readonly resultDelayMs: number;
  readonly clock: Clock;
  readonly hooks: JournalHooks;
  readonly start: JournalStart;
  /** What recovery found in older segments. */
  readonly marks: readonly SegmentMark[];
}

type State = 'closed' | 'opening' | 'open' | 'rotating' | 'keying' | 'degraded' | 'recovering';

/** The thread that syncs has something to do, or what it did is being followed up. */
const BUSY: ReadonlySet<State> = new Set<State>(['rotating', 'keying', 'recovering']);

export class Journal {
  readonly #options: JournalOptions;
  readonly #thread: SyncThread;
  #state: State = 'opening';
  #filling: Batch;
  #inFlight: Batch | undefined;
  readonly #spares: Batch[] = [];
  /** Batches to be written again, oldest first. */
  #kept: Batch[] = [];
  #slots = 0;
  #commitStartedMs = 0;
  #isScheduled = false;
  #isRideTimerSet = false;
  #deadline: NodeJS.Timeout | undefined;
  /** When that timer was meant to fire. */
  #deadlineDueMs = 0;
  /** Start of the wait that was prolonged once already because this thread was held up. */
  #prolongedMs = -1;
  #failure: Failure | undefined;
  #retryMs = RETRY_MS;
  #durableJseq: number;
  #nextJseq: number;
  /** Place and hash of the last acknowledged frame. */
  #segment: number;
  #nextSegment: number;
  #offset = 0;
  #capacity = 0;
  #sequence: number;
  readonly #hash: Buffer;
  #sealing: Sealing | undefined;
  /** Retention classes that have a data key in the segment. */
  readonly #keyed = new Set<string>();
  /** What the snapshot in the newest segment covers: leaves that go to that very segment are among them. */
  #snapshotJseq = -1;
  /** The newest segment that recovery can begin at, because all that its snapshot covers is durable. */
  #startableSegment = 0;
  #finished: SegmentMark[] = [];
  #opened: { resolve: () => void; reject: (error: Error) => void } | undefined;
  #drained: (() => void)[] = [];

  constructor(options: JournalOptions) {
    this.#options = options;
    const { start } = options;
    this.#durableJseq = start.durableJseq;
    this.#nextJseq = start.durableJseq + 1;
    this.#segment = start.segment;
    this.#nextSegment = start.nextSegment;
    this.#sequence = start.sequence;
    this.#hash = Buffer.from(start.hash);
    this.#finished = [...options.marks];
    this.#filling = this.#takeBatch();
    this.#thread = new SyncThread(
      options.sync,
      (answer) => this.#onAnswer(answer),
      (error) => options.hooks.onDeath(error),
    );
  }

  get durableJseq(): number {
    return this.#durableJseq;
  }

  get nextJseq(): number {
    return this.#nextJseq;
  }

  get isOpen(): boolean {
    return this.#state === 'open' || this.#state === 'rotating' || this.#state === 'keying';
  }

  /** Why leaves are refused; undefined while they are not. */
  get failure(): Failure | undefined {
    return this.#failure;
  }

  /** Bytes that wait for the disk. */
  get waitingBytes(): number {
    return this.#filling.bytes + (this.#inFlight?.bytes ?? 0);
  }

  /** Room left in the segment. */
  get roomBytes(): number {
    return this.#capacity - this.#offset;
  }

  get segmentFill(): number {
    return this.#capacity === 0 ? 0 : this.#offset / this.#capacity;
  }

  /**
   * Segments with acknowledged frames since the last call that said which were taken in; the newest is last. One whose
   * snapshot is ahead of the disk is held back: the segment before it is still needed, so nobody may reuse it yet.
   */
  marks(): SegmentMark[] {
    const marks = [...this.#finished, { segment: this.#segment, end: this.#offset }];
    return marks.filter((mark) => mark.segment <= this.#startableSegment);
  }

  dropMarksBefore(segment: number): void {
    this.#finished = this.#finished.filter((mark) => mark.segment >= segment);
  }

  /** The batch to encode the next leaf into; its jseq is `nextJseq`. Call `add` after encoding. */
  batch(): Batch {
    const batch = this.#filling;
    if (batch.leafCount === 0) {
      batch.firstJseq = this.#nextJseq;
      batch.startedAtMs = this.#options.clock.nowMs();
    }
    return batch;
  }

  /** Takes a leaf that was encoded into `batch()`. */
  add(leaf: AppendedLeaf, isUrgent: boolean): void {
    const batch = this.#filling;
    batch.leafCount++;
    batch.appended.push(leaf);
    this.#nextJseq++;
    if (this.#failure !== undefined) {
      leaf.settle(new CountersignError(this.#failure.code));
      return;
    }
    if (this.#deadline === undefined) this.#armDeadline(this.#options.timeoutMs);
    if (isUrgent) this.#schedule();
    else if (!this.#isRideTimerSet) this.#armRide();
  }

  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#opened = { resolve, reject };
      this.#openSegment();
    });
  }

  /** Resolves when nothing waits for the disk any more. */
  drained(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#isDrained()) resolve();
      else {
        this.#drained.push(resolve);
        this.#schedule();
      }
    });
  }

  async close(): Promise<void> {
    clearTimeout(this.#deadline);
    const isHealthy = this.#state === 'open';
    this.#state = 'closed';
    if (isHealthy) await this.#thread.close();
    else await this.#thread.abandon();
  }

  #isDrained(): boolean {
    return this.#failure === undefined && this.#inFlight === undefined && this.#filling.leafCount === 0;
  }

  #takeBatch(): Batch {
    return this.#spares.pop() ?? new Batch(this.#slots++);
  }

  #recycle(batch: Batch): void {
    if (batch.clear() && this.#spares.length < SPARE_BATCHES) this.#spares.push(batch);
    else this.#thread.forget(batch);
  }

  /** At the end of this turn of the event loop, so that everything read in it shares the commit. */
  #schedule(): void {
    if (this.#isScheduled || this.#inFlight !== undefined || this.#state !== 'open') return;
    this.#isScheduled = true;
    setImmediate(() => {
      this.#isScheduled = false;
      this.#startCommit();
    });
  }

  #armRide(): void {
    this.#isRideTimerSet = true;
    setTimeout(() => {
      this.#isRideTimerSet = false;
      this.#startCommit();
    }, this.#options.resultDelayMs);
  }

  #startCommit(): void {
    const batch = this.#filling;
    if (this.#state !== 'open' || this.#inFlight !== undefined || batch.leafCount === 0) return;
    if (
      this.#offset + frameBytesOf(batch) > this.#capacity ||
      this.#options.hooks.sealing() !== this.#sealing
    ) {
      this.#state = 'rotating';
      this.#openSegment();
      return;
    }
    if (!this.#isKeyed(batch)) {
      this.#state = 'keying';
      this.#makeKeys(batch);
      return;
    }
    this.#filling = this.#takeBatch();
    this.#write(batch);
  }

  #isKeyed(batch: Batch): boolean {
    for (const own of batch.payloads) if (own.bytes > 0 && !this.#keyed.has(own.retentionClass)) return false;
    return true;
  }

  #makeKeys(batch: Batch): void {
    this.#commitStartedMs = this.#options.clock.nowMs();
    this.#thread.makeKeys(classesOf([batch]).filter((each) => !this.#keyed.has(each)));
  }

  #write(batch: Batch): void {
    this.#inFlight = batch;
    this.#commitStartedMs = this.#options.clock.nowMs();
    this.#thread.commit(batch);
  }

  #openSegment(): void {
    this.#commitStartedMs = this.#options.clock.nowMs();
    const sealing = this.#options.hooks.sealing();
    this.#sealing = sealing;
    this.#snapshotJseq = this.#nextJseq - 1;
    const waiting = [...this.#kept, this.#filling];
    const classes = new Set([sealing.retentionClass, ...classesOf(waiting)]);
    const largest = Math.max(...waiting.map(frameBytesOf));
    this.#thread.openSegment({
      number: this.#nextSegment,
      firstJseq: this.#durableJseq + 1,
      sequence: this.#sequence,
      previousSegment: this.#segment,
      previousHash: Uint8Array.from(this.#hash),
      sealing,
      classes: [...classes],
      snapshot: this.#options.hooks.snapshot(this.#snapshotJseq),
      roomBytes: largest + OPENING_LEAVES_BYTES + classes.size * KEY_LEAF_BYTES,
    });
    if (this.#deadline === undefined) this.#armDeadline(this.#options.timeoutMs);
  }

  #onAnswer(answer: SyncAnswer): void {
    if (this.#state === 'closed') return;
    if (answer === 0) this.#onCommitted();
    else if (answer.kind === 'segment-opened') this.#onSegmentOpened(answer);
    else if (answer.kind === 'keys-made') this.#onKeysMade(answer.keys);
    else if (answer.kind === 'failed') this.#onFailed(answer);
  }

  #onCommitted(): void {
    const batch = this.#inFlight!;
    this.#inFlight = undefined;
    // It came too late: its leaves were reported as failed and lie in a segment that does not count any more.
    if (this.#state === 'degraded') {
      this.#openSegment();
      return;
    }
    this.#offset = this.#thread.offset;
    this.#sequence++;
    this.#thread.copyHash(this.#hash);
    this.#durableJseq = batch.firstJseq + batch.leafCount - 1;
    if (this.#durableJseq >= this.#snapshotJseq) this.#startableSegment = this.#segment;
    const { appended, leafCount } = batch;
    for (const leaf of appended) leaf.settle();
    const latencyMs = this.#options.clock.nowMs() - this.#commitStartedMs;
    if (this.#state === 'recovering') {
      this.#onRewritten(batch);
      return;
    }
    this.#options.hooks.onCommit(latencyMs, leafCount, this.#thread.frameBytes);
    for (const leaf of appended) leaf.runCallbacks();
    this.#recycle(batch);
    if (this.#filling.leafCount > 0) this.#schedule();
    else this.#tellDrained();
  }

  #onRewritten(batch: Batch): void {
    const kept = this.#kept.indexOf(batch);
    if (kept >= 0) this.#kept.splice(kept, 1);
    this.#recycle(batch);
    this.#writeKept();
  }

  /** Writes what was kept, oldest first; then everything is as before. */
  #writeKept(): void {
    const [next] = this.#kept;
    if (next !== undefined) {
      if (this.#isKeyed(next)) this.#write(next);
      else this.#makeKeys(next);
      return;
    }
    if (this.#filling.leafCount > 0) {
      this.#kept.push(this.#filling);
      this.#filling = this.#takeBatch();
      this.#writeKept();
      return;
    }
    this.#failure = undefined;
    this.#retryMs = RETRY_MS;
    this.#state = 'open';
    this.#options.hooks.onRestored();
    this.#tellDrained();
  }

  #tellDrained(): void {
    if (this.#drained.length === 0 || !this.#isDrained()) return;
    for (const resolve of this.#drained.splice(0)) resolve();
  }

  #onSegmentOpened(answer: SegmentOpened): void {
    if (this.#state !== 'opening') this.#finished.push({ segment: this.#segment, end: this.#offset });
    this.#segment = answer.number;
    if (this.#durableJseq >= this.#snapshotJseq) this.#startableSegment = this.#segment;
    this.#nextSegment = answer.number + 1;
    this.#offset = answer.offset;
    this.#capacity = answer.capacity;
    this.#sequence = answer.sequence;
    this.#thread.copyHash(this.#hash);
    this.#keyed.clear();
    switch (this.#state) {
      case 'opening':
        this.#state = 'open';
        this.#takeKeys(answer.keys);
        this.#opened?.resolve();
        break;
      case 'rotating':
        this.#state = 'open';
        this.#takeKeys(answer.keys);
        this.#startCommit();
        break;
      case 'degraded': {
        this.#state = 'recovering';
        if (this.#deadline === undefined) this.#armDeadline(this.#options.timeoutMs);
        this.#options.hooks.onReopened(this.#failure!);
        this.#takeKeys(answer.keys);
        this.#writeKept();
        break;
      }
      default:
        break;
    }
  }

  /** The leaves that say so come into the batch that fills: the one with the first contents under them, or the next. */
  #takeKeys(keys: readonly MadeKey[]): void {
    const { period } = this.#sealing!;
    for (const { key, retentionClass } of keys) {
      this.#keyed.add(retentionClass);
      this.#options.hooks.onDataKey({ key, retentionClass, period });
    }
  }

  #onKeysMade(keys: readonly MadeKey[]): void {
    // Too late: its segment was given up.
    if (this.#state === 'degraded') {
      this.#openSegment();
      return;
    }
    if (this.#state === 'keying') {
      this.#state = 'open';
      this.#takeKeys(keys);
      this.#startCommit();
    } else if (this.#state === 'recovering') {
      this.#takeKeys(keys);
      this.#writeKept();
    }
  }

  #onFailed(answer: OpFailed): void {
    const wasLate = this.#state === 'degraded';
    const inFlight = this.#inFlight;
    this.#inFlight = undefined;
    if (this.#state === 'opening') {
      this.#opened?.reject(
        new CountersignError(codeOf(answer.code), { detail: answer.code ?? 'unknown error', cause: answer }),
      );
      return;
    }
    if (!wasLate) this.#degrade('sync-failed', { errno: answer.code, inFlight });
    setTimeout(() => {
      if (this.#state === 'degraded') this.#openSegment();
    }, this.#retryMs).unref();
    this.#retryMs = Math.min(2 * this.#retryMs, MAX_RETRY_MS);
  }

  #degrade(
    cause: Failure['cause'],
    { errno, inFlight }: { readonly errno?: string | undefined; readonly inFlight: Batch | undefined },
  ): void {
    const wasRecovering = this.#state === 'recovering';
    this.#state = 'degraded';
    if (wasRecovering) {
      this.#degradeAgain(cause, errno);
      return;
    }
    this.#kept = inFlight === undefined ? [] : [inFlight];
    if (this.#filling.leafCount > 0) {
      this.#kept.push(this.#filling);
      this.#filling = this.#takeBatch();
    }
    const failed = this.#kept.flatMap((batch) => batch.appended.filter((leaf) => leaf.isPending));
    const intents = failed.filter((leaf) => leaf.intentOf !== undefined);
    const failure = this.#describe(cause, errno, intents);
    this.#failure = failure;
    const error = new CountersignError(failure.code, errno === undefined ? {} : { detail: errno });
    for (const leaf of failed) leaf.settle(error);
    this.#options.hooks.onDegraded(failure);
    for (const leaf of failed) leaf.runCallbacks();
  }

  /**
   * The segment in which what was kept was being written again is poisoned as well, and gets a declaration of its own. What was
   * being written is still kept, and who waited for it has been told.
   */
  #degradeAgain(cause: Failure['cause'], errno: string | undefined): void {
    const failure = this.#describe(cause, errno, []);
    this.#failure = failure;
    this.#options.hooks.onDegraded(failure);
  }

  #describe(cause: Failure['cause'], errno: string | undefined, intents: readonly AppendedLeaf[]): Failure {
    return {
      cause,
      code: cause === 'sync-late' ? 'CS_RECORD_TIMEOUT' : codeOf(errno),
      errno,
      segment: this.#segment,
      from: this.#durableJseq + 1,
      to: this.#nextJseq - 1,
      atUs: this.#options.clock.atUs(),
      intents,
    };
  }

  #armDeadline(ms: number): void {
    this.#deadlineDueMs = this.#options.clock.nowMs() + ms;
    this.#deadline = setTimeout(() => this.#checkDeadline(), Math.max(1, ms));
    this.#deadline.unref();
  }

  #checkDeadline(): void {
    this.#deadline = undefined;
    const isBusy = this.#inFlight !== undefined || BUSY.has(this.#state);
    if (this.#state === 'degraded' || (!isBusy && this.#filling.leafCount === 0)) return;
    const now = this.#options.clock.nowMs();
    const since = this.#oldestMs();
    const left = since + this.#options.timeoutMs - now;
    if (left > 0) {
      this.#armDeadline(left);
    } else if (now - this.#deadlineDueMs > HELD_UP_MS && this.#prolongedMs !== since) {
      // This very thread was held up: the disk gets the time that its answer could not be heard. Once, and never more than
      // the timeout: after a stop of an hour a dead disk must not hang everybody for another one.
      this.#prolongedMs = since;
      this.#armDeadline(Math.min(now - this.#deadlineDueMs, this.#options.timeoutMs));
    } else if (this.#thread.isIdle && isBusy) {
      // The disk was in time and this thread was not: the answer is already queued.
      this.#armDeadline(1);
    } else {
      this.#degrade('sync-late', { inFlight: this.#inFlight });
    }
  }

  #oldestMs(): number {
    if (this.#state === 'recovering') return this.#commitStartedMs;
    if (this.#inFlight !== undefined) return this.#inFlight.startedAtMs;
    return this.#filling.leafCount > 0 ? this.#filling.startedAtMs : this.#commitStartedMs;
  }
}

/** What a batch costs in a segment, at most. */
function frameBytesOf(batch: Batch): number {
  return FRAME_OVERHEAD_BYTES + batch.blocks * BLOCK_OVERHEAD_BYTES + batch.bytes;
}

/** Retention classes of their payloads. */
function classesOf(batches: readonly Batch[]): string[] {
  const classes = new Set<string>();
  for (const { payloads } of batches)
    for (const { bytes, retentionClass } of payloads) if (bytes > 0) classes.add(retentionClass);
  return [...classes];
}

function codeOf(errno: string | undefined): ErrorCode {
  return errno === 'ENOSPC' || errno === 'EDQUOT' ? 'CS_RECORD_FULL' : 'CS_RECORD_FAILED';
}
