import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import type { UnreadableReason } from '../meaning.ts';
import { isShallow } from './nesting.ts';
import { isParserReady, parseRaw } from './parser-instance.ts';
import { MAX_STATEMENT_BYTES, initParser, parseStatement } from './parse-statement.ts';
import type { ParseOutcome } from './parse-statement.ts';
import { kindOf, walkNodes } from './tree.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8');
const parse = (text: string): ParseOutcome => parseStatement(bytes(text));

function reasonOf(outcome: ParseOutcome): UnreadableReason | undefined {
  return 'unreadable' in outcome ? outcome.unreadable.reason : undefined;
}

function kindsIn(text: string): readonly string[] {
  const outcome = parse(text);
  assert.ok('parsed' in outcome, text);
  return outcome.parsed.statements.map(({ node }) => kindOf(node));
}

before(initParser);

describe('parseStatement', () => {
  it('finds the statements of a text and where they stand', () => {
    const outcome = parse(" select 'é' ;; insert into t values (1)");
    assert.ok('parsed' in outcome);
    const places = outcome.parsed.statements.map(({ node, start, end }) => [kindOf(node), start, end]);
    assert.deepEqual(places, [
      ['SelectStmt', 1, 13],
      ['InsertStmt', 16, 40],
    ]);
  });

  it('reads texts without a statement', () => {
    for (const text of ['', ' ', ';', '-- nothing', '/* nothing */ ;;'])
      assert.deepEqual(kindsIn(text), [], text);
  });

  it('gives texts that differ only in constants one fingerprint', () => {
    const prints = ["select * from t where a = 1 and b = 'x'", "select * from t where a = 2 and b = 'y'"].map(
      (text) => {
        const outcome = parse(text);
        return 'parsed' in outcome ? outcome.parsed.fingerprint : '';
      },
    );
    assert.match(prints[0]!, /^[0-9a-f]{16}$/);
    assert.equal(prints[0], prints[1]);
  });

  it('tells the message and the place of a syntax error, in characters', () => {
    assert.deepEqual(parse("select 'éé' from from"), {
      unreadable: { reason: 'syntax', message: 'syntax error at or near "from"', position: 18 },
    });
  });

  it('reads the grammar of PostgreSQL 18', () => {
    for (const text of [
      'update t set a = 1 returning old.a, new.a',
      'merge into t using s on true when not matched by source then delete returning merge_action()',
      "select * from json_table('[]', '$[*]' columns (a int path '$.a'))",
      'create table t (a int, b int generated always as (a * 2) virtual)',
    ]) {
      assert.equal(kindsIn(text).length, 1, text);
    }
  });
});

describe('what cannot be parsed', () => {
  const refused: readonly (readonly [string, UnreadableReason, Uint8Array])[] = [
    ['a NUL', 'nul', bytes('select 1\0; drop table t')],
    ['a lone continuation byte', 'invalid-utf8', new Uint8Array([0x73, 0x80])],
    ['an overlong slash', 'invalid-utf8', new Uint8Array([0xc0, 0xaf])],
    ['a surrogate', 'invalid-utf8', new Uint8Array([0xed, 0xa0, 0x80])],
    ['one byte more than the limit', 'too-long', new Uint8Array(MAX_STATEMENT_BYTES + 1).fill(0x20)],
    ['a string without an end', 'syntax', bytes("select 'x")],
    ['a comment without an end', 'syntax', bytes('select 1 /* x')],
  ];
  for (const [what, reason, text] of refused) {
    it(`refuses ${what} as ${reason}`, () => assert.equal(reasonOf(parseStatement(text)), reason));
  }

  it('keeps to a smaller limit of bytes', () => {
    assert.equal(reasonOf(parseStatement(bytes('select 1'), { maxBytes: 7 })), 'too-long');
    assert.equal(reasonOf(parseStatement(bytes('select 1'), { maxBytes: 8 })), undefined);
  });
});

