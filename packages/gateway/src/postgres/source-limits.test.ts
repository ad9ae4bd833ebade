import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Limits } from '../config/config.ts';
import { networkOf } from './network.ts';
import { FREE_FAILURES, SourceLimits } from './source-limits.ts';

const limits = {
  connections: 50,
  connectionsPerAddress: 10,
  connectionRate: 20,
  connectionRatePerAddress: 5,
  authnBackoffMs: 2000,
} as Limits;

class Sources {
  nowMs = 0;
  readonly limits = new SourceLimits(() => this.nowMs);

  /** How many of so many connections were within the rate, over it, and dropped. */
  connect(source: string, times: number): Record<string, number> {
    const seen: Record<string, number> = { within: 0, over: 0, drop: 0 };
    for (let i = 0; i < times; i++) seen[this.limits.connect(source, limits)]! += 1;
    return seen;
  }

  fail(source: string, name: string, times: number): void {
    for (let i = 0; i < times; i++) this.limits.failed(source, name, limits);
  }

  mustWait(source: string, name: string): boolean {
    return this.limits.mustWait(source, name, limits);
  }
}

test('an address is an IPv4 address or an IPv6 network of 64 bits', () => {
  for (const [address, network] of [
    ['192.0.2.7', '192.0.2.7'],
    ['2001:db8:0:1:aaaa::1', '2001:db8:0:1::/64'],
    ['2001:0DB8:0000:0001:bbbb:1:2:3', '2001:db8:0:1::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ] as const)
    assert.equal(networkOf(address), network);
});

test('an address connects as often as its burst and rate allow, is then told, and then dropped', () => {
  const sources = new Sources();
  assert.deepEqual(sources.connect('a', 30), { within: 10, over: 1, drop: 19 });
  sources.nowMs = 1000;
  assert.deepEqual(sources.connect('a', 30), { within: 5, over: 1, drop: 24 });
});

test('what an address is not allowed takes nothing from the others', () => {
  const sources = new Sources();
  sources.connect('flood', 100_000);
  assert.deepEqual(sources.connect('other', 10), { within: 10, over: 0, drop: 0 });
  for (const source of ['c', 'd', 'e']) assert.equal(sources.connect(source, 10)['within'], 10);
  // 50 in all: the listener as a whole has had enough now.
  assert.deepEqual(sources.connect('f', 2), { within: 0, over: 2, drop: 0 });
});

test('after failures in a row a name waits, twice as long each time, up to the limit', () => {
  const sources = new Sources();
  sources.fail('a', 'alice', FREE_FAILURES - 1);
  assert.equal(sources.mustWait('a', 'alice'), false);
  const waits: number[] = [];
  for (let i = 0; i < 6; i++) {
    sources.fail('a', 'alice', 1);
    const failedAtMs = sources.nowMs;
    while (sources.mustWait('a', 'alice')) sources.nowMs += 250;
    waits.push(sources.nowMs - failedAtMs);
  }
  assert.deepEqual(waits, [250, 500, 1000, 2000, 2000, 2000]);
});

test('another address and another name do not wait, and a success clears the failures', () => {
  const sources = new Sources();
  sources.fail('a', 'alice', 20);
  assert.equal(sources.mustWait('a', 'alice'), true);
  assert.equal(sources.mustWait('b', 'alice'), false);
  assert.equal(sources.mustWait('a', 'bob'), false);
  sources.limits.succeeded('a', 'alice');
  assert.equal(sources.mustWait('a', 'alice'), false);
});

test('an address that tries many names waits for all but those that have logged in from it', () => {
  const sources = new Sources();
  sources.limits.succeeded('a', 'alice');
  for (let i = 0; i < 101; i++) sources.fail('a', `name${i}`, 1);
  assert.equal(sources.mustWait('a', 'bob'), true);
  assert.equal(sources.mustWait('a', 'alice'), false);
  assert.equal(sources.mustWait('b', 'bob'), false);
  sources.nowMs = 1000;
  assert.equal(sources.mustWait('a', 'bob'), false);
});

test('a million sources and names leave no more behind than is kept', () => {
  const sources = new Sources();
  for (let i = 0; i < 1_000_000; i += 10) {
    sources.limits.connect(`10.${i}`, limits);
    sources.fail(`10.${i}`, `name${i}`, 1);
  }
  assert.deepEqual(sources.limits.sizes, { networks: 4096, names: 8192 });
});
