/** Under which retention class the contents of a leaf were sealed, as far as the log says so. */

import type { CanonicalObject } from './canonical-json.ts';
import type { Leaf } from './leaf.ts';

const MARKS = ['software.started', 'context', 'session.closed'].map((type) =>
  Buffer.from(`"type":"${type}"`),
);

/** Whether `ContentClasses` must see this leaf to know the classes of those that follow. */
export function tellsOfClasses(bytes: Buffer): boolean {
  return MARKS.some((mark) => bytes.includes(mark));
}

/** Follows a log. Holds the contexts of sessions that are open and have a class of their own. */
export class ContentClasses {
  /** By journal, of the run that its newest leaves belong to. */
  readonly #ofRun = new Map<string, string>();
  readonly #ofContext = new Map<string, string>();

  /**
   * For each leaf, in log order. Gives the class of its contents; undefined where the log does not state it: in what a
   * release wrote that had one class at a time.
   */
  take(leaf: Leaf): string | undefined {
    const { journal, jseq, type } = leaf;
    const stated = leaf['class'];
    if (type === 'software.started') {
      // The contexts of the run before are closed by now: whatever it left open, the recorder has ended.
      if (typeof stated === 'string') this.#ofRun.set(journal, stated);
      else this.#ofRun.delete(journal);
    }
    if (type === 'context' && typeof stated === 'string') this.#ofContext.set(`${journal}:${jseq}`, stated);
    const cited = citedContext(leaf);
    const own = cited === undefined ? undefined : this.#ofContext.get(cited);
    if (type === 'session.closed' && cited !== undefined) this.#ofContext.delete(cited);
    return own ?? this.#ofRun.get(journal);
  }
}

function citedContext(leaf: Leaf): string | undefined {
  const context = leaf['context'] as CanonicalObject | undefined;
  if (typeof context !== 'object' || typeof context['jseq'] !== 'number') return undefined;
  return `${(context['journal'] as string | undefined) ?? leaf.journal}:${context['jseq']}`;
}
