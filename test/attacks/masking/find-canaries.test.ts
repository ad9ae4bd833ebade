/** What finds the leaks finds them: a corpus whose oracle is blind would always pass. */
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { canariesOf, canaryOf } from './canaries.ts';
import { CanaryFinder } from './find-canaries.ts';
import { differencesOf } from './game.ts';
import type { Answer } from './play.ts';

const finder = new CanaryFinder(canariesOf('a'));
const columnsIn = (...pieces: readonly (string | Buffer)[]): readonly string[] =>
  Array.from(
    finder.find({ pieces: pieces.map((piece) => Buffer.from(piece)) }).values(),
    ({ column }) => column,
  );

const ssn = canaryOf('a', 'ssn', 1).literal;
const name = canaryOf('a', 'name', 2).literal;
const pin = canaryOf('a', 'pin', 3).literal;
const score = Number(canaryOf('a', 'score', 1).literal);
const dob = canaryOf('a', 'dob', 1).literal;

const int32 = (value: number): Buffer => {
  const buffer = Buffer.alloc(4);
  buffer.writeInt32BE(value);
  return buffer;
};

const FOUND: readonly (readonly [string, string, string | Buffer])[] = [
  ['whole', 'ssn', `the value ${ssn} it is`],
  ['five characters of it', 'pin', `x${pin.slice(2, 7)}x`],
  ['reversed', 'pin', Array.from(pin).toReversed().join('')],
  ['in lower case', 'pin', pin.toLowerCase()],
  ['without its separators', 'ssn', ssn.replaceAll('-', '')],
  ['with something between all of it', 'ssn', Array.from(ssn).join(' ')],
  ['in hexadecimal', 'ssn', `\\x${Buffer.from(ssn).toString('hex')}`],
  [
    'in hexadecimal, in capitals, shifted by a digit',
    'ssn',
    `7${Buffer.from(ssn).toString('hex').toUpperCase()}`,
  ],
  ['in base64', 'pin', Buffer.from(pin).toString('base64')],
  ['in base64, shifted by one', 'pin', Buffer.from(`x${pin}`).toString('base64')],
  ['in base64, shifted by two', 'pin', Buffer.from(`xy${pin}`).toString('base64')],
  ['in base64 for URLs', 'name', Buffer.from(name).toString('base64url')],
  ['in hexadecimal of base64', 'pin', Buffer.from(Buffer.from(pin).toString('base64')).toString('hex')],
  ['escaped for URLs', 'name', encodeURIComponent(name)],
  ['escaped for JSON', 'name', JSON.stringify(name)],
  [
    'escaped for JSON, every character',
    'name',
    Array.from(name, (c) => `\\u${c.codePointAt(0)!.toString(16).padStart(4, '0')}`).join(''),
  ],
  [
    'escaped by octal digits',
    'pin',
    Array.from(pin, (c) => `\\${c.charCodeAt(0).toString(8).padStart(3, '0')}`).join(''),
  ],
  ['a number in binary', 'score', int32(score)],
  ['a number with the other end first', 'score', Buffer.from(int32(score).toReversed())],
  ['a number in hexadecimal', 'score', `0000${int32(score).toString('hex')}`],
  ['a date in German', 'dob', dob.split('-').toReversed().join('.')],
  ['a date in binary', 'dob', int32(Date.parse(dob) / 86_400_000 - 10_957)],
  ['bytes', 'scan', Buffer.from(canaryOf('a', 'scan', 1).literal.slice(2), 'hex').subarray(3, 8)],
];

for (const [how, column, text] of FOUND) {
  test(`a value is found: ${how}`, () => assert.ok(columnsIn(text).includes(column)));
}

test('what is no value is not found', () => {
  assert.deepEqual(
    columnsIn('[ssn:0aw3f5h2k1m9]', 'Bern', '2026-11-23 10:00:00+00', 'SELECT 12', '16384'),
    [],
  );
});

const answer = (...cells: readonly string[]): Answer => {
  const parts = cells.flatMap((cell) => [int32(cell.length), Buffer.from(cell)]);
  return {
    step: 0,
    way: 'simple',
    lost: false,
    messages: [{ type: 'D', body: Buffer.concat([Buffer.from([0, cells.length]), ...parts]) }],
  };
};
const strict = { residue: false, granted: [] };

test('the game tells answers apart by content, by number and by length', () => {
  assert.deepEqual(differencesOf([answer('1')], [answer('1')], strict), []);
  assert.equal(differencesOf([answer('1')], [answer('2')], strict).length, 1);
  assert.equal(differencesOf([answer('1')], [], strict).length, 1);
  const residue = { residue: true, granted: [] };
  assert.deepEqual(differencesOf([answer('*1')], [answer('*2')], residue), []);
  assert.equal(differencesOf([answer('*1')], [answer('**2')], residue).length, 1);
  assert.deepEqual(differencesOf([answer('1')], [answer('2')], { residue: false, granted: [0] }), []);
});

test('what both databases answer alike is there by chance', () => {
  const mine = { pieces: [Buffer.from(`x ${pin}`)] };
  assert.deepEqual(finder.findNews(mine, mine), []);
  assert.equal(finder.findNews(mine, { pieces: [Buffer.from('x')] }).length, 1);
  const deep = { pieces: [Buffer.from(`x ${pin} ${Buffer.from(ssn).toString('hex')}`)] };
  assert.notDeepEqual(finder.findNews(deep, mine), []);
});
