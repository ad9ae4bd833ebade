import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { CompactSet } from './compact-set.ts';

function uuidOf(key: Buffer): string {
  const hex = key.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** Keys that differ in one place only, counted up: what a simple hash would put next to one another. */
function counted(n: number, place: number): Buffer {
  const key = Buffer.alloc(16);
  key.writeUInt32BE(n, place);
  return key;
}

function slotsOfTwelve(): string {
  const set = new CompactSet();
  return Array.from({ length: 12 }, (_, n) => set.slotOf(counted(n + 1, 12))).join(' ');
}

describe('compact set', () => {
  it('holds what was added, as bytes and as a UUID, and nothing else', () => {
    const set = new CompactSet();
    const keys: Buffer[] = Array.from({ length: 20_000 }, () => randomBytes(16));
    keys.push(Buffer.alloc(16), Buffer.alloc(16, 0xff), counted(1, 0), counted(1, 12));
    for (const [i, key] of keys.entries()) assert.ok(i % 2 === 0 ? set.add(key) : set.addUuid(uuidOf(key)));
    assert.equal(set.size, keys.length);
    for (const key of keys) {
      assert.ok(set.has(key) && set.hasUuid(uuidOf(key)));
      assert.ok(!set.add(key) && !set.addUuid(uuidOf(key)));
    }
    assert.equal(set.size, keys.length);
    for (let i = 0; i < 20_000; i++) assert.ok(!set.has(randomBytes(16)));
    assert.ok(!new CompactSet().has(Buffer.alloc(16)));
  });

  it('spreads keys that somebody chose: none is far from where it belongs', () => {
    // Two hundred thousand keys in a row would be searched through one by one if they lay side by side; that would not end here.
    for (const place of [0, 4, 8, 12]) {
      const set = new CompactSet();
      for (let n = 1; n <= 200_000; n++) assert.ok(set.add(counted(n * 4096, place)));
      for (let n = 1; n <= 200_000; n++) assert.ok(!set.has(counted(n * 4096 + 1, place)));
    }
  });

  it('puts the same keys elsewhere in each set', () => {
    assert.equal(new Set([slotsOfTwelve(), slotsOfTwelve(), slotsOfTwelve()]).size, 3);
  });
});
