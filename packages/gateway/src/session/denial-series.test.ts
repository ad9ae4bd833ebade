import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CountersignError } from '../errors.ts';
import { DenialSeries, type DenialCount } from './denial-series.ts';

const denied = new CountersignError('CS_STATEMENT_DENIED');
const setting = new CountersignError('CS_SETTING_DENIED');

test('refusals are counted exactly, by error and kind, with the first and the last', () => {
  const written: DenialCount[] = [];
  let nowUs = 0n;
  const series = new DenialSeries({ write: (count) => written.push({ ...count }) > 0, nowUs: () => ++nowUs });
  for (let i = 0; i < 1000; i++) series.count(denied, { kind: 'copy' });
  for (let i = 0; i < 7; i++) series.count(setting, { kind: 'set' });
  series.count(denied, { kind: 'copy' });
  series.close();
  assert.deepEqual(
    written.map(({ code, kind, count, firstAtUs, lastAtUs }) => [code, kind, count, firstAtUs, lastAtUs]),
    [
      ['CS_STATEMENT_DENIED', 'copy', 1001, 1n, 1008n],
      ['CS_SETTING_DENIED', 'set', 7, 1001n, 1007n],
    ],
  );
  series.flush();
  assert.equal(written.length, 2);
});

test('what the record did not take is not lost', () => {
  let isFull = true;
  let sum = 0;
  const series = new DenialSeries({
    write: ({ count }) => {
      if (!isFull) sum += count;
      return !isFull;
    },
  });
  for (let i = 0; i < 10; i++) series.count(denied, { kind: 'copy' });
  series.flush();
  series.count(denied, { kind: 'copy' });
  isFull = false;
  series.close();
  assert.equal(sum, 11);
});

test('however many kinds there are, they are counted in few series', () => {
  const written: DenialCount[] = [];
  const series = new DenialSeries({ write: (count) => written.push(count) > 0 });
  for (let i = 0; i < 10_000; i++) series.count(denied, { kind: `kind${i % 500}` });
  series.close();
  assert.equal(written.length, 33);
  assert.equal(
    written.reduce((sum, { count }) => sum + count, 0),
    10_000,
  );
});
