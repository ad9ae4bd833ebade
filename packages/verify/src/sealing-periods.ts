/** In which month contents can have been sealed, from what the log says of data keys: so that an erasure of one month excuses no other. */

import type { Leaf } from './leaf.ts';
import { periodOf } from './vault-format.ts';

/** The schedule takes only what the record shows to be old; a month's last contents may be sealed a little after it ended, µs. */
export const SCHEDULE_SLACK_US = 86_400_000_000;

/** What is known of when a content was sealed. */
export interface SealingTime {
  readonly periods: SealingPeriods;
  /** The latest time of its leaf and of all before it, µs: it was written no earlier, whatever the clock said then. */
  readonly notBeforeUs: number;
}

interface Announced {
  readonly index: number;
  readonly period: string;
}

export class SealingPeriods {
  /** Data keys by journal, in log order. */
  readonly #keys = new Map<string, Announced[]>();

  /** For each `key.created`, in log order. */
  take(index: number, leaf: Leaf): void {
    const period = leaf['period'];
    if (leaf.type !== 'key.created' || leaf['purpose'] !== 'vault-data' || typeof period !== 'string') return;
    const own = this.#keys.get(leaf.journal);
    if (own === undefined) this.#keys.set(leaf.journal, [{ index, period }]);
    else own.push({ index, period });
  }

  /**
   * Whether a leaf's contents can have been sealed in a month: by its own time, or, since a month's first contents may still be sealed
   * under the month before, by the data key that was announced last before it or first behind it.
   */
  canBeOf(period: string, index: number, leaf: Leaf): boolean {
    if (periodOf(leaf.at) === period) return true;
    const keys = this.#keys.get(leaf.journal) ?? [];
    let after = 0;
    for (let end = keys.length; after < end;) {
      const middle = (after + end) >> 1;
      if (keys[middle]!.index < index) after = middle + 1;
      else end = middle;
    }
    return keys[after - 1]?.period === period || keys[after]?.period === period;
  }
}
