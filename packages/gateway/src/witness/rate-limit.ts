/** A token bucket per log: as many in a burst as in a minute, refilled evenly. */

export class RateLimit {
  readonly #perMinute: number;
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  constructor(perMinute: number) {
    this.#perMinute = perMinute;
  }

  /**
   * Takes one for `key`; false when there is none. Called only for checkpoints that the log signed and that continue its tree:
   * a stranger cannot use up what a log may do. `nowMs` is monotonic.
   */
  take(key: string, nowMs: number = performance.now()): boolean {
    const bucket = this.#buckets.get(key) ?? { tokens: this.#perMinute, at: nowMs };
    const refill = ((nowMs - bucket.at) / 60_000) * this.#perMinute;
    const tokens = Math.min(this.#perMinute, bucket.tokens + Math.max(0, refill));
    const isGranted = tokens >= 1;
    this.#buckets.set(key, { tokens: isGranted ? tokens - 1 : tokens, at: nowMs });
    return isGranted;
  }
}
