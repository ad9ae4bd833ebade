import type { Spending } from '../masking/probe-budget.ts';
import type { Appended } from '../record/recorder.ts';

/**
 * An intent that spends of a budget is durable when both are on disk: its leaf, and the count. `onUnspent` is told, once, when the leaf is there and the count
 * is not: the command will not run.
 */
export class DurableTogether implements Appended {
  readonly journal: string;
  readonly jseq: number;
  readonly id: string;
  readonly bytes?: number;
  #outcome: { readonly error?: Error } | undefined;
  #waiting: ((error?: Error) => void)[] = [];

  constructor(leaf: Appended, spending: Spending, onUnspent: (error: Error) => void) {
    this.journal = leaf.journal;
    this.jseq = leaf.jseq;
    this.id = leaf.id;
    if (leaf.bytes !== undefined) this.bytes = leaf.bytes;
    leaf.onDurable((lost) => {
      if (lost !== undefined) {
        this.#settle(lost);
        return;
      }
      spending.onDurable((error) => {
        if (error !== undefined) onUnspent(error);
        this.#settle(error);
      });
    });
  }

  get isDurable(): boolean {
    return this.#outcome !== undefined && this.#outcome.error === undefined;
  }

  onDurable(callback: (error?: Error) => void): void {
    if (this.#outcome === undefined) this.#waiting.push(callback);
    else callback(this.#outcome.error);
  }

  durable(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.onDurable((error) => (error === undefined ? resolve() : reject(error)));
    });
  }

  #settle(error: Error | undefined): void {
    this.#outcome = error === undefined ? {} : { error };
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const callback of waiting) callback(error);
  }
}
