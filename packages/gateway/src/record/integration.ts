/** The data thread's side of the integrator: when it runs, what it last said, and who waits for it. */

import { CountersignError } from '../errors.ts';
import type { Clock } from './clock.ts';
import type { IntegratorAnswer, LogState } from './integrator/integrator-protocol.ts';
import type { IntegratorThread } from './integrator/integrator-thread.ts';
import type { CosignRequest, Kept, NotKept } from './integrator/kept-cosignatures.ts';
import type { SegmentMark } from './journal/journal.ts';

/** Without an answer for so many checkpoints, or at least for so long, the log is said to hang. */
const CHECKPOINTS_PER_HANG = 10;
const MIN_HANG_MS = 30_000;
/** The time is counted in steps, so that one in which this process stood still is one step and no more. */
const HANG_STEPS = 10;
/** A segment this full wants a successor prepared. */
const SPARE_FROM_FILL = 0.5;

/** What the integrator works on. */
export interface IntegrationSource {
  readonly durableJseq: number;
  readonly segmentFill: number;
  marks(): readonly SegmentMark[];
  dropMarksBefore(segment: number): void;
}

export interface IntegrationOptions {
  readonly clock: Clock;
  /** Longest age of a checkpoint while there is traffic. */
  readonly checkpointMs: number;
  readonly log: LogState;
  readonly source: IntegrationSource;
  /** A new checkpoint is on disk; `freeBytes`: what the file system has left. */
  readonly onIntegrated: (freeBytes: number) => void;
  /** Leaves that are on disk may wait so long for an answer of the integrator before `failure` says so. Default: ten checkpoints, at least 30 s. */
  readonly hangsAfterMs?: number | undefined;
  /** The integrator does not answer; called again and again until it does. */
  readonly onHanging: () => void;
  /** It did not work and is tried again. `isFatal`: the record itself is in doubt. */
  readonly onFailed: (message: string, isFatal: boolean) => void;
  /** Cosignatures were written, or not. */
  readonly onCosigned: (answer: Kept | NotKept) => void;
}

export class Integration {
  readonly #options: IntegrationOptions;
  #thread: IntegratorThread | undefined;
  #log: LogState;
  #checkpointAtMs: number;
  #isRunning = false;
  #isClosing = false;
  #isEnded = false;
  #timer: NodeJS.Timeout | undefined;
  #failure: string | undefined;
  #watch: NodeJS.Timeout | undefined;
  /** Steps since it last answered, while leaves wait. */
  #silentSteps = 0;
  #oldestSegment = 0;
  #waiting: (() => void)[] = [];

  constructor(options: IntegrationOptions) {
    this.#options = options;
    this.#log = options.log;
    this.#checkpointAtMs = options.clock.nowMs();
  }

  start(thread: IntegratorThread): void {
    this.#thread = thread;
  }

  /** As of the newest checkpoint. */
  get log(): LogState {
    return this.#log;
  }

  /** Segments before it are wholly in the log and the vault. */
  get oldestSegment(): number {
    return this.#oldestSegment;
  }

