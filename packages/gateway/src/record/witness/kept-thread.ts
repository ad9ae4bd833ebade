import type { WitnessAnswer, WitnessThreadOptions } from './witness-protocol.ts';
import { WitnessThread } from './witness-thread.ts';

export interface KeptThreadEvents {
  readonly onAnswer: (answer: WitnessAnswer) => void;
  /** The thread died and was not asked to; another one is started after `waitMs`. */
  readonly onDeath: (error: unknown, waitMs: number) => void;
}

/** First and longest wait for another thread; one that lived longer than the latter starts again with the former. */
const WAIT = { least: 1000, most: 60_000 };

/** The thread that talks to witnesses, and another one whenever it dies: what nobody witnesses proves nothing. */
export class KeptWitnessThread {
  readonly #options: WitnessThreadOptions;
  readonly #events: KeptThreadEvents;
  #thread: WitnessThread;
  #startedAtMs = 0;
  #deaths = 0;
  #deathsInARow = 0;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: WitnessThreadOptions, events: KeptThreadEvents) {
    this.#options = options;
    this.#events = events;
    this.#thread = this.#start();
  }

  /** How often it died. */
  get deaths(): number {
    return this.#deaths;
  }

  /** There is a new checkpoint on disk. A thread that starts looks by itself. */
  poke(): void {
    this.#thread.poke();
  }

  /** Ends it without waiting for any witness. */
  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    await this.#thread.close();
  }

  #start(): WitnessThread {
    this.#startedAtMs = performance.now();
    return new WitnessThread(this.#options, this.#events.onAnswer, (error) => this.#onDeath(error));
  }

  #onDeath(error: unknown): void {
    if (this.#isClosed) return;
    if (performance.now() - this.#startedAtMs > WAIT.most) this.#deathsInARow = 0;
    const waitMs = Math.min(WAIT.most, WAIT.least * 2 ** Math.min(this.#deathsInARow, 16));
    this.#deaths++;
    this.#deathsInARow++;
    this.#events.onDeath(error, waitMs);
    this.#timer = setTimeout(() => {
      this.#thread = this.#start();
    }, waitMs);
    this.#timer.unref();
  }
}
