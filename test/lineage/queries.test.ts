/** Queries on a real catalog: what each column of the answer carries, and what the shape tells besides. Every statement is one that PostgreSQL takes. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client } from 'pg';
import type { Catalog } from '../../packages/gateway/src/postgres/catalog/catalog.ts';
import { initParser } from '../../packages/gateway/src/postgres/inspect/parse/parse-statement.ts';
import { EXPRESSION_KINDS } from '../../packages/gateway/src/postgres/inspect/query/expression.ts';
import { LINEAGE_KINDS } from '../../packages/gateway/src/postgres/lineage/query/expression.ts';
import { elementsOfLiteral } from '../../packages/gateway/src/postgres/lineage/query/array-literal.ts';
import { loadTestCatalog } from '../support/catalog.ts';
import { startTestPostgres } from '../support/postgres-server.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { followQuery, outcomeOf } from './fixture.ts';
import { QUERY_CASES } from './query-cases.ts';
import { LINEAGE_SCHEMA } from './schema.ts';

let server: PostgresServer;
let client: Client;
let catalog: Catalog;

before(async () => {
  server = await startTestPostgres();
  client = new Client({ connectionString: server.url() });
  await client.connect();
  await client.query(LINEAGE_SCHEMA);
  await client.query('set search_path = bank; create temporary table tmp (id int, a text, b text)');
  await initParser();
  catalog = await loadTestCatalog(server);
});

after(async () => {
  await client.end();
  await server.stop();
});

/** Names that there are not: for the lineage they could be anything. */
const UNTAKEN: ReadonlySet<string> = new Set(['select nothing from plain', 'select ssn from nowhere']);

for (const [title, cases] of Object.entries(QUERY_CASES)) {
  describe(title, () => {
    for (const [sql, outcome] of cases) {
      it(sql, async () => {
        assert.equal(outcomeOf(followQuery(sql, catalog)), outcome);
        if (UNTAKEN.has(sql)) return;
        await client.query(`prepare taken as ${sql}`);
        await client.query('deallocate taken');
      });
    }
  });
}

describe('lineage of what is not there', () => {
  it('carries something unknown for a name that the catalog does not have', () => {
    const { query } = followQuery('select x.y from bank.unheard x', catalog);
    assert.deepEqual(query.columns[0]?.value.sources, [
      { kind: 'unknown', object: 'a name that is not known' },
    ]);
  });

  it('follows every kind of expression that the analysis takes', () => {
    const parts = new Set(['CaseWhen', 'GroupingSet', 'MultiAssignRef', 'ResTarget']);
    const missing = EXPRESSION_KINDS.filter((kind) => !parts.has(kind) && !LINEAGE_KINDS.includes(kind));
    assert.deepEqual(missing, []);
  });
});

describe('what doubles at every step', () => {
  it('ends, and is one constant', () => {
    const doubled = Array.from(
      { length: 60 },
      (_, index) => `w${index + 1} as (select s || s as s from w${index})`,
    );
    const { notes } = followQuery(
      `with w0 as (select 'a'::text as s), ${doubled.join(', ')} select 1 from customers join w60 on s = ssn`,
      catalog,
    );
    assert.equal(notes.probes.length, 1);
    assert.match(notes.probes[0]!.constants.join(), /sha256 [\w-]{43}/u);
    assert.equal(notes.probes[0]!.constants.length, 1);
  });

  it('is refused where columns do', () => {
    const doubled = Array.from(
      { length: 30 },
      (_, index) => `w${index + 1} as (select a.*, b.* from w${index} a, w${index} b)`,
    );
    const sql = `with w0 as (select 1 as s), ${doubled.join(', ')} select 1 from w30`;
    assert.throws(() => followQuery(sql, catalog), /too-many-objects/u);
  });
});

describe('constants of a view', () => {
  it('are not the caller’s, those around it are', () => {
    const { notes } = followQuery("select number from renamed where who = 'x'", catalog);
    assert.deepEqual(notes.constants, ['x']);
  });
});

describe('elements of an array literal', () => {
  for (const [text, elements] of [
    ['{a,b}', ['a', 'b']],
    ['{ a , "b,c" ,NULL,"NULL"}', ['a', 'b,c', 'NULL']],
    ['{{1,2},{3,"x\\"y"}}', ['1', '2', '3', 'x"y']],
    ['[2:3]={a,b}', ['a', 'b']],
    ['{a\\,b}', ['a,b']],
    ['plain', ['plain']],
    ['{', []],
  ] as const) {
    it(text, () => {
      assert.deepEqual(elementsOfLiteral(text), elements);
    });
  }
});
