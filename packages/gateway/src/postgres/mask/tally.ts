import type { ColumnAction, MaskedCount } from '../../masking/plan.ts';
import type { ClassName } from '../../masking/rules.ts';

export type MaskingAction = Exclude<ColumnAction, { kind: 'pass' }>;

/** What text that no catalog classifies is recorded as, where the detectors found something in it. */
const DETECTED: ClassName = 'free_text';

/** What was masked of one call: a count for each object, class and transform. */
export class Tally {
  readonly #counts = new Map<string, MaskedCount>();

  /** The count that an action adds to. @param object of a column that no catalog classifies: what it is called, as far as it is known. */
  countOf(action: MaskingAction, object = ''): MaskedCount {
    const named =
      action.kind === 'mask'
        ? { object: action.object, class: action.class, transform: action.transform.kind }
        : { object, class: DETECTED, transform: 'detect' as const };
    const key = `${named.class} ${named.transform} ${named.object}`;
    const known = this.#counts.get(key);
    if (known !== undefined) return known;
    const count: MaskedCount = { ...named, count: 0 };
    this.#counts.set(key, count);
    return count;
  }

  /** Those that something was masked of, in the order of their columns; undefined: nothing was. */
  get masked(): readonly MaskedCount[] | undefined {
    const masked = [...this.#counts.values()].filter(({ count }) => count > 0);
    return masked.length === 0 ? undefined : masked;
  }
}
