import type { ResultPlan } from '../../masking/plan.ts';

interface Cursor {
  readonly plan: ResultPlan;
  /** It outlives its transaction. */
  readonly isHeld: boolean;
  /** Digest of the classification (and rules) that the plan was made for. */
  readonly basis: string | undefined;
}

/**
 * How the rows of the cursors of a session are masked, by name. A cursor is in here only while it is sure which statement it runs: rows of any other one are
 * redacted, and so are those of one that was declared under other classes or rules than are in force.
 */
export class Cursors {
  readonly #open = new Map<string, Cursor>();

  find(name: string, basis: string | undefined): ResultPlan | undefined {
    const cursor = this.#open.get(name);
    return cursor?.basis === basis ? cursor?.plan : undefined;
  }

  /** DECLARE was answered. */
  open(name: string, cursor: Cursor): void {
    this.#open.set(name, cursor);
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
