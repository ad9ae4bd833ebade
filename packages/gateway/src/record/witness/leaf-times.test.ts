import assert from 'node:assert/strict';
import { test } from 'node:test';

import { LeafTimes } from './leaf-times.ts';

test('the window begins with the oldest leaf that no quorum has seen', () => {
  const times = new LeafTimes(-1);
  assert.equal(times.oldestMs(-1), undefined);
  times.note(0, 1000);
  times.note(10, 1500);
  times.note(20, 2000);
  assert.equal(times.oldestMs(25), 1000);
  times.cover(9);
  assert.equal(times.oldestMs(25), 1500);
  // Leaf 15 came at some time after 1500: the answer errs on the side of a larger window.
  times.cover(14);
  assert.equal(times.oldestMs(25), 1500);
  times.cover(19);
  assert.equal(times.oldestMs(25), 2000);
  times.cover(25);
  assert.equal(times.oldestMs(25), undefined);
  times.note(26, 9000);
  assert.equal(times.oldestMs(26), 9000);
});

test('leaves that come together are one stretch, and a quorum never goes back', () => {
  const times = new LeafTimes(4, { jseq: 5, atMs: 0 });
  assert.equal(times.isOpen(100), true);
  assert.equal(times.isOpen(500), false);
  times.cover(2);
  assert.equal(times.covered, 4);
  assert.equal(times.oldestMs(5), 0);
});

test('years without a witness cost bounded memory, and the oldest leaf stays the oldest', () => {
  const times = new LeafTimes(-1);
  for (let i = 0; i < 100_000; i++) times.note(i, i * 200);
  assert.equal(times.oldestMs(100_000), 0);
  times.cover(50_000);
  const oldest = times.oldestMs(100_000)!;
  assert.ok(oldest <= 50_001 * 200 && oldest > 49_000 * 200, `${oldest}`);
});
