/**
 * The recorder: one journal, its session ledger, its integrator. Everything here runs on the data thread; the disk is
 * touched by the two worker threads only.
 */

import { hash } from 'node:crypto';
import {
  MAX_ENTRY_BYTES,
  periodOf,
  vaultEntryBytes,
  writeVaultEntry,
  type EncodableValue,
} from 'countersign-verify';
import type { RecordConfig } from '../config/config.ts';
import { CountersignError } from '../errors.ts';
import type { Clock } from './clock.ts';
import type { CallResult, CallVoided, ContextLeaf, OwnEvent, RecordEvent } from './events.ts';
import type { IntegratorAnswer, LogState } from './integrator/integrator-protocol.ts';
import type { IntegratorThread } from './integrator/integrator-thread.ts';
import { AppendedLeaf } from './journal/appended-leaf.ts';
import {
  Journal,
  type Failure,
  type JournalOptions,
  type JournalStart,
  type SegmentMark,
} from './journal/journal.ts';
import { encodeEvent, type ExtraFields } from './leaf-encoder.ts';
import { randomPooled, uuidv7 } from './random.ts';
import type {
  Appended,
  AppendOptions,
  Commitment,
  ContextFields,
  LeafRef,
  Payload,
  Recorder,
  RecorderHealth,
  Spool,
} from './recorder.ts';
import { rollDigest, type SessionLedger, type SessionState } from './session-ledger.ts';

/** Decision 19: room that is kept for what must still be written. */
const RESULT_RESERVE_BYTES = 2048;
const SESSION_RESERVE_BYTES = 1024;
const CONTROL_RESERVE_BYTES = 1024 * 1024;
/** What a byte of leaf costs on disk until it is in the log and its segment is reused. */
const DISK_FACTOR = 3;
/** Most that may wait for the disk in memory. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
const FREE_POLL_MS = 500;
const SALT_BYTES = 32;
/** A wall clock that was set by more than this is recorded (decision 36). */
const CLOCK_STEP_US = 2_000_000;
/** Sessions of a crash that share a group commit. */
const CUT_SESSIONS_AT_ONCE = 2000;
/** A segment this full wants a successor prepared. */
const SPARE_FROM_FILL = 0.5;

export interface Identity {
  readonly node: string;
  readonly version: string;
  /** Digest of the software, base64url. */
  readonly software: string;
  readonly boot: string;
}

export interface JournalRecorderOptions {
  readonly journal: string;
  readonly identity: Identity;
  readonly config: RecordConfig;
  readonly clock: Clock;
  readonly ledger: SessionLedger;
  readonly log: LogState;
  readonly start: JournalStart;
  readonly marks: readonly SegmentMark[];
  readonly freeBytes: () => number;
  readonly sync: JournalOptions['sync'];
  /** Digest of the configuration in force, base64url. */
  readonly configDigest: string;
  /** `admit` is asked before so many bytes are written; it throws when there is no room. */
  readonly openSpool: (admit: (bytes: number) => void) => Promise<Spool>;
}

type Commit = { readonly latencyMs: number; readonly leaves: number; readonly bytes: number };

interface Counters {
  calls: number;
  denied: number;
  bytesUp: number;
  bytesDown: number;
}

const scratch = Buffer.alloc(8 * 1024);
const noCounters = (): Counters => ({ calls: 0, denied: 0, bytesUp: 0, bytesDown: 0 });

/** Never refused: what they report has happened already. */
function isOwed(type: string): boolean {
  return type === 'call.result' || type === 'session.closed' || type === 'call.voided';
}

export class JournalRecorder implements Recorder {
  readonly journal: string;
  readonly node: string;
  readonly #options: JournalRecorderOptions;
  readonly #clock: Clock;
  readonly #ledger: SessionLedger;
  readonly #journal: Journal;
  #integrator: IntegratorThread | undefined;
  #configDigest: string;
  #log: LogState;
  #checkpointAtMs: number;
  #isIntegrating = false;
  #integrateTimer: NodeJS.Timeout | undefined;
  #heartbeatTimer: NodeJS.Timeout | undefined;
  #freeTimer: NodeJS.Timeout | undefined;
  #integratorReason: string | undefined;
  #fatal: string | undefined;
  #freeBytes: number;
  #writtenSinceFree = 0;
  #spooledSinceFree = 0;
  #openCalls = 0;
  #counters = noCounters();
  #wasReady = true;
  #isClosing = false;
  readonly #healthCallbacks: ((health: RecorderHealth) => void)[] = [];
  readonly #commitCallbacks: ((commit: Commit) => void)[] = [];
  #integrated: (() => void)[] = [];
  #period = '';
  #periodCheckedMs = -Infinity;
  /** Wall clock minus monotonic clock at the newest leaf. */
  #wallOffsetUs: number;

