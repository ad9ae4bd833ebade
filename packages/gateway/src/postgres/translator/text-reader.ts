/* oxlint-disable unicorn/require-post-message-target-origin -- between threads, not windows */
import { Worker } from 'node:worker_threads';
import type { SettingsPolicy } from '../inspect/settings.ts';
import type { PendingText } from './ports.ts';
import { toAnalysis, unreadStatement, type StatementAnalysis } from './statement-analysis.ts';
import type { TextAnswer, TextRequest } from './text-worker.ts';

/** A text may take so long, and as long again for every MiB: some thirty times what the worst takes. */
const DEADLINE_MS = 5_000;
const MIB = 1 << 20;
/** What the worst text makes of itself while it is read, and something for the thread. */
const HEAP_PER_MIB = 32;
const HEAP_MIB = 128;

export interface TextReaderOptions {
  /** Default 5,000. For a text of n bytes it is multiplied by 1 + n / 1 MiB. */
  readonly deadlineMs?: number;
  /** `limits.maxStatementBytes`, for the room of the thread. Default 1 MiB. */
  readonly maxTextBytes?: number;
}

/** Texts since the start, and those that are with the reader now. */
export interface TextCounts {
  readonly read: number;
  /** Not read to their end: too late, or the thread ended. */
  readonly failed: number;
  readonly waiting: number;
}

interface Job {
  readonly text: Uint8Array;
  readonly policy: SettingsPolicy;
  readonly settle: (analysis: StatementAnalysis) => void;
}

/**
 * Reads long texts on a thread of its own, so that nobody else's commands wait for them (docs/floods.md). One text at a time, of one
 * principal after the other: who has many waits for his own. A text that is not read in time, or ends the thread, is refused; the thread
 * is started anew for the next.
 *
 * It holds no copies but of the text that is being read. How many wait is bounded by its callers: a session waits for one at a time.
 * Runs on the data thread; the thread is started with the first text.
 */
export class TextReader {
  readonly #deadlineMs: number;
  readonly #maxTextBytes: number;
  /** By principal, in the order of their turns. */
  readonly #queues = new Map<string, Job[]>();
  #current: Job | undefined;
  #worker: Worker | undefined;
  #timer: NodeJS.Timeout | undefined;
  #read = 0;
  #failed = 0;
  #isClosed = false;

  constructor(options: TextReaderOptions = {}) {
    this.#deadlineMs = options.deadlineMs ?? DEADLINE_MS;
    this.#maxTextBytes = options.maxTextBytes ?? MIB;
  }

  /** @param text must not change before `analysis` is settled. */
  read(principal: string, text: Uint8Array, policy: SettingsPolicy): PendingText {
    const { promise, resolve } = Promise.withResolvers<StatementAnalysis>();
    const job: Job = { text, policy, settle: resolve };
    const queue = this.#queues.get(principal);
    if (queue === undefined) this.#queues.set(principal, [job]);
    else queue.push(job);
    this.#next();
    return { analysis: promise, cancel: () => this.#cancel(principal, job) };
  }

  get counts(): TextCounts {
    let waiting = this.#current === undefined ? 0 : 1;
    for (const queue of this.#queues.values()) waiting += queue.length;
    return { read: this.#read, failed: this.#failed, waiting };
  }

  /** What was not read is refused. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#drop(undefined);
    this.#next();
    await this.#endWorker();
  }

  /** The longest waiting principal's oldest text; who has more comes again behind the others. */
  #next(): void {
    if (this.#current !== undefined) return;
    for (const [principal, queue] of this.#queues) {
      this.#queues.delete(principal);
      const job = queue.shift();
      if (job === undefined) continue;
      if (queue.length > 0) this.#queues.set(principal, queue);
      if (this.#isClosed) {
        job.settle(unreadStatement());
        continue;
      }
      this.#start(job);
      return;
    }
  }

  #start(job: Job): void {
    this.#current = job;
    const text = Uint8Array.from(job.text);
    const request: TextRequest = { text, allowed: job.policy.allowed };
    this.#worker ??= this.#startWorker();
    this.#worker.postMessage(request, [text.buffer]);
    const deadlineMs = this.#deadlineMs * (1 + text.length / MIB);
    this.#timer = setTimeout(() => this.#fail(new Error('not read in time')), deadlineMs);
  }

  #startWorker(): Worker {
    const file = import.meta.url.endsWith('.ts') ? './text-worker.ts' : './text-worker.js';
    const maxOldGenerationSizeMb = HEAP_MIB + HEAP_PER_MIB * Math.ceil(this.#maxTextBytes / MIB);
    const worker = new Worker(new URL(file, import.meta.url), { resourceLimits: { maxOldGenerationSizeMb } });
    worker.unref();
    worker.on('message', (answer: TextAnswer) => {
      if (worker === this.#worker) this.#finish(answer);
    });
    const onEnd = (cause: Error): void => {
      if (worker === this.#worker) this.#fail(cause);
    };
    worker.on('error', onEnd);
    worker.on('exit', () => onEnd(new Error('the thread that reads texts ended')));
    return worker;
  }

  #finish(answer: TextAnswer): void {
    const job = this.#current;
    clearTimeout(this.#timer);
    this.#current = undefined;
    this.#read += 1;
    // First the next text, so that the thread has work while this one goes on its way.
    this.#next();
    job?.settle(toAnalysis(answer));
  }

  /** Whatever the thread is at, nobody waits for it any more. */
  #fail(cause: Error): void {
    void this.#endWorker();
    this.#drop(cause);
    this.#next();
  }

  #drop(cause: Error | undefined): void {
    const job = this.#current;
    clearTimeout(this.#timer);
    this.#current = undefined;
    if (job === undefined) return;
    this.#failed += 1;
    job.settle(unreadStatement(cause));
  }

  async #endWorker(): Promise<void> {
    const worker = this.#worker;
    this.#worker = undefined;
    await worker?.terminate();
  }

  /** What is being read is read to its end: that is cheaper than another thread. */
  #cancel(principal: string, job: Job): void {
    const queue = this.#queues.get(principal);
    const index = queue?.indexOf(job) ?? -1;
    if (index >= 0) queue?.splice(index, 1);
    if (queue?.length === 0) this.#queues.delete(principal);
    job.settle(unreadStatement());
  }
}
