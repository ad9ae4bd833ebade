import type { CountersignError } from '../../errors.ts';

/** This host cannot serve now, another one of the target may. Never leaves `dialTarget`. */
export class TryNextHost extends Error {
  readonly error: CountersignError;

  constructor(error: CountersignError) {
    super(error.message, { cause: error });
    this.error = error;
  }
}
