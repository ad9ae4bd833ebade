/** Custody beside a running gateway: the desk that takes requests, and the schedule that it keeps. */

import type { CountersignConfig } from '../config/config.ts';
import { CountersignError } from '../errors.ts';
import { errorFields } from '../observe/logger.ts';
import type { Logger } from '../observe/logger.ts';
import { CustodyDesk } from '../record/custody/custody-desk.ts';
import type { GatewayRecorder } from './open-record.ts';

/** Between looks at what is due. */
const SCHEDULE_MS = 3_600_000;
/** After the log could not be read, or a disk refused an erasure. */
const RETRY_MS = 60_000;

export class Custody {
  readonly #desk: CustodyDesk | undefined;
  readonly #logger: Logger;
  #timer: NodeJS.Timeout | undefined;
  #config: CountersignConfig;
  #isClosed = false;
  readonly #told = new Set<string>();

  constructor(config: CountersignConfig, recorder: GatewayRecorder, logger: Logger) {
    this.#config = config;
    this.#logger = logger;
    const { clock, covered, vault, verifierKeys } = recorder;
    if (clock === undefined || covered === undefined || vault === undefined) return;
    this.#desk = new CustodyDesk({
      stateDirectory: config.stateDirectory,
      origin: config.log.origin,
      keys: () => verifierKeys ?? [],
      recorder: recorder as Required<GatewayRecorder>,
      vault,
      clock,
      custody: config.custody,
      retention: config.retention,
    });
  }

  /** Throws `CS_REQUEST_INVALID` with a recorder that cannot do it, as benchmarks have. */
  get desk(): CustodyDesk {
    if (this.#desk === undefined)
      throw new CountersignError('CS_REQUEST_INVALID', { detail: 'this recorder has no custody' });
    return this.#desk;
  }

  /** In the background: traffic does not wait for what concerns the past. Without officers there is nothing to do. */
  start(): void {
    if (this.#desk === undefined || this.#config.custody === undefined) return;
    this.#arm(0);
  }

  reload(config: CountersignConfig): void {
    this.#config = config;
    this.#desk?.propose(config.custody, config.retention);
    this.start();
  }

  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  #arm(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => void this.#work(), ms);
    this.#timer.unref();
  }

  /** Each one once: who looks later finds it in `custody status`. */
  #tellWaiting(unfinished: readonly string[]): void {
    for (const erasure of unfinished) {
      if (this.#told.has(erasure)) continue;
      this.#told.add(erasure);
      this.#logger.warn('an erasure waits for the keys of the custodian', { detail: erasure });
    }
  }

  async #work(): Promise<void> {
    try {
      await this.desk.start();
      for (const { contents, erasure } of await this.desk.runSchedule())
        this.#logger.info('contents erased by schedule', { detail: erasure, count: contents });
      const { proposals, unfinished } = await this.desk.status();
      this.#tellWaiting(unfinished);
      for (const proposal of proposals) this.#logger.warn('custody waits for approval', { detail: proposal });
      this.#arm(SCHEDULE_MS);
    } catch (error) {
      if (this.#isClosed) return;
      this.#logger.error('custody cannot work', errorFields(error));
      this.#arm(RETRY_MS);
    }
  }
}