  get checkpointAgeMs(): number {
    return Math.round(this.#options.clock.nowMs() - this.#checkpointAtMs);
  }

  /** Why the log is not written: the last attempt failed, or the present one does not end. */
  get failure(): string | undefined {
    if (this.#silentSteps >= HANG_STEPS) return 'the log cannot be written (its disk does not answer)';
    return this.#failure;
  }

  /** There is something to integrate. At half of the longest age of a checkpoint: the other half is for the work itself. */
  schedule(): void {
    this.#armWatch();
    if (this.#timer !== undefined || this.#isRunning || this.#isEnded) return;
    this.#timer = setTimeout(() => this.#run(), this.#isClosing ? 1 : this.#options.checkpointMs / 2);
  }

  /** Hands cosignatures over to be written; nothing happens once the log is closed. */
  cosign(request: Omit<CosignRequest, 'kind'>): void {
    if (!this.#isEnded) this.#thread?.cosign(request);
  }

  onAnswer(answer: IntegratorAnswer): void {
    if (answer.kind === 'kept' || answer.kind === 'not-kept') {
      this.#options.onCosigned(answer);
      return;
    }
    this.#isRunning = false;
    this.#silentSteps = 0;
    if (answer.kind === 'failed') {
      this.#failure = `the log cannot be written (${answer.code ?? 'error'})`;
      this.#options.onFailed(answer.message, answer.isFatal);
      this.schedule();
      return;
    }
    if (answer.kind === 'ready') return;
    this.#failure = undefined;
    this.#log = { size: answer.size, jseq: answer.jseq };
    this.#checkpointAtMs = this.#options.clock.nowMs();
    this.#oldestSegment = answer.oldestSegment;
    this.#options.source.dropMarksBefore(answer.oldestSegment);
    if (answer.jseq < this.#options.source.durableJseq) this.schedule();
    for (const resolve of this.#waiting.splice(0)) resolve();
    this.#options.onIntegrated(answer.freeBytes);
  }

  /** The record failed for good: nothing is integrated any more, and nobody waits. */
  end(): void {
    this.#isEnded = true;
    clearInterval(this.#watch);
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  /** Resolves when leaf `jseq` is in the log, at the usual pace. Rejects when that will not be. */
  async covered(jseq: number): Promise<void> {
    while (this.#log.jseq < jseq) {
      if (this.#isEnded) throw new CountersignError('CS_SHUTTING_DOWN');
      const answered = new Promise<void>((resolve) => this.#waiting.push(resolve));
      this.schedule();
      await answered;
    }
  }

  /** Resolves when leaf `jseq` is in the log. Integrates without delay from now on. */
  async finish(jseq: number): Promise<void> {
    this.#isClosing = true;
    while (this.#log.jseq < jseq && !this.#isEnded) {
      const answered = new Promise<void>((resolve) => this.#waiting.push(resolve));
      if (!this.#isRunning) {
        clearTimeout(this.#timer);
        this.#run();
      }
      await answered;
    }
  }

  /** Starts nothing more. Whether the log covers all of the journal. */
  stop(): boolean {
    this.#isEnded = true;
    clearTimeout(this.#timer);
    clearInterval(this.#watch);
    for (const resolve of this.#waiting.splice(0)) resolve();
    return this.#log.jseq >= this.#options.source.durableJseq;
  }

  /** Ends the thread; `isCovered` false: without waiting for what it does. */
  async close(isCovered: boolean): Promise<void> {
    await (isCovered ? this.#thread?.close() : this.#thread?.abandon());
  }

  #armWatch(): void {
    if (this.#watch !== undefined || this.#isEnded) return;
    const { checkpointMs, hangsAfterMs } = this.#options;
    const afterMs = hangsAfterMs ?? Math.max(MIN_HANG_MS, CHECKPOINTS_PER_HANG * checkpointMs);
    this.#watch = setInterval(() => this.#lookWhetherItHangs(), afterMs / HANG_STEPS);
    this.#watch.unref();
  }

  #lookWhetherItHangs(): void {
    if (this.#log.jseq >= this.#options.source.durableJseq) {
      clearInterval(this.#watch);
      this.#watch = undefined;
      this.#silentSteps = 0;
      return;
    }
    if (this.#isRunning) this.#silentSteps++;
    if (this.#silentSteps >= HANG_STEPS) this.#options.onHanging();
  }

  #run(): void {
    this.#timer = undefined;
    if (this.#thread === undefined || this.#isRunning) return;
    this.#isRunning = true;
    const { clock, source } = this.#options;
    this.#thread.integrate({
      marks: source.marks(),
      durableJseq: source.durableJseq,
      wantSpare: source.segmentFill > SPARE_FROM_FILL,
      atUs: clock.atUs(),
    });
  }
}
