import { createCipheriv, type Cipheriv } from 'node:crypto';

const AES_BLOCK = 16;
const ROUNDS = 10;
/** SP 800-38G, revision 1: a domain has at least a million members. */
export const MIN_DOMAIN = 1_000_000n;
/** Longer ones are refused: far beyond anything regulated, and the time grows with the square. */
export const MAX_NUMERALS = 512;

/**
 * FF1, NIST SP 800-38G (https://doi.org/10.6028/NIST.SP.800-38G), algorithms 7 and 8: a permutation of the strings of `n` numerals in a radix. The
 * operations of Feistel rounds are on big integers; the block cipher is AES of the key's length.
 */
export class Ff1 {
  readonly #radix: bigint;
  readonly #aes: Cipheriv;

  /** @param key 16, 24 or 32 bytes @param radix 2 … 65536 */
  constructor(key: Uint8Array, radix: number) {
    this.#radix = BigInt(radix);
    this.#aes = createCipheriv(`aes-${key.length * 8}-ecb`, key, null).setAutoPadding(false);
  }

  /** The number of strings of `length` numerals. */
  domain(length: number): bigint {
    return this.#radix ** BigInt(length);
  }

  /** @param numerals 2 … `MAX_NUMERALS` numbers below the radix, of a domain of at least `MIN_DOMAIN`. @throws RangeError */
  encrypt(numerals: readonly number[], tweak: Uint8Array): number[] {
    const n = this.#checked(numerals);
    const u = Math.floor(n / 2);
    const round = this.#rounds(n, tweak);
    let a = this.#number(numerals, 0, u);
    let b = this.#number(numerals, u, n);
    for (let i = 0; i < ROUNDS; i += 1) {
      const modulus = this.domain(i % 2 === 0 ? u : n - u);
      [a, b] = [b, (a + round(i, b)) % modulus];
    }
    return [...this.#string(a, u), ...this.#string(b, n - u)];
  }

  /** The inverse of `encrypt`. */
  decrypt(numerals: readonly number[], tweak: Uint8Array): number[] {
    const n = this.#checked(numerals);
    const u = Math.floor(n / 2);
    const round = this.#rounds(n, tweak);
    let a = this.#number(numerals, 0, u);
    let b = this.#number(numerals, u, n);
    for (let i = ROUNDS - 1; i >= 0; i -= 1) {
      const modulus = this.domain(i % 2 === 0 ? u : n - u);
      const difference = (b - round(i, a)) % modulus;
      [a, b] = [difference < 0n ? difference + modulus : difference, a];
    }
    return [...this.#string(a, u), ...this.#string(b, n - u)];
  }

  #checked(numerals: readonly number[]): number {
    const n = numerals.length;
    if (n < 2 || n > MAX_NUMERALS || this.domain(n) < MIN_DOMAIN) {
      throw new RangeError(`FF1 takes no ${n} numerals of radix ${this.#radix}`);
    }
    return n;
  }

  /** The function `y` of a round and one half (steps 1 to 6.iv). */
  #rounds(n: number, tweak: Uint8Array): (i: number, half: bigint) => bigint {
    const u = Math.floor(n / 2);
    const bytes = Math.ceil((this.domain(n - u) - 1n).toString(2).length / 8);
    const wanted = 4 * Math.ceil(bytes / 4) + 4;
    const p = Buffer.alloc(AES_BLOCK);
    p.set([1, 2, 1]);
    p.writeUIntBE(Number(this.#radix), 3, 3);
    p.set([ROUNDS, u % 256], 6);
    p.writeUInt32BE(n, 8);
    p.writeUInt32BE(tweak.length, 12);
    const first = this.#aes.update(p);
    const padding = (AES_BLOCK - ((tweak.length + bytes + 1) % AES_BLOCK)) % AES_BLOCK;
    const q = Buffer.alloc(tweak.length + padding + 1 + bytes);
    q.set(tweak);
    const roundAt = tweak.length + padding;
    return (i, half) => {
      q[roundAt] = i;
      q.write(half.toString(16).padStart(bytes * 2, '0'), roundAt + 1, 'hex');
      return BigInt(`0x${this.#expanded(this.#chained(first, q), wanted).toString('hex')}`);
    };
  }

  /** CBC-MAC over `first`, already encrypted, and `q` (algorithm 6). */
  #chained(first: Buffer, q: Buffer): Buffer {
    let state = first;
    for (let at = 0; at < q.length; at += AES_BLOCK) {
      const block = Buffer.allocUnsafe(AES_BLOCK);
      for (let byte = 0; byte < AES_BLOCK; byte += 1) block[byte] = state[byte]! ^ q[at + byte]!;
      state = this.#aes.update(block);
    }
    return state;
  }

  /** Step 6.iii: the first `length` bytes of R ‖ CIPH(R ⊕ [1]) ‖ CIPH(R ⊕ [2]) … */
  #expanded(r: Buffer, length: number): Buffer {
    const blocks = [r];
    for (let j = 1; j * AES_BLOCK < length; j += 1) {
      const block = Buffer.from(r);
      block.writeUInt32BE((block.readUInt32BE(12) ^ j) >>> 0, 12);
      blocks.push(this.#aes.update(block));
    }
    return Buffer.concat(blocks).subarray(0, length);
  }

  #number(numerals: readonly number[], start: number, end: number): bigint {
    let number = 0n;
    for (let at = start; at < end; at += 1) number = number * this.#radix + BigInt(numerals[at]!);
    return number;
  }

  #string(number: bigint, length: number): number[] {
    const numerals = Array.from<number>({ length });
    let rest = number;
    for (let at = length - 1; at >= 0; at -= 1) {
      numerals[at] = Number(rest % this.#radix);
      rest /= this.#radix;
    }
    return numerals;
  }
}
