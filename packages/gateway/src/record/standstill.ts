/**
 * Notices that the process stood still: it was stopped (SIGSTOP, a frozen container), starved, or the machine slept. A stopped process
 * sees a hole in the monotonic clock; a machine that sleeps stops that clock too, and only the boot time, which counts sleep, runs ahead of it.
 */

import type { Clock } from './clock.ts';

/** Boot time and monotonic time are read one after the other, and the former in steps of 10 ms. */
const ASLEEP_US = 2_000_000;
const US_PER_MS = 1000;
/** Looks per shortest standstill. */
const LOOKS = 4;

export interface Standstill {
  /** How long nothing ran, sleep included, µs. */
  readonly forUs: number;
  /** The part of it for which the machine slept, µs. */
  readonly asleepUs?: number;
}

export interface StandstillOptions {
  readonly clock: Clock;
  /** The shortest that is told, ms. */
  readonly fromMs: number;
  /** A timer found one; whoever is about to write a leaf asks by `look` before that. */
  readonly onStandstill: (standstill: Standstill) => void;
}

export class StandstillWatch {
  readonly #options: StandstillOptions;
  #lastMs = Number.POSITIVE_INFINITY;
  /** Boot time minus monotonic time. */
  #aheadUs: number | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: StandstillOptions) {
    this.#options = options;
  }

  start(): void {
    const { fromMs, onStandstill } = this.#options;
    this.#lastMs = this.#options.clock.nowMs();
    this.#aheadUs = this.#ahead();
    this.#timer = setInterval(() => {
      const asleepUs = this.#slept();
      const standstill = this.look(asleepUs);
      if (standstill !== undefined) onStandstill(standstill);
    }, fromMs / LOOKS);
    this.#timer.unref();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#lastMs = Number.POSITIVE_INFINITY;
  }

  /** A standstill that ended just now; told once. Cheap enough for every leaf: sleep is only looked for by the timer. */
  look(asleepUs = 0): Standstill | undefined {
    const now = this.#options.clock.nowMs();
    const heldMs = now - this.#lastMs;
    if (heldMs === Number.NEGATIVE_INFINITY) return undefined;
    this.#lastMs = now;
    const slept = asleepUs > 0 ? asleepUs : heldMs >= this.#options.fromMs ? this.#slept() : 0;
    if (heldMs < this.#options.fromMs && slept === 0) return undefined;
    const forUs = Math.round(Math.max(0, heldMs) * US_PER_MS) + slept;
    return slept === 0 ? { forUs } : { forUs, asleepUs: slept };
  }

  #ahead(): number | undefined {
    const { clock } = this.#options;
    const boot = clock.bootUs?.();
    return boot === undefined ? undefined : boot - clock.monoUs();
  }

  /** How long the machine slept since it was asked last, µs. */
  #slept(): number {
    const ahead = this.#ahead();
    if (ahead === undefined || this.#aheadUs === undefined) return 0;
    const slept = Math.round(ahead - this.#aheadUs);
    // What is too little to be sleep is left to add up.
    if (slept < ASLEEP_US) return 0;
    this.#aheadUs = ahead;
    return slept;
  }
}
