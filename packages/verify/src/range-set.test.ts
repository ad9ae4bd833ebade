import assert from 'node:assert/strict';
import { it } from 'node:test';
import * as fc from 'fast-check';
import { RangeSet } from './range-set.ts';

it('counts, finds and takes out like a plain set of numbers, in whatever order ranges come', () => {
  const lengths = fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 0, max: 3 })), {
    maxLength: 12,
  });
  fc.assert(
    fc.property(lengths, fc.infiniteStream(fc.nat(60)), (pieces, stream) => {
      const take = (): number => stream.next().value!;
      let next = 0;
      const ranges = pieces.map(([length, gap]) => {
        const from = next + gap;
        next = from + length;
        return { from, to: next - 1 };
      });
      const set = new RangeSet();
      const plain = new Set<number>();
      for (const range of ranges.toSorted(() => (take() % 2) - 0.5)) {
        set.add(range);
        for (let n = range.from; n <= range.to; n++) plain.add(n);
      }
      for (let i = 0; i < 10; i++) {
        const [a, b] = [take(), take()];
        const [from, to] = [Math.min(a, b), Math.max(a, b)];
        const count = [...plain].filter((n) => n >= from && n <= to).length;
        assert.equal(set.count({ from, to }, Infinity), count);
        assert.equal(set.count({ from, to }, 1) > 0, count > 0);
        assert.equal(set.has(a), plain.has(a));
        const isThere = ranges.some((range) => range.from === from && range.to === to) && set.has(from);
        assert.equal(set.delete({ from, to }), isThere);
        if (isThere) for (let n = from; n <= to; n++) plain.delete(n);
      }
      assert.deepEqual(
        [...set].map(({ from }) => from),
        [...set].map(({ from }) => from).toSorted((a, b) => a - b),
      );
    }),
  );
});

it('is not slow for a log that is mostly holes', () => {
  const set = new RangeSet();
  for (let n = 0; n < 200_000; n++) set.add({ from: 4 * n, to: 4 * n + 1 });
  // A search from the front would take forty thousand million steps here.
  for (let n = 0; n < 200_000; n++) assert.ok(set.has(4 * n + 1) && !set.has(4 * n + 2));
  for (let n = 199_999; n >= 0; n--) assert.ok(set.delete({ from: 4 * n, to: 4 * n + 1 }));
  assert.equal(set.size, 0);
});
