/**
 * A set of 16-byte keys in one typed array: about 32 bytes per key, so that the ids of a million leaves fit in a
 * few dozen megabytes. Keys must be well spread (UUIDs, digests).
 */
export class CompactSet {
  #slots = new Uint32Array(4 * 1024);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** Adds the first 16 bytes of `key`; false when they were there already. */
  add(key: Buffer): boolean {
    if (this.#size * 8 >= this.#slots.length) this.#grow();
    const words = [
      key.readUInt32LE(0),
      key.readUInt32LE(4),
      key.readUInt32LE(8),
      key.readUInt32LE(12),
    ] as const;
    if (!this.#insert(this.#slots, words)) return false;
    this.#size++;
    return true;
  }

  has(key: Buffer): boolean {
    const words = [
      key.readUInt32LE(0),
      key.readUInt32LE(4),
      key.readUInt32LE(8),
      key.readUInt32LE(12),
    ] as const;
    return this.#isAt(this.#slots, this.#find(this.#slots, words), words);
  }

  #grow(): void {
    const old = this.#slots;
    const slots = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += 4) {
      const words = [old[at]!, old[at + 1]!, old[at + 2]!, old[at + 3]!] as const;
      if (words.some((word) => word !== 0)) this.#insert(slots, words);
    }
    this.#slots = slots;
  }

  /** The slot of the key, or the free one where it belongs. A key of zeros only counts as absent. */
  #find(slots: Uint32Array, words: readonly [number, number, number, number]): number {
    const mask = slots.length / 4 - 1;
    let slot =
      (words[0] ^ Math.imul(words[1], 0x9e3779b1) ^ words[2] ^ Math.imul(words[3], 0x85ebca6b)) & mask;
    for (;;) {
      const at = slot * 4;
      const isFree = slots[at] === 0 && slots[at + 1] === 0 && slots[at + 2] === 0 && slots[at + 3] === 0;
      if (isFree || this.#isAt(slots, at, words)) return at;
      slot = (slot + 1) & mask;
    }
  }

  #isAt(slots: Uint32Array, at: number, words: readonly [number, number, number, number]): boolean {
    return (
      slots[at] === words[0] &&
      slots[at + 1] === words[1] &&
      slots[at + 2] === words[2] &&
      slots[at + 3] === words[3]
    );
  }

  #insert(slots: Uint32Array, words: readonly [number, number, number, number]): boolean {
    const at = this.#find(slots, words);
    if (this.#isAt(slots, at, words)) return false;
    slots.set(words, at);
    return true;
  }
}
