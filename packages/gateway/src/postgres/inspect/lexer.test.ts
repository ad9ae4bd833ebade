import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { Scanner, TOKEN } from './lexer.ts';

const NAMES = Object.fromEntries(Object.entries(TOKEN).map(([name, kind]) => [kind, name]));

/** `kind:text` of every token. */
function tokens(text: string): string[] {
  const bytes = Buffer.from(text, 'utf8');
  const scanner = new Scanner(bytes);
  const found: string[] = [];
  for (let kind = scanner.next(); kind !== TOKEN.end; kind = scanner.next()) {
    found.push(`${NAMES[kind]}:${bytes.toString('utf8', scanner.start, scanner.end)}`);
    if (kind === TOKEN.broken) break;
  }
  return found;
}

const cases: readonly [why: string, text: string, expected: readonly string[]][] = [
  ['nothing', ' \t\r\n\f\v', []],
  ['words and a number', 'SELECT 1', ['identifier:SELECT', 'number:1']],
  ['letters beyond ASCII belong to identifiers', 'größe', ['identifier:größe']],
  ['so does a no-break space', 'a\u00a0b', ['identifier:a\u00a0b']],
  ['dollars continue an identifier', 'a$$b$$', ['identifier:a$$b$$']],
  ['a doubled quote stays inside', "'it''s' x", ["string:'it''s'", 'identifier:x']],
  ['a backslash means nothing in a plain string', "'\\' x", ["string:'\\'", 'identifier:x']],
  ['in an escape string it takes the quote', "E'\\' x' y", ["escapeString:E'\\' x'", 'identifier:y']],
  ['and itself', "e'\\\\' y", ["escapeString:e'\\\\'", 'identifier:y']],
  ['a string goes on after a newline', "'a'\n 'b'", ["string:'a'\n 'b'"]],
  ['an escape string goes on as one', "E'a'\n'\\'b' y", ["escapeString:E'a'\n'\\'b'", 'identifier:y']],
  ['with a line comment between', "'a' -- x\n'b'", ["string:'a' -- x\n'b'"]],
  ['not with a block comment between', "'a' /*x*/\n'b'", ["string:'a'", "string:'b'"]],
  ['not without a newline', "'a' 'b'", ["string:'a'", "string:'b'"]],
  ['other prefixes', "b'1' X'f' N'n'", ["bitString:b'1'", "bitString:X'f'", "string:N'n'"]],
  ['a prefix counts directly before the quote only', "e 'a\\'", ['identifier:e', "string:'a\\'"]],
  ['and only at the start of a word', "fe'\\'", ['identifier:fe', "string:'\\'"]],
  ['unicode strings and names', `U&'x' u&"y"`, ["unicodeString:U&'x'", 'unicodeIdentifier:u&"y"']],
  ['U & apart is an operator', "U &'x'", ['identifier:U', 'operator:&', "string:'x'"]],
  ['quoted identifiers double their quote', '"a""b" c', ['quotedIdentifier:"a""b"', 'identifier:c']],
  ['dollar quotes', "$$ it's $$ x", ["dollarString:$$ it's $$", 'identifier:x']],
  ['with a tag', '$a$ $$ $b$ $a$ x', ['dollarString:$a$ $$ $b$ $a$', 'identifier:x']],
  [
    'whose delimiter may begin inside what looks like another',
    '$a$ $$a$ x',
    ['dollarString:$a$ $$a$', 'identifier:x'],
  ],
  ['a tag is not a number', '$1$ $1', ['parameter:$1', 'punctuation:$', 'parameter:$1']],
  ['tags are told apart by case', '$a$ $A$ $a$', ['dollarString:$a$ $A$ $a$']],
  ['a number can be before a dollar quote', '1$$x$$', ['number:1', 'dollarString:$$x$$']],
  ['line comments end with the line', '-- a\nb', ['identifier:b']],
  ['or with a carriage return', '-- a\rb', ['identifier:b']],
  ['block comments nest', '/* /* */ x */ y', ['identifier:y']],
  ['a slash between does not end one', '/*/ x */ y', ['identifier:y']],
  ['nor begin one twice', '/**/*/', ['operator:*/']],
  ['a comment may begin inside operators', '+-- x\ny', ['operator:+', 'identifier:y']],
  ['and so may a block comment', '<=/* x */y', ['operator:<=', 'identifier:y']],
  ['a minus at the end is not part of =', 'x=-1', ['identifier:x', 'operator:=', 'operator:-', 'number:1']],
  ['but of an operator with a mark', 'x@-1', ['identifier:x', 'operator:@-', 'number:1']],
  ['casts are two colons', 'a::b', ['identifier:a', 'punctuation::', 'punctuation::', 'identifier:b']],
  ['numbers', '1.5e+3 .5 1. 1e', ['number:1.5e+3', 'number:.5', 'number:1.', 'number:1', 'identifier:e']],
  ['an exponent without digits leaves an escape string', "1e'\\''", ['number:1', "escapeString:e'\\''"]],
  ['two points', '1..2', ['number:1', 'punctuation:.', 'number:.2']],
  ['no end: string', "'abc", ["broken:'abc"]],
  ['no end: escape string ending in a backslash', "E'abc\\", ["broken:E'abc\\"]],
  ['no end: quoted identifier', '"abc', ['broken:"abc']],
  ['no end: comment', '/* /* */', ['broken:/* /* */']],
  ['no end: dollar quote', '$a$ $b$', ['broken:$a$ $b$']],
  ['NUL', 'a \0 b', ['broken:']],
];

for (const [why, text, expected] of cases) {
  test(`lexer: ${why}`, () => {
    const found = tokens(text);
    assert.deepEqual(text.includes('\0') ? [found[0]!.slice(0, 7)] : found, expected);
  });
}

const fragments = fc.constantFrom(
  "'",
  '"',
  "E'",
  "U&'",
  'U&"',
  '$$',
  '$a$',
  '$',
  '\\',
  '--',
  '/*',
  '*/',
  '\n',
  ' ',
  ';',
  '(',
  ')',
  'é',
  '1e',
  '.',
  '::',
  'x',
  '+',
  '-',
);

test('lexer: tokens never overlap, never go back, and end at the end', () => {
  fc.assert(
    fc.property(fc.array(fragments, { maxLength: 40 }), (parts) => {
      const bytes = Buffer.from(parts.join(''), 'utf8');
      const scanner = new Scanner(bytes);
      let before = 0;
      for (let count = 0; ; count++) {
        assert.ok(count <= bytes.length + 1, 'stands still');
        const kind = scanner.next();
        if (kind === TOKEN.end) break;
        assert.ok(scanner.start >= before && scanner.end > scanner.start && scanner.end <= bytes.length);
        before = scanner.end;
        if (kind === TOKEN.broken) break;
      }
    }),
    { numRuns: 3_000 },
  );
});

test('lexer: a range inside a buffer reads as the text alone', () => {
  const text = Buffer.from("SELECT 'a', $$b$$");
  const inside = Buffer.concat([Buffer.from("'"), text, Buffer.from("'$$*/")]);
  const scanner = new Scanner(inside, 1, 1 + text.length);
  const kinds: number[] = [];
  for (let kind = scanner.next(); kind !== TOKEN.end; kind = scanner.next()) kinds.push(kind);
  assert.deepEqual(kinds, [TOKEN.identifier, TOKEN.string, TOKEN.punctuation, TOKEN.dollarString]);
});
