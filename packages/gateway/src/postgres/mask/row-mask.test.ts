import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import type { ResultPlan } from '../../masking/plan.ts';
import { testKeys } from '../../masking/transforms/keys-fixture.ts';
import { encodeDataRow } from '../wire/backend/data-row.ts';
import { columnMasks, type Masking } from './column-mask.ts';
import { OutputSlab } from './output-slab.ts';
import { REDACT_UNKNOWN } from './redact-unknown.ts';
import { RowMask } from './row-mask.ts';
import { Tally } from './tally.ts';

const delivered: string[] = [];
const masking = (letsOutEverything = false): Masking => ({
  maskValue: (value) => (value.equals(Buffer.from('same')) ? value : Buffer.from(`<${value.toString()}>`)),
  context: { keys: testKeys(), scope: 'tests', catalog: undefined },
  maxRowBytes: 1 << 20,
  letsOutEverything,
  noteDelivered: (name, isAuthentic) => delivered.push(`${name} ${isAuthentic}`),
});

const MASK = { kind: 'mask', transform: { kind: 'token' }, class: 'ssn', object: 'public.c.ssn' } as const;
const PASS = { kind: 'pass' } as const;
const plan = (columns: ResultPlan['columns'], isFree = false): ResultPlan => ({
  columns,
  origins: [],
  otherwise: REDACT_UNKNOWN,
  isFree,
});
const text = { typeOid: 25, format: 0 };
const row = (...values: readonly (string | null)[]): Buffer =>
  encodeDataRow(values.map((value) => (value === null ? null : Buffer.from(value))));

function maskRow(columns: ResultPlan['columns'], message: Buffer, types = 3): Buffer | undefined {
  const each = Array.from({ length: types }, () => text);
  const masks = columnMasks(plan(columns), each, true, new Tally(), masking());
  const slab = new OutputSlab();
  const isWritten = new RowMask(masks).write(message, 0, message.length, slab);
  return isWritten ? slab.buffer.subarray(0, slab.at) : undefined;
}

test('values are replaced where they stand; nulls and what nothing was found in stay', () => {
  const columns = [PASS, MASK, MASK];
  assert.deepEqual(maskRow(columns, row('1', 'two', 'three')), row('1', '<two>', '<three>'));
  assert.deepEqual(maskRow(columns, row('1', null, 'x'.repeat(100))), row('1', null, `<${'x'.repeat(100)}>`));
  assert.deepEqual(maskRow(columns, row('1', 'same', 'b')), row('1', 'same', '<b>'));
  assert.equal(maskRow(columns, row('1', 'same', null)), undefined, 'nothing is written');
  assert.deepEqual(maskRow([MASK, PASS, PASS], row('', 'b', 'c')), row('<>', 'b', 'c'));
});

test('a plan for another number of columns masks all of them', () => {
  const masked = maskRow([PASS, PASS], row('1', '2', null))!;
  for (const value of ['1', '2']) assert.ok(!masked.subarray(7).toString().includes(`\x01${value}`));
  assert.throws(() => maskRow([PASS, MASK], row('1', '2', '3'), 2), { code: 'CS_PROTOCOL_VIOLATION' });
});

test('a row that is not as it says is a violation, never delivered', () => {
  const good = row('1', 'two', 'three');
  for (let length = 7; length < good.length; length++) {
    const cut = Buffer.from(good.subarray(0, length));
    assert.throws(() => maskRow([PASS, PASS, MASK], cut), { code: 'CS_PROTOCOL_VIOLATION' }, `${length}`);
  }
  for (const columns of [
    [MASK, PASS, PASS],
    [PASS, PASS, MASK],
  ] as const) {
    const negative = Buffer.from(good);
    negative.writeInt32BE(-5, 12);
    for (const bad of [negative, Buffer.concat([good, Buffer.from('behind')])])
      assert.throws(() => maskRow(columns, bad), { code: 'CS_PROTOCOL_VIOLATION' });
  }
  const long = Buffer.from(good);
  long.writeInt32BE(0x7fffffff, 7);
  assert.throws(() => maskRow([PASS, MASK, MASK], long), { code: 'CS_PROTOCOL_VIOLATION' });
});

test('only a grant for everything lets through what is not known', () => {
  const unknown: ResultPlan = { ...plan('unknown'), otherwise: PASS };
  const masksOf = (letsOut: boolean, isFree: boolean, isTrusted: boolean): boolean =>
    columnMasks({ ...unknown, isFree }, [text], isTrusted, new Tally(), masking(letsOut))[0] !== undefined;
  assert.equal(masksOf(false, false, true), true);
  assert.equal(masksOf(false, true, false), true, 'the server says something else');
  assert.equal(masksOf(false, true, true), false, 'nothing regulated was read');
  assert.equal(masksOf(true, false, false), false);
});

test('what was masked is counted, and told once for each kind', () => {
  delivered.length = 0;
  const tally = new Tally();
  const masks = columnMasks(plan([PASS, MASK, MASK]), [text, text, text], true, tally, masking());
  const rows = new RowMask(masks);
  const slab = new OutputSlab();
  for (const message of [row('1', 'a', 'b'), row('1', null, 'same'), row('1', 'c', null)]) {
    rows.write(message, 0, message.length, slab);
  }
  assert.deepEqual(tally.masked, [{ object: 'public.c.ssn', class: 'ssn', transform: 'token', count: 3 }]);
  assert.deepEqual(new Set(delivered), new Set(['ssn true']));
});

test('a type of which nothing is known gives null', () => {
  const masks = columnMasks(plan('unknown'), [undefined, undefined], true, new Tally(), masking());
  const message = row('secret', null);
  const slab = new OutputSlab();
  assert.ok(new RowMask(masks).write(message, 0, message.length, slab));
  assert.deepEqual(slab.buffer.subarray(0, slab.at), row(null, null));
});

test('rows that are written do not change rows that were', () => {
  const slab = new OutputSlab();
  const masks = columnMasks(plan([MASK]), [text], true, new Tally(), masking());
  const rows = new RowMask(masks);
  const written: { readonly message: Buffer; readonly value: string }[] = [];
  for (let index = 0; index < 20_000; index++) {
    const value = `${index}`.repeat(1 + (index % 7));
    const message = row(value);
    const before = slab.buffer;
    const at = slab.at;
    rows.write(message, 0, message.length, slab);
    written.push({ message: slab.buffer.subarray(slab.buffer === before ? at : 0, slab.at), value });
  }
  for (const { message, value } of written) assert.deepEqual(message, row(`<${value}>`));
});
