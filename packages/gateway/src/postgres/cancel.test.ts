import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CancelRegistry } from './cancel.ts';

const make = (): CancelRegistry => new CancelRegistry({ node: 'n1', worker: 3, secret: Buffer.alloc(32, 1) });

test('a key cancels its own session and no other', () => {
  const registry = make();
  const cancelled: string[] = [];
  const a = registry.register('3.0', () => cancelled.push('a'));
  const b = registry.register('3.2', () => cancelled.push('b'));
  registry.request(a.key);
  registry.request(b.key);
  registry.request({ pid: a.key.pid, key: b.key.key });
  registry.request({ pid: b.key.pid, key: b.key.key.subarray(0, 4) });
  registry.request({ pid: b.key.pid, key: Buffer.alloc(32) });
  assert.deepEqual(cancelled, ['a', 'b']);
  assert.deepEqual(registry.counts, { known: 2, unknown: 3 });
});

test('a key dies with its session', () => {
  const registry = make();
  const registration = registry.register('3.2', () => assert.fail('cancelled'));
  registration.release();
  registry.request(registration.key);
  assert.deepEqual(registry.counts, { known: 0, unknown: 1 });
});

test('a key has the length of its protocol and names its owner', () => {
  const registry = make();
  const short = registry.register('3.0', () => {}).key;
  const long = registry.register('3.2', () => {}).key;
  assert.equal(short.key.length, 4);
  assert.equal(long.key.length, 32);
  assert.equal(long.key.readUInt16BE(4), 3);
  assert.ok(long.pid > 0 && long.pid <= 0x7fffffff);
  assert.notDeepEqual(registry.register('3.2', () => {}).key, long);
});
