/**
 * What is there and not covered, and what is not there, must be refused in the same words (docs/refusals.md): the real analysis on a
 * real catalog, for statements of every kind. Each is tried with the name of something that exists and with one of the same length that
 * does not; with the one put for the other, everything that a client would get must be equal, byte for byte.
 */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { Client } from 'pg';

import { assembleScope, scopeSection } from '../../packages/gateway/src/config/scope-section.ts';
import { analyzeStatement } from '../../packages/gateway/src/postgres/inspect/analyze-statement.ts';
import { initParser } from '../../packages/gateway/src/postgres/inspect/parse/parse-statement.ts';
import type { Catalog } from '../../packages/gateway/src/postgres/catalog/catalog.ts';
import { tellMissing } from '../../packages/gateway/src/session/refusal-text.ts';
import { loadTestCatalog } from '../support/catalog.ts';
import { startTestPostgres, type PostgresServer } from '../support/postgres-server.ts';
import { grantOf } from '../../packages/gateway/src/session/authorization-fixture.ts';

const SCHEMA = `
  CREATE SCHEMA bank;
  CREATE SCHEMA vault;
  CREATE TABLE bank.accounts (id int PRIMARY KEY, status text, owner int);
  CREATE TABLE bank.customers (id int PRIMARY KEY, name text, ssn text);
  CREATE TABLE bank.cards (id int PRIMARY KEY, pan text);
  CREATE TABLE vault.t (id int);
  CREATE TABLE "bank"."Cards" (id int);
  CREATE VIEW bank.daily AS SELECT id FROM bank.cards;
  CREATE SEQUENCE bank.order_no;
  CREATE FUNCTION bank.pay(int) RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
  CREATE FUNCTION bank.fires() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
  CREATE FUNCTION bank.sees(int) RETURNS bool LANGUAGE plpgsql AS 'BEGIN RETURN true; END';
  CREATE TABLE bank.watched (id int PRIMARY KEY DEFAULT bank.pay(1), note text CHECK (bank.sees(length(note))));
  CREATE TABLE vault.parts (id int REFERENCES bank.watched ON DELETE CASCADE);
  CREATE VIEW vault.shown AS SELECT id FROM bank.watched;
  CREATE TRIGGER t BEFORE INSERT OR UPDATE OR DELETE ON bank.watched FOR EACH ROW EXECUTE FUNCTION bank.fires();
  CREATE TRIGGER e BEFORE TRUNCATE ON bank.watched EXECUTE FUNCTION bank.fires();
  ALTER TABLE bank.watched ENABLE ROW LEVEL SECURITY;
  CREATE POLICY p ON bank.watched USING (bank.sees(id));
  CREATE TYPE bank.mood AS ENUM ('calm');
  CREATE DOMAIN bank.iban AS text CHECK (value <> '');
  CREATE FUNCTION bank.own(int) RETURNS int LANGUAGE plpgsql SECURITY DEFINER AS 'BEGIN RETURN 1; END';
`;

const SCOPE = assembleScope(
  scopeSection.parse({
    relations: [
      { on: ['bank.accounts'], verbs: ['select', 'update', 'insert', 'delete'] },
      { on: ['bank.customers'], verbs: ['select', 'update'], columns: ['id', 'name'] },
    ],
  }),
);

let server: PostgresServer;
let catalog: Catalog;

before(async () => {
  await initParser();
  server = await startTestPostgres();
  const client = new Client({ connectionString: server.url('postgres') });
  await client.connect();
  await client.query(SCHEMA);
  await client.end();
  catalog = await loadTestCatalog(server);
});

after(() => server.stop());

/** Name that is there, name that is not, statement with `@` in the place of either. */
const RELATION = ['cards', 'nocat'] as const;
const COLUMN = ['ssn', 'zzz'] as const;
const ROUTINE = ['pay', 'nop'] as const;
const DEFINER = ['own', 'nop'] as const;
const PLACE = ['vault', 'nosch'] as const;
const VIEW = ['daily', 'nodai'] as const;
const SEQUENCE = ['order_no', 'nosuchno'] as const;
/** With triggers, a policy, a check, a default and things that depend on it, all of which are reached without being named. */
const WATCHED = ['watched', 'watchex'] as const;
const TYPE = ['mood', 'nomo'] as const;
const DOMAIN = ['iban', 'noib'] as const;
const QUOTED = ['Cards', 'NoCat'] as const;

