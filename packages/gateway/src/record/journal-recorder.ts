/**
 * The recorder: one journal, its session ledger, its integrator. Everything here runs on the data thread; the disk is
 * touched by the two worker threads only.
 */

import { hash } from 'node:crypto';
import type { EncodableValue } from 'countersign-verify';
import type { RecordConfig } from '../config/config.ts';
import { CountersignError, type ErrorCode } from '../errors.ts';
import type { Clock } from './clock.ts';
import { closingLeaves } from './cut-sessions.ts';
import type { CallVoided, ContextLeaf, OwnEvent, RecordEvent } from './events.ts';
import { Integration } from './integration.ts';
import type { IntegratorAnswer, LogState } from './integrator/integrator-protocol.ts';
import type { IntegratorThread } from './integrator/integrator-thread.ts';
import type { CosignRequest, Kept, NotKept } from './integrator/kept-cosignatures.ts';
import { AppendedLeaf } from './journal/appended-leaf.ts';
import {
  Journal,
  type Failure,
  type JournalOptions,
  type JournalStart,
  type SegmentMark,
} from './journal/journal.ts';
import { LeafAccount } from './leaf-account.ts';
import { encodeEvent, type ExtraFields } from './leaf-encoder.ts';
import { putLeaf, putPayloads } from './put-leaf.ts';
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
import { Room } from './room.ts';
import type { SessionLedger, SessionState } from './session-ledger.ts';
import { StandstillWatch, type Standstill } from './standstill.ts';
import type { Sealing, SegmentDataKey } from './vault/sealing.ts';

/** Most that may wait for the disk in memory. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
/** And of control events on top of it. */
const CONTROL_WAITING_BYTES = 1024 * 1024;
const SALT_BYTES = 32;
/** A wall clock that was set by more than this is recorded (decision 36). */
const CLOCK_STEP_US = 2_000_000;
/** The shortest standstill that is recorded: a sixth of the heartbeat's interval, but not what a busy machine may take. */
const HEARTBEAT_PER_STANDSTILL = 6;
const MIN_STANDSTILL_MS = 1000;
/** Sessions of a crash that share a group commit. */
const CUT_SESSIONS_AT_ONCE = 2000;

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
  readonly sealing: () => Sealing;
  /** For contents whose author names no other. */
  readonly retentionClass: string;
  /** See `IntegrationOptions.hangsAfterMs`. */
  readonly logHangsAfterMs?: number | undefined;
  /** Digest of the configuration in force, base64url. */
  readonly configDigest: string;
  /** `admit` is asked before so many bytes are written; it throws when there is no room. */
  readonly openSpool: (retentionClass: string, admit: (bytes: number) => void) => Promise<Spool>;
  /** A leaf that names the spooled value `id` was appended. */
  readonly onSpoolNamed: (id: string, leaf: Appended) => void;
}

type Commit = { readonly latencyMs: number; readonly leaves: number; readonly bytes: number };

const scratch = Buffer.alloc(8 * 1024);

/** Never refused: what they report has happened already. */
function isOwed(type: string): boolean {
  return type === 'call.result' || type === 'session.closed' || type === 'call.voided';
}

export class JournalRecorder implements Recorder {
  readonly journal: string;
  readonly node: string;
  readonly #options: JournalRecorderOptions;
  readonly #clock: Clock;
  readonly #journal: Journal;
  readonly #account: LeafAccount;
  readonly #room: Room;
  readonly #integration: Integration;
  #configDigest: string;
  #heartbeatTimer: NodeJS.Timeout | undefined;
  readonly #standstill: StandstillWatch;
  #fatal: string | undefined;
  #wasReady = true;
  #tookCommands = true;
  #wasLow = false;
  #isClosing = false;
  readonly #healthCallbacks: ((health: RecorderHealth) => void)[] = [];
  readonly #commitCallbacks: ((commit: Commit) => void)[] = [];
  #checkpointCallback: ((log: LogState) => void) | undefined;
  #cosignedCallback: ((answer: Kept | NotKept) => void) | undefined;
  /** Why no command may come in although the record could take it. */
  #commandRefusal: ErrorCode | undefined;
  /** Data keys of segments that were opened before the first leaf could be written. */
  #unannounced: SegmentDataKey[] | undefined = [];
  /** Wall clock minus monotonic clock at the newest leaf. */
  #wallOffsetUs: number;

