/* oxlint-disable unicorn/require-post-message-target-origin -- between threads, not windows */
import { Worker } from 'node:worker_threads';

import type { SpanTotals } from './export-metrics.ts';
import type { BatchOutcome, SpanBatch, TraceThreadOptions } from './trace-protocol.ts';
import type { Span } from './trace-span.ts';

/** Spans of one request. */
const MAX_BATCH = 512;

export interface TracerOptions extends TraceThreadOptions {
  /** Share of sessions, 0 to 1. */
  readonly sample: number;
  /** Spans that wait or are being sent. */
  readonly queue: number;
  readonly intervalMs: number;
}

/**
 * Takes spans on the data thread and hands them to the thread that sends them. `add` is an array push; beyond `queue` spans
 * it drops and counts. Telemetry may be lost, so nothing ever waits for it.
 */
export class Tracer {
  readonly #options: TracerOptions;
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  readonly #timer: NodeJS.Timeout;
  #waiting: Span[] = [];
  /** Handed over and not answered. */
  #underWay = 0;
  #sent = 0;
  #dropped = 0;
  #isOver = false;

  constructor(options: TracerOptions) {
    this.#options = options;
    const { url, headers, tls, resource } = options;
    const file = import.meta.url.endsWith('.ts') ? './trace-worker.ts' : './trace-worker.js';
    const workerData: TraceThreadOptions = { url, headers, tls, resource };
    this.#worker = new Worker(new URL(file, import.meta.url), { workerData });
    this.#worker.on('message', ({ count, isSent }: BatchOutcome) => {
      this.#underWay -= count;
      if (isSent) this.#sent += count;
      else this.#dropped += count;
    });
    // Without its thread a tracer drops everything: telemetry is not worth a restart of anything.
    this.#worker.on('error', () => {
      this.#isOver = true;
      this.#dropped += this.#underWay;
      this.#underWay = 0;
    });
    this.#exited = new Promise((resolve) => this.#worker.once('exit', () => resolve()));
    this.#timer = setInterval(() => this.#flush(), options.intervalMs);
    this.#timer.unref();
  }

  get totals(): SpanTotals {
    return { sent: this.#sent, dropped: this.#dropped };
  }

  /** Whether the next session is to be traced. */
  takes(): boolean {
    return Math.random() < this.#options.sample;
  }

  add(span: Span): void {
    if (this.#isOver || this.#waiting.length + this.#underWay >= this.#options.queue) this.#dropped += 1;
    else this.#waiting.push(span);
  }

  /** Sends what waits, as far as the receiver takes it at once. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#flush();
    // A session that outlives its tracer has nowhere to go with its spans.
    this.#isOver = true;
    this.#worker.postMessage('close');
    const patience = setTimeout(() => void this.#worker.terminate(), CLOSE_GRACE_MS);
    await this.#exited;
    clearTimeout(patience);
    this.#dropped += this.#underWay;
    this.#underWay = 0;
  }

  #flush(): void {
    const spans = this.#waiting;
    if (spans.length === 0 || this.#isOver) return;
    this.#waiting = [];
    this.#underWay += spans.length;
    for (let at = 0; at < spans.length; at += MAX_BATCH) {
      this.#worker.postMessage({ spans: spans.slice(at, at + MAX_BATCH) } satisfies SpanBatch);
    }
  }
}

const CLOSE_GRACE_MS = 1_000;
