import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import type { Catalog } from '../catalog/catalog.ts';
import { decodeResponseFields, encodeResponseFields } from '../wire/backend/response-fields.ts';
import { BACKEND } from '../wire/message-types.ts';
import { mayTellSetting, WITHHELD_MESSAGE, withholdResponse } from './withhold.ts';

const VALUE = '123-45-6789';

const catalog = {
  hasSchema: (name: string) => name === 'public',
  relation: (schema: string, name: string) =>
    schema === 'public' && name === 'customers' ? { name, columns: [{ name: 'ssn' }] } : undefined,
  type: (_schema: string, name: string) => (name === 'ssn_type' ? { name } : undefined),
} as unknown as Catalog;

function withheld(told: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const message = encodeResponseFields(BACKEND.errorResponse, new Map(Object.entries(told)));
  const left = withholdResponse(BACKEND.errorResponse, message, 0, message.length, catalog);
  return Object.fromEntries(decodeResponseFields('ErrorResponse', left, 0, left.length));
}

const KEPT = { S: 'ERROR', V: 'ERROR', C: '23505', M: WITHHELD_MESSAGE };

test('of a constraint of the server: SQLSTATE and names that exist', () => {
  const told = {
    S: 'FEHLER',
    V: 'ERROR',
    C: '23505',
    M: `duplicate key ${VALUE}`,
    D: `Key (ssn)=(${VALUE}) already exists.`,
    H: VALUE,
    W: VALUE,
    q: VALUE,
    p: '5',
    P: '7',
    s: 'public',
    t: 'customers',
    c: 'ssn',
    n: 'customers_ssn_key',
    F: 'nbtinsert.c',
    L: '666',
    R: '_bt_check_unique',
  };
  assert.deepEqual(withheld(told), {
    ...KEPT,
    s: 'public',
    t: 'customers',
    c: 'ssn',
    n: 'customers_ssn_key',
  });
});

test('code of the target can put any text where a name belongs', () => {
  const told = { S: 'ERROR', V: 'ERROR', C: '23505', M: 'x', R: 'exec_stmt_raise' };
  assert.deepEqual(withheld({ ...told, s: 'public', t: 'customers', c: VALUE, d: VALUE, n: VALUE }), {
    ...KEPT,
    s: 'public',
    t: 'customers',
  });
  assert.deepEqual(withheld({ ...told, s: VALUE, t: 'customers', n: 'customers_ssn_key' }), KEPT);
  assert.deepEqual(withheld({ ...told, s: 'public', t: VALUE, n: VALUE, R: '_bt_check_unique' }), {
    ...KEPT,
    s: 'public',
  });
  assert.equal(withheld({ ...told, C: '6789x' })['C'], 'XX000');
  assert.equal(withheld({ ...told, V: VALUE })['S'], 'ERROR');
});

test('a message that is cut off', () => {
  const fields = new Map([
    ['S', 'ERROR'],
    ['V', 'FATAL'],
    ['C', 'P0001'],
    ['M', VALUE.repeat(10)],
  ]);
  const message = encodeResponseFields(BACKEND.errorResponse, fields);
  for (let end = 5; end <= message.length; end++) {
    const left = withholdResponse(BACKEND.errorResponse, message, 0, end, catalog);
    assert.ok(!left.toString('latin1').includes('6789'), `${end}`);
  }
});

test('settings whose values are words of the server are told; others not behind something regulated', () => {
  for (const hasTouched of [true, false]) {
    assert.equal(mayTellSetting('DateStyle', hasTouched), true);
    assert.equal(mayTellSetting('application_name', hasTouched), !hasTouched);
    assert.equal(mayTellSetting('TimeZone', hasTouched), !hasTouched);
    assert.equal(mayTellSetting('my.setting', hasTouched), false);
  }
});
