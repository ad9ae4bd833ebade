import type { CountersignError } from '../errors.ts';
import type { CallDenied } from '../record/events.ts';

/** Refusals alike, which are only counted. */
export interface DenialCount {
  readonly code: string;
  readonly sqlState: string;
  readonly kind: string;
  count: number;
  firstAtUs: bigint;
  lastAtUs: bigint;
}

/** Kinds of refusals that a session tells apart; more than these count as kind `unknown` of the newest error. */
const MAX_SERIES = 32;
const FIRST_WINDOW_MS = 10_000;
const LONGEST_WINDOW_MS = 160_000;

export interface DenialSeriesOptions {
  /** Puts one leaf on record; false when it could not be: the count is kept then. */
  readonly write: (denials: DenialCount) => boolean;
  /** Wall clock, µs. */
  readonly nowUs?: () => bigint;
}

/**
 * Counts refusals of one session that have no leaf of their own (decision 20), and writes the counts when a window ends: after 10 s,
 * then twice as long each time while they go on. Every refusal is in exactly one leaf.
 */
export class DenialSeries {
  readonly #options: DenialSeriesOptions;
  readonly #nowUs: () => bigint;
  readonly #series = new Map<string, DenialCount>();
  #windowMs = FIRST_WINDOW_MS;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: DenialSeriesOptions) {
    this.#options = options;
    this.#nowUs = options.nowUs ?? (() => BigInt(Date.now()) * 1000n);
  }

  count(error: CountersignError, { kind }: Pick<CallDenied, 'kind'>): void {
    const nowUs = this.#nowUs();
    const series = this.#find(error, kind) ?? this.#begin(error, kind, nowUs);
    series.count += 1;
    series.lastAtUs = nowUs;
    this.#arm();
  }

  /** Writes what was counted. Called at the end of a window, and before the session closes. */
  flush(): void {
    for (const [key, denials] of this.#series) {
      if (this.#options.write(denials)) this.#series.delete(key);
    }
  }

  /** Nothing comes any more: writes what was counted and stops the clock. */
  close(): void {
    this.flush();
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #find(error: CountersignError, kind: string): DenialCount | undefined {
    return this.#series.get(`${error.code} ${kind}`);
  }

  #begin(error: CountersignError, kind: string, nowUs: bigint): DenialCount {
    const shown = this.#series.size < MAX_SERIES ? kind : 'unknown';
    const known = this.#find(error, shown);
    if (known !== undefined) return known;
    const { code, sqlState } = error;
    const series = { code, sqlState, kind: shown, count: 0, firstAtUs: nowUs, lastAtUs: nowUs };
    this.#series.set(`${code} ${shown}`, series);
    return series;
  }

  #arm(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.flush();
      this.#windowMs = Math.min(LONGEST_WINDOW_MS, 2 * this.#windowMs);
      if (this.#series.size > 0) this.#arm();
    }, this.#windowMs);
    this.#timer.unref();
  }
}
