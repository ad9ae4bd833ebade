import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { NameTable, UNCERTAIN } from './name-table.ts';

test('within its series an unconfirmed name may be relied on', () => {
  const table = new NameTable<string>();
  table.propose('s', 'one', 0);
  assert.equal(table.lookup('s', 0), 'one');
});

test('a later series has to wait for the answer', () => {
  const table = new NameTable<string>();
  const change = table.propose('s', 'one', 0);
  assert.equal(table.lookup('s', 1), UNCERTAIN);
  change.apply();
  assert.equal(table.lookup('s', 1), 'one');
});

test('a change that failed leaves the older meaning', () => {
  const table = new NameTable<string>();
  table.propose('s', 'one', 0).apply();
  const change = table.propose('s', 'two', 1);
  change.discard(true);
  assert.equal(table.lookup('s', 2), 'one');
});

test('a failed Parse of the unnamed statement takes the older one away, a skipped one does not', () => {
  const table = new NameTable<string>();
  table.propose('', 'one', 0).apply();
  table.propose('', 'two', 1).discard(false);
  assert.equal(table.lookup('', 2), 'one');
  table.propose('', 'two', 2).discard(true);
  assert.equal(table.lookup('', 3), undefined);
});

test('two changes of one name in one series: the last counts, the first does not undo it', () => {
  const table = new NameTable<string>();
  const close = table.propose('s', undefined, 0);
  const parse = table.propose('s', 'two', 0);
  close.apply();
  assert.equal(table.lookup('s', 0), 'two');
  parse.apply();
  assert.equal(table.lookup('s', 1), 'two');
});

test('what SQL may change is forgotten though its answer is still to come', () => {
  for (const forget of [
    (table: NameTable<string>) => table.forget('s'),
    (table: NameTable<string>) => table.forgetAll(),
  ]) {
    const table = new NameTable<string>();
    const [older, newer] = [table.propose('s', 'one', 0), table.propose('s', 'two', 1)];
    forget(table);
    assert.equal(table.lookup('s', 1), undefined);
    older.apply();
    newer.apply();
    assert.equal(table.lookup('s', 2), undefined);
    const later = table.propose('s', 'three', 2);
    assert.equal(table.lookup('s', 2), 'three');
    later.apply();
    assert.equal(table.lookup('s', 3), 'three');
  }
});

test('what the server dropped at an end of transaction says nothing of what was sent behind it', () => {
  const table = new NameTable<string>();
  table.propose('p', 'one', 0).apply();
  const change = table.propose('p', 'two', 1);
  table.dropConfirmed();
  assert.equal(table.lookup('p', 1), 'two');
  change.apply();
  assert.equal(table.lookup('p', 1), 'two');
});

test('what SQL may have changed is forgotten', () => {
  const table = new NameTable<string>();
  table.propose('a', 'one', 0).apply();
  table.propose('b', 'two', 0).apply();
  table.forget('a');
  assert.equal(table.lookup('a', 1), undefined);
  table.forgetAll();
  assert.equal(table.lookup('b', 1), undefined);
});

test('what is remembered has a cost, and all of it comes back', () => {
  const table = new NameTable<string>((text) => text.length);
  const first = table.propose('s', 'four', 0);
  assert.equal(table.bytes, 4);
  first.apply();
  table.propose('s', 'sixsix', 0).apply();
  assert.equal(table.bytes, 6);
  table.propose('t', 'one', 0).discard(false);
  table.propose('', 'one', 0).apply();
  table.propose('', 'four', 0).discard(true);
  assert.equal(table.bytes, 6);
  const forgotten = table.propose('u', 'one', 0);
  table.forgetAll();
  assert.equal(table.bytes, 3);
  forgotten.apply();
  assert.equal(table.bytes, 0);
  table.propose('s', 'four', 0).apply();
  table.propose('s', undefined, 0).apply();
  assert.equal(table.bytes, 0);
});
