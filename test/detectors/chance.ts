/** Chance that can be had again: the same seed, the same texts. */
export interface Chance {
  /** 0 up to 1. */
  next(): number;
  /** A whole number from `low` to `high`, both included. */
  between(low: number, high: number): number;
  pick<T>(list: readonly T[]): T;
  digits(count: number): string;
}

/** sfc32 would do as well; this is the generator of Lehmer with 48 bits of state, good enough for texts. */
export function chanceOf(seed: number): Chance {
  let state = BigInt(seed) * 2n + 1n;
  const next = (): number => {
    state = (state * 44_485_709_377_909n) & 0xffff_ffff_ffffn;
    return Number(state >> 16n) / 2 ** 32;
  };
  const between = (low: number, high: number): number => low + Math.floor(next() * (high - low + 1));
  return {
    next,
    between,
    pick: (list) => list[between(0, list.length - 1)] as (typeof list)[number],
    digits: (count) => Array.from({ length: count }, () => between(0, 9)).join(''),
  };
}
