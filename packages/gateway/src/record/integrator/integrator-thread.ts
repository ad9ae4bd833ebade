/* oxlint-disable unicorn/require-post-message-target-origin -- between threads, not windows */
import { Worker } from 'node:worker_threads';
import type { IntegrateRequest, IntegratorAnswer, IntegratorOptions } from './integrator-protocol.ts';
import type { CosignRequest } from './kept-cosignatures.ts';

/** The data thread's end of the integrator. */
export class IntegratorThread {
  readonly #worker: Worker;
  readonly #exited: Promise<void>;

  /** `onAnswer`: first `ready` or `failed` for loading the log, then one answer per request. */
  constructor(
    options: IntegratorOptions,
    onAnswer: (answer: IntegratorAnswer) => void,
    onDeath: (error: Error) => void,
  ) {
    const file = import.meta.url.endsWith('.ts') ? './integrator-worker.ts' : './integrator-worker.js';
    this.#worker = new Worker(new URL(file, import.meta.url), { workerData: options });
    this.#worker.on('message', onAnswer);
    this.#worker.on('error', onDeath);
    this.#exited = new Promise((resolve) => this.#worker.once('exit', () => resolve()));
  }

  integrate(request: Omit<IntegrateRequest, 'kind'>): void {
    this.#worker.postMessage({ kind: 'integrate', ...request } satisfies IntegrateRequest);
  }

  cosign(request: Omit<CosignRequest, 'kind'>): void {
    this.#worker.postMessage({ kind: 'cosign', ...request } satisfies CosignRequest);
  }

  async close(): Promise<void> {
    this.#worker.postMessage({ kind: 'close' });
    await this.#exited;
  }

  async abandon(): Promise<void> {
    await Promise.race([this.#worker.terminate(), new Promise((resolve) => setTimeout(resolve, 100))]);
  }
}
