import type { Appended } from '../recorder.ts';

type DurableCallback = (error?: Error) => void;

/** One leaf on its way to the disk. Created, settled and read on the data thread. */
export class AppendedLeaf implements Appended {
  readonly journal: string;
  readonly jseq: number;
  readonly id: string;
  /** Session of a `call.intent`: what a `call.voided` for it needs. Undefined for every other leaf. */
  readonly intentOf: string | undefined;
  /** Set when it was encoded. */
  bytes = 0;
  #state: 'pending' | 'durable' | 'failed' = 'pending';
  #error: Error | undefined;
  #callback: DurableCallback | undefined;
  #more: DurableCallback[] | undefined;

  constructor(journal: string, jseq: number, id: string, intentOf?: string) {
    this.journal = journal;
    this.jseq = jseq;
    this.id = id;
    this.intentOf = intentOf;
  }

  get isDurable(): boolean {
    return this.#state === 'durable';
  }

  get isPending(): boolean {
    return this.#state === 'pending';
  }

  onDurable(callback: DurableCallback): void {
    if (this.#state === 'durable') callback();
    else if (this.#state === 'failed') callback(this.#error);
    else if (this.#callback === undefined) this.#callback = callback;
    else (this.#more ??= []).push(callback);
  }

  durable(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.onDurable((error) => (error === undefined ? resolve() : reject(error)));
    });
  }

  /** Sets the outcome; the first one counts. `runCallbacks` tells it to who asked. */
  settle(error?: Error): void {
    if (this.#state !== 'pending') return;
    this.#state = error === undefined ? 'durable' : 'failed';
    this.#error = error;
  }

  runCallbacks(): void {
    const callback = this.#callback;
    if (callback === undefined || this.#state === 'pending') return;
    const more = this.#more;
    this.#callback = undefined;
    this.#more = undefined;
    callback(this.#error);
    if (more !== undefined) for (const next of more) next(this.#error);
  }
}
