import type { CountersignError } from '../errors.ts';
import { isMaskRefusalReason } from '../masking/refusal.ts';
import type { MaskingFigures } from '../observe/masking-metrics.ts';
import type { Traffic } from '../observe/metrics.ts';
import type { RelayObserver } from '../postgres/translator/ports.ts';
import type { MaskingOfCall } from '../record/events/masking.ts';
import type { Outcome } from '../session/command.ts';
import type { SessionObserver } from '../session/session.ts';

/** Totals since the start, counted on the hot path: additions only. */
export class TrafficCounter implements SessionObserver, RelayObserver {
  #commands = 0;
  #bytesUp = 0;
  #bytesDown = 0;
  #unrecordedRefusals = 0;
  readonly #refusals = new Map<string, number>();
  readonly #masking = {
    masked: new Map<string, number>(),
    unmasked: new Map<string, number>(),
    probed: new Map<string, number>(),
    refused: new Map<string, number>(),
  };

  onCommand(): void {
    this.#commands += 1;
  }

  onDenied(error: CountersignError, recorded: boolean): void {
    this.countRefusal(error.code);
    if (error.code.startsWith('CS_MASK_')) {
      for (const word of error.ruleIds) if (isMaskRefusalReason(word)) count(this.#masking.refused, word);
    }
    if (!recorded) this.#unrecordedRefusals += 1;
  }

  /** Of commands that touch something regulated. */
  onMasking({ unmasked = [], probes = [] }: MaskingOfCall): void {
    for (const name of new Set(unmasked.map((each) => each.class))) count(this.#masking.unmasked, name);
    for (const probe of probes) count(this.#masking.probed, probe.class, probe.new);
  }

  onResult(_call: string, { masked }: Outcome): void {
    if (masked === undefined) return;
    for (const each of masked) count(this.#masking.masked, `${each.class} ${each.transform}`, each.count);
  }

  onBytes(up: number, down: number): void {
    this.#bytesUp += up;
    this.#bytesDown += down;
  }

  countRefusal(code: string): void {
    count(this.#refusals, code);
  }

  get masking(): MaskingFigures {
    return this.#masking;
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

function count(counts: Map<string, number>, key: string, by = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}