const DEFINITIONS = [
  'DROP TABLE bank.@',
  'DROP TABLE bank.@ CASCADE',
  'DROP TABLE IF EXISTS bank.@',
  'ALTER TABLE bank.@ ADD COLUMN x int',
  'ALTER TABLE bank.@ ADD CHECK (id > 1)',
  'ALTER TABLE bank.@ ALTER COLUMN note TYPE varchar(10)',
  'ALTER TABLE bank.@ RENAME TO y',
  'ALTER TABLE IF EXISTS bank.@ RENAME TO y',
  'ALTER TABLE bank.@ RENAME COLUMN note TO y',
  'ALTER TABLE bank.@ SET SCHEMA vault',
  'ALTER TABLE bank.@ OWNER TO CURRENT_USER',
  'ALTER TABLE bank.accounts ADD FOREIGN KEY (owner) REFERENCES bank.@',
  'CREATE INDEX i ON bank.@ (id)',
  'CREATE INDEX ON bank.@ (lower(note)) WHERE id > 1',
  'CREATE TABLE vault.c () INHERITS (bank.@)',
  'CREATE TABLE vault.c (id int REFERENCES bank.@)',
  'CREATE TABLE vault.c (LIKE bank.@)',
  'CREATE TRIGGER x BEFORE INSERT ON bank.@ FOR EACH ROW EXECUTE FUNCTION bank.fires()',
  'CREATE RULE r AS ON INSERT TO bank.@ DO NOTHING',
  'CREATE POLICY q ON bank.@ USING (true)',
  'DROP POLICY p ON bank.@',
  'DROP TRIGGER t ON bank.@',
  "COMMENT ON TABLE bank.@ IS 'x'",
  "COMMENT ON COLUMN bank.@.note IS 'x'",
  'CREATE STATISTICS s ON id, note FROM bank.@',
];

