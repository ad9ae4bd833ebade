import assert from 'node:assert/strict';
import { test } from 'node:test';

import { formatDuration, formatSize, parseDuration, parseMoment, parseSize } from './units.ts';

test('durations', () => {
  const cases: readonly (readonly [string, number | undefined])[] = [
    ['500ms', 500],
    ['2s', 2_000],
    ['15m', 900_000],
    ['8h', 28_800_000],
    ['7d', 604_800_000],
    ['0s', 0],
    ['2', undefined],
    ['2 s', undefined],
    ['-2s', undefined],
    ['1.5s', undefined],
    ['2S', undefined],
    ['9999999999s', undefined],
    ['', undefined],
  ];
  for (const [text, ms] of cases) assert.equal(parseDuration(text), ms, text);
});

test('sizes', () => {
  const cases: readonly (readonly [string, number | undefined])[] = [
    ['1B', 1],
    ['64KiB', 65_536],
    ['64MiB', 67_108_864],
    ['2GiB', 2_147_483_648],
    ['64MB', undefined],
    ['64', undefined],
    ['64mib', undefined],
  ];
  for (const [text, bytes] of cases) assert.equal(parseSize(text), bytes, text);
});

test('moments', () => {
  const cases: readonly (readonly [string, string | undefined])[] = [
    ['2027-01-31', '2027-01-31T00:00:00.000Z'],
    ['2027-01-31T18:00Z', '2027-01-31T18:00:00.000Z'],
    ['2027-01-31T18:00:00+02:00', '2027-01-31T16:00:00.000Z'],
    ['2028-02-29', '2028-02-29T00:00:00.000Z'],
    // A day that does not exist must not become the next one.
    ['2027-02-29', undefined],
    ['2027-13-01', undefined],
    // Without a zone it would mean something else on every machine.
    ['2027-01-31T18:00:00', undefined],
    ['tomorrow', undefined],
  ];
  for (const [text, iso] of cases) {
    const expected = iso === undefined ? undefined : BigInt(Date.parse(iso)) * 1_000n;
    assert.equal(parseMoment(text), expected, text);
  }
});

test('durations and sizes for people', () => {
  assert.equal(formatDuration(900_000), '15m');
  assert.equal(formatDuration(1_500), '1500ms');
  assert.equal(formatSize(67_108_864), '64 MiB');
  assert.equal(formatSize(1_600), '1.6 KiB');
});
