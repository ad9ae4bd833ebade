import { errorFields } from '../observe/logger.ts';
import type { Logger } from '../observe/logger.ts';
import { TokenBucket } from '../session/token-bucket.ts';

/** What one principal's refused connections may write into the gateway's own log. */
const TOLD_PER_SECOND = 2;
const TOLD_AT_ONCE = 20;

interface Told {
  readonly bucket: TokenBucket;
  omitted: number;
}

/**
 * Lines for authenticated clients that were refused (no grant, no target, no room): for each principal twenty at once, then two a second
 * with the number of those left out, so that nobody fills the log or hides another's refusals. Metrics and the record have all of them.
 */
export class RefusalLog {
  readonly #logger: Logger;
  readonly #nowMs: () => number;
  /** One per principal that ever was refused: as many as configurations name. */
  readonly #told = new Map<string, Told>();

  /** `nowMs`: monotonic. Default: the system's. */
  constructor(logger: Logger, nowMs: () => number = () => performance.now()) {
    this.#logger = logger;
    this.#nowMs = nowMs;
  }

  /**
   * @param error what happened, with its cause; the client may have been told less.
   * @param target name of a configured target, or `unknown`: never what the client said.
   */
  note(error: unknown, principal: string, target: string): void {
    const nowMs = this.#nowMs();
    const told = this.#told.get(principal) ?? this.#add(principal, nowMs);
    if (!told.bucket.take(1, nowMs)) {
      told.omitted += 1;
      return;
    }
    const count = told.omitted === 0 ? {} : { count: told.omitted };
    this.#logger.warn('connection refused', { ...errorFields(error), principal, target, ...count });
    told.omitted = 0;
  }

  #add(principal: string, nowMs: number): Told {
    const told = { bucket: new TokenBucket(TOLD_PER_SECOND, TOLD_AT_ONCE, nowMs), omitted: 0 };
    this.#told.set(principal, told);
    return told;
  }
}
