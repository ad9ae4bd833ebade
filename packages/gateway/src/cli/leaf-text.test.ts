import assert from 'node:assert/strict';
import { test } from 'node:test';

import { formatParameter } from './leaf-text.ts';

function parameter(type: number, format: number, value: Uint8Array | null): Buffer {
  const head = Buffer.alloc(10);
  head.writeUInt32BE(type, 0);
  head.writeInt16BE(format, 4);
  head.writeInt32BE(value?.length ?? -1, 6);
  return Buffer.concat([head, value ?? Buffer.alloc(0)]);
}

test('a parameter is shown as its value, with format and type before it', () => {
  const rows: readonly (readonly [Buffer, string])[] = [
    [parameter(0, 0, Buffer.from('41')), 'text: 41'],
    [parameter(23, 0, Buffer.from('41')), 'text of type 23: 41'],
    [parameter(23, 1, Buffer.from([0, 0, 0, 41])), 'binary of type 23: \\x00000029'],
    [parameter(0, 0, null), 'null'],
    [parameter(25, 0, null), 'null of type 25'],
    [parameter(0, 0, Buffer.from('null')), 'text: null'],
    [parameter(0, 0, Buffer.alloc(0)), 'text: '],
    [parameter(0, 0, Buffer.from('\u202eevil')), 'text: \\u{202e}evil'],
  ];
  for (const [bytes, shown] of rows) assert.equal(formatParameter(bytes), shown);
});

test('what is not laid out as a parameter is shown whole', () => {
  assert.equal(formatParameter(Buffer.from('short')), 'short');
  assert.equal(formatParameter(Buffer.from('longer than a head')), 'longer than a head');
  const cut = parameter(0, 0, Buffer.from('value')).subarray(0, -1);
  assert.match(formatParameter(cut), /\\u\{5\}valu$/);
});
