/**
 * A rate with a burst. Tokens come evenly; what is spent may go into debt, which is paid before anything else is had. It has
 * no clock of its own: every call says what time it is (monotonic ms, never going back).
 */
export class TokenBucket {
  #perSecond: number;
  #burst: number;
  #tokens: number;
  #atMs: number;

  /** Starts full. `perSecond` above 0. */
  constructor(perSecond: number, burst: number, nowMs: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = burst;
    this.#atMs = nowMs;
  }

  /** Takes `amount` when it is there; false, with nothing taken, when it is not. */
  take(amount: number, nowMs: number): boolean {
    this.#refill(nowMs);
    if (this.#tokens < amount) return false;
    this.#tokens -= amount;
    return true;
  }

  /** Takes `amount`, into debt if need be. */
  spend(amount: number, nowMs: number): void {
    this.#refill(nowMs);
    this.#tokens -= amount;
  }

  /** How long until there is no debt; 0 when there is none. */
  waitMs(nowMs: number): number {
    this.#refill(nowMs);
    return this.#tokens >= 0 ? 0 : (-this.#tokens / this.#perSecond) * 1000;
  }

  /** Whether it is as good as new. */
  isFull(nowMs: number): boolean {
    this.#refill(nowMs);
    return this.#tokens >= this.#burst;
  }

  /** Another rate from now on. Debt stays. */
  change(perSecond: number, burst: number, nowMs: number): void {
    this.#refill(nowMs);
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#tokens = Math.min(this.#tokens, burst);
  }

  #refill(nowMs: number): void {
    const elapsedMs = nowMs - this.#atMs;
    if (elapsedMs <= 0) return;
    this.#atMs = nowMs;
    this.#tokens = Math.min(this.#burst, this.#tokens + (elapsedMs * this.#perSecond) / 1000);
  }
}
