import type { CountersignConfig } from '../config/config.ts';
import { CountersignError } from '../errors.ts';
import { errorFields } from '../observe/logger.ts';
import type { Logger } from '../observe/logger.ts';
import type { Alert } from '../record/events.ts';
import type { CheckpointWitnessed } from '../record/events/witnessing.ts';
import type { OpenedRecorder } from '../record/open-recorder.ts';
import type { Recorder } from '../record/recorder.ts';
import { keepEvidence } from '../record/witness/evidence-files.ts';
import { KeptWitnessThread } from '../record/witness/kept-thread.ts';
import { LeafTimes } from '../record/witness/leaf-times.ts';
import type { WitnessState } from '../record/witness/rounds.ts';
import type { Evidence } from '../record/witness/witness-client.ts';
import type { WitnessAnswer } from '../record/witness/witness-protocol.ts';
import { askAfterStop } from './witness-start.ts';
import type { StartFindings, WitnessParts } from './witness-start.ts';

/** What witnessing needs of the record. The recorders of benchmarks have no log, and nothing to witness. */
export type WitnessedRecorder = Recorder &
  Partial<Pick<OpenedRecorder, 'onCheckpoint' | 'onCosigned' | 'cosign' | 'refuseCommands'>>;

/** The part of the record that no quorum of witnesses has seen: whoever holds the log's key could still rewrite it. */
export interface UnwitnessedWindow {
  /** Leaves, those included that are not in the log yet. */
  readonly leaves: number;
  /** Age of the oldest of them in whole seconds, rounded up; 0 when there is none. */
  readonly seconds: number;
  /** Leaves that a quorum has seen; 0: none has ever seen any. */
  readonly witnessedSize: number;
}

/** As `countersign status` tells it. */
export interface WitnessStatus {
  /** Organisations that make a quorum; 0: no witness is configured. */
  readonly quorum: number;
  readonly window: UnwitnessedWindow;
  readonly witnesses: readonly WitnessState[];
  /** How often the thread that asks them died since the start. */
  readonly threadDeaths: number;
  /** Why the log cannot be trusted any more, by the log's own signature. */
  readonly alarm?: Evidence['kind'];
}

export interface WitnessingOptions {
  readonly config: CountersignConfig;
  readonly recorder: WitnessedRecorder;
  readonly logger: Logger;
  readonly parts: WitnessParts;
  /** What witnesses said before the start. */
  readonly findings: StartFindings;
}

/** How often the window is compared with `witness.maxUnwitnessed`. */
const GATE_MS = 250;
/** Longest wait for witnesses after the record was closed. */
const STOP_PATIENCE_MS = 3000;
const CONTROL = { control: true } as const;

type Quorum = WitnessAnswer & { readonly kind: 'quorum' };

/**
 * Shows every checkpoint to the witnesses, keeps what they sign, watches the unwitnessed window, and raises the alarm when
 * one of them shows that this log was rolled back or forked. On the data thread; whatever costs time is in another.
 */
export class Witnessing {
  readonly #options: WitnessingOptions;
  readonly #times: LeafTimes;
  #thread: KeptWitnessThread | undefined;
  #states: readonly WitnessState[] = [];
  #witnessedSize: number;
  /** Its cosignatures are being written. */
  #pending: Quorum | undefined;
  #alarm: Evidence['kind'] | undefined;
  #isTooLong = false;
  #leafAtMs = -Infinity;
  #gate: NodeJS.Timeout | undefined;
  /** By witness: its claim has been told, and is not told again while it lasts. */
  readonly #told = new Set<string>();

  /** Reads how far the witnesses have seen the log; starts to ask them. */
  static async start(options: WitnessingOptions): Promise<Witnessing> {
    const { log } = options.parts;
    const newest = await log.newest();
    const size = newest?.size ?? 0;
    const witnessedSize = (await log.witnessed())?.size ?? 0;
    const covered = witnessedSize === 0 ? undefined : await log.place(witnessedSize - 1, size);
    const oldest = witnessedSize < size ? await log.place(witnessedSize, size) : undefined;
    const now = performance.now();
    const times = new LeafTimes(
      covered?.jseq ?? -1,
      oldest === undefined
        ? { jseq: (covered?.jseq ?? -1) + 1, atMs: now }
        : { jseq: oldest.jseq, atMs: now - Math.max(0, Date.now() - oldest.atUs / 1000) },
    );
    return new Witnessing(options, times, witnessedSize);
  }

