import type { ResultPlan } from '../../masking/plan.ts';

/**
 * How the rows of the cursors of a session are masked, by name. A cursor is in here only while it is sure which statement it runs: rows of any other one are
 * redacted.
 */
export class Cursors {
  readonly #open = new Map<string, { readonly plan: ResultPlan; readonly isHeld: boolean }>();

  find(name: string): ResultPlan | undefined {
    return this.#open.get(name)?.plan;
  }

  /** DECLARE was answered. `isHeld`: it outlives its transaction. */
  open(name: string, plan: ResultPlan, isHeld: boolean): void {
    this.#open.set(name, { plan, isHeld });
  }

  /** The name may stand for another cursor or portal now. */
  forget(name: string): void {
    this.#open.delete(name);
  }

  /** Code of the target ran: any name may stand for another cursor, but for the one whose rows it made. */
  forgetAllBut(name: string | undefined): void {
    for (const known of this.#open.keys()) {
      if (known !== name) this.#open.delete(known);
    }
  }

  endTransaction(): void {
    for (const [name, { isHeld }] of this.#open) {
      if (!isHeld) this.#open.delete(name);
    }
  }
}
