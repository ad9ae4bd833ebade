import type { MaskingKeys } from '../keys.ts';
import type { ClassName } from '../rules.ts';
import { Ff1, MAX_NUMERALS, MIN_DOMAIN } from './ff1.ts';
import { framed, KeyedHash } from './keyed-hash.ts';

/** Longer texts are redacted: the format of a text is worth keeping where it is a number of something. */
const MAX_CHARACTERS = 128;
/** So many steps of a walk that needs fewer than 20 on average do not happen. */
const MAX_STEPS = 4_096;
const TWEAK_BYTES = 7;
const LETTER_OR_DIGIT = /[\p{L}\p{N}\p{M}]/u;

interface Place {
  readonly at: number;
  /** Code of what stands for 0: `0`, `a` or `A`. */
  readonly base: number;
  readonly radix: number;
}

/** Format-preserving encryption under one set of keys: `formatPreservingOf` has it. Reversible by whoever has the key. */
export class FormatPreserving {
  readonly #ciphers = new Map<number, Ff1>();
  readonly #key: Buffer;
  readonly #tweak: KeyedHash;

  constructor(keys: MaskingKeys) {
    this.#key = keys.fpe;
    this.#tweak = new KeyedHash(keys.fpe);
  }

  /**
   * ASCII digits become digits, letters letters of the same case, everything else stays. Only digits, or only letters of one case: FF1 of that radix; else the place of the
   * text among all of its format is encrypted as a binary number, again until it is one of them (cycle walking). Check digits are not kept. Undefined: fewer than 10^6 texts have
   * the format, it is longer than 128 characters, or has letters or digits beyond ASCII.
   */
  text(text: string, className: ClassName, scope: string): string | undefined {
    const places = text.length <= MAX_CHARACTERS ? placesOf(text) : undefined;
    if (places === undefined || domainOf(places) < MIN_DOMAIN) return undefined;
    const values = places.map(({ at, base }) => text.charCodeAt(at) - base);
    const format = places.map(({ radix, base }) => `${radix}.${base}`).join(' ');
    const tweak = this.#tweakOf('text', className, scope, format);
    const radix = places[0]!.radix;
    const encrypted = places.every((place) => place.radix === radix)
      ? this.#cipher(radix).encrypt(values, tweak)
      : this.#mixed(places, values, tweak);
    if (encrypted === undefined) return undefined;
    const units = [...Buffer.from(text, 'utf16le')];
    for (const [index, { at, base }] of places.entries()) units[at * 2] = base + encrypted[index]!;
    return Buffer.from(units).toString('utf16le');
  }

  /** A whole number not below 0 with as many digits, none of them leading zeros, at most `max`. Undefined: it has fewer than six. */
  integer(value: bigint, className: ClassName, scope: string, max?: bigint): bigint | undefined {
    const length = value.toString().length;
    const cipher = this.#cipher(10);
    if (value < 0n || length > MAX_NUMERALS || cipher.domain(length) < MIN_DOMAIN) return undefined;
    const tweak = this.#tweakOf('integer', className, scope, String(max ?? ''));
    const least = 10n ** BigInt(length - 1);
    return walk(
      value,
      (number) =>
        fromDigits(cipher.encrypt(Array.from(number.toString().padStart(length, '0'), Number), tweak)),
      (number) => number >= least && (max === undefined || number <= max),
    );
  }

  /** A permutation of the whole numbers from 0 to 2^bits - 1: no two values become the same. */
  permuted(value: bigint, bits: number, className: ClassName, scope: string): bigint {
    const tweak = this.#tweakOf('permuted', className, scope, String(bits));
    return BigInt(
      `0b${this.#cipher(2)
        .encrypt(Array.from(value.toString(2).padStart(bits, '0'), Number), tweak)
        .join('')}`,
    );
  }

  #mixed(places: readonly Place[], values: readonly number[], tweak: Buffer): number[] | undefined {
    const domain = domainOf(places);
    const bits = (domain - 1n).toString(2).length;
    if (bits > MAX_NUMERALS) return undefined;
    let rank = 0n;
    for (const [index, { radix }] of places.entries()) rank = rank * BigInt(radix) + BigInt(values[index]!);
    const cipher = this.#cipher(2);
    const walked = walk(
      rank,
      (number) =>
        BigInt(
          `0b${cipher.encrypt(Array.from(number.toString(2).padStart(bits, '0'), Number), tweak).join('')}`,
        ),
      (number) => number < domain,
    );
    if (walked === undefined) return undefined;
    let rest = walked;
    return places
      .toReversed()
      .map(({ radix }) => {
        const value = Number(rest % BigInt(radix));
        rest /= BigInt(radix);
        return value;
      })
      .toReversed();
  }

  #cipher(radix: number): Ff1 {
    let cipher = this.#ciphers.get(radix);
    if (cipher === undefined) this.#ciphers.set(radix, (cipher = new Ff1(this.#key, radix)));
    return cipher;
  }

  #tweakOf(what: string, className: ClassName, scope: string, format: string): Buffer {
    return this.#tweak.digest(framed('tweak', what, className, scope, format)).subarray(0, TWEAK_BYTES);
  }
}

const kept = new WeakMap<MaskingKeys, FormatPreserving>();

export function formatPreservingOf(keys: MaskingKeys): FormatPreserving {
  let cipher = kept.get(keys);
  if (cipher === undefined) kept.set(keys, (cipher = new FormatPreserving(keys)));
  return cipher;
}

function placesOf(text: string): readonly Place[] | undefined {
  const places: Place[] = [];
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code >= 0x30 && code <= 0x39) places.push({ at, base: 0x30, radix: 10 });
    else if (code >= 0x61 && code <= 0x7a) places.push({ at, base: 0x61, radix: 26 });
    else if (code >= 0x41 && code <= 0x5a) places.push({ at, base: 0x41, radix: 26 });
    // Nothing that could be told apart stays: a half of a surrogate pair may be a letter.
    else if (code >= 0xd800 && code <= 0xdfff) return undefined;
    else if (code >= 0x80 && LETTER_OR_DIGIT.test(text[at]!)) return undefined;
  }
  return places;
}

function domainOf(places: readonly Place[]): bigint {
  return places.reduce((product, { radix }) => product * BigInt(radix), 1n);
}

function fromDigits(digits: readonly number[]): bigint {
  return BigInt(digits.join(''));
}

/** A permutation of a set that a larger permuted one contains: again until it is inside. */
function walk(
  value: bigint,
  step: (value: bigint) => bigint,
  isInside: (value: bigint) => boolean,
): bigint | undefined {
  let walked = value;
  for (let steps = 0; steps < MAX_STEPS; steps += 1) {
    walked = step(walked);
    if (isInside(walked)) return walked;
  }
  return undefined;
}
