import type { CountersignError } from '../errors.ts';
import type { Traffic } from '../observe/metrics.ts';
import type { RelayObserver } from '../postgres/translator/ports.ts';
import type { SessionObserver } from '../session/session.ts';

/** Totals since the start, counted on the hot path: additions only. */
export class TrafficCounter implements SessionObserver, RelayObserver {
  #commands = 0;
  #bytesUp = 0;
  #bytesDown = 0;
  #unrecordedRefusals = 0;
  readonly #refusals = new Map<string, number>();

  onCommand(): void {
    this.#commands += 1;
  }

  onDenied(error: CountersignError, recorded: boolean): void {
    this.countRefusal(error.code);
    if (!recorded) this.#unrecordedRefusals += 1;
  }

  onBytes(up: number, down: number): void {
    this.#bytesUp += up;
    this.#bytesDown += down;
  }

  countRefusal(code: string): void {
    this.#refusals.set(code, (this.#refusals.get(code) ?? 0) + 1);
  }

  get totals(): Traffic {
    return {
      commands: this.#commands,
      bytesUp: this.#bytesUp,
      bytesDown: this.#bytesDown,
      unrecordedRefusals: this.#unrecordedRefusals,
    };
  }

  get refusals(): ReadonlyMap<string, number> {
    return this.#refusals;
  }
}
