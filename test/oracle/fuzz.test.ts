/** Texts made by breaking statements: whatever comes, the analysis answers, in good time, and reads the next statement as before. */
import assert from 'node:assert/strict';
import { before, after, describe, it } from 'node:test';
import type { Catalog } from '../../packages/gateway/src/postgres/catalog/catalog.ts';
import { analyzeStatement } from '../../packages/gateway/src/postgres/inspect/analyze-statement.ts';
import type { Meaning } from '../../packages/gateway/src/postgres/inspect/meaning.ts';
import { initParser } from '../../packages/gateway/src/postgres/inspect/parse/parse-statement.ts';
import { loadFixture } from '../analysis/fixture.ts';
import { QUERY_CASES } from '../analysis/query-cases.ts';
import { startTestPostgres } from '../support/postgres-server.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { Random } from './random.ts';

/** The same every time, so that a test does not fail by chance; the long form takes others. */
const SEED = Number(process.env['COUNTERSIGN_ORACLE_SEED'] ?? 20_261_123);
const COUNT = 6_000;
const encoder = new TextEncoder();
const CORPUS = QUERY_CASES.map(({ sql }) => encoder.encode(sql));
const CONTROL = encoder.encode('select a.id from bank.account a where a.status = $1');
const FRAGMENTS = [
  '(',
  ')',
  "'",
  '"',
  '$$',
  '$1',
  '/*',
  '*/',
  '--',
  ';',
  '::',
  ' select ',
  ' union ',
  '\\',
  '[',
  "e'",
  'u&"',
  '\u0000',
  ',',
  ' from ',
  '0x',
  ' as ',
  '{',
].map((text) => encoder.encode(text));

let server: PostgresServer;
let catalog: Catalog;

before(async () => {
  server = await startTestPostgres();
  catalog = await loadFixture(server);
  await initParser();
});

after(async () => {
  await server.stop();
});

const analyze = (text: Uint8Array): Meaning =>
  analyzeStatement(text, catalog, { searchPath: ['bank'], temporary: new Set() });

/** One to six changes: bytes flipped, cut out, doubled, fragments put in, two statements grown together. */
function broken(random: Random): Uint8Array {
  let text: Uint8Array = random.pick(CORPUS);
  for (let left = 1 + random.below(6); left > 0; left -= 1) {
    const at = random.below(text.length + 1);
    const to = Math.min(text.length, at + random.below(12));
    text = random.choose<Uint8Array>([
      () =>
        joined(
          text.subarray(0, at),
          Uint8Array.of(random.below(random.once(6) ? 256 : 128)),
          text.subarray(at + 1),
        ),
      () => joined(text.subarray(0, at), text.subarray(to)),
      () => joined(text.subarray(0, to), text.subarray(at)),
      () => joined(text.subarray(0, at), random.pick(FRAGMENTS), text.subarray(at)),
      () => joined(text.subarray(0, at), random.pick(CORPUS).subarray(random.below(20))),
      () => joined(...Array.from({ length: 1 + random.below(60) }, () => text.subarray(at, to)), text),
    ]);
  }
  return text;
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return Buffer.concat(parts);
}

describe('broken texts', () => {
  it(`${COUNT} of them are answered, and what is read afterwards is read right`, (t) => {
    t.diagnostic(`seed ${SEED} (COUNTERSIGN_ORACLE_SEED)`);
    const random = new Random(SEED);
    const control = JSON.stringify(analyze(CONTROL));
    assert.match(control, /"columns":\["id","status"\]/u);
    const reasons = new Map<string, number>();
    for (let count = 0; count < COUNT; count += 1) {
      const text = broken(random);
      const { unreadable } = analyze(text);
      const reason = unreadable?.reason ?? 'read';
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      // What the parser cannot do is a defect of ours, not of the text.
      assert.notEqual(
        reason,
        'parser-failure',
        `seed ${SEED}, text ${count}: ${Buffer.from(text).toString('base64')}`,
      );
      if (count % 100 === 0)
        assert.equal(JSON.stringify(analyze(CONTROL)), control, `after text ${count} of seed ${SEED}`);
    }
    assert.equal(JSON.stringify(analyze(CONTROL)), control);
    t.diagnostic([...reasons].map(([reason, count]) => `${reason} ${count}`).join(', '));
    assert.ok((reasons.get('read') ?? 0) > COUNT / 50);
    assert.ok((reasons.get('syntax') ?? 0) > COUNT / 4);
  });
});
