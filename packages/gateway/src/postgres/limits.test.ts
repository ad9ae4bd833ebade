import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Limits } from '../config/config.ts';
import { ConnectionCounter, HEADROOM, IDLE_MS } from './limits.ts';

const limits = {
  connections: 100,
  connectionsPerAddress: 2,
  connectionsPerPrincipal: 1,
  pendingConnections: 40,
  pendingPerAddress: 20,
} as Limits;

const never = (): void => assert.fail('evicted');

test('an address over its limit is told so, and dropped beyond the headroom', () => {
  const counter = new ConnectionCounter();
  assert.equal(counter.admit('a', limits), 'admitted');
  assert.equal(counter.admit('a', limits), 'admitted');
  for (let i = 0; i < HEADROOM; i++) assert.equal(counter.admit('a', limits), 'over');
  assert.equal(counter.admit('a', limits), 'drop');
  assert.equal(counter.admit('b', limits), 'admitted');
});

test('room comes back when a connection ends', () => {
  const counter = new ConnectionCounter();
  counter.admit('a', limits);
  const settle = counter.await('a', never);
  counter.admit('a', limits);
  counter.await('a', never);
  settle();
  settle();
  counter.leave('a');
  assert.equal(counter.admit('a', limits), 'admitted');
  assert.deepEqual([counter.open, counter.pending], [2, 1]);
});

/** A counter with a clock that stands still, and the connections that wait in it. */
class Waiting {
  nowMs = 0;
  readonly evicted: string[] = [];
  readonly counter = new ConnectionCounter(() => this.nowMs);
  readonly #limits: Limits;

  constructor(change: Partial<Limits>) {
    this.#limits = { ...limits, connectionsPerAddress: 100, ...change };
  }

  connect(source: string, name = source): string {
    const admission = this.counter.admit(source, this.#limits);
    if (admission !== 'drop') {
      this.counter.await(source, () => {
        this.evicted.push(name);
        this.counter.leave(source);
      });
    }
    return admission;
  }
}

test('silent connections of one address do not take the places of another', () => {
  const waiting = new Waiting({ pendingConnections: 6, pendingPerAddress: 5 });
  for (let i = 0; i < 5; i++) assert.equal(waiting.connect('flood', `flood ${i}`), 'admitted');
  assert.equal(waiting.connect('flood'), 'drop');
  assert.equal(waiting.connect('a'), 'admitted');
  assert.equal(waiting.connect('b'), 'admitted');
  assert.equal(waiting.connect('c'), 'admitted');
  assert.deepEqual(waiting.evicted, ['flood 0', 'flood 1']);
  assert.equal(waiting.counter.pending, 6);
});

test('of its own address a newcomer takes only the place of one that has been silent for a second', () => {
  const waiting = new Waiting({ pendingPerAddress: 2 });
  waiting.connect('a', 'first');
  waiting.nowMs = IDLE_MS - 1;
  waiting.connect('a', 'second');
  assert.equal(waiting.connect('a', 'third'), 'drop');
  waiting.nowMs = IDLE_MS;
  assert.equal(waiting.connect('a', 'third'), 'admitted');
  assert.equal(waiting.connect('a', 'fourth'), 'drop');
  assert.deepEqual(waiting.evicted, ['first']);
});

test('with every place taken by somebody else, the oldest silent one goes after a second', () => {
  const waiting = new Waiting({ pendingConnections: 3 });
  for (const source of ['a', 'b', 'c']) waiting.connect(source);
  assert.equal(waiting.connect('d'), 'drop');
  waiting.nowMs = IDLE_MS;
  assert.equal(waiting.connect('d'), 'admitted');
  assert.deepEqual(waiting.evicted, ['a']);
});

test('connections of one principal', () => {
  const counter = new ConnectionCounter();
  assert.equal(counter.enterPrincipal('p', limits), true);
  assert.equal(counter.enterPrincipal('p', limits), false);
  counter.leavePrincipal('p');
  assert.equal(counter.enterPrincipal('p', limits), true);
});
