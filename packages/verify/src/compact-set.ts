/**
 * A set of 16-byte keys in one typed array: 16 to 32 bytes per key, so that the ids of a million leaves fit in a few dozen
 * megabytes.
 *
 * Whoever writes a log chooses its ids. Where a key goes is therefore drawn by tables of random numbers (simple tabulation
 * hashing), made anew for every set: ids that collide in one run do not in the next, and none can be chosen so that the
 * search for a free slot becomes long.
 */

import { randomFillSync } from 'node:crypto';

const KEY_BYTES = 16;
const WORDS = 4;

export class CompactSet {
  #slots = new Uint32Array(WORDS * 1024);
  #size = 0;
  #hasZero = false;
  /** One table of 256 numbers for each byte of a key. */
  readonly #tables = randomFillSync(new Uint32Array(KEY_BYTES * 256));
  /** The key at hand, as four words. */
  readonly #key = new Uint32Array(WORDS);
  readonly #keyBytes = new Uint8Array(this.#key.buffer);

  get size(): number {
    return this.#size;
  }

  /** Adds the first 16 bytes of `key`; false when they were there already. */
  add(key: Uint8Array): boolean {
    this.#take(key);
    return this.#add();
  }

  has(key: Uint8Array): boolean {
    this.#take(key);
    return this.#isZero() ? this.#hasZero : this.#isFound();
  }

  /** `add` for a UUID in its usual form, in lower case. */
  addUuid(text: string): boolean {
    this.#takeUuid(text);
    return this.#add();
  }

  hasUuid(text: string): boolean {
    this.#takeUuid(text);
    return this.#isZero() ? this.#hasZero : this.#isFound();
  }

  /** The slot where a key is or would be: for tests of how keys are spread. */
  slotOf(key: Uint8Array): number {
    this.#take(key);
    return this.#find(this.#slots) / WORDS;
  }

  #take(key: Uint8Array): void {
    for (let i = 0; i < KEY_BYTES; i++) this.#keyBytes[i] = key[i]!;
  }

  #takeUuid(text: string): void {
    let at = 0;
    for (let i = 0; i < KEY_BYTES; i++) {
      if (at === 8 || at === 13 || at === 18 || at === 23) at++;
      this.#keyBytes[i] = (nibble(text.charCodeAt(at)) << 4) | nibble(text.charCodeAt(at + 1));
      at += 2;
    }
  }

  #isZero(): boolean {
    const key = this.#key;
    return (key[0]! | key[1]! | key[2]! | key[3]!) === 0;
  }

  #isFound(): boolean {
    return !isFree(this.#slots, this.#find(this.#slots));
  }

  #add(): boolean {
    if (this.#isZero()) {
      // A free slot is all zeros.
      if (this.#hasZero) return false;
      this.#hasZero = true;
      this.#size++;
      return true;
    }
    const at = this.#find(this.#slots);
    if (!isFree(this.#slots, at)) return false;
    this.#slots.set(this.#key, at);
    this.#size++;
    // At most two thirds full: longer searches would cost more than the memory.
    if (this.#size * 3 * WORDS > this.#slots.length * 2) this.#grow();
    return true;
  }

  #grow(): void {
    const old = this.#slots;
    const slots = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += WORDS) {
      if (isFree(old, at)) continue;
      for (let i = 0; i < WORDS; i++) this.#key[i] = old[at + i]!;
      slots.set(this.#key, this.#find(slots));
    }
    this.#slots = slots;
  }

  /** Where the key is, or the free slot where it belongs. */
  #find(slots: Uint32Array): number {
    const bytes = this.#keyBytes;
    const tables = this.#tables;
    const key = this.#key;
    const k0 = key[0];
    const k1 = key[1];
    const k2 = key[2];
    const k3 = key[3];
    let hash = 0;
    for (let i = 0; i < KEY_BYTES; i++) hash ^= tables[(i << 8) | bytes[i]!]!;
    const mask = slots.length / WORDS - 1;
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const at = slot * WORDS;
      if (isFree(slots, at)) return at;
      if (slots[at] === k0 && slots[at + 1] === k1 && slots[at + 2] === k2 && slots[at + 3] === k3) return at;
    }
  }
}

function nibble(code: number): number {
  return code < 0x40 ? code & 15 : (code & 15) + 9;
}

function isFree(slots: Uint32Array, at: number): boolean {
  return (slots[at]! | slots[at + 1]! | slots[at + 2]! | slots[at + 3]!) === 0;
}
