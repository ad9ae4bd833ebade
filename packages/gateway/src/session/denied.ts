import type { CountersignError } from '../errors.ts';
import type { Appended } from '../record/recorder.ts';

/**
 * A command that may not run. Its `call.denied` is on its way to the disk; only after `onRecorded` may the caller tell
 * the client. A denial that cannot be recorded is still a denial: nothing of the command is forwarded.
 */
export class Denied extends Error {
  readonly error: CountersignError;
  readonly #leaf: Appended | 'counted' | undefined;

  /** `counted`: one of many alike, which get a leaf together later. Undefined: the journal did not admit the denial. */
  constructor(error: CountersignError, leaf: Appended | 'counted' | undefined) {
    super(error.message, { cause: error });
    this.name = 'Denied';
    this.error = error;
    this.#leaf = leaf;
  }

  /** Calls back once, when the denial is on disk, counted, or can no longer get there (`error`). */
  onRecorded(callback: (error?: Error) => void): void {
    if (this.#leaf === undefined) callback(this.error);
    else if (this.#leaf === 'counted') callback();
    else this.#leaf.onDurable(callback);
  }
}
