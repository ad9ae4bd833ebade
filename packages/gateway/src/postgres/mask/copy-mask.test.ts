import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import type { ResultPlan } from '../../masking/plan.ts';
import { redactionText } from '../../masking/transforms/transform-text.ts';
import { testKeys } from '../../masking/transforms/keys-fixture.ts';
import { columnMasks, type Masking } from './column-mask.ts';
import { CopyBinaryMask } from './copy-binary-mask.ts';
import { CopyGuard } from './copy-guard.ts';
import type { CopyMask } from './copy-mask.ts';
import type { CopyTextFormat } from './copy-options.ts';
import { CopyTextMask } from './copy-text-mask.ts';
import { REDACT_UNKNOWN } from './redact-unknown.ts';
import { Tally } from './tally.ts';

const MAX_ROW = 1_000;
const masking: Masking = {
  maskValue: (value) => (value.equals(Buffer.from('gone')) ? null : Buffer.from(`<${value.toString()}>`)),
  context: { keys: testKeys(), scope: 'tests', catalog: undefined },
  maxRowBytes: MAX_ROW,
  letsOutEverything: false,
  noteDelivered: () => {},
};
const MASK = { kind: 'mask', transform: { kind: 'token' }, class: 'ssn', object: 'public.c.ssn' } as const;
const PLAN: ResultPlan = {
  columns: [{ kind: 'pass' }, MASK, { kind: 'pass' }],
  origins: [],
  otherwise: REDACT_UNKNOWN,
  isFree: false,
};
const types = Array.from({ length: 3 }, () => ({ typeOid: 25, format: 0 }));
const masks = () => columnMasks(PLAN, types, true, new Tally(), masking);

const TEXT: CopyTextFormat = {
  kind: 'text',
  delimiter: 0x09,
  quote: 0x22,
  escape: 0x22,
  null: Buffer.from('\\N'),
  header: false,
};
const CSV: CopyTextFormat = { ...TEXT, kind: 'csv', delimiter: 0x2c, null: Buffer.from('') };

/** The data in pieces of every length gives the same. */
function take(make: () => CopyMask, data: Buffer): string {
  const whole = make().take(data).toString('latin1');
  for (const length of [1, 2, 3, 7, 50]) {
    const mask = make();
    const pieces: Buffer[] = [];
    for (let at = 0; at < data.length; at += length)
      pieces.push(Buffer.from(mask.take(data.subarray(at, at + length))));
    assert.equal(Buffer.concat(pieces).toString('latin1'), whole, `pieces of ${length}`);
  }
  return whole;
}

const text = (format: CopyTextFormat, data: string): string =>
  take(() => new CopyTextMask(format, masks(), MAX_ROW), Buffer.from(data));

test('text: escapes are undone before and made again after', () => {
  assert.equal(text(TEXT, 'a\tb\tc\n'), 'a\t<b>\tc\n');
  assert.equal(text(TEXT, '\\N\t\\N\t\\N\n'), '\\N\t\\N\t\\N\n', 'NULL stays');
  assert.equal(text(TEXT, 'a\\tb\tx\\ty\\\\z\\n\\.\tc\n'), 'a\\tb\t<x\\ty\\\\z\\n.>\tc\n');
  assert.equal(text(TEXT, 'a\t\\\\N\tc\n'), 'a\t<\\\\N>\tc\n', 'a text like NULL');
  assert.equal(text(TEXT, 'a\tgone\tc\n'), 'a\t\\N\tc\n');
  assert.equal(text({ ...TEXT, delimiter: 0x7c }, 'a|b\\|c|d\n'), 'a|<b\\|c>|d\n');
  assert.equal(text({ ...TEXT, header: true }, 'h1\th2\th3\na\tb\tc\n'), 'h1\th2\th3\na\t<b>\tc\n');
});

test('text: what is written like a chosen NULL may be a value, and tells nothing', () => {
  const guess: CopyTextFormat = { ...TEXT, null: Buffer.from('123456789') };
  assert.equal(text(guess, '123456789\t123456789\tc\n'), '123456789\t<123456789>\tc\n');
  assert.equal(text({ ...TEXT, null: Buffer.from('') }, 'a\t\tc\n'), 'a\t<>\tc\n');
  assert.equal(text({ ...TEXT, null: Buffer.from('\\n') }, 'a\t\\n\tc\n'), 'a\t<\\n>\tc\n', 'a newline');
});

