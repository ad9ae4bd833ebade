import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import { assertCanonical, encodeCanonical, MAX_DEPTH, type EncodableValue } from './canonical-json.ts';
import { FormatError } from './errors.ts';

const { tree } = fc.letrec<{ tree: EncodableValue }>((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small' },
    fc.boolean(),
    fc.maxSafeInteger().map((n) => (n === 0 ? 0 : n)),
    fc.string({ unit: 'grapheme' }),
    fc.array(tie('tree')),
    fc.dictionary(fc.string({ unit: 'grapheme' }), tie('tree')),
  ),
}));

describe('canonical JSON', () => {
  it('sorts keys by UTF-16 code units, as the example of RFC 8785 section 3.2.3', () => {
    const value = { '\u20ac': 1, '\r': 2, '\ufb33': 3, '1': 4, '\ud83d\ude00': 5, '\u0080': 6, '\u00f6': 7 };
    assert.equal(
      encodeCanonical(value),
      '{"\\r":2,"1":4,"\u0080":6,"\u00f6":7,"\u20ac":1,"\ud83d\ude00":5,"\ufb33":3}',
    );
  });

  it('writes bigint as an integer and leaves undefined members out', () => {
    assert.equal(encodeCanonical({ b: 9_007_199_254_740_991n, a: undefined }), '{"b":9007199254740991}');
  });

  it('refuses what the subset does not have', () => {
    const bad: readonly unknown[] = [
      null,
      1.5,
      Number.NaN,
      2 ** 53,
      2n ** 53n,
      '\ud800',
      { '\udc00': 1 },
      undefined,
      [null],
    ];
    for (const value of bad) assert.throws(() => encodeCanonical(value as EncodableValue), FormatError);
    let deep: EncodableValue = 1;
    for (let i = 0; i <= MAX_DEPTH; i++) deep = [deep];
    assert.throws(() => encodeCanonical(deep), FormatError);
  });

  it('refuses bytes that are JSON but not canonical', () => {
    const bad = [
      '{"b":1,"a":2}',
      '{"a":1,"a":1}',
      '{"a": 1}',
      '1.0',
      '-0',
      '1e3',
      'null',
      '"\\ud800"',
      '"\\u0041"',
      '"\\/"',
      ' 1',
      '1\n',
      '9007199254740993',
      '{"a":null}',
      '\ufeff1',
      '',
      '[',
      '['.repeat(100_000),
    ];
    for (const text of bad)
      assert.throws(() => assertCanonical(Buffer.from(text)), FormatError, text.slice(0, 30));
    assert.throws(() => assertCanonical(Buffer.from([0x22, 0xff, 0x22])), FormatError);
  });

  it('keeps a member called __proto__ as a member', () => {
    const bytes = Buffer.from('{"__proto__":1}');
    assert.equal(encodeCanonical(assertCanonical(bytes) as EncodableValue), '{"__proto__":1}');
  });

  it('decodes what it encodes, and encoding is a function of the value alone', () => {
    fc.assert(
      fc.property(tree, (value) => {
        const text = encodeCanonical(value);
        assert.equal(encodeCanonical(assertCanonical(Buffer.from(text)) as EncodableValue), text);
        assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
      }),
    );
  });

  it('answers any bytes with a value or a FormatError', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.uint8Array(),
          fc.json().map((t) => Buffer.from(t)),
        ),
        (bytes) => {
          try {
            assert.equal(
              encodeCanonical(assertCanonical(bytes) as EncodableValue),
              Buffer.from(bytes).toString('utf8'),
            );
          } catch (error) {
            assert.ok(error instanceof FormatError);
          }
        },
      ),
    );
  });
});
