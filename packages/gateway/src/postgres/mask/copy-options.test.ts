import { strict as assert } from 'node:assert';
import { before, test } from 'node:test';
import { asKind } from '../inspect/parse/tree.ts';
import { initParser, parseStatement } from '../inspect/parse/parse-statement.ts';
import { copyFormatOf, type CopyFormat } from './copy-options.ts';

before(async () => {
  await initParser();
});

function formatOf(options: string): CopyFormat | undefined {
  const outcome = parseStatement(Buffer.from(`copy t to stdout ${options}`));
  assert.ok('parsed' in outcome, options);
  const copy = asKind(outcome.parsed.statements[0]?.node, 'CopyStmt');
  assert.ok(copy);
  return copyFormatOf(copy);
}

const code = (text: string): number => text.charCodeAt(0);
const TEXT = {
  kind: 'text',
  delimiter: code('\t'),
  quote: code('"'),
  escape: code('"'),
  null: Buffer.from('\\N'),
  header: false,
} as const;
const CSV = { ...TEXT, kind: 'csv', delimiter: code(','), null: Buffer.from('') } as const;

const KNOWN: readonly (readonly [options: string, format: CopyFormat])[] = [
  ['', TEXT],
  ['(format text)', TEXT],
  ["delimiter '|' null 'none'", { ...TEXT, delimiter: code('|'), null: Buffer.from('none') }],
  ['csv', CSV],
  ['csv header', { ...CSV, header: true }],
  ['(format CSV, header false)', CSV],
  ['(format csv, header on)', { ...CSV, header: true }],
  ["(format csv, quote '!')", { ...CSV, quote: code('!'), escape: code('!') }],
  ["(format csv, quote '!', escape '@', force_quote *)", { ...CSV, quote: code('!'), escape: code('@') }],
  ['csv force quote a', CSV],
  ["(format csv, encoding 'UTF8')", CSV],
  ['binary', { kind: 'binary' }],
  ['(format binary)', { kind: 'binary' }],
];

test('how rows are written is read from the options, old and new', () => {
  for (const [options, format] of KNOWN) assert.deepEqual(formatOf(options), format, options);
});

test('what is not understood is no format: nothing of the data is told then', () => {
  for (const options of [
    "(format 'json')",
    '(something new)',
    "(format csv, encoding 'SJIS')",
    "(format csv, delimiter '||')",
    "(format csv, delimiter 'ü')",
    '(header maybe)',
    '(header match)',
    '(format csv, format text)',
    '(format)',
    '(delimiter 5, delimiter 6)',
  ]) {
    assert.equal(formatOf(options), undefined, options);
  }
});
