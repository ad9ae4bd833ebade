import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { makeSettingsPolicy } from '../inspect/settings.ts';
import { analyzeStatement, type StatementAnalysis } from './statement-analysis.ts';
import { TextReader } from './text-reader.ts';

const policy = makeSettingsPolicy(['work_mem', 'app.*']);

/** What a session sees of it. */
const plain = ({ refusal, ...rest }: StatementAnalysis): unknown => ({
  ...rest,
  refusal: refusal === undefined ? undefined : [refusal.code, refusal.detail],
});

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
        const { analysis } = reader.read('a', text, policy);
        assert.deepEqual(plain(await analysis), plain(analyzeStatement(text, policy)));
      }
    });
    await fc.assert(property, { numRuns: 300 });
    for (const text of PIECES) {
      const bytes = Buffer.from(text);
      const { analysis } = reader.read('a', bytes, policy);
      assert.deepEqual(plain(await analysis), plain(analyzeStatement(bytes, policy)), text);
    }
    assert.equal(reader.counts.failed, 0);
  } finally {
    await reader.close();
  }
});

test('each text is judged by the settings of its own target', async () => {
  const reader = new TextReader();
  try {
    const text = Buffer.from('set work_mem = 1; set app.a = 1');
    const wide = await reader.read('a', text, policy).analysis;
    const narrow = await reader.read('a', text, makeSettingsPolicy(['work_mem'])).analysis;
    assert.equal(wide.refusal, undefined);
    assert.equal(narrow.refusal?.code, 'CS_SETTING_DENIED');
  } finally {
    await reader.close();
  }
});

test('who has many texts waits for his own: one of another principal is next but one', async () => {
  const reader = new TextReader();
  try {
    const order: string[] = [];
    const read = async (principal: string, text: string): Promise<void> => {
      await reader.read(principal, Buffer.from(text), policy).analysis;
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
    const first = reader.read('a', Buffer.from('select 1'), policy);
    const second = reader.read('a', Buffer.from('select 2'), policy);
    const third = reader.read('a', Buffer.from('select 3'), policy);
    second.cancel();
    first.cancel();
    for (const { analysis } of [first, second])
      assert.equal((await analysis).refusal?.code, 'CS_STATEMENT_TOO_COMPLEX');
    assert.equal((await third.analysis).kind, 'select');
    // The first was being read already.
    assert.deepEqual(reader.counts, { read: 2, failed: 0, waiting: 0 });
  } finally {
    await reader.close();
  }
});

test('a text that is not read in time is refused', async () => {
  // Some seconds of work, and a thread that has to start first, against one millisecond.
  const reader = new TextReader({ deadlineMs: 0.05, maxTextBytes: 32 << 20 });
  try {
    const long = await reader.read('a', Buffer.from("do 'a' ".repeat(2 << 20)), policy).analysis;
    assert.equal(long.refusal?.code, 'CS_STATEMENT_TOO_COMPLEX');
    assert.equal(long.refusal?.sqlState, '54001');
    assert.deepEqual(reader.counts, { read: 0, failed: 1, waiting: 0 });
  } finally {
    await reader.close();
  }
});

test('a text that ends the thread is refused, and the next one is read by another', async () => {
  const reader = new TextReader();
  try {
    const text = Buffer.from('select 1');
    // Nothing that configuration can hold: the thread throws when it looks at it.
    const broken = { allowed: [1 as unknown as string], allows: () => false };
    const [first, second] = [reader.read('a', text, broken), reader.read('a', text, policy)];
    assert.equal((await first.analysis).refusal?.code, 'CS_STATEMENT_TOO_COMPLEX');
    assert.equal((await second.analysis).kind, 'select');
    assert.deepEqual(reader.counts, { read: 1, failed: 1, waiting: 0 });
  } finally {
    await reader.close();
  }
});

test('when the gateway stops, what was not read is refused', async () => {
  const reader = new TextReader();
  const texts = ['a', 'a', 'b'].map((principal) => reader.read(principal, Buffer.from('select 1'), policy));
  await reader.close();
  for (const { analysis } of texts) assert.equal((await analysis).refusal?.code, 'CS_STATEMENT_TOO_COMPLEX');
  const late = reader.read('a', Buffer.from('select 1'), policy);
  assert.equal((await late.analysis).refusal?.code, 'CS_STATEMENT_TOO_COMPLEX');
  assert.equal(reader.counts.waiting, 0);
});
