import assert from 'node:assert/strict';
import { createHmac, randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { framed, KeyedHash } from './keyed-hash.ts';

describe('KeyedHash', () => {
  it('is HMAC-SHA-256', () => {
    for (const length of [0, 1, 32, 55, 56, 64, 65, 200, 10_000]) {
      const key = randomBytes(32);
      const message = randomBytes(length);
      assert.deepEqual(
        new KeyedHash(key).digest(message),
        createHmac('sha256', key).update(message).digest(),
        `${length} bytes`,
      );
    }
  });

  it('frames parts so that none can pass for two', () => {
    assert.notDeepEqual(framed('ab', 'c'), framed('a', 'bc'));
    assert.notDeepEqual(framed('abc'), framed('abc', ''));
    assert.deepEqual(framed('é'), Buffer.from([0, 0, 0, 2, 0xc3, 0xa9]));
  });
});
