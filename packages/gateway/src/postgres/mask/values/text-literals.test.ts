import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import * as fc from 'fast-check';
import {
  arrayText,
  compositeText,
  multirangeText,
  parseArray,
  parseComposite,
  parseMultirange,
  parseRange,
  rangeText,
  type ArrayItem,
} from './text-literals.ts';

const element = fc.option(
  fc.oneof(fc.string(), fc.constantFrom('', 'NULL', 'null', '{', '}', ',', '"', '\\', ' ', '\n', '(),[]')),
);

describe('literals', () => {
  it('of arrays are read as they are written', () => {
    const matrix = fc.tuple(fc.array(element, { minLength: 1 }), fc.array(element, { minLength: 1 }));
    const items = fc.oneof(fc.array(element), matrix) as fc.Arbitrary<ArrayItem[]>;
    fc.assert(
      fc.property(
        items,
        fc.constantFrom(',', ';'),
        fc.constantFrom('', '[0:4]='),
        (items, delimiter, bounds) => {
          assert.deepEqual(parseArray(arrayText({ bounds, items }, delimiter), delimiter), { bounds, items });
        },
      ),
    );
  });

  it('of composites are read as they are written', () => {
    fc.assert(
      fc.property(fc.array(element, { minLength: 2 }), (fields) => {
        assert.deepEqual(parseComposite(compositeText(fields)), fields);
      }),
    );
    assert.deepEqual(parseComposite('(a"b ""c"""\\,,)'), ['ab "c",', null]);
    assert.deepEqual(parseComposite('()'), []);
  });

  it('of ranges are read as they are written', () => {
    const bound = fc.option(fc.string(), { nil: undefined });
    const range = fc.record(
      {
        isEmpty: fc.constant(false),
        open: fc.constantFrom('[', '('),
        lower: bound,
        upper: bound,
        close: fc.constantFrom(']', ')'),
      },
      { noNullPrototype: true },
    );
    fc.assert(
      fc.property(fc.array(range), (ranges) => {
        for (const one of ranges) assert.deepEqual(parseRange(rangeText(one)), one);
        assert.deepEqual(parseMultirange(multirangeText(ranges)), ranges);
      }),
    );
    assert.equal(parseRange('empty')?.isEmpty, true);
  });

  it('that are none are not read', () => {
    for (const text of [
      '',
      '{',
      '}',
      '{a',
      '{a}b',
      '{a,}',
      '{,a}',
      '{"a',
      '{"a"b}',
      '{{{{{{{a}}}}}}}',
      'a',
    ]) {
      assert.equal(parseArray(text), undefined, text);
    }
    for (const text of ['', '(', ')', '(a', '(a)b', '("a', 'a']) {
      assert.equal(parseComposite(text), undefined, text);
    }
    for (const text of ['', '[', '[1', '[1,2', '1,2', '[1,2)x', '["1,2)', 'emptyx']) {
      assert.equal(parseRange(text), undefined, text);
    }
    for (const text of ['', '{', '{[1,2)', '{[1,2)}x', '{[1,2),}', '[1,2)']) {
      assert.equal(parseMultirange(text), undefined, text);
    }
  });
});
