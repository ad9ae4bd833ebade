/**
 * Ranges of numbers, in order: what of a journal is missing. Looked up by halving, so that a log with a hundred thousand holes
 * takes no longer per leaf than one with three.
 */

export interface Range {
  readonly from: number;
  /** Included. */
  readonly to: number;
}

export class RangeSet {
  readonly #ranges: Range[] = [];

  get size(): number {
    return this.#ranges.length;
  }

  [Symbol.iterator](): IterableIterator<Range> {
    return this.#ranges.values();
  }

  add(range: Range): void {
    this.#ranges.splice(this.#firstFrom(range.from), 0, range);
  }

  /** Takes out just this range; false when it is not there. */
  delete({ from, to }: Range): boolean {
    const at = this.#firstFrom(from);
    const found = this.#ranges[at];
    if (found?.from !== from || found.to !== to) return false;
    this.#ranges.splice(at, 1);
    return true;
  }

  has(number: number): boolean {
    return this.count({ from: number, to: number }, 1) > 0;
  }

  /** How many numbers of `range` are in the set; stops counting at `enough`. */
  count(range: Range, enough: number): number {
    let sum = 0;
    // The one that begins before it may reach into it.
    for (let at = Math.max(0, this.#firstFrom(range.from) - 1); at < this.#ranges.length; at++) {
      const { from, to } = this.#ranges[at]!;
      if (from > range.to || sum >= enough) break;
      sum += Math.max(0, Math.min(to, range.to) - Math.max(from, range.from) + 1);
    }
    return sum;
  }

  /** Index of the first range that begins at `from` or later. */
  #firstFrom(from: number): number {
    const ranges = this.#ranges;
    const last = ranges.at(-1);
    if (last === undefined || last.from < from) return ranges.length;
    let low = 0;
    let high = ranges.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (ranges[middle]!.from < from) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
