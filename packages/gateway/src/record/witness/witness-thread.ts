/* oxlint-disable unicorn/require-post-message-target-origin -- between threads, not windows */
import { Worker } from 'node:worker_threads';
import type { WitnessAnswer, WitnessRequest, WitnessThreadOptions } from './witness-protocol.ts';

/** The data thread's end of witnessing. */
export class WitnessThread {
  readonly #worker: Worker;
  readonly #exited: Promise<void>;
  #isClosing = false;

  /** `onDeath`: the thread is gone and was not asked to go; nobody is asked to cosign any more. Told once. */
  constructor(
    options: WitnessThreadOptions,
    onAnswer: (answer: WitnessAnswer) => void,
    onDeath: (error: unknown) => void,
  ) {
    const file = import.meta.url.endsWith('.ts') ? './witness-worker.ts' : './witness-worker.js';
    this.#worker = new Worker(new URL(file, import.meta.url), { workerData: options });
    this.#worker.on('message', onAnswer);
    let reason: unknown;
    this.#worker.on('error', (error) => (reason = error));
    this.#exited = new Promise((resolve) => {
      this.#worker.once('exit', () => {
        resolve();
        if (!this.#isClosing) onDeath(reason);
      });
    });
  }

  /** There is a new checkpoint on disk. */
  poke(): void {
    this.#worker.postMessage({ kind: 'poke' } satisfies WitnessRequest);
  }

  /** Ends it without waiting for any witness. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#worker.postMessage({ kind: 'close' } satisfies WitnessRequest);
    const patience = setTimeout(() => void this.#worker.terminate(), 500);
    await this.#exited;
    clearTimeout(patience);
  }
}
