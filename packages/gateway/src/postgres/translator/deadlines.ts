import type { SessionLimits } from './ports.ts';

export interface DeadlineHost {
  /** Since when the target has run what it runs now, ms of the monotonic clock; undefined: it runs nothing. */
  runningSinceMs(): number | undefined;
  /** When the session became idle; undefined: it is not. */
  idleSinceMs(): number | undefined;
  onStatementTimeout(): void;
  onIdleTimeout(): void;
}

/**
 * The two time limits of a session, with one timer each that is set again only when it fires: a statement that ends in time
 * costs no timer.
 */
export class Deadlines {
  readonly #host: DeadlineHost;
  readonly #limits: SessionLimits;
  #statement: NodeJS.Timeout | undefined;
  #idle: NodeJS.Timeout | undefined;

  constructor(host: DeadlineHost, limits: SessionLimits) {
    this.#host = host;
    this.#limits = limits;
    if (limits.idleTimeoutMs > 0) this.#watchIdle(limits.idleTimeoutMs);
  }

  /** Something was forwarded. */
  watchStatement(): void {
    const { statementTimeoutMs } = this.#limits;
    if (statementTimeoutMs > 0 && this.#statement === undefined) this.#setStatement(statementTimeoutMs);
  }

  stop(): void {
    clearTimeout(this.#statement);
    clearTimeout(this.#idle);
  }

  #setStatement(afterMs: number): void {
    this.#statement = setTimeout(() => {
      this.#statement = undefined;
      const since = this.#host.runningSinceMs();
      if (since === undefined) return;
      const left = since + this.#limits.statementTimeoutMs - performance.now();
      if (left > 0) this.#setStatement(left);
      else {
        this.#host.onStatementTimeout();
        this.#setStatement(this.#limits.statementTimeoutMs);
      }
    }, Math.ceil(afterMs));
  }

  #watchIdle(afterMs: number): void {
    this.#idle = setTimeout(() => {
      const since = this.#host.idleSinceMs();
      const left = since === undefined ? undefined : since + this.#limits.idleTimeoutMs - performance.now();
      if (left !== undefined && left <= 0) this.#host.onIdleTimeout();
      else this.#watchIdle(left ?? this.#limits.idleTimeoutMs);
    }, Math.ceil(afterMs));
  }
}
