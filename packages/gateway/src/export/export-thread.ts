/* oxlint-disable unicorn/require-post-message-target-origin -- between threads, not windows */
import { Worker } from 'node:worker_threads';

import type { ExportConfig } from '../config/export-section.ts';
import type { ExportReport, ExportRequest, ExportThreadOptions } from './export-protocol.ts';

export interface ExportThreadEvents {
  onReport(report: ExportReport): void;
  /** The thread is gone though nobody closed it. */
  onDeath(error: Error): void;
}

/** The data thread's end of the exports. */
export class ExportThread {
  readonly #worker: Worker;
  readonly #exited: Promise<void>;

  constructor(options: ExportThreadOptions, events: ExportThreadEvents) {
    const file = import.meta.url.endsWith('.ts') ? './export-worker.ts' : './export-worker.js';
    this.#worker = new Worker(new URL(file, import.meta.url), { workerData: options });
    this.#worker.on('message', (report: ExportReport) => events.onReport(report));
    this.#worker.on('error', (error: Error) => events.onDeath(error));
    this.#exited = new Promise((resolve) => this.#worker.once('exit', () => resolve()));
  }

  configure(exports: readonly ExportConfig[]): void {
    this.#send({ kind: 'configure', exports });
  }

  /** Answers a `moved`. */
  recorded(name: string): void {
    this.#send({ kind: 'recorded', name });
  }

  /** `graceMs`: see {@link ExportRequest}. What is not delivered then is delivered after the next start. */
  async close(graceMs: number): Promise<void> {
    this.#send({ kind: 'close', graceMs });
    await this.#exited;
  }

  #send(request: ExportRequest): void {
    this.#worker.postMessage(request);
  }
}
