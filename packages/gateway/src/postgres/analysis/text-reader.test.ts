import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { indexCatalog } from '../catalog/catalog-index.ts';
import { initParser } from '../inspect/parse/parse-statement.ts';
import { SessionNamesPool } from './names-pool.ts';
import { readStatement } from './read-statement.ts';
import type { ReadingBasis } from './session-analysis.ts';
import { TextReader } from './text-reader.ts';

const base = indexCatalog({
  format: 1,
  target: 'bank',
  database: 'bank',
  serverVersion: 180_000,
  epoch: 'e1',
  schemas: [{ name: 'public', owner: 'dba' }],
  relations: [],
  routines: [],
  types: [],
  operators: [],
  casts: [],
  eventTriggers: [],
  extensions: [],
});
const names = new SessionNamesPool().get(['public'], new Set());
const basis: ReadingBasis = { base, moved: [], names };
await initParser();

/** Everything that is read in some way of its own, whole and broken off. */
const PIECES = [
  'select 1',
  'insert into t values (1)',
  'set work_mem = 1',
  'SET app.user TO $$x$$',
  'set role root',
  "set client_encoding = 'LATIN1'",
  'reset all',
  'alter system set fsync = off',
  "alter role a set work_mem = '1'",
  "select set_config('app.x', 'y', false)",
  "select set_config('ro' || 'le', 'y', false)",
  "do $a$ begin execute 'set role root'; end $a$",
  "do E'set \\x72ole a'",
  "select query_to_xml('set work_mem=1', true, true, '')",
  'update pg_settings set setting = 1',
  'deallocate "a""b"',
  'deallocate x',
  'prepare a as select 1',
  'create function f() returns int begin atomic select 1; select 2; end',
  'with a as (select 1) delete from b',
  'copy t to stdout',
  'explain analyze select f()',
  'select U&"\\0061" UESCAPE \'!\'',
  '/* a /* b */ */',
  '-- a\n',
  "'",
  '"',
  '$a$',
  '/*',
  "E'\\'",
  ';',
  ' ',
  '\u00e9',
  '\0',
];

test('the other thread reads every text as this one does', async () => {
  const reader = new TextReader();
  try {
    const texts = fc.array(fc.oneof(fc.constantFrom(...PIECES), fc.string({ maxLength: 8 })), {
      maxLength: 6,
    });
    const property = fc.asyncProperty(texts, async (pieces) => {
      for (const separator of [';', ' ']) {
        const text = Buffer.from(pieces.join(separator));
        const { reading } = reader.read('a', text, basis);
        assert.deepEqual(await reading, readStatement(text, base, names));
      }
    });
    await fc.assert(property, { numRuns: 300 });
    for (const text of PIECES) {
      const bytes = Buffer.from(text);
      const { reading } = reader.read('a', bytes, basis);
      assert.deepEqual(await reading, readStatement(bytes, base, names), text);
    }
    assert.equal(reader.counts.failed, 0);
  } finally {
    await reader.close();
  }
});

test('each text is read in its own catalog, whatever was read before', async () => {
  const reader = new TextReader();
  try {
    const text = Buffer.from('create table made (a int); select b from made');
    const moved: ReadingBasis = { ...basis, moved: [{ schema: 'public', name: 'other' }] };
    const bases = Array.from({ length: 6 }, (_, n) => {
      const data = {
        ...base.data,
        epoch: `e${n}`,
        schemas: [{ name: n % 2 ? 'public' : 'private', owner: 'dba' }],
      };
      return { ...basis, base: indexCatalog(data) };
    });
    for (const each of [...bases, ...bases.toReversed(), basis, moved]) {
      const { reading } = reader.read('a', text, each);
      assert.deepEqual(await reading, readStatement(text, each.base, names));
    }
    assert.equal(reader.counts.failed, 0);
  } finally {
    await reader.close();
  }
});

test('who has many texts waits for his own: one of another principal is next but one', async () => {
  const reader = new TextReader();
  try {
    const order: string[] = [];
    const read = async (principal: string, text: string): Promise<void> => {
      await reader.read(principal, Buffer.from(text), basis).reading;
      order.push(text);
    };
    const many = Array.from({ length: 20 }, (_, n) => read('many', `m${n}`));
    const few = [read('one', 'o0'), read('one', 'o1'), read('two', 't0')];
    assert.equal(reader.counts.waiting, 23);
    await Promise.all([...many, ...few]);
    assert.deepEqual(order.slice(0, 7), ['m0', 'm1', 'o0', 't0', 'm2', 'o1', 'm3']);
    assert.deepEqual(
      order.filter((text) => text.startsWith('m')),
      Array.from({ length: 20 }, (_, n) => `m${n}`),
    );
    assert.deepEqual(reader.counts, { read: 23, failed: 0, waiting: 0 });
  } finally {
    await reader.close();
  }
});

test('a text that nobody wants any more is not read', async () => {
  const reader = new TextReader();
  try {
    const first = reader.read('a', Buffer.from('select 1'), basis);
    const second = reader.read('a', Buffer.from('select 2'), basis);
    const third = reader.read('a', Buffer.from('select 3'), basis);
    second.cancel();
    first.cancel();
    for (const { reading } of [first, second])
      assert.equal((await reading).meaning.unreadable?.reason, 'deadline');
    assert.equal((await third.reading).meaning.kind, 'select');
    // The first was being read already.
    assert.deepEqual(reader.counts, { read: 2, failed: 0, waiting: 0 });
  } finally {
    await reader.close();
  }
});

test('a text that is not read in time is refused', async () => {
  // A second of work, and a thread that has to start first, against a tenth of a millisecond.
  const reader = new TextReader({ deadlineMs: 0.05 });
  try {
    const long = await reader.read('a', Buffer.from(`select 1 in (${'1,'.repeat(500_000)}1)`), basis).reading;
    assert.equal(long.meaning.unreadable?.reason, 'deadline');
    assert.deepEqual(reader.counts, { read: 0, failed: 1, waiting: 0 });
  } finally {
    await reader.close();
  }
});

test('a text that ends the thread is refused, and the next one is read by another', async () => {
  const reader = new TextReader();
  try {
    const text = Buffer.from('select 1');
    // The thread is not told of this snapshot and throws.
    const broken = { ...basis, base: { ...base, epoch: 'never sent' } };
    const [first, second] = [reader.read('a', text, broken), reader.read('a', text, basis)];
    assert.equal((await first.reading).meaning.unreadable?.reason, 'deadline');
    assert.equal((await second.reading).meaning.kind, 'select');
    assert.deepEqual(reader.counts, { read: 1, failed: 1, waiting: 0 });
  } finally {
    await reader.close();
  }
});

test('when the gateway stops, what was not read is refused', async () => {
  const reader = new TextReader();
  const texts = ['a', 'a', 'b'].map((principal) => reader.read(principal, Buffer.from('select 1'), basis));
  await reader.close();
  for (const { reading } of texts) assert.equal((await reading).meaning.unreadable?.reason, 'deadline');
  const late = reader.read('a', Buffer.from('select 1'), basis);
  assert.equal((await late.reading).meaning.unreadable?.reason, 'deadline');
  assert.equal(reader.counts.waiting, 0);
});
