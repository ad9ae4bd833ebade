/** The lineage of whole statements on the catalog of a real server: the cases are in `statement-cases.ts`. */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client } from 'pg';
import { analyzeText } from '../../packages/gateway/src/postgres/inspect/analyze-statement.ts';
import { initParser } from '../../packages/gateway/src/postgres/inspect/parse/parse-statement.ts';
import { handlerOf } from '../../packages/gateway/src/postgres/inspect/statement/handlers.ts';
import { combineLineages } from '../../packages/gateway/src/postgres/lineage/combine-lineages.ts';
import { lineageOf } from '../../packages/gateway/src/postgres/lineage/lineage-of.ts';
import { lineageOfCall } from '../../packages/gateway/src/postgres/lineage/lineage-of-call.ts';
import { preparedLineage } from '../../packages/gateway/src/postgres/lineage/prepared-lineage.ts';
import { STATEMENT_KINDS } from '../../packages/gateway/src/postgres/lineage/statement/lineage-of-statement.ts';
import { UnknownLineage } from '../../packages/gateway/src/postgres/lineage/port.ts';
import type { Lineage } from '../../packages/gateway/src/masking/lineage.ts';
import type { Catalog } from '../../packages/gateway/src/postgres/catalog/catalog.ts';
import { loadTestCatalog } from '../support/catalog.ts';
import { startTestPostgres } from '../support/postgres-server.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { NAMES, RULES } from './fixture.ts';
import { CLASSIFICATION, LINEAGE_SCHEMA } from './schema.ts';
import { STATEMENT_CASES } from './statement-cases.ts';
import { followText, lineageText, statementText } from './statement-fixture.ts';

let server: PostgresServer;
let catalog: Catalog;

before(async () => {
  server = await startTestPostgres();
  const client = new Client({ connectionString: server.url() });
  await client.connect();
  try {
    await client.query(LINEAGE_SCHEMA);
  } finally {
    await client.end();
  }
  await initParser();
  catalog = await loadTestCatalog(server);
});

after(async () => {
  await server.stop();
});

for (const [area, cases] of Object.entries(STATEMENT_CASES)) {
  describe(area, () => {
    for (const { sql, says } of cases) {
      test(sql, () => {
        assert.equal(lineageText(followText(sql, catalog)), says);
      });
    }
  });
}

const follow = (sql: string, rules = RULES): Lineage => followText(sql, catalog, rules);