  constructor(options: JournalRecorderOptions) {
    const { clock, config } = options;
    this.#options = options;
    this.journal = options.journal;
    this.node = options.identity.node;
    this.#clock = clock;
    this.#configDigest = options.configDigest;
    this.#wallOffsetUs = clock.atUs() - clock.monoUs();
    this.#standstill = new StandstillWatch({
      clock,
      fromMs: Math.max(MIN_STANDSTILL_MS, config.heartbeatMs / HEARTBEAT_PER_STANDSTILL),
      onStandstill: (standstill) => this.#recordStandstill(standstill),
    });
    this.#account = new LeafAccount(options.ledger);
    this.#journal = this.#createJournal();
    this.#room = new Room({
      minFreeBytes: config.minFreeBytes,
      ...(config.warnFreeBytes === undefined ? {} : { warnFreeBytes: config.warnFreeBytes }),
      freeBytes: options.freeBytes,
      open: () => ({ calls: this.#account.openCalls, sessions: options.ledger.size }),
      onChange: () => this.#tellHealth(),
      onLow: (freeBytes) => this.#onLow(freeBytes),
    });
    this.#integration = new Integration({
      clock,
      checkpointMs: config.checkpointMs,
      log: options.log,
      source: this.#journal,
      onIntegrated: (freeBytes) => {
        this.#room.setFree(freeBytes);
        this.#tellHealth();
        this.#checkpointCallback?.(this.#integration.log);
      },
      hangsAfterMs: options.logHangsAfterMs,
      // Nobody else asks the file system how much is left, while the journal grows.
      onHanging: () => this.#lookAtRoom(),
      onFailed: (message, isFatal) => this.#onIntegrationFailed(message, isFatal),
      onCosigned: (answer) => this.#cosignedCallback?.(answer),
    });
  }

  #createJournal(): Journal {
    const { clock, config, ledger, marks, start, sync } = this.#options;
    return new Journal({
      sync,
      timeoutMs: config.timeoutMs,
      resultDelayMs: config.resultDelayMs,
      clock,
      start,
      marks,
      hooks: {
        snapshot: (jseq) => ledger.snapshot(jseq),
        sealing: this.#options.sealing,
        onDataKey: (dataKey) => this.#onDataKey(dataKey),
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
    this.#integration.start(integrator);
    this.#armHeartbeat();
    this.#standstill.start();
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
    if (this.#commandRefusal !== undefined && event.type === 'call.intent')
      throw new CountersignError(this.#commandRefusal);
    return this.#write(event, payloads, options?.urgency !== 'ride', options?.retentionClass).leaf;
  }

  openContext(fields: ContextFields, payloads?: readonly Payload[]): LeafRef {
    this.#admit(false);
    const { identity, retentionClass } = this.#options;
    const event: ContextLeaf = {
      type: 'context',
      ...fields,
      // What goes without saying is not written.
      class: fields.class === retentionClass ? undefined : fields.class,
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

  async openSpool(retentionClass = this.#options.retentionClass): Promise<Spool> {
    this.#admit(false);
    return this.#options.openSpool(retentionClass, (bytes) => this.#admitSpooled(bytes));
  }

  /** For witnessing: called after each new checkpoint, which is on disk then. */
  onCheckpoint(callback: (log: LogState) => void): void {
    this.#checkpointCallback = callback;
  }

  /** For witnessing: called when cosignatures were written, or could not be. */
  onCosigned(callback: (answer: Kept | NotKept) => void): void {
    this.#cosignedCallback = callback;
  }

  /** Writes cosignatures into the log's files. */
  cosign(request: Omit<CosignRequest, 'kind'>): void {
    this.#integration.cosign(request);
  }

  /** From now on every `call.intent` is refused with this code; undefined: none is. Everything else is recorded as before. */
  refuseCommands(code: ErrorCode | undefined): void {
    this.#commandRefusal = code;
  }

  /** Later context leaves name this configuration. */
  setConfigDigest(digest: string): void {
    this.#configDigest = digest;
  }

  health(): RecorderHealth {
    const refusal = this.#refusalReason();
    const reason = refusal ?? this.#integration.failure;
    return {
      ready: reason === undefined,
      ...(reason === undefined ? {} : { reason }),
      takesCommands: refusal === undefined,
      isFatal: this.#fatal !== undefined,
      durableJseq: this.#journal.durableJseq,
      appendedJseq: this.#journal.nextJseq - 1,
      integratedJseq: this.#integration.log.jseq,
      treeSize: this.#integration.log.size,
      checkpointAgeMs: this.#integration.checkpointAgeMs,
      freeBytes: this.#room.freeBytes,
      isLow: this.#room.isLow,
    };
  }

  /** Segments of the journal before it are wholly in the log and the vault. */
  get oldestSegment(): number {
    return this.#integration.oldestSegment;
  }

  /** Resolves when leaf `jseq` is in the log. Throws `CS_SHUTTING_DOWN` when the record ends before. */
  covered(jseq: number): Promise<void> {
    return this.#integration.covered(jseq);
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
    this.#standstill.stop();
    this.#room.close();
    const isSound = this.#fatal === undefined && this.#journal.failure === undefined;
    if (isSound) {
      this.#write({ type: 'software.stopped', reason }, undefined, true);
      await this.#within(this.#journal.drained());
      await this.#within(this.#integration.finish(this.#journal.durableJseq));
    }
    const isCovered = this.#integration.stop();
    await this.#journal.close();
    await this.#integration.close(isCovered);
  }

  /** The record cannot go on: everything is refused from now on. */
  fail(reason: string): void {
    if (this.#fatal !== undefined) return;
    this.#fatal = reason;
    this.#integration.end();
    // Told even when it was not ready before: the process must stop.
    this.#wasReady = true;
    this.#tellHealth();
  }

  onIntegratorAnswer(answer: IntegratorAnswer): void {
    this.#integration.onAnswer(answer);
  }

  #onIntegrationFailed(message: string, isFatal: boolean): void {
    if (isFatal) this.fail(message);
    // The likeliest reason is a full disk, and the journal's own room would hide it from the next commands.
    this.#lookAtRoom();
  }

  #lookAtRoom(): void {
    this.#room.look();
    this.#tellHealth();
  }

  /** Leaves that recovery owes: calls in doubt, sessions that a crash cut. Ends every session of the ledger. */
  async closeCutSessions(): Promise<void> {
    const sessions = [...this.#options.ledger.sessions()];
    for (const [i, session] of sessions.entries()) {
      if (i % CUT_SESSIONS_AT_ONCE === CUT_SESSIONS_AT_ONCE - 1) await this.drained();
      for (const leaf of closingLeaves(session)) this.#write(leaf, undefined, false);
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
    // What others have waiting does not keep a revocation out.
    const most = isControl ? MAX_WAITING_BYTES + CONTROL_WAITING_BYTES : MAX_WAITING_BYTES;
    if (this.#journal.waitingBytes > most) throw new CountersignError('CS_RECORD_TIMEOUT');
    if (!isControl && this.#room.isFull()) {
      this.#room.watch();
      this.#tellHealth();
      throw new CountersignError('CS_RECORD_FULL');
    }
  }

  /** A large value may not take the room that results and closings of others are promised. */
  #admitSpooled(bytes: number): void {
    this.#room.noteSpooled(bytes);
    this.#admit(false);
  }

  #write(
    event: RecordEvent | OwnEvent,
    payloads: readonly Payload[] | undefined,
    isUrgent: boolean,
    retentionClass = this.#options.retentionClass,
  ): { readonly leaf: AppendedLeaf; readonly text: string } {
    this.#noteStandstill();
    const atUs = this.#clock.atUs();
    const jseq = this.#journal.nextJseq;
    const { type } = event;
    const id = type === 'call.result' ? event.call : uuidv7(Math.floor(atUs / 1000));
    const place = this.#account.placeOf(event);
    const extra: ExtraFields | undefined =
      type === 'session.closed' && place !== undefined ? { rolling: rollingOf(place.session) } : undefined;
    const monoUs = this.#clock.monoUs();
    const envelope = { journal: this.journal, jseq, id, atUs, monoUs, seq: place?.seq ?? 0 };
    const text = encodeEvent(event, envelope, extra);
    const leaf = new AppendedLeaf(this.journal, jseq, id, type === 'call.intent' ? event.session : undefined);
    const batch = this.#journal.batch();
    leaf.bytes = putLeaf(batch, text);
    if (payloads !== undefined) leaf.bytes += putPayloads(batch, jseq, payloads, retentionClass);
    this.#room.noteWritten(leaf.bytes);
    if (place !== undefined) this.#account.take(event as RecordEvent, place.session, text, id);
    this.#journal.add(leaf, isUrgent);
    for (const { commitment } of payloads ?? []) {
      if (commitment.spool !== undefined) this.#options.onSpoolNamed(commitment.spool, leaf);
    }
    const stepUs = atUs - monoUs - this.#wallOffsetUs;
    this.#wallOffsetUs += stepUs;
    if (stepUs > CLOCK_STEP_US || stepUs < -CLOCK_STEP_US) {
      this.#write({ type: 'alert', code: 'clock-step', stepUs }, undefined, true);
    }
    return { leaf, text };
  }

  /** Whoever asked the file system tells of the change in health. */
  #onLow(freeBytes: number): void {
    if (this.#journal.failure !== undefined || this.#fatal !== undefined || this.#isClosing) return;
    this.#write({ type: 'alert', code: 'disk-low', freeBytes }, undefined, true);
  }

  /** Nothing else is recorded before it is said that the process stood still. */
  #noteStandstill(): void {
    const standstill = this.#standstill.look();
    if (standstill !== undefined) this.#recordStandstill(standstill);
  }

  #recordStandstill(standstill: Standstill): void {
    if (this.#fatal === undefined)
      this.#write({ type: 'alert', code: 'suspended', ...standstill }, undefined, true);
  }

  #onDegraded(failure: Failure): void {
    for (const intent of failure.intents) {
      const session = this.#options.ledger.find(intent.intentOf!);
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

  /** Data keys are on record from here on: the journal's first leaf must be another one. */
  announceDataKeys(): void {
    const waiting = this.#unannounced ?? [];
    this.#unannounced = undefined;
    for (const dataKey of waiting) this.#onDataKey(dataKey);
  }

  #onDataKey(dataKey: SegmentDataKey): void {
    if (this.#unannounced !== undefined) {
      this.#unannounced.push(dataKey);
      return;
    }
    const { key, period, retentionClass } = dataKey;
    this.#write(
      { type: 'key.created', purpose: 'vault-data', key, class: retentionClass, period },
      undefined,
      false,
    );
  }

  #onRestored(): void {
    this.#tellHealth();
    this.#integration.schedule();
  }

  #onCommit(commit: Commit): void {
    this.#integration.schedule();
    for (const callback of this.#commitCallbacks) callback(commit);
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
    // Before the mark below is taken, so that it is the mark of the leaf before the heartbeat.
    this.#noteStandstill();
    const counters = this.#account.takeCounters();
    const sessions = this.#options.ledger.size;
    const journals = [{ journal: this.journal, jseq: this.#journal.nextJseq - 1 }];
    this.#write({ type: 'heartbeat', ...counters, sessions, journals }, undefined, true);
  }

  /** Why commands are refused. */
  #refusalReason(): string | undefined {
    if (this.#fatal !== undefined) return this.#fatal;
    const { failure } = this.#journal;
    if (failure !== undefined) return `the journal cannot be written (${failure.errno ?? failure.cause})`;
    return this.#room.isFull() ? 'there is no room left for the record' : undefined;
  }

  #tellHealth(): void {
    const health = this.health();
    const isLow = health.isLow === true;
    const takesCommands = health.takesCommands === true;
    const isSame = health.ready === this.#wasReady && takesCommands === this.#tookCommands;
    if (isSame && isLow === this.#wasLow) return;
    this.#wasReady = health.ready;
    this.#tookCommands = takesCommands;
    this.#wasLow = isLow;
    for (const callback of this.#healthCallbacks) callback(health);
  }
}

function rollingOf(session: SessionState): EncodableValue {
  return Buffer.from(session.digest, 'latin1').toString('base64url');
}
