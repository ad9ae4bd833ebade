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

function isPair(item: unknown): item is [string, unknown] {
  return Array.isArray(item) && item.length === 2 && typeof item[0] === 'string';
}

/** JSON of a value in which a list of pairs stands for an object whose members keep this order, right or wrong. */
function writeUnsorted(value: unknown): string {
  if (!Array.isArray(value)) return JSON.stringify(value);
  const items = value as unknown[];
  if (items.length === 0 || !items.every(isPair)) return `[${items.map(writeUnsorted).join(',')}]`;
  return `{${items.map(([name, item]) => `${JSON.stringify(name)}:${writeUnsorted(item)}`).join(',')}}`;
}

/** By the definition: encoding the value gives the text. */
function isCanonical(text: string): boolean {
  try {
    return encodeCanonical(JSON.parse(text) as EncodableValue) === text;
  } catch {
    return false;
  }
}

function isAccepted(text: string): boolean {
  try {
    assertCanonical(Buffer.from(text));
    return true;
  } catch (error) {
    assert.ok(error instanceof FormatError);
    return false;
  }
}

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

  it('decides alike however the text is looked at: canonical is what encoding the value gives', () => {
    const key = fc.oneof(
      fc.string({ unit: 'grapheme' }),
      fc.constantFrom('0', '9', '10', '-1', '01', '__proto__', 'toJSON', 'a', '\ud83d\ude00', '\ufb33'),
    );
    const { any } = fc.letrec<{ any: unknown }>((tie) => ({
      any: fc.oneof(
        { depthSize: 'small' },
        fc.constantFrom<unknown>(null, true, 0, -1, 1.5, 1e21, 2 ** 53, '', '\\ud800', '\u2028', '\u007f'),
        fc.maxSafeInteger(),
        fc.string({ unit: 'binary' }),
        fc.array(tie('any'), { maxLength: 3 }),
        fc.uniqueArray(fc.tuple(key, tie('any')), { maxLength: 4, selector: ([name]) => name }),
      ),
    }));
    let accepted = 0;
    fc.assert(
      fc.property(any, (value) => {
        const text = writeUnsorted(value);
        assert.equal(isAccepted(text), isCanonical(text), text);
        if (isCanonical(text)) accepted++;
      }),
      { numRuns: 3000 },
    );
    assert.ok(accepted > 300);
    for (const text of ['{"9":1,"10":1}', '{"10":1,"9":1}', '{"a":1,"9":1}', '"\\\\ud800"', '"\\ud800"']) {
      assert.equal(isAccepted(text), isCanonical(text), text);
    }
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