test('a row of another shape is withheld whole, and what is no whole row too', () => {
  assert.equal(text(TEXT, 'a\tb\n'), '\\N\t\\N\t\\N\n');
  assert.equal(text(TEXT, 'a\tb\tc\td\n'), '\\N\t\\N\t\\N\n');
  assert.equal(text(TEXT, 'a\tb\tc'), '');
  assert.equal(text(CSV, 'a,"b\n'), '');
});

test('csv: quotes, newlines inside of them, NULL and the empty text', () => {
  assert.equal(text(CSV, 'a,b,c\n'), 'a,<b>,c\n');
  assert.equal(text(CSV, ',,\n'), ',,\n', 'NULL stays');
  assert.equal(text(CSV, '"","",""\n'), '"","<>",""\n', 'the empty text is no NULL');
  assert.equal(text(CSV, '"x,y","a ""b""\nc,d","z"\n'), '"x,y","<a ""b""\nc,d>","z"\n');
  assert.equal(text(CSV, 'a,"gone",c\n'), 'a,,c\n');
  const own: CopyTextFormat = { ...CSV, quote: 0x21, escape: 0x40, null: Buffer.from('<x>') };
  assert.equal(text(own, '!a@!b!,!x@@y@!z!,!c!\n'), '!a@!b!,!<x@@y@!z>!,!c!\n');
  assert.equal(text(own, 'a,x,<x>\n'), 'a,!<x>!,<x>\n', 'a masked value like NULL is quoted');
});

test('a row that is too long', () => {
  for (const data of [`a\t${'x'.repeat(2 * MAX_ROW)}\tc\n`, `a\t${'x'.repeat(2 * MAX_ROW)}`]) {
    const mask = new CopyTextMask(TEXT, masks(), MAX_ROW);
    assert.throws(() => mask.take(Buffer.from(data)), { code: 'CS_MASK_ROW_TOO_LONG' });
  }
});

const HEADER = Buffer.concat([Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1'), Buffer.alloc(8)]);
const TRAILER = Buffer.from([0xff, 0xff]);
const tuple = (...values: readonly (string | null)[]): Buffer => {
  const parts = values.map((value) => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(value === null ? -1 : value.length);
    return Buffer.concat([length, Buffer.from(value ?? '')]);
  });
  return Buffer.concat([Buffer.from([0, values.length]), ...parts]);
};

test('binary: header, tuples and trailer, wherever they are cut', () => {
  const make = (): CopyMask => new CopyBinaryMask(masks(), MAX_ROW);
  const sent = [HEADER, tuple('a', 'b', null), tuple('', null, 'c'), tuple('x', 'gone', 'y'), TRAILER];
  const left = [HEADER, tuple('a', '<b>', null), tuple('', null, 'c'), tuple('x', null, 'y'), TRAILER];
  assert.equal(take(make, Buffer.concat(sent)), Buffer.concat(left).toString('latin1'));
  for (const bad of [
    [Buffer.alloc(19)],
    [HEADER, tuple('a', 'b')],
    [HEADER, TRAILER, tuple('a', 'b', 'c')],
    [HEADER, Buffer.from([0xff, 0xfe])],
  ]) {
    assert.throws(() => make().take(Buffer.concat(bad)), { code: 'CS_PROTOCOL_VIOLATION' });
  }
  const long = Buffer.concat([HEADER, tuple('a', 'x'.repeat(2 * MAX_ROW), 'c')]);
  assert.throws(() => make().take(long.subarray(0, 60)), { code: 'CS_MASK_ROW_TOO_LONG' });
});

test('a mark in COPY data is found wherever it is cut, before any of it goes', () => {
  const keys = testKeys();
  const mark = redactionText('ssn', keys);
  const data = Buffer.from(`${'1\tplain\n'.repeat(100)}2\t${mark}\n${'3\tplain\n'.repeat(100)}`);
  for (const length of [1, 5, 64, 1_000, data.length]) {
    const guard = new CopyGuard(keys);
    let sent = '';
    for (let at = 0; at < data.length; at += length)
      sent += guard.take(data.subarray(at, at + length)).toString();
    assert.equal(guard.hasFound, true, `${length}`);
    assert.ok(!sent.includes(mark.slice(0, 5)));
    assert.equal(guard.finish().length, 0);
  }
  const clean = Buffer.from('1\tplain\n'.repeat(500));
  const guard = new CopyGuard(keys);
  const sent = [guard.take(clean.subarray(0, 777)), guard.take(clean.subarray(777))];
  assert.deepEqual(Buffer.concat([...sent, guard.finish()]), clean);
});