const STATEMENTS: readonly (readonly [readonly [string, string], string])[] = [
  [RELATION, 'SELECT pan FROM bank.@'],
  [RELATION, 'SELECT pan FROM @'],
  [RELATION, 'SELECT * FROM bank.@'],
  [RELATION, 'SELECT @ FROM bank.@'],
  [RELATION, 'SELECT count(*) FROM bank.@'],
  [RELATION, 'SELECT c.pan, upper(c.pan) FROM bank.@ AS c WHERE c.id > 3 ORDER BY 1'],
  [RELATION, 'SELECT pan FROM BANK.@ /* bank.@ */'],
  [RELATION, 'TABLE bank.@'],
  [RELATION, 'SELECT 1 FROM bank.accounts a JOIN bank.@ c ON a.id = c.id'],
  [RELATION, 'SELECT 1 FROM bank.accounts a LEFT JOIN bank.@ USING (id)'],
  [RELATION, 'SELECT 1 FROM bank.accounts NATURAL JOIN bank.@'],
  [RELATION, 'SELECT (SELECT max(id) FROM bank.@) FROM bank.accounts'],
  [RELATION, 'SELECT 1 WHERE EXISTS (SELECT FROM bank.@)'],
  [RELATION, 'WITH c AS (SELECT * FROM bank.@) SELECT id FROM c'],
  [RELATION, 'SELECT id FROM bank.accounts UNION SELECT id FROM bank.@'],
  [RELATION, 'SELECT 1 FROM bank.@ FOR UPDATE'],
  [RELATION, 'SELECT 1 FROM ONLY bank.@ TABLESAMPLE system (10)'],
  [RELATION, "INSERT INTO bank.@ (id, pan) VALUES (1, 'x')"],
  [RELATION, 'INSERT INTO bank.@ DEFAULT VALUES RETURNING *'],
  [RELATION, 'INSERT INTO bank.@ SELECT id FROM bank.accounts'],
  [RELATION, 'INSERT INTO bank.accounts (id) SELECT id FROM bank.@'],
  [RELATION, "INSERT INTO bank.@ (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET pan = 'x'"],
  [RELATION, "UPDATE bank.@ SET pan = 'x' WHERE id = 1"],
  [RELATION, "UPDATE bank.accounts SET status = 'x' FROM bank.@ c WHERE c.id = accounts.id"],
  [RELATION, 'DELETE FROM bank.@'],
  [RELATION, 'DELETE FROM bank.accounts USING bank.@ c WHERE c.id = accounts.id'],
  [RELATION, 'MERGE INTO bank.@ c USING bank.accounts a ON a.id = c.id WHEN MATCHED THEN DELETE'],
  [RELATION, 'TRUNCATE bank.@'],
  [RELATION, 'LOCK TABLE bank.@'],
  [RELATION, 'COPY bank.@ TO STDOUT'],
  [RELATION, 'COPY bank.@ (id) FROM STDIN'],
  [RELATION, 'COPY (SELECT id FROM bank.@) TO STDOUT'],
  [RELATION, 'EXPLAIN SELECT 1 FROM bank.@'],
  [RELATION, 'PREPARE p AS SELECT 1 FROM bank.@'],
  [RELATION, 'DECLARE c CURSOR FOR SELECT 1 FROM bank.@'],
  [RELATION, 'ANALYZE bank.@'],
  [RELATION, 'SELECT 1 FROM bank.@; SELECT 2'],
  [VIEW, 'SELECT * FROM bank.@'],
  [SEQUENCE, "SELECT nextval('bank.@')"],
  [QUOTED, 'SELECT 1 FROM bank."@"'],
  [PLACE, 'SELECT 1 FROM @.t'],
  [PLACE, 'DELETE FROM @.t WHERE id = 1'],
  [COLUMN, 'SELECT @ FROM bank.customers'],
  [COLUMN, 'SELECT name, @ FROM bank.customers'],
  [COLUMN, 'SELECT c.@ FROM bank.customers c'],
  [COLUMN, 'SELECT bank.customers.@ FROM bank.customers'],
  [COLUMN, 'SELECT name FROM bank.customers WHERE @ IS NOT NULL'],
  [COLUMN, 'SELECT name FROM bank.customers ORDER BY @'],
  [COLUMN, "UPDATE bank.customers SET @ = 'x'"],
  [COLUMN, "UPDATE bank.customers SET name = 'x' WHERE @ = 'y'"],
  [COLUMN, 'SELECT c.@ FROM bank.customers c, bank.accounts a'],
  [ROUTINE, 'SELECT bank.@(1)'],
  [ROUTINE, 'SELECT @(1)'],
  [ROUTINE, 'SELECT id FROM bank.accounts WHERE bank.@(id) = 1'],
  [ROUTINE, 'SELECT * FROM bank.@(1)'],
  [DEFINER, 'SELECT bank.@(1)'],
  [WATCHED, 'SELECT note FROM bank.@'],
  [WATCHED, 'SELECT count(*) FROM bank.@'],
  [WATCHED, 'INSERT INTO bank.@ DEFAULT VALUES'],
  [WATCHED, "UPDATE bank.@ SET note = 'x' WHERE id = 1"],
  [WATCHED, 'DELETE FROM bank.@'],
  [WATCHED, 'TRUNCATE bank.@ CASCADE'],
  [WATCHED, 'COPY bank.@ FROM STDIN'],
  [WATCHED, 'MERGE INTO bank.@ c USING bank.accounts a ON a.id = c.id WHEN MATCHED THEN DELETE'],
  [WATCHED, 'SET search_path = bank; SELECT 1 FROM @'],
  [WATCHED, 'CREATE VIEW vault.v AS SELECT * FROM bank.@'],
  ...DEFINITIONS.flatMap((text): [typeof WATCHED, string][] => [
    [WATCHED, text],
    [WATCHED, text.replace('bank.@', '@')],
    [WATCHED, `${text} /* vault.@, secret */`],
  ]),
  [['watched_pkey', 'watchex_pkey'], 'DROP INDEX bank.@'],
  [['watched_pkey', 'watchex_pkey'], 'ALTER INDEX @ RENAME TO j'],
  [SEQUENCE, 'ALTER SEQUENCE bank.@ RESTART'],
  [SEQUENCE, 'DROP SEQUENCE @'],
  [VIEW, 'DROP VIEW bank.@ CASCADE'],
  [VIEW, 'ALTER VIEW bank.@ RENAME TO y'],
  [ROUTINE, 'DROP FUNCTION bank.@'],
  [ROUTINE, 'DROP FUNCTION IF EXISTS @(int)'],
  [ROUTINE, 'ALTER FUNCTION bank.@(int) RENAME TO z'],
  [ROUTINE, 'ALTER FUNCTION @(int) SET SCHEMA vault'],
  [ROUTINE, 'ALTER FUNCTION bank.@(int) SECURITY DEFINER'],
  [TYPE, 'DROP TYPE bank.@'],
  [TYPE, 'DROP TYPE @ CASCADE'],
  [TYPE, "ALTER TYPE bank.@ ADD VALUE 'x'"],
  [TYPE, 'ALTER TYPE bank.@ RENAME TO m'],
  [DOMAIN, 'ALTER DOMAIN bank.@ DROP CONSTRAINT c'],
  [DOMAIN, 'DROP DOMAIN @'],
];

interface Refusal {
  readonly detail: string;
  readonly hint: string;
}

function refusalOf(text: string): Refusal | undefined {
  const meaning = analyzeStatement(Buffer.from(text), catalog, {
    searchPath: ['bank', 'public'],
    temporary: new Set(),
  });
  assert.equal(meaning.unreadable, undefined, text);
  const grant = grantOf(SCOPE, 'reports');
  const missing = grant.scope.missing(meaning.demands);
  if (missing.length === 0 && meaning.unknownNames.length === 0) return undefined;
  const { detail = '', hint = '' } = tellMissing({
    grant,
    kind: meaning.kind,
    touched: meaning,
    missing,
    text,
  });
  return { detail, hint };
}

for (const [[real, absent], statement] of STATEMENTS) {
  test(`the same words, byte for byte: ${statement} (${real})`, () => {
    const there = refusalOf(statement.replaceAll('@', real));
    const gone = refusalOf(statement.replaceAll('@', absent));
    assert.ok(there !== undefined, 'what is there is refused');
    assert.ok(gone !== undefined, 'what is not there is refused');
    assert.equal(gone.detail.replaceAll(absent, real), there.detail);
    assert.equal(gone.hint.replaceAll(absent, real), there.hint);
  });
}
