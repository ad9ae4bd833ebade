import { strict as assert } from 'node:assert';
import { createHash, randomBytes } from 'node:crypto';
import { test } from 'node:test';
import { KeyedDigest } from './keyed-digest.ts';

const key = randomBytes(32);
const expected = (bytes: Buffer): string =>
  createHash('sha256').update(key).update(bytes).digest('base64url');

for (const size of [1, 8_159, 8_160, 8_161, 100_000]) {
  for (const step of [1, 7, 4_096, 1_000_000]) {
    test(`the digest of ${size} bytes in steps of ${step} is SHA-256(key ‖ bytes)`, () => {
      const bytes = randomBytes(size);
      const digest = new KeyedDigest(key);
      for (let at = 0; at < size; at += step) {
        // Every other step lies in a buffer of its own, so that runs are broken.
        const end = Math.min(size, at + step);
        if (at % 2 === 0) digest.update(bytes, at, end);
        else digest.update(Buffer.from(bytes.subarray(at, end)), 0, end - at);
      }
      assert.equal(digest.finish(), expected(bytes));
    });
  }
}

test('nothing has no digest, and one digest follows another', () => {
  const digest = new KeyedDigest(key);
  assert.equal(digest.finish(), undefined);
  const long = randomBytes(20_000);
  digest.update(long, 0, long.length);
  digest.settle();
  assert.equal(digest.finish(), expected(long));
  digest.update(long, 5, 10);
  assert.equal(digest.finish(), expected(long.subarray(5, 10)));
  assert.equal(digest.finish(), undefined);
});
