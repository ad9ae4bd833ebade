/* oxlint-disable unicorn/require-post-message-target-origin -- between threads, not windows */
import { Worker } from 'node:worker_threads';
import { unreadReading } from './read-statement.ts';
import type { StatementReading } from './reading.ts';
import type { PendingReading, ReadingBasis } from './session-analysis.ts';
import type { CatalogForgotten, CatalogNotice, TextAnswer, TextRequest } from './text-worker.ts';

/** A text may take so long, and as long again for every MiB: some thirty times what the worst takes. */
const DEADLINE_MS = 5_000;
const MIB = 1 << 20;
/** What the worst text makes of itself while it is read, and something for the thread and its snapshots of catalogs. */
const HEAP_PER_MIB = 256;
const HEAP_MIB = 512;
/** Snapshots that the thread keeps at a time. */
const MAX_CATALOGS = 4;

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
  readonly basis: ReadingBasis;
  readonly settle: (reading: StatementReading) => void;
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
  /** Epochs of the snapshots that the thread has, the last used at the end. */
  readonly #sent = new Set<string>();
  #timer: NodeJS.Timeout | undefined;
  #read = 0;
  #failed = 0;
  #isClosed = false;

  constructor(options: TextReaderOptions = {}) {
    this.#deadlineMs = options.deadlineMs ?? DEADLINE_MS;
    this.#maxTextBytes = options.maxTextBytes ?? MIB;
  }

  /** @param text must not change before `reading` is settled. */
  read(principal: string, text: Uint8Array, basis: ReadingBasis): PendingReading {
    const { promise, resolve } = Promise.withResolvers<StatementReading>();
    const job: Job = { text, basis, settle: resolve };
    const queue = this.#queues.get(principal);
    if (queue === undefined) this.#queues.set(principal, [job]);
    else queue.push(job);
    this.#next();
    return { reading: promise, cancel: () => this.#cancel(principal, job) };
  }

  get counts(): TextCounts {
    let waiting = this.#current === undefined ? 0 : 1;
    for (const queue of this.#queues.values()) waiting += queue.length;
    return { read: this.#read, failed: this.#failed, waiting };
  }

  /** What was not read is refused. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#drop();
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
        job.settle(unreadReading('deadline'));
        continue;
      }
      this.#start(job);
      return;
    }
  }

  #start(job: Job): void {
    this.#current = job;
    const text = Uint8Array.from(job.text);
    const { base, masking, moved, names } = job.basis;
    const worker = (this.#worker ??= this.#startWorker());
    this.#sendCatalog(worker, job.basis);
    const request: TextRequest = { kind: 'text', text, epoch: base.epoch, moved, names, masking };
    worker.postMessage(request, [text.buffer]);
    const deadlineMs = this.#deadlineMs * (1 + text.length / MIB);
    this.#timer = setTimeout(() => this.#fail(), deadlineMs);
  }

  /** Each snapshot once; the one that was not used for longest is forgotten. */
  #sendCatalog(worker: Worker, { base }: ReadingBasis): void {
    const { epoch } = base;
    if (!this.#sent.delete(epoch)) {
      worker.postMessage({ kind: 'catalog', data: base.data } satisfies CatalogNotice);
      const [oldest] = this.#sent;
      if (oldest !== undefined && this.#sent.size >= MAX_CATALOGS) {
        this.#sent.delete(oldest);
        worker.postMessage({ kind: 'forget', epoch: oldest } satisfies CatalogForgotten);
      }
    }
    this.#sent.add(epoch);
  }

  #startWorker(): Worker {
    this.#sent.clear();
    const file = import.meta.url.endsWith('.ts') ? './text-worker.ts' : './text-worker.js';
    const maxOldGenerationSizeMb = HEAP_MIB + HEAP_PER_MIB * Math.ceil(this.#maxTextBytes / MIB);
    const worker = new Worker(new URL(file, import.meta.url), { resourceLimits: { maxOldGenerationSizeMb } });
    worker.unref();
    worker.on('message', (answer: TextAnswer) => {
      if (worker === this.#worker) this.#finish(answer);
    });
    const onEnd = (): void => {
      if (worker === this.#worker) this.#fail();
    };
    worker.on('error', onEnd);
    worker.on('exit', onEnd);
    return worker;
  }

  #finish(answer: TextAnswer): void {
    const job = this.#current;
    clearTimeout(this.#timer);
    this.#current = undefined;
    this.#read += 1;
    // First the next text, so that the thread has work while this one goes on its way.
    this.#next();
    job?.settle(answer);
  }

  /** Whatever the thread is at, nobody waits for it any more. */
  #fail(): void {
    void this.#endWorker();
    this.#drop();
    this.#next();
  }

  #drop(): void {
    const job = this.#current;
    clearTimeout(this.#timer);
    this.#current = undefined;
    if (job === undefined) return;
    this.#failed += 1;
    job.settle(unreadReading('deadline'));
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
    job.settle(unreadReading('deadline'));
  }
}
