/** `countersign mask` as a person uses it. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { mustSucceed, runCountersign } from '../support/command-line.ts';
import type { Finished } from '../support/command-line.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-mask-'));
after(() => rmSync(folder, { recursive: true }));

const run = (...args: readonly string[]): Promise<Finished> => runCountersign(args, { cwd: folder });
const noteOf = (text: string): string => {
  const file = join(folder, 'note.txt');
  writeFileSync(file, text);
  return file;
};

const NOTE = 'first line\n😀 card 4111 1111 1111 1111, mail jane@example.com\r\nssn 123-45-6780\n';

interface Shown {
  readonly pieces: readonly {
    readonly line: number;
    readonly column: number;
    readonly class: string;
    readonly transform: string;
    readonly result: string | null;
  }[];
  readonly text: string;
}

test('what would be masked, where and how', async () => {
  const { pieces, text } = JSON.parse(
    await mustSucceed(['mask', 'try', noteOf(NOTE), '--json'], run),
  ) as Shown;
  assert.deepEqual(
    pieces.map((piece) => [piece.line, piece.column, piece.class, piece.transform]),
    [
      [2, 8, 'pan', 'keep-last 4'],
      [2, 34, 'email', 'email-domain'],
      [3, 5, 'ssn', 'redact'],
    ],
  );
  assert.equal(pieces[0]?.result, '**** **** **** 1111');
  assert.match(pieces[2]?.result ?? '', /^\[ssn:/);
  assert.match(
    text,
    /^first line\n😀 card \*\*\*\* \*\*\*\* \*\*\*\* 1111, mail \*\*\*@example\.com\r\nssn \[ssn:[^\]]+\]\n$/,
  );
});

test('neither list nor text shows what is masked', async () => {
  const file = noteOf(NOTE);
  for (const form of [[], ['--text'], ['--json']]) {
    const { stdout, stderr, code } = await run('mask', 'try', file, ...form);
    assert.equal(code, 0, stderr);
    for (const value of ['4111 1111', '4111', 'jane', '123-45', '6780'])
      assert.ok(!stdout.includes(value), form.join());
  }
});

test('a value of a class, by another transform', async () => {
  const args = [
    'mask',
    'try',
    noteOf('1980-02-29\n\n1999-12-31\n'),
    '--class',
    'dob',
    '--transform',
    'bucket=month',
    '--text',
  ];
  assert.equal(await mustSucceed(args, run), '1980-02-01\n\n1999-12-01');
});

test('what is wrong on the command line', async () => {
  const file = noteOf('x');
  for (const args of [
    ['--class', 'nonsense'],
    ['--transform', 'redact'],
    ['--class', 'pan', '--transform', 'keep-last=0'],
    ['--class', 'pan', '--transform', 'nonsense'],
    ['--class', 'pan', '--transform', 'redact=1'],
  ]) {
    const { code, stderr } = await run('mask', 'try', file, ...args);
    assert.equal(code, 2, `${args.join(' ')}: ${stderr}`);
  }
  assert.equal((await run('mask', 'try', join(folder, 'missing'))).code, 2);
});

test('the classes, with and without a configuration', async () => {
  const { classes, isMasking } = JSON.parse(await mustSucceed(['mask', 'classes', '--json'], run)) as {
    classes: readonly { class: string; transform: string }[];
    isMasking: boolean;
  };
  assert.equal(isMasking, false);
  assert.deepEqual(
    classes.find((each) => each.class === 'pan'),
    {
      class: 'pan',
      transform: 'keep-last 4',
      derived: 'redact',
      columns: [],
    },
  );
});
