/** psql through the gateway prints what psql prints directly: answers, errors, command tags, exit codes. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { missing, run } from './programs.ts';
import type { Ran } from './programs.ts';
import { Stage } from './stage.ts';
import type { Endpoint } from './stage.ts';

interface Case {
  readonly name: string;
  readonly script: string;
  readonly args?: readonly string[];
}

const CASES: readonly Case[] = [
  {
    name: 'types in their text form',
    script: `SELECT 1, -2.50::numeric, 'a''b', E'tab\\tline\\n', NULL, true, date '2026-02-28', '{1,NULL,3}'::int[], '{"a":1}'::jsonb, '\\xdeadbeef'::bytea;`,
  },
  { name: 'describes a table with \\d', script: `\\d items\n\\d+ items_seen\n\\dt\n\\df public.*` },
  { name: 'lists with wildcards', script: `\\dn\n\\dp items\n\\di` },
  {
    name: 'reports errors with detail, hint, position and SQLSTATE',
    script: `\\set VERBOSITY verbose
SELECT * FROM nowhere;
SELECT 1/0;
INSERT INTO items VALUES (1, 'twice', 1);
SELECT item_nam FROM items;
SELEC 1;
DO $$ BEGIN RAISE EXCEPTION 'own %', 1 USING ERRCODE = 'P0099', DETAIL = 'd', HINT = 'h', COLUMN = 'c'; END $$;`,
  },
  {
    name: 'transactions, savepoints, and statements after an error',
    script: `BEGIN;
INSERT INTO items VALUES (901, 'in', 1);
SAVEPOINT s;
SELECT 1/0;
SELECT 'refused while aborted';
ROLLBACK TO s;
SELECT count(*) FROM items WHERE item_id = 901;
ROLLBACK;
SELECT count(*) FROM items WHERE item_id = 901;`,
  },
  {
    name: 'several statements in one message',
    script: `SELECT 1 AS a\\; SELECT 2 AS b\\; SELECT 3 AS c;\nSELECT 1\\; SELECT 1/0\\; SELECT 3;`,
  },
  {
    name: 'a text of several statements with -c',
    script: '',
    args: ['-c', 'SELECT 1; SELECT 2; SELECT 1/0'],
  },
  { name: 'empty statements', script: `;\n;;\n--only a comment\n;` },
  {
    name: 'copies out and in',
    script: `\\copy (SELECT * FROM items ORDER BY 1 LIMIT 3) TO STDOUT WITH (FORMAT csv, HEADER)
CREATE TEMP TABLE taken (LIKE items);
\\copy taken FROM STDIN
7\ttab\\tinside\t\\N
8\tplain\t2
\\.
SELECT * FROM taken ORDER BY 1;
COPY taken FROM STDIN WITH (FORMAT csv);
9,"quoted, comma",3
not a number,x,1
\\.
SELECT count(*) FROM taken;`,
  },
  {
    name: 'a cursor in steps with FETCH_COUNT',
    script: `\\set FETCH_COUNT 7\nSELECT * FROM generate_series(1, 30) AS n;`,
  },
  { name: 'describes a query with \\gdesc', script: `SELECT item_id, price * 2 AS twice FROM items \\gdesc` },
  {
    name: 'runs generated statements with \\gexec',
    script: `SELECT format('SELECT %s AS n', n) FROM generate_series(1, 3) n \\gexec`,
  },
  {
    name: 'notices, warnings and RAISE',
    script: `DO $$ BEGIN RAISE NOTICE 'seen'; RAISE WARNING 'warned'; END $$;\nDROP TABLE IF EXISTS never_there;`,
  },
  {
    name: 'SQL-level PREPARE and EXECUTE',
    script: `PREPARE find (int) AS SELECT name FROM items WHERE item_id = $1;\nEXECUTE find(3);\nEXECUTE find(4);\nDEALLOCATE find;\nEXECUTE find(5);`,
  },
  {
    name: 'settings that a client may change',
    script: `SET datestyle = 'German, DMY';\nSELECT date '2026-02-28';\nRESET datestyle;\nSHOW datestyle;\nSET LOCAL work_mem = '8MB';`,
  },
  {
    name: 'DDL and functions',
    script: `CREATE TEMP TABLE made (id serial PRIMARY KEY, t text DEFAULT 'x' NOT NULL);\nINSERT INTO made DEFAULT VALUES RETURNING *;\nALTER TABLE made ADD COLUMN more int;\nSELECT * FROM made;\nSELECT add_one(41);\nDROP TABLE made;`,
  },
  {
    name: 'LISTEN and NOTIFY in one session',
    script: `LISTEN told;\nNOTIFY told, 'hello';\nSELECT pg_notify('told', 'again') IS NULL;`,
    args: ['-v', 'SHOW_ALL_RESULTS=on'],
  },
  {
    name: 'long rows and many rows',
    script: `SELECT repeat('x', 300000);\nSELECT n, repeat('y', 100) FROM generate_series(1, 20000) AS n;`,
  },
  {
    name: 'stops at the first error with ON_ERROR_STOP',
    script: `\\set ON_ERROR_STOP on\nSELECT 1/0;\nSELECT 'never';`,
  },
  {
    name: 'one transaction with -1',
    script: `INSERT INTO items VALUES (902, 'one', 1);\nSELECT 1/0;\nSELECT 2;`,
    args: ['-1'],
  },
  { name: 'non-ASCII text', script: `SELECT 'žluťoučký kůň 馬 🐎' AS "größe";\nSELECT U&'\\0041';` },
  {
    name: 'large objects',
    script: `BEGIN;\nSELECT lo_create(777) AS made;\nSELECT lo_put(777, 0, '\\x0102');\nSELECT lo_get(777);\nSELECT lo_unlink(777);\nCOMMIT;`,
  },
];

/** Ports and backends differ between two connections, and the gateway's parser does not tell where in its source it is; nothing else may. */
const withoutPids = (text: string): string =>
  text
    .replaceAll(/from server process with PID \d+/g, 'from server process')
    .replaceAll(/LOCATION: {2}scanner_yyerror.*\n/g, '');

const psql = async (endpoint: Endpoint, { script, args = [] }: Case): Promise<Ran> => {
  const ran = await run('psql', ['-X', ...args], endpoint, { input: script });
  return { ...ran, stdout: withoutPids(ran.stdout), stderr: withoutPids(ran.stderr) };
};

describe('psql', { skip: missing('psql') }, () => {
  let stage: Stage;

  before(async () => {
    stage = await Stage.start({
      major: 15,
      setup: [
        'SET ROLE owner',
        'CREATE TABLE items (item_id int PRIMARY KEY, name text NOT NULL, price numeric CHECK (price > 0))',
        `INSERT INTO items SELECT n, 'item ' || n, n * 1.5 FROM generate_series(1, 50) n`,
        'CREATE VIEW items_seen AS SELECT item_id, name FROM items',
        'CREATE FUNCTION add_one(int) RETURNS int LANGUAGE sql AS $$ SELECT $1 + 1 $$',
      ],
    });
  });

  for (const each of CASES) {
    it(each.name, async () => {
      const expected = await psql(stage.direct, each);
      assert.deepEqual(await psql(stage.gateway, each), expected);
    });
  }

  it('is on the record, statement by statement', async () => {
    const texts = await stage.finish();
    assert.ok(texts.includes(`SELECT * FROM nowhere;`));
  });

  after(() => stage.remove());
});
