import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Limits } from '../config/config.ts';
import { ConnectionCounter, HEADROOM } from './limits.ts';

const limits = {
  connections: 100,
  connectionsPerAddress: 2,
  connectionsPerPrincipal: 1,
  pendingConnections: 40,
} as Limits;

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
  counter.admit('a', limits);
  counter.settle();
  counter.leave('a');
  assert.equal(counter.admit('a', limits), 'admitted');
  assert.deepEqual([counter.open, counter.pending], [2, 2]);
});

test('pending connections have a limit of their own', () => {
  const counter = new ConnectionCounter();
  for (let i = 0; i < 40; i++) assert.equal(counter.admit(`a${i}`, limits), 'admitted');
  assert.equal(counter.admit('x', limits), 'drop');
  counter.settle();
  assert.equal(counter.admit('x', limits), 'admitted');
});

test('connections of one principal', () => {
  const counter = new ConnectionCounter();
  assert.equal(counter.enterPrincipal('p', limits), true);
  assert.equal(counter.enterPrincipal('p', limits), false);
  counter.leavePrincipal('p');
  assert.equal(counter.enterPrincipal('p', limits), true);
});
