import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Meaning, SessionNames } from '../inspect/meaning.ts';
import { MeaningCache } from './meaning-cache.ts';
import { SessionNamesPool } from './names-pool.ts';
import type { StatementReading } from './reading.ts';

const pool = new SessionNamesPool();
const PUBLIC = pool.get(['public'], new Set());
const OTHER = pool.get(['other', 'public'], new Set());

function reading(uses: Partial<Pick<Meaning, 'usesSearchPath' | 'usesCatalog'>> = {}): StatementReading {
  return {
    meaning: {
      kind: 'select',
      effect: 'read',
      statements: 1,
      demands: [
        { kind: 'relation', verb: 'select', schema: 'public', name: 't', columns: ['a'], class: 'data' },
      ],
      reaches: [],
      unknownNames: [],
      usesSearchPath: true,
      usesCatalog: true,
      changes: [],
      ...uses,
    },
    settings: [],
  };
}

const text = (sql: string): Buffer => Buffer.from(sql);
const make = (middle: string): Buffer => text(`${'a'.repeat(3_000)}${middle}${'b'.repeat(3_000)}`);

test('a meaning is found again by the bytes of its text, in another buffer too', () => {
  const cache = new MeaningCache();
  const known = reading();
  cache.add(text('SELECT a FROM t'), PUBLIC, 'e1', known);
  const around = text('xxSELECT a FROM txx');
  assert.equal(cache.find(around.subarray(2, 17), PUBLIC, 'e1'), known);
  assert.equal(cache.find(text('SELECT b FROM t'), PUBLIC, 'e1'), undefined);
});

test('the text that is kept is a copy: the buffer of a socket is used again', () => {
  const cache = new MeaningCache();
  const bytes = text('SELECT a FROM t');
  cache.add(bytes, PUBLIC, 'e1', reading());
  bytes.write('SELECT b FROM t');
  assert.equal(cache.find(bytes, PUBLIC, 'e1'), undefined);
  assert.notEqual(cache.find(text('SELECT a FROM t'), PUBLIC, 'e1'), undefined);
});

for (const [name, uses, names, epoch, isFound] of [
  ['another search_path, names were looked up', {}, OTHER, 'e1', false],
  ['another catalog, objects were looked up', {}, PUBLIC, 'e2', false],
  ['another search_path, every name is qualified', { usesSearchPath: false }, OTHER, 'e1', true],
  ['another catalog, every name is qualified', { usesSearchPath: false }, OTHER, 'e2', false],
  [
    'another of both, and nothing was looked up',
    { usesSearchPath: false, usesCatalog: false },
    OTHER,
    'e2',
    true,
  ],
] as const satisfies readonly (readonly [string, Partial<Meaning>, SessionNames, string, boolean])[]) {
  test(`${name}: ${isFound ? 'the meaning holds' : 'the meaning does not hold'}`, () => {
    const cache = new MeaningCache();
    cache.add(text('SELECT a FROM t'), PUBLIC, 'e1', reading(uses));
    assert.equal(cache.find(text('SELECT a FROM t'), names, epoch) !== undefined, isFound);
  });
}

test('one text has a meaning for each search_path', () => {
  const cache = new MeaningCache();
  const [one, other] = [reading(), reading()];
  cache.add(text('SELECT a FROM t'), PUBLIC, 'e1', one);
  cache.add(text('SELECT a FROM t'), OTHER, 'e1', other);
  assert.equal(cache.find(text('SELECT a FROM t'), PUBLIC, 'e1'), one);
  assert.equal(cache.find(text('SELECT a FROM t'), OTHER, 'e1'), other);
});

test('many statements take no more than the room that is given, and what is asked for stays', () => {
  const maxBytes = 1 << 20;
  const cache = new MeaningCache({ maxBytes });
  const kept = reading();
  cache.add(text('SELECT kept'), PUBLIC, 'e1', kept);
  for (let index = 0; index < 20_000; index++) {
    cache.add(text(`SELECT ${index} FROM t`), PUBLIC, 'e1', reading());
    if (index % 100 === 0) assert.equal(cache.find(text('SELECT kept'), PUBLIC, 'e1'), kept);
    assert.ok(cache.counts.bytes <= maxBytes);
  }
  assert.equal(cache.find(text('SELECT 0 FROM t'), PUBLIC, 'e1'), undefined);
  assert.ok(cache.counts.entries > 100);
});

test('one text in very many catalogs does not make its look-up long', () => {
  const cache = new MeaningCache();
  for (let index = 0; index < 1_000; index++)
    cache.add(text('SELECT a FROM t'), PUBLIC, `e${index}`, reading());
  assert.ok(cache.counts.entries <= 8);
  assert.notEqual(cache.find(text('SELECT a FROM t'), PUBLIC, 'e999'), undefined);
});

test('a very long text is not kept', () => {
  const cache = new MeaningCache();
  const long = text(`SELECT '${'x'.repeat(100_000)}'`);
  cache.add(long, PUBLIC, 'e1', reading());
  assert.equal(cache.counts.entries, 0);
  assert.equal(cache.find(long, PUBLIC, 'e1'), undefined);
});

test('texts that differ in the middle alone are told apart', () => {
  const cache = new MeaningCache();
  const known = reading();
  cache.add(make('1'), PUBLIC, 'e1', known);
  assert.equal(cache.find(make('2'), PUBLIC, 'e1'), undefined);
  assert.equal(cache.find(make('1'), PUBLIC, 'e1'), known);
});

test('equal names are one object', () => {
  assert.equal(pool.get(['public'], new Set()), PUBLIC);
  assert.notEqual(pool.get(['public'], new Set(['t'])), PUBLIC);
  assert.notEqual(pool.get(undefined, new Set()), pool.get([], new Set()));
  assert.equal(pool.get([], new Set(['b', 'a'])), pool.get([], new Set(['a', 'b'])));
});
