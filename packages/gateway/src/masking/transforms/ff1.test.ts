import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { Ff1 } from './ff1.ts';

const KEYS = {
  128: '2B7E151628AED2A6ABF7158809CF4F3C',
  192: '2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F',
  256: '2B7E151628AED2A6ABF7158809CF4F3CEF4359D8D580AA4F7F036D6F04FC6A94',
} as const;
const DIGITS = '0123456789';
const TWEAK_10 = '39383736353433323130';
const LETTERS = '0123456789abcdefghi';
const TWEAK_11 = '3737373770717273373737';

/** The samples that NIST publishes with SP 800-38G (FF1samples.pdf), 1 to 9. */
const SAMPLES = [
  { bits: 128, radix: 10, tweak: '', plain: DIGITS, cipher: '2433477484' },
  { bits: 128, radix: 10, tweak: TWEAK_10, plain: DIGITS, cipher: '6124200773' },
  { bits: 128, radix: 36, tweak: TWEAK_11, plain: LETTERS, cipher: 'a9tv40mll9kdu509eum' },
  { bits: 192, radix: 10, tweak: '', plain: DIGITS, cipher: '2830668132' },
  { bits: 192, radix: 10, tweak: TWEAK_10, plain: DIGITS, cipher: '2496655549' },
  { bits: 192, radix: 36, tweak: TWEAK_11, plain: LETTERS, cipher: 'xbj3kv35jrawxv32ysr' },
  { bits: 256, radix: 10, tweak: '', plain: DIGITS, cipher: '6657667009' },
  { bits: 256, radix: 10, tweak: TWEAK_10, plain: DIGITS, cipher: '1001623463' },
  { bits: 256, radix: 36, tweak: TWEAK_11, plain: LETTERS, cipher: 'xs8a0azh2avyalyzuwd' },
] as const;

const numerals = (text: string, radix: number): number[] =>
  Array.from(text, (letter) => Number.parseInt(letter, radix));
const written = (numbers: readonly number[], radix: number): string =>
  numbers.map((number) => number.toString(radix)).join('');

describe('FF1', () => {
  for (const [index, { bits, radix, tweak, plain, cipher }] of SAMPLES.entries()) {
    it(`makes sample ${index + 1} of NIST`, () => {
      const ff1 = new Ff1(Buffer.from(KEYS[bits], 'hex'), radix);
      const tweakBytes = Buffer.from(tweak, 'hex');
      assert.equal(written(ff1.encrypt(numerals(plain, radix), tweakBytes), radix), cipher);
      assert.equal(written(ff1.decrypt(numerals(cipher, radix), tweakBytes), radix), plain);
    });
  }

  it('decrypts what it encrypts, for any radix, length and tweak', () => {
    const key = Buffer.from(KEYS[256], 'hex');
    fc.assert(
      fc.property(
        fc.constantFrom(2, 10, 16, 26, 36, 65_536),
        fc.array(fc.nat(65_535), { minLength: 20, maxLength: 90 }),
        fc.uint8Array({ maxLength: 20 }),
        (radix, numbers, tweak) => {
          const plain = numbers.map((number) => number % radix);
          const ff1 = new Ff1(key, radix);
          const encrypted = ff1.encrypt(plain, tweak);
          assert.ok(encrypted.every((number) => number >= 0 && number < radix));
          assert.deepEqual(ff1.decrypt(encrypted, tweak), plain);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('refuses a domain of less than a million', () => {
    const ff1 = new Ff1(Buffer.from(KEYS[256], 'hex'), 10);
    assert.throws(() => ff1.encrypt([1, 2, 3, 4, 5], Buffer.alloc(7)), RangeError);
    assert.doesNotThrow(() => ff1.encrypt([1, 2, 3, 4, 5, 6], Buffer.alloc(7)));
  });
});
