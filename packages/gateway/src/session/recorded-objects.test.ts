import assert from 'node:assert/strict';
import { test } from 'node:test';

import { checkLeaf } from 'countersign-verify';

import type { Access } from '../policy/access.ts';
import { encodeGeneric } from '../record/leaf-encoder.ts';
import { accessOf } from './authorization-fixture.ts';
import { recordedObjects, type RecordedObjects } from './recorded-objects.ts';

const ID = '0190a000-0000-7000-8000-000000000001';

function objectsOf(demands: readonly Access[], reaches: readonly Access[] = []): RecordedObjects {
  return recordedObjects({ demands, reaches });
}

test('objects say verb, name, columns and the way', () => {
  const { objects, more } = objectsOf(
    [
      accessOf('select bank.accounts(id,status)'),
      accessOf('select bank.accounts(*)'),
      accessOf('delete bank.cards()'),
      { ...accessOf('select bank.x(id)'), name: 'Odd name' } as Access,
      accessOf('insert pg_temp.private_name(a)', { class: 'temp' }),
      accessOf('execute bank.transfer'),
      { kind: 'schema', verb: 'ddl', schema: 'scratch', name: 'chosen_by_caller' },
      accessOf('special listen'),
    ],
    [accessOf('select bank.transactions(amount)', { via: 'reporting.daily' })],
  );
  assert.deepEqual(objects, [
    'select bank.accounts(id,status)',
    'select bank.accounts(*)',
    'delete bank.cards()',
    'select bank."Odd name"(id)',
    'insert pg_temp.*',
    'execute bank.transfer',
    'ddl scratch',
    'special listen',
    'select bank.transactions(amount) via reporting.daily',
  ]);
  assert.equal(more, 0);
});

test('no two accesses have one text', () => {
  const names = ['a', 'a.b', 'b', '*', 'a(b)', '"a"', 'a via b', ''];
  const texts = new Set<string>();
  let count = 0;
  for (const schema of names) {
    for (const name of names) {
      for (const columns of ['*', [], ['a'], ['a,b'], ['a', 'b'], ['+1'], ['*']] as const) {
        const access = { ...accessOf('select a.b()'), schema, name, columns } as Access;
        texts.add(objectsOf([access]).objects[0] ?? '');
        count += 1;
      }
    }
  }
  assert.equal(texts.size, count);
});

test('what is too much for a leaf is counted there, and all of it is for the vault', () => {
  const demands = Array.from({ length: 60 }, (_, index) => accessOf(`select bank.t${index}(id)`));
  const { objects, more, complete } = objectsOf(demands);
  assert.equal(objects.length, 24);
  assert.equal(more, 36);
  assert.equal(complete?.toString().split('\n').length, 60);
});

test('a relation of very many columns is said in short, and in full in the vault', () => {
  const columns = Array.from({ length: 900 }, (_, index) => `column_${index}`);
  const { objects, more, complete } = objectsOf([{ ...accessOf('select bank.wide()'), columns } as Access]);
  assert.match(objects[0] ?? '', /^select bank\.wide\(column_0,.*,\+\d+\)$/);
  assert.equal(more, 1);
  assert.match(complete?.toString() ?? '', /column_899\)$/);
});

test('whatever the names are, the leaf is one that verifiers accept, and within its caps', () => {
  const hostile = [
    '\u0007'.repeat(63),
    '"'.repeat(63),
    '\\'.repeat(63),
    '\u2028',
    '\u202E',
    '😀'.repeat(15),
    '\u009F',
  ];
  for (const name of hostile) {
    const demands = hostile.map((schema): Access => {
      const via = `${name}.${schema}`;
      return { kind: 'relation', verb: 'select', schema, name, columns: hostile, class: 'data', via };
    });
    const { objects, more, complete } = objectsOf(demands);
    assert.ok(objects.reduce((sum, each) => sum + Buffer.byteLength(each), 0) <= 700);
    assert.ok(more > 0 && complete !== undefined);
    const leaf = encodeGeneric(
      {
        type: 'call.intent',
        session: ID,
        seq: 0,
        decision: { effect: 'permit', policies: ['g'], reasons: [] },
        kind: 'select',
        effect: 'read',
        objects,
        objectsMore: more,
        objectsAll: 'A'.repeat(43),
      },
      { journal: 'w0', jseq: 1, id: ID, atUs: 1, monoUs: 1, seq: 0 },
    );
    assert.deepEqual(checkLeaf(Buffer.from(leaf)).problems, []);
  }
});

test('it is made once for the same demands and reaches', () => {
  const demands = [accessOf('select bank.accounts(id)')];
  const reaches = [accessOf('select bank.cards(id)', { via: 'bank.v' })];
  const first = recordedObjects({ demands, reaches });
  assert.equal(recordedObjects({ demands, reaches }), first);
  assert.equal(recordedObjects({ demands }).objects.length, 1);
  assert.equal(recordedObjects({ demands, reaches: [...reaches] }).objects.length, 2);
});