  constructor(options: JournalRecorderOptions) {
    this.#options = options;
    this.journal = options.journal;
    this.node = options.identity.node;
    this.#clock = options.clock;
    this.#ledger = options.ledger;
    this.#log = options.log;
    this.#configDigest = options.configDigest;
    this.#freeBytes = options.freeBytes();
    this.#checkpointAtMs = options.clock.nowMs();
    this.#wallOffsetUs = options.clock.atUs() - options.clock.monoUs();
    for (const session of options.ledger.sessions()) this.#openCalls += session.open.size;
    this.#journal = new Journal({
      sync: options.sync,
      timeoutMs: options.config.timeoutMs,
      resultDelayMs: options.config.resultDelayMs,
      clock: options.clock,
      start: options.start,
      marks: options.marks,
      hooks: {
        snapshot: (jseq) => this.#ledger.snapshot(jseq),
        period: () => this.#currentPeriod(),
        onCommit: (latencyMs, leaves, bytes) => this.#onCommit({ latencyMs, leaves, bytes }),
        onDegraded: (failure) => this.#onDegraded(failure),
        onReopened: (failure) => this.#onReopened(failure),
        onRestored: () => this.#onRestored(),
        onDeath: (error) => this.fail(`the thread that syncs died: ${error.message}`),
      },
    });
  }

  /** Opens the journal's first segment and starts to integrate. */
  async open(integrator: IntegratorThread): Promise<void> {
    await this.#journal.open();
    this.#integrator = integrator;
    this.#armHeartbeat();
  }

  /** Ends the thread that syncs after `open` failed. */
  abandon(): Promise<void> {
    return this.#journal.close();
  }

  /** Resolves when everything that was appended is on disk. */
  drained(): Promise<void> {
    return this.#journal.drained();
  }

  commit(bytes: Uint8Array): Commitment {
    const salt = randomPooled(SALT_BYTES);
    const length = SALT_BYTES + bytes.length;
    const input = length <= scratch.length ? scratch : Buffer.allocUnsafe(length);
    input.set(salt, 0);
    input.set(bytes, SALT_BYTES);
    return { digest: hash('sha256', input.subarray(0, length), 'base64url'), salt, bytes };
  }

  append(event: RecordEvent | OwnEvent, payloads?: readonly Payload[], options?: AppendOptions): Appended {
    if (!isOwed(event.type)) this.#admit(options?.control === true);
    return this.#write(event, payloads, options?.urgency !== 'ride').leaf;
  }

  openContext(fields: ContextFields, payloads?: readonly Payload[]): LeafRef {
    this.#admit(false);
    const { identity } = this.#options;
    const event: ContextLeaf = {
      type: 'context',
      ...fields,
      node: identity.node,
      version: identity.version,
      software: identity.software,
      boot: identity.boot,
      config: this.#configDigest,
      clock: this.#clock.source,
    };
    const { leaf, text } = this.#write(event, payloads, true);
    return { journal: this.journal, jseq: leaf.jseq, digest: hash('sha256', text, 'base64url') };
  }

  async openSpool(): Promise<Spool> {
    this.#admit(false);
    return this.#options.openSpool((bytes) => this.#admitSpooled(bytes));
  }

  /** Later context leaves name this configuration. */
  setConfigDigest(digest: string): void {
    this.#configDigest = digest;
  }

  health(): RecorderHealth {
    const reason = this.#notReadyReason();
    return {
      ready: reason === undefined,
      ...(reason === undefined ? {} : { reason }),
      isFatal: this.#fatal !== undefined,
      durableJseq: this.#journal.durableJseq,
      appendedJseq: this.#journal.nextJseq - 1,
      integratedJseq: this.#log.jseq,
      treeSize: this.#log.size,
      checkpointAgeMs: Math.round(this.#clock.nowMs() - this.#checkpointAtMs),
      freeBytes: this.#freeBytes,
    };
  }

  onHealthChange(callback: (health: RecorderHealth) => void): void {
    this.#healthCallbacks.push(callback);
  }

  onCommit(callback: (commit: Commit) => void): void {
    this.#commitCallbacks.push(callback);
  }

  async close(reason: string): Promise<void> {
    if (this.#isClosing) return;
    this.#isClosing = true;
    clearTimeout(this.#heartbeatTimer);
    clearTimeout(this.#freeTimer);
    const isSound = this.#fatal === undefined && this.#journal.failure === undefined;
    if (isSound) {
      this.#write({ type: 'software.stopped', reason }, undefined, true);
      await this.#within(this.#journal.drained());
      await this.#within(this.#integratedUpTo(this.#journal.durableJseq));
    }
    clearTimeout(this.#integrateTimer);
    const isCovered = this.#log.jseq >= this.#journal.durableJseq;
    await this.#journal.close();
    if (isCovered) await this.#integrator?.close();
    else await this.#integrator?.abandon();
  }

  /** The record cannot go on: everything is refused from now on. */
  fail(reason: string): void {
    if (this.#fatal !== undefined) return;
    this.#fatal = reason;
    // Told even when it was not ready before: the process must stop.
    this.#wasReady = true;
    this.#tellHealth();
  }

  onIntegratorAnswer(answer: IntegratorAnswer): void {
    this.#isIntegrating = false;
    if (answer.kind === 'failed') {
      this.#integratorReason = `the log cannot be written (${answer.code ?? 'error'})`;
      if (answer.isFatal) this.fail(answer.message);
      // The likeliest reason is a full disk, and the journal's own room would hide it from the next commands.
      this.#setFree(this.#options.freeBytes());
      if (this.#isFull()) this.#armFreePoll();
      this.#tellHealth();
      this.#scheduleIntegration();
      return;
    }
    if (answer.kind === 'ready') return;
    this.#integratorReason = undefined;
    this.#log = { size: answer.size, jseq: answer.jseq };
    this.#checkpointAtMs = this.#clock.nowMs();
    this.#setFree(answer.freeBytes);
    this.#journal.dropMarksBefore(answer.oldestSegment);
    if (answer.jseq < this.#journal.durableJseq) this.#scheduleIntegration();
    for (const resolve of this.#integrated.splice(0)) resolve();
    this.#tellHealth();
  }

  /** Leaves that recovery owes: calls in doubt, sessions that a crash cut. Ends every session of the ledger. */
  async closeCutSessions(): Promise<void> {
    const sessions = [...this.#ledger.sessions()];
    for (const [i, session] of sessions.entries()) {
      if (i % CUT_SESSIONS_AT_ONCE === CUT_SESSIONS_AT_ONCE - 1) await this.drained();
      for (const call of session.open) {
        const result: CallResult = {
          type: 'call.result',
          session: session.id,
          seq: session.nextSeq - session.shift,
          call,
          status: 'cut',
          bytesUp: 0,
          bytesDown: 0,
          durationUs: 0,
          cause: 'in-doubt',
        };
        this.#write(result, undefined, false);
      }
      this.#write(
        {
          type: 'session.closed',
          session: session.id,
          seq: session.nextSeq - session.shift,
          ...(session.context === '' ? {} : { context: JSON.parse(session.context) as LeafRef }),
          reason: 'crash',
          calls: session.calls,
          bytesUp: session.bytesUp,
          bytesDown: session.bytesDown,
        },
        undefined,
        false,
      );
    }
  }

  /** Throws when a new command may not come in now. */
  #admit(isControl: boolean): void {
    if (this.#fatal !== undefined) throw new CountersignError('CS_RECORD_FAILED');
    if (this.#isClosing) throw new CountersignError('CS_SHUTTING_DOWN');
    const { failure } = this.#journal;
    if (failure !== undefined) {
      throw new CountersignError(failure.code, failure.errno === undefined ? {} : { detail: failure.errno });
    }
    if (this.#journal.waitingBytes > MAX_WAITING_BYTES) throw new CountersignError('CS_RECORD_TIMEOUT');
    if (!isControl && this.#isFull()) {
      this.#armFreePoll();
      this.#tellHealth();
      throw new CountersignError('CS_RECORD_FULL');
    }
  }

  /** A large value may not take the room that results and closings of others are promised. */
  #admitSpooled(bytes: number): void {
    this.#spooledSinceFree += bytes;
    this.#admit(false);
  }

  #isFull(): boolean {
    const reserved =
      this.#openCalls * RESULT_RESERVE_BYTES +
      this.#ledger.size * SESSION_RESERVE_BYTES +
      CONTROL_RESERVE_BYTES;
    const room = this.#freeBytes - this.#writtenSinceFree * DISK_FACTOR - this.#spooledSinceFree - reserved;
    return room < this.#options.config.minFreeBytes;
  }

  #write(
    event: RecordEvent | OwnEvent,
    payloads: readonly Payload[] | undefined,
    isUrgent: boolean,
  ): { readonly leaf: AppendedLeaf; readonly text: string } {
    const atUs = this.#clock.atUs();
    const jseq = this.#journal.nextJseq;
    const { type } = event;
    const id = type === 'call.result' ? event.call : uuidv7(Math.floor(atUs / 1000));
    let session: SessionState | undefined;
    let seq = 0;
    let extra: ExtraFields | undefined;
    if ('session' in event && 'seq' in event) {
      session = this.#ledger.obtain(event.session);
      seq = event.seq + session.shift;
      if (seq !== session.nextSeq) {
        throw new CountersignError('CS_INTERNAL', {
          detail: `session leaf has seq ${seq}, expected ${session.nextSeq}`,
        });
      }
      if (type === 'session.closed') extra = { rolling: rollingOf(session) };
    }
    const monoUs = this.#clock.monoUs();
    const envelope = { journal: this.journal, jseq, id, atUs, monoUs, seq };
    const text = encodeEvent(event, envelope, extra);
    const leaf = new AppendedLeaf(this.journal, jseq, id, type === 'call.intent' ? event.session : undefined);
    this.#put(text, jseq, payloads);
    if (session !== undefined) this.#account(event as RecordEvent, session, text, id);
    this.#journal.add(leaf, isUrgent);
    const stepUs = atUs - monoUs - this.#wallOffsetUs;
    this.#wallOffsetUs += stepUs;
    if (stepUs > CLOCK_STEP_US || stepUs < -CLOCK_STEP_US) {
      this.#write({ type: 'alert', code: 'clock-step', stepUs }, undefined, true);
    }
    return { leaf, text };
  }

  /** Encodes leaf and payloads into the batch. Throws, with nothing changed, when the leaf is too long. */
  #put(text: string, jseq: number, payloads: readonly Payload[] | undefined): void {
    const batch = this.#journal.batch();
    const most = text.length * 3;
    batch.reserveLeaves(2 + most);
    const written = batch.leaves.write(text, batch.leavesBytes + 2);
    if (written > MAX_ENTRY_BYTES) {
      throw new CountersignError('CS_STATEMENT_TOO_LONG', { detail: `its leaf has ${written} bytes` });
    }
    batch.leaves.writeUInt16BE(written, batch.leavesBytes);
    batch.leavesBytes += 2 + written;
    this.#writtenSinceFree += written;
    if (payloads === undefined) return;
    for (const { field, commitment } of payloads) {
      const isSpool = commitment.spool !== undefined;
      const bytes =
        commitment.spool === undefined ? commitment.bytes : Buffer.from(commitment.spool, 'latin1');
      if (bytes === undefined)
        throw new CountersignError('CS_INTERNAL', { detail: `payload ${field} has no bytes` });
      batch.reservePayloads(vaultEntryBytes(field, bytes.length));
      batch.payloadsBytes = writeVaultEntry(batch.payloads, batch.payloadsBytes, {
        relativeJseq: jseq - batch.firstJseq,
        field,
        salt: commitment.salt,
        bytes,
        isSpool,
      });
      batch.payloadCount++;
      this.#writtenSinceFree += bytes.length;
    }
  }

  #account(event: RecordEvent, session: SessionState, text: string, id: string): void {
    session.nextSeq++;
    switch (event.type) {
      case 'call.intent':
        session.calls++;
        session.open.add(id);
        this.#openCalls++;
        this.#counters.calls++;
        break;
      case 'call.result':
        if (session.open.delete(event.call)) this.#openCalls--;
        session.bytesUp += event.bytesUp;
        session.bytesDown += event.bytesDown;
        this.#counters.bytesUp += event.bytesUp;
        this.#counters.bytesDown += event.bytesDown;
        break;
      case 'call.voided':
        if (session.open.delete(event.call)) this.#openCalls--;
        break;
      case 'call.denied':
        this.#counters.denied++;
        break;
      case 'session.closed':
        this.#openCalls -= session.open.size;
        this.#ledger.close(session.id);
        return;
      default:
        break;
    }
    const { context } = event as { readonly context?: LeafRef };
    if (context !== undefined && session.context === '') session.context = JSON.stringify(context);
    rollDigest(session, text);
  }

  #onDegraded(failure: Failure): void {
    for (const intent of failure.intents) {
      const session = this.#ledger.find(intent.intentOf!);
      if (session === undefined) continue;
      const voided: CallVoided = {
        type: 'call.voided',
        session: session.id,
        seq: session.nextSeq - session.shift,
        call: intent.id,
        reason: failure.code,
      };
      this.#write(voided, undefined, false);
      // The author does not know of this leaf: its counter is one behind from here on.
      session.shift++;
    }
    this.#write({ type: 'recorder.degraded', cause: failure.errno ?? failure.code }, undefined, false);
    this.#tellHealth();
  }

  #onReopened(failure: Failure): void {
    const { cause, segment, from, to } = failure;
    this.#write({ type: 'gap.declared', cause, segment, from, to, lost: 0 }, undefined, false);
    const sinceUs = failure.atUs;
    this.#write(
      { type: 'recorder.restored', cause: failure.errno ?? failure.code, sinceUs },
      undefined,
      false,
    );
  }

  #onRestored(): void {
    this.#tellHealth();
    this.#scheduleIntegration();
  }

  #onCommit(commit: Commit): void {
    if (this.#integrateTimer === undefined && !this.#isIntegrating) this.#scheduleIntegration();
    for (const callback of this.#commitCallbacks) callback(commit);
  }

  /** Half of the longest age of a checkpoint: the other half is for the work itself. */
  #scheduleIntegration(): void {
    if (this.#integrateTimer !== undefined || this.#isIntegrating || this.#fatal !== undefined) return;
    this.#integrateTimer = setTimeout(
      () => this.#integrate(),
      this.#isClosing ? 1 : this.#options.config.checkpointMs / 2,
    );
  }

  #integrate(): void {
    this.#integrateTimer = undefined;
    if (this.#integrator === undefined || this.#isIntegrating) return;
    this.#isIntegrating = true;
    this.#integrator.integrate({
      marks: this.#journal.marks(),
      wantSpare: this.#journal.segmentFill > SPARE_FROM_FILL,
      atUs: this.#clock.atUs(),
    });
  }

  async #integratedUpTo(jseq: number): Promise<void> {
    while (this.#log.jseq < jseq && this.#fatal === undefined) {
      const answered = new Promise<void>((resolve) => this.#integrated.push(resolve));
      if (!this.#isIntegrating) {
        clearTimeout(this.#integrateTimer);
        this.#integrate();
      }
      await answered;
    }
  }

  /** Waits, but not for a dead disk. */
  async #within(promise: Promise<void>): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, 5 * this.#options.config.timeoutMs);
    });
    await Promise.race([promise, late]);
    clearTimeout(timer);
  }

  #armHeartbeat(): void {
    // A little early, so that timers that fire late still keep the promised distance.
    this.#heartbeatTimer = setTimeout(() => {
      this.#armHeartbeat();
      this.heartbeat();
    }, this.#options.config.heartbeatMs * 0.9);
    this.#heartbeatTimer.unref();
  }

  /** Writes a heartbeat now, if the record can be written at all. */
  heartbeat(): void {
    if (this.#journal.failure !== undefined || this.#fatal !== undefined) return;
    const counters = this.#counters;
    this.#counters = noCounters();
    const journals = [{ journal: this.journal, jseq: this.#journal.nextJseq - 1 }];
    this.#write({ type: 'heartbeat', ...counters, sessions: this.#ledger.size, journals }, undefined, true);
  }

  #notReadyReason(): string | undefined {
    if (this.#fatal !== undefined) return this.#fatal;
    const { failure } = this.#journal;
    if (failure !== undefined) return `the journal cannot be written (${failure.errno ?? failure.cause})`;
    if (this.#isFull()) return 'there is no room left for the record';
    return this.#integratorReason;
  }

  #tellHealth(): void {
    const health = this.health();
    if (health.ready === this.#wasReady) return;
    this.#wasReady = health.ready;
    for (const callback of this.#healthCallbacks) callback(health);
  }

  #setFree(bytes: number): void {
    this.#freeBytes = bytes;
    this.#writtenSinceFree = 0;
    this.#spooledSinceFree = 0;
  }

  /** While there is no room: looks again until there is. */
  #armFreePoll(): void {
    if (this.#freeTimer !== undefined || this.#isClosing) return;
    this.#freeTimer = setTimeout(() => {
      this.#freeTimer = undefined;
      this.#setFree(this.#options.freeBytes());
      if (this.#isFull()) this.#armFreePoll();
      this.#tellHealth();
    }, FREE_POLL_MS);
    this.#freeTimer.unref();
  }

  #currentPeriod(): string {
    const now = this.#clock.nowMs();
    if (now - this.#periodCheckedMs > 1000) {
      this.#periodCheckedMs = now;
      this.#period = periodOf(this.#clock.atUs());
    }
    return this.#period;
  }
}

function rollingOf(session: SessionState): EncodableValue {
  return Buffer.from(session.digest, 'latin1').toString('base64url');
}