  private constructor(options: WitnessingOptions, times: LeafTimes, witnessedSize: number) {
    this.#options = options;
    this.#times = times;
    this.#witnessedSize = witnessedSize;
    const { witness } = options.config;
    if (witness === undefined) return;
    this.#watchRecord();
    this.#thread = this.#startThread();
    const { forgetful, objections } = options.findings;
    for (const { claimed, witness: name } of objections) this.#tellClaim(name, claimed);
    for (const { size, witness: name } of forgetful) this.#tellForgetful(name, size);
    if (witness.maxUnwitnessedMs > 0) {
      this.#gate = setInterval(() => this.#compare(witness.maxUnwitnessedMs), GATE_MS);
      this.#gate.unref();
      this.#compare(witness.maxUnwitnessedMs);
    }
  }

  /** Cheap: for every export and every scrape. */
  get window(): UnwitnessedWindow {
    const { appendedJseq } = this.#options.recorder.health();
    const oldest = this.#times.oldestMs(appendedJseq);
    const ageMs = oldest === undefined ? 0 : Math.max(0, performance.now() - oldest);
    return {
      leaves: Math.max(0, appendedJseq - this.#times.covered),
      seconds: Math.ceil(ageMs / 1000),
      witnessedSize: this.#witnessedSize,
    };
  }

  get status(): WitnessStatus {
    const alarm = this.#alarm;
    return {
      quorum: this.#options.config.witness?.quorum ?? 0,
      window: this.window,
      witnesses: this.#states,
      threadDeaths: this.#thread?.deaths ?? 0,
      ...(alarm === undefined ? {} : { alarm }),
    };
  }

  /** Why no traffic is taken, in one sentence without secrets. */
  get notReady(): string | undefined {
    if (this.#alarm === 'log-rolled-back')
      return 'the log was rolled back: its key has signed more leaves than it has';
    if (this.#alarm === 'log-forked') return 'the log is forked: its key has signed other leaves';
    return this.#isTooLong ? 'no quorum of witnesses has seen the record for too long' : undefined;
  }

  /** Ends the thread. */
  async stop(): Promise<void> {
    clearInterval(this.#gate);
    await this.#thread?.close();
    this.#thread = undefined;
  }

  /** After the record was closed: shows its last checkpoint to the witnesses that answered until now. */
  async finish(): Promise<void> {
    const { config, parts } = this.#options;
    if (config.witness === undefined || this.#alarm !== undefined) return;
    const talking = new Set(
      this.#states
        .filter(({ size, trouble }) => trouble === undefined && size > 0)
        .map(({ name, organisation }) => `${organisation} ${name}`),
    );
    await askAfterStop(
      parts,
      config.witness,
      ({ name, organisation }) => talking.has(`${organisation} ${name}`),
      STOP_PATIENCE_MS,
    );
  }

  #watchRecord(): void {
    const { recorder } = this.#options;
    recorder.onCommit(({ latencyMs, leaves }) => {
      const now = performance.now();
      if (this.#times.isOpen(now)) return;
      this.#times.note(recorder.health().durableJseq - leaves + 1, now - latencyMs);
    });
    recorder.onCheckpoint?.(() => this.#thread?.poke());
    recorder.onCosigned?.((answer) => {
      if (answer.kind === 'not-kept') {
        this.#options.logger.warn('cosignatures cannot be written', { reason: answer.message });
      } else if (answer.isQuorum && this.#pending?.size === answer.size) {
        this.#onQuorum(this.#pending);
        this.#pending = undefined;
      }
    });
  }

  #startThread(): KeptWitnessThread {
    const { config, logger, parts } = this.#options;
    const { quorum = 1, timeoutMs = 0 } = config.witness ?? {};
    return new KeptWitnessThread(
      {
        logDirectory: parts.logDirectory,
        origin: config.log.origin,
        keys: parts.keys,
        witnesses: parts.witnesses,
        quorum,
        timeoutMs,
      },
      {
        onAnswer: (answer) => this.#onAnswer(answer),
        onDeath: (error, waitMs) => {
          const about = { ...errorFields(error), durationMs: waitMs };
          logger.error('the thread that asks witnesses died; another one is started after a while', about);
        },
      },
    );
  }

  #onAnswer(answer: WitnessAnswer): void {
    const { recorder } = this.#options;
    if (answer.kind === 'states') {
      this.#states = answer.states;
      for (const { isContradicting, name } of answer.states) if (!isContradicting) this.#told.delete(name);
    } else if (answer.kind === 'cosigned') {
      recorder.cosign?.({ checkpoint: answer.checkpoint, lines: answer.lines, isQuorum: false });
    } else if (answer.kind === 'quorum') {
      this.#pending = answer;
      recorder.cosign?.({ checkpoint: answer.checkpoint, lines: answer.lines, isQuorum: true });
    } else if (answer.kind === 'forgot') {
      this.#tellForgetful(answer.witness, answer.size);
    } else if (answer.evidence === undefined) {
      this.#tellClaim(answer.witness, answer.claimed);
    } else {
      this.#raise(answer.witness, answer.evidence);
    }
  }

  /** The newest checkpoint with a quorum is on disk. */
  #onQuorum(quorum: Quorum): void {
    if (quorum.size <= this.#witnessedSize) return;
    this.#witnessedSize = quorum.size;
    if (quorum.jseq !== undefined) this.#times.cover(quorum.jseq);
    // The leaf makes a checkpoint of its own, which is witnessed again: without a pause that would never end.
    const now = performance.now();
    if (now - this.#leafAtMs < this.#options.config.record.heartbeatMs) return;
    const { organisations, root, size, timeUs, witnesses } = quorum;
    const event = { type: 'checkpoint.witnessed', size, root, witnesses, organisations, timeUs } as const;
    if (this.#append(event)) this.#leafAtMs = now;
  }

  #tellForgetful(witness: string, size: number): void {
    this.#options.logger.error('a witness knows less than it has cosigned: its state was lost or put back', {
      witness,
      size,
    });
    this.#alert({ type: 'alert', code: 'witness-rolled-back', witness, size });
  }

  /** A witness says so, and shows nothing: it may lie, so it stops nothing. */
  #tellClaim(witness: string, claimed: number): void {
    if (this.#told.has(witness)) return;
    this.#told.add(witness);
    this.#options.logger.error(
      'a witness says that this log was rolled back or forked; it shows no evidence',
      {
        witness,
        size: claimed,
      },
    );
    this.#alert({ type: 'alert', code: 'witness-contradicts', witness, size: claimed });
  }

  /** Our own key signed what contradicts us: nothing that is written from now on would prove anything. */
  #raise(witness: string, evidence: Evidence): void {
    if (this.#alarm !== undefined) return;
    const { kind, size } = evidence;
    const { config, logger, recorder } = this.#options;
    this.#alarm = kind;
    this.#alert({ type: 'alert', code: kind, witness, size });
    recorder.refuseCommands?.(kind === 'log-forked' ? 'CS_LOG_FORKED' : 'CS_LOG_ROLLED_BACK');
    logger.error('the log is contradicted by a checkpoint that its own key signed: commands are refused', {
      code: kind === 'log-forked' ? 'CS_LOG_FORKED' : 'CS_LOG_ROLLED_BACK',
      witness,
      size,
    });
    try {
      keepEvidence(config.stateDirectory, evidence);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      logger.error('the evidence cannot be kept', { reason: code ?? 'unknown' });
    }
  }

  #compare(maxUnwitnessedMs: number): void {
    const { leaves, seconds } = this.window;
    const isTooLong = leaves > 0 && seconds * 1000 > maxUnwitnessedMs;
    if (isTooLong === this.#isTooLong) return;
    this.#isTooLong = isTooLong;
    const { logger, recorder } = this.#options;
    if (this.#alarm === undefined) recorder.refuseCommands?.(isTooLong ? 'CS_UNWITNESSED' : undefined);
    if (isTooLong) {
      logger.error('no quorum of witnesses has seen the record for too long: commands are refused', {
        count: leaves,
        durationMs: seconds * 1000,
      });
      this.#alert({ type: 'alert', code: 'unwitnessed', size: this.#witnessedSize });
    } else {
      logger.info('witnesses have caught up: commands are taken again');
    }
  }

  #alert(event: Alert): void {
    this.#append(event);
  }

  /** False when the record takes nothing just now; the log line has told it already. */
  #append(event: Alert | CheckpointWitnessed): boolean {
    try {
      this.#options.recorder.append(event, [], CONTROL);
      return true;
    } catch (error) {
      if (!(error instanceof CountersignError)) throw error;
      return false;
    }
  }
}