describe('what is settled beside the statements', () => {
  test('a routine that the configuration declares is believed', () => {
    const routines = new Map([
      ['own.opaque', 'arguments'],
      ['own.secret', 'nothing'],
    ] as const);
    const rules = { ...RULES, routines };
    assert.equal(lineageText(follow('select own.opaque(ssn) from customers', rules)), '~customers.ssn');
    assert.equal(lineageText(follow('select own.secret()', rules)), 'free');
    assert.equal(lineageText(follow('select own.opaque(a) from plain', rules)), 'free');
  });

  test('an aggregate that the configuration does not name is not free in a shown group', () => {
    const sql = 'select branch_id, avg(score) from customers group by branch_id having count(*) >= 5';
    assert.equal(lineageText(follow(sql)), '-, -');
    assert.equal(lineageText(follow(sql, { ...RULES, aggregates: new Set() })), '-, ~customers.score');
  });

  test('where texts are detected everywhere, rows without a class are not free', () => {
    const rules = { ...RULES, detect: 'all' as const };
    const lineage = follow('select a from plain', rules);
    assert.equal(lineage.isFree, false);
    assert.equal(lineage.statements.length, 1);
    assert.equal(follow('begin', rules).isFree, true);
  });

  test('constants that a masked value could come back in are told, of statements that touch anything', () => {
    const [insert] = follow(
      "insert into leads (id, ssn) values (1, 'a longer text'), (2, 'short')",
    ).statements;
    assert.deepEqual(insert?.constants, ['a longer text']);
    assert.deepEqual(follow("insert into plain (a) values ('a longer text')").statements, []);
  });

  test('what is written is touched: a constraint can show what is there', () => {
    const [insert] = follow('insert into leads (id, ssn) values ($1, $2)').statements;
    assert.deepEqual(insert?.touched, [
      { kind: 'column', object: 'bank.leads.ssn', class: 'ssn' },
      { kind: 'column', object: 'bank.leads.email', class: 'email' },
    ]);
  });

  test('own code that runs is touched: it can say anything', () => {
    const [select] = follow('select own.tail(a) from plain').statements;
    assert.deepEqual(select?.touched, [{ kind: 'unknown', object: 'own.tail' }]);
  });

  test('what cannot be followed is unknown, and an oracle of what it may read', () => {
    const { statements } = analyzeText(Buffer.from('select ssn from customers'), catalog, NAMES);
    const broken = {
      ...CLASSIFICATION,
      classOf: () => {
        throw new UnknownLineage('broken');
      },
      // Another object: what was found with the one before is not taken.
      digest: 'broken',
    };
    const lineage = lineageOf(statements, { rules: RULES, classification: broken });
    const [only] = lineage.statements;
    assert.equal(lineage.isFree, false);
    assert.equal(only?.outputs, 'unknown');
    assert.equal(only.oracles[0]?.reason, 'opaque');
    assert.ok(only.touched.some(({ kind }) => kind === 'unknown'));
  });

  test('the largest texts are followed or unknown, never an error', () => {
    for (const sql of [
      `select ${'('.repeat(100)}ssn${')'.repeat(100)} from customers`,
      `select ${Array.from({ length: 2000 }, (_, at) => `ssn as c${at}`).join()} from customers`,
      `select ssn ${"|| 'x' ".repeat(400)} from customers`,
      `select id from customers where ssn in (${Array.from({ length: 5000 }, (_, at) => `'${at}'`).join()})`,
    ]) {
      assert.ok(follow(sql).statements.length === 1, sql.slice(0, 40));
    }
  });

  test('every statement that the analysis reads is followed or known to be silent', () => {
    for (const kind of STATEMENT_KINDS) assert.notEqual(handlerOf(kind), undefined, kind);
    const known = new Set(STATEMENT_KINDS);
    assert.ok(known.size > 90);
  });
});

describe('two readings together', () => {
  test('EXECUTE gives what was prepared', () => {
    const prepare = follow('prepare p as select ssn from customers where id = $1');
    const both = combineLineages(follow('execute p(1)'), preparedLineage(prepare, 'p'));
    assert.equal(lineageText(both!), 'customers.ssn');
  });

  test('of several statements, the one that executes', () => {
    const text = follow('select id from customers; execute p(1)');
    const both = combineLineages(text, follow('select ssn from customers where ssn = $1'));
    assert.deepEqual(
      both?.statements.map((statement) => statementText(statement)),
      ['-', 'result of p | probe customers.ssn = $1'],
    );
  });

  test('a statement that meant something else before carries both', () => {
    const both = combineLineages(follow('select ssn from customers'), follow('select email from customers'));
    assert.equal(lineageText(both!), '~customers.email+customers.ssn');
    const other = combineLineages(
      follow('select ssn from customers'),
      follow('select ssn, id from customers'),
    );
    assert.equal(lineageText(other!), 'unknown');
  });

  test('what is free, or was read before anything was classified, adds nothing', () => {
    const one = follow('select ssn from customers');
    assert.equal(combineLineages(one, follow('select 1')), one);
    assert.equal(combineLineages(one, undefined), one);
    assert.equal(combineLineages(undefined, one), one);
    assert.equal(combineLineages(follow('select 1'), one), one);
  });
});

test('a function that is called by its number: what only computes is free, everything else is unknown', () => {
  const [lower] = catalog.routines('pg_catalog', 'lower');
  const [file] = catalog.routines('pg_catalog', 'pg_read_file');
  const [own] = catalog.routines('own', 'opaque');
  assert.equal(lineageText(lineageOfCall(lower)), 'free');
  assert.equal(lineageText(lineageOfCall(file)), '~? pg_catalog.pg_read_file');
  assert.equal(lineageText(lineageOfCall(own)), '~? own.opaque | flow ~? own.opaque > temp *.*');
  assert.equal(lineageText(lineageOfCall(undefined)), '~? function call');
});
