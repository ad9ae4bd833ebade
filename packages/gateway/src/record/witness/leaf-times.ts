/** When leaves became durable, coarsely: enough to say how old the oldest one is that no quorum has seen. */

interface Stretch {
  /** First leaf of it. */
  readonly jseq: number;
  /** Monotonic clock, ms: no leaf of it is older. */
  readonly atMs: number;
}

/** Leaves that come within this time are one stretch, at first. */
const STRETCH_MS = 200;
/** When there are more, stretches are made twice as long: the answer may then be too large by one of them, never too small. */
const MAX_STRETCHES = 4096;

export class LeafTimes {
  #stretches: Stretch[] = [];
  #stretchMs = STRETCH_MS;
  #covered: number;

  /** `covered`: the last leaf that a quorum has seen, -1 for none. `oldest`: the first one that it has not, if there is one. */
  constructor(covered: number, oldest?: Stretch) {
    this.#covered = covered;
    if (oldest !== undefined) this.#stretches.push(oldest);
  }

  /** The last leaf that a quorum has seen. */
  get covered(): number {
    return this.#covered;
  }

  /** Whether a leaf that comes now needs to be told at all. */
  isOpen(nowMs: number): boolean {
    const last = this.#stretches.at(-1);
    return last !== undefined && nowMs - last.atMs < this.#stretchMs;
  }

  /** Leaves from `jseq` on are there since `atMs`. In order. */
  note(jseq: number, atMs: number): void {
    if (this.isOpen(atMs)) return;
    if (this.#stretches.length >= MAX_STRETCHES) {
      this.#stretches = this.#stretches.filter((_stretch, index) => index % 2 === 0);
      this.#stretchMs *= 2;
    }
    this.#stretches.push({ jseq, atMs });
  }

  /** A quorum has seen all leaves up to `jseq`. */
  cover(jseq: number): void {
    if (jseq <= this.#covered) return;
    this.#covered = jseq;
    this.#forget();
  }

  /** Since when the oldest leaf that no quorum has seen is there; undefined when `newest` is covered. */
  oldestMs(newest: number): number | undefined {
    if (newest <= this.#covered) return undefined;
    this.#forget();
    return this.#stretches[0]?.atMs;
  }

  /** Stretches of which every leaf is covered. */
  #forget(): void {
    let first = 0;
    while (first + 1 < this.#stretches.length && this.#stretches[first + 1]!.jseq <= this.#covered + 1)
      first++;
    this.#stretches.splice(0, first);
  }
}
