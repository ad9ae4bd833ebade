/** Repeatable randomness: the same seed makes the same statements. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** 0 ≤ x < 1 (mulberry32). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** 0 … count - 1. */
  below(count: number): number {
    return Math.floor(this.next() * count);
  }

  /** True once in `one` times. */
  once(one: number): boolean {
    return this.below(one) === 0;
  }

  pick<T>(from: readonly T[]): T {
    const found = from[this.below(from.length)];
    if (found === undefined) throw new Error('nothing to pick from');
    return found;
  }

  /** Runs one of several ways of making something. */
  choose<T>(ways: readonly (() => T)[]): T {
    return this.pick(ways)();
  }

  /** Some of them, in their order; never none. */
  some<T>(from: readonly T[], most: number): readonly T[] {
    const wanted = 1 + this.below(Math.min(most, from.length));
    const chosen = new Set<number>();
    while (chosen.size < wanted) chosen.add(this.below(from.length));
    return from.filter((_, index) => chosen.has(index));
  }

  list<T>(least: number, most: number, make: (index: number) => T): readonly T[] {
    return Array.from({ length: least + this.below(most - least + 1) }, (_, index) => make(index));
  }
}