/** Every way that the grammar has to nest without end. */
const NESTINGS: Readonly<Record<string, (times: number) => string>> = {
  'operator chains': (n) => `select ${'1+'.repeat(n)}1`,
  brackets: (n) => `select ${'('.repeat(n)}1${')'.repeat(n)}`,
  'bracketed operators': (n) => `select ${'1+('.repeat(n)}1${')'.repeat(n)}`,
  NOT: (n) => `select ${'not '.repeat(n)}a`,
  'unary minus': (n) => `select ${'- '.repeat(n)}a`,
  casts: (n) => `select a${'::int'.repeat(n)}`,
  COLLATE: (n) => `select a${' collate "C"'.repeat(n)}`,
  'AT TIME ZONE': (n) => `select a${" at time zone 'x'".repeat(n)}`,
  'function calls': (n) => `select ${'f('.repeat(n)}1${')'.repeat(n)}`,
  subqueries: (n) => `select ${'(select '.repeat(n)}1${')'.repeat(n)}`,
  'subqueries in FROM': (n) => `select * from ${'(select * from '.repeat(n)}t${') x'.repeat(n)}`,
  UNION: (n) => `select 1${' union select 1'.repeat(n)}`,
  'UNION of lists': (n) => `select 1,2${' union select 1,2'.repeat(n)}`,
  joins: (n) => `select 1 from a${' cross join b'.repeat(n)}`,
  'joins with conditions': (n) => `select 1 from a${' join b on x and y'.repeat(n)}`,
  CASE: (n) => `select ${'case when true then '.repeat(n)}1${' end'.repeat(n)}`,
  'CASE in ELSE': (n) => `select ${'case when a then b else '.repeat(n)}1${' end'.repeat(n)}`,
  'BETWEEN … AND NOT': (n) => `select ${'not x between 1 and '.repeat(n)}a`,
  'AND in OR': (n) => `select ${'(a and (b or '.repeat(n)}a${'))'.repeat(n)}`,
  ARRAY: (n) => `select ${'array['.repeat(n)}1${']'.repeat(n)}`,
  subscripts: (n) => `select ${'a['.repeat(n)}1${']'.repeat(n)}`,
  WITH: (n) => `${'with a as ('.repeat(n)}select 1${') select 1'.repeat(n)}`,
  'JSON constructors': (n) => `select ${'json_object(a:'.repeat(n)}1${')'.repeat(n)}`,
};

describe('nesting', () => {
  for (const [what, make] of Object.entries(NESTINGS)) {
    it(`reads 100 of ${what}, and refuses 100,000 before the parser sees them`, () => {
      assert.equal(reasonOf(parse(make(100))), undefined);
      const outcome = parse(make(100_000));
      assert.ok(['too-deep', 'too-long'].includes(reasonOf(outcome)!));
    });

    it(`lets the parser live with as many of ${what} as pass the measure`, () => {
      let times = 100;
      while (times < 20_000 && isShallow(bytes(make(times + 50)))) times += 50;
      const outcome = parse(make(times));
      assert.notEqual(reasonOf(outcome), 'parser-failure', `${String(times)} of them`);
    });
  }

  it('takes lists, flat conditions and many branches for what they are: shallow', () => {
    for (const text of [
      `select ${'a, '.repeat(20_000)}a`,
      `select 1 where ${'a = 1 or '.repeat(10_000)}b = 2`,
      `select case ${"when a = 1 then 'x' ".repeat(5000)} else 'y' end`,
      `insert into t values ${"(1, 'x', now()), ".repeat(10_000)} (1, 'x', now())`,
      'select 1; '.repeat(10_000),
      `select 1 from t0 ${Array.from({ length: 100 }, (_, n) => `left join t${String(n)} x${String(n)} on x${String(n)}.a = t0.a`).join(' ')}`,
    ]) {
      assert.equal(reasonOf(parse(text)), undefined, text.slice(0, 40));
    }
  });
});

describe('a parser that broke', () => {
  it('is replaced, and the next thousand texts are read as before', async () => {
    const texts = Array.from(
      { length: 1000 },
      (_, n) => `select a${String(n)} from t where b = ${String(n)} order by 1`,
    );
    const good = texts.map((text) => parseRaw(bytes(text)));
    for (let round = 0; round < 3; round++) {
      assert.equal(parseRaw(bytes(NESTINGS['operator chains']!(100_000))), undefined);
      assert.deepEqual(
        texts.map((text) => parseRaw(bytes(text))),
        good,
      );
      await initParser();
    }
  });

  it('refuses texts while no instance is ready, and comes back by itself', async () => {
    for (let n = 0; n < 10 && isParserReady(); n++) parseRaw(bytes(NESTINGS['operator chains']!(100_000)));
    assert.equal(reasonOf(parse('select 1')), 'parser-failure');
    await initParser();
    assert.equal(reasonOf(parse('select 1')), undefined);
  });
});

describe('walkNodes', () => {
  it('visits every node, parents first', () => {
    const outcome = parse('select f(a) from t where b = any (select 1)');
    assert.ok('parsed' in outcome);
    const kinds: string[] = [];
    walkNodes(outcome.parsed.statements[0]!.node, (kind) => void kinds.push(kind));
    assert.equal(kinds[0], 'SelectStmt');
    for (const kind of ['FuncCall', 'ColumnRef', 'RangeVar', 'SubLink', 'A_Const'])
      assert.ok(kinds.includes(kind), kind);
  });
});
