/**
 * The server itself as the oracle of `inspect/`: whatever a text of nested quotes and comments does to a setting, our
 * reading must have seen it coming, count the same statements, and call broken only what the server refuses.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import * as fc from 'fast-check';
import { inspectStatement } from '../../packages/gateway/src/postgres/inspect/inspect.ts';
import { decodeParameterStatus } from '../../packages/gateway/src/postgres/wire/index.ts';
import { startTestPostgres } from '../support/postgres-server.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { frame, query, RawSession } from '../support/raw-session.ts';

let server: PostgresServer;
let session: RawSession;

before(async () => {
  server = await startTestPostgres();
  session = await RawSession.connect({ ...server, database: 'postgres' });
});

after(async () => {
  session?.destroy();
  await server?.stop();
});

interface Observed {
  readonly failed: boolean;
  /** CommandComplete messages. */
  readonly completed: number;
  /** application_name became `marked`. */
  readonly marked: boolean;
}

async function observe(text: string): Promise<Observed> {
  session.send(query(text), query("RESET ALL; SET application_name = 'clean'"));
  const answer = await session.receiveUntil();
  // Settings are reported before ReadyForQuery; one that a failed message had changed is rolled back.
  const marked = answer.some((message) => {
    if (message.type !== 'S') return false;
    const bytes = frame('S', message.body);
    const { name, value } = decodeParameterStatus(bytes, 0, bytes.length);
    return name === 'application_name' && value === 'marked';
  });
  await session.receiveUntil();
  return {
    failed: answer.some((message) => message.type === 'E'),
    completed: answer.filter((message) => message.type === 'C').length,
    marked,
  };
}

/** Text as it may stand inside something quoted: every way to seem to end it. */
const inside = fc
  .array(
    fc.constantFrom(
      "''",
      '""',
      '\\',
      "\\'",
      '$$',
      '$a$',
      '$',
      '--',
      '/*',
      '*/',
      '\n',
      ' ',
      ';',
      'é',
      'x',
      '(',
      "'",
      '"',
      'E',
      'U&',
      'SET application_name = marked',
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join(''));

/** Something quoted, rightly or not. */
const quoted = fc.oneof(
  fc
    .tuple(fc.constantFrom("'", "E'", "e'", "U&'", "N'", "B'"), inside)
    .map(([open, text]) => `${open}${text}'`),
  fc.tuple(fc.constantFrom('$$', '$a$', '$é$'), inside).map(([tag, text]) => `${tag}${text}${tag}`),
  inside.map((text) => `/*${text}*/ 1`),
  inside.map((text) => `1 --${text}\n`),
  inside.map((text) => `1 AS "${text}"`),
  fc.tuple(inside, inside).map(([one, other]) => `'${one}'\n'${other}'`),
  fc.tuple(inside, inside).map(([one, other]) => `E'${one}' -- ${other}\n '${other}'`),
  fc.constantFrom('1', '1e', "1e'\\''", '1.5e+3', 'a$$', '1 @-1', '5+-- \n4', '.5', '$1', "x'1f'"),
);

const marker = fc.constantFrom(
  "SET application_name = 'marked'",
  'SET application_name TO marked',
  'set/**/local application_name = marked',
  'SET "application_name" = marked',
  "SELECT set_config('application_name', 'marked', false)",
  "SELECT pg_catalog.\"set_config\"('application_name', 'marked', false)",
  "SELECT U&\"set\\005fconfig\"('application_name', 'marked', false)",
  "SELECT U&\"set!005fconfig\" UESCAPE '!' ('application_name', 'marked', false)",
  "DO $x$ BEGIN SET application_name = 'marked'; END $x$",
  "DO $x$ BEGIN PERFORM set_config('application_name', 'marked', false); END $x$",
  "DO $x$ BEGIN EXECUTE 'SET application_name = marked'; END $x$",
  "UPDATE pg_settings SET setting = 'marked' WHERE name = 'application_name'",
  "SELECT query_to_xml('SELECT set_config(''application_name'', ''marked'', false)', true, true, '')",
);

const statement = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.array(quoted, { minLength: 1, maxLength: 2 }).map((parts) => `SELECT ${parts.join(', ')}`),
  },
  { weight: 2, arbitrary: marker },
  { weight: 1, arbitrary: fc.constantFrom('', ' -- x\n', '/* ; */', 'SELECT 1') },
);
const text = fc
  .tuple(fc.array(statement, { minLength: 1, maxLength: 4 }), fc.constantFrom(';', ' ; ', ';\n', '\n;;'))
  .map(([statements, separator]) => statements.join(separator));

test('what the server does, our reading saw', async () => {
  const seen = { marked: 0, failed: 0, succeeded: 0 };
  await fc.assert(
    fc.asyncProperty(text, async (sql) => {
      const inspection = inspectStatement(sql);
      const observed = await observe(sql);
      if (observed.marked) {
        seen.marked++;
        assert.ok(inspection.settings.length > 0, 'a setting changed that we did not see');
      }
      if (observed.failed) {
        seen.failed++;
        return;
      }
      seen.succeeded++;
      assert.equal(inspection.statements, observed.completed, 'number of statements');
      // A text without a lexical end, or whose first word is no command, is of kind unknown.
      assert.notEqual(inspection.kind, 'unknown', 'the server ran what we could not read');
    }),
    { numRuns: 4_000, seed: 20_260_722 },
  );
  // Otherwise the generator makes nothing but errors, and the test says nothing.
  assert.ok(seen.marked > 300 && seen.succeeded > 500 && seen.failed > 500, JSON.stringify(seen));
});
