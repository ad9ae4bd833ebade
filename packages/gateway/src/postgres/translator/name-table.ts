/** What a Parse, Bind or Close will mean for a name, once the target has answered it. */
export interface NameChange {
  /** The target did it. */
  apply(): void;
  /** The target tried and failed (`wasTried`), or skipped it. */
  discard(wasTried: boolean): void;
}

/** The answer when a name's meaning depends on an answer of the target that has not come yet. */
export const UNCERTAIN = Symbol('uncertain');

/** The changes of one name that are under way together. */
interface Batch {
  /** SQL that runs behind them may have given the name another meaning: their success says nothing any more. */
  isForgotten: boolean;
}

interface Proposal<T> {
  readonly value: T | undefined;
  readonly series: number;
  readonly batch: Batch;
}

/**
 * What names mean in the target, by the server's own rules: a change counts once the server confirmed it.
 *
 * Within one series (the messages up to a Sync) an unconfirmed change may be relied on: if it fails, everything after
 * it in the series is skipped. A later series may not rely on it, because it runs whether or not the change worked:
 * then the answer is `UNCERTAIN`, and the caller waits. So no Execute is ever recorded with another's text.
 */
export class NameTable<T> {
  readonly #confirmed = new Map<string, T>();
  readonly #proposed = new Map<string, Proposal<T>>();
  readonly #sizeOf: (value: T) => number;
  #bytes = 0;

  /** `sizeOf`: what a value costs to remember, in bytes. Default: nothing. */
  constructor(sizeOf: (value: T) => number = () => 0) {
    this.#sizeOf = sizeOf;
  }

  /** What is remembered, confirmed or under way. */
  get bytes(): number {
    return this.#bytes;
  }

  lookup(name: string, series: number): T | undefined | typeof UNCERTAIN {
    if (this.#proposed.size > 0) {
      const proposal = this.#proposed.get(name);
      if (proposal !== undefined) return proposal.series === series ? proposal.value : UNCERTAIN;
    }
    return this.#confirmed.get(name);
  }

  /** A Parse or Bind gives the name a meaning, a Close (`value` undefined) takes it away. */
  propose(name: string, value: T | undefined, series: number): NameChange {
    const batch = this.#proposed.get(name)?.batch ?? { isForgotten: false };
    const proposal = { value, series, batch };
    this.#proposed.set(name, proposal);
    let cost = value === undefined ? 0 : this.#sizeOf(value);
    this.#bytes += cost;
    const settle = (): void => {
      if (this.#proposed.get(name) === proposal) this.#proposed.delete(name);
      this.#bytes -= cost;
      cost = 0;
    };
    return {
      apply: () => {
        settle();
        if (batch.isForgotten) return;
        this.#drop(name);
        if (value !== undefined) this.#confirm(name, value);
      },
      discard: (wasTried) => {
        settle();
        // The server drops the unnamed one before it looks at what replaces it.
        if (wasTried && name === '' && !batch.isForgotten) this.#drop(name);
      },
    };
  }

  #confirm(name: string, value: T): void {
    this.#confirmed.set(name, value);
    this.#bytes += this.#sizeOf(value);
  }

  #drop(name: string): void {
    const value = this.#confirmed.get(name);
    if (value === undefined) return;
    this.#confirmed.delete(name);
    this.#bytes -= this.#sizeOf(value);
  }

  /**
   * A command that is forwarded now may give this name another meaning. That holds against what was sent before it and
   * is not answered yet as well.
   */
  forget(name: string): void {
    this.#drop(name);
    const proposal = this.#proposed.get(name);
    if (proposal === undefined) return;
    proposal.batch.isForgotten = true;
    this.#proposed.delete(name);
  }

  /** As `forget`, for every name. */
  forgetAll(): void {
    this.dropConfirmed();
    for (const { batch } of this.#proposed.values()) batch.isForgotten = true;
    this.#proposed.clear();
  }

  /** The server has dropped everything that it confirmed so far; what was sent after that stands. */
  dropConfirmed(): void {
    for (const value of this.#confirmed.values()) this.#bytes -= this.#sizeOf(value);
    this.#confirmed.clear();
  }
}
