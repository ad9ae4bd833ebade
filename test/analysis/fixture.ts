/** One database for the table tests of the analysis, and how a meaning is written in them. */
import { Client } from 'pg';
import type { Catalog } from '../../packages/gateway/src/postgres/catalog/catalog.ts';
import { analyzeStatement } from '../../packages/gateway/src/postgres/inspect/analyze-statement.ts';
import type { Meaning, SessionNames } from '../../packages/gateway/src/postgres/inspect/meaning.ts';
import { initParser } from '../../packages/gateway/src/postgres/inspect/parse/parse-statement.ts';
import type { Access } from '../../packages/gateway/src/policy/access.ts';
import { loadTestCatalog } from '../support/catalog.ts';
import type { PostgresServer } from '../support/postgres-server.ts';

const SETUP = `
CREATE SCHEMA bank; CREATE SCHEMA app; CREATE SCHEMA scratch; CREATE SCHEMA other;
CREATE FUNCTION app.fee() RETURNS numeric VOLATILE LANGUAGE plpgsql AS 'BEGIN RETURN 1; END';
CREATE FUNCTION app.check_it(int) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT $1 > 0';
CREATE FUNCTION app.secret() RETURNS int SECURITY DEFINER LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION app.on_write() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
CREATE FUNCTION app.plus(int, int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT $1 + $2';
CREATE PROCEDURE app.pay(int) LANGUAGE plpgsql AS 'BEGIN END';
CREATE TABLE bank.account (id int PRIMARY KEY, status text DEFAULT 'open', balance numeric);
CREATE TABLE bank.entry (id int, account int REFERENCES bank.account ON DELETE CASCADE, amount numeric DEFAULT app.fee());
CREATE TABLE bank.log (id int, note text, CHECK (app.check_it(id)));
CREATE TABLE bank.quiet (id int, note text);
CREATE TABLE bank.parted (id int, region text) PARTITION BY LIST (region);
CREATE TABLE bank.north PARTITION OF bank.parted FOR VALUES IN ('north');
CREATE VIEW bank.open_account AS SELECT id, status FROM bank.account WHERE app.check_it(id);
CREATE MATERIALIZED VIEW bank.totals AS SELECT count(*) AS n, app.fee() AS fee FROM bank.entry;
CREATE TRIGGER watch BEFORE INSERT OR UPDATE ON bank.account FOR EACH ROW WHEN (app.check_it(new.id)) EXECUTE FUNCTION app.on_write();
CREATE TRIGGER emptied AFTER TRUNCATE ON bank.log EXECUTE FUNCTION app.on_write();
CREATE TABLE scratch.t (a int, b text);
CREATE TABLE scratch.u (a int, b text);
CREATE RULE copied AS ON INSERT TO scratch.u DO ALSO INSERT INTO bank.quiet VALUES (new.a, app.fee()::text);
CREATE INDEX t_a ON scratch.t (a);
CREATE VIEW scratch.v AS SELECT a FROM scratch.t;
CREATE MATERIALIZED VIEW scratch.m AS SELECT a FROM scratch.t;
CREATE SEQUENCE scratch.numbers;
CREATE TYPE scratch.pair AS (x int, y text);
CREATE TYPE scratch.mood AS ENUM ('sad', 'happy');
CREATE DOMAIN scratch.amount AS int CHECK (app.check_it(VALUE));
CREATE FUNCTION scratch.f(int) RETURNS int LANGUAGE sql AS 'SELECT $1';
CREATE OPERATOR scratch.<+> (LEFTARG = int, RIGHTARG = int, FUNCTION = app.plus);
CREATE AGGREGATE scratch.total (int) (SFUNC = int4pl, STYPE = int);
CREATE VIEW other.dependent AS SELECT a FROM scratch.t;
CREATE TABLE other.colored (m scratch.mood);
CREATE TABLE other.priced (p scratch.amount);
`;

/** scratch is the path; `tmp` may be a temporary table. */
export const NAMES: SessionNames = { searchPath: ['scratch'], temporary: new Set(['tmp']) };

export async function loadFixture(server: PostgresServer): Promise<Catalog> {
  const client = new Client({ connectionString: server.url() });
  await client.connect();
  try {
    await client.query(SETUP);
  } finally {
    await client.end();
  }
  await initParser();
  return await loadTestCatalog(server);
}

const encoder = new TextEncoder();

export function analyze(sql: string, catalog: Catalog, names: SessionNames = NAMES): Meaning {
  return analyzeStatement(encoder.encode(sql), catalog, names);
}

/** `select bank.account(id,status)`, `ddl scratch.t`, `execute app.fee`, `execute app.secret [security-definer]`, `special do`. */
export function written(access: Access): string {
  switch (access.kind) {
    case 'special':
      return `special ${access.verb}`;
    case 'schema':
      return `ddl ${access.schema}${access.name === undefined ? '' : `.${access.name}`}`;
    case 'routine': {
      const why = access.class === 'own' ? '' : ` [${access.class}]`;
      return `execute ${access.schema}.${access.name}${why}${via(access.via)}`;
    }
    default: {
      const columns = access.columns === '*' ? '*' : access.columns.join(',');
      const why = access.class === 'data' || access.class === 'temp' ? '' : ` [${access.class}]`;
      return `${access.verb} ${access.schema}.${access.name}(${columns})${why}${via(access.via)}`;
    }
  }
}

const via = (through: string | undefined): string => (through === undefined ? '' : ` via ${through}`);

const list = (title: string, items: readonly string[]): readonly string[] =>
  items.length === 0 ? [] : [`${title}: ${items.join('; ')}`];

/** A meaning in lines, as the case files have it. */
export function outcomeOf(meaning: Meaning): readonly string[] {
  const { effect, demands, reaches, unknownNames, changes, executes, unreadable } = meaning;
  if (unreadable !== undefined) return [`unreadable: ${unreadable.reason}`];
  return [
    [effect, ...demands.map((access) => written(access))].join('; '),
    ...list(
      'reaches',
      reaches.map((access) => written(access)),
    ),
    ...list(
      'unknown',
      unknownNames.map(({ kind, written: name }) => `${kind} ${name}`),
    ),
    ...list(
      'changes',
      changes.map((change) => writtenChange(change)),
    ),
    ...list('executes', executes ?? []),
  ];
}

function writtenChange(change: Meaning['changes'][number]): string {
  switch (change.kind) {
    case 'search-path': {
      const value = change.value === undefined ? 'unknown' : JSON.stringify(change.value);
      return `${change.local ? 'local ' : ''}path ${value}`;
    }
    case 'temporary':
      return `temporary ${change.names === '*' ? '*' : change.names.join(',')}`;
    case 'prepare':
      return `prepare ${change.name} (${change.inner.effect})`;
    case 'deallocate':
      return `deallocate ${change.name ?? 'all'}`;
    case 'transaction':
      return change.savepoint === undefined ? change.verb : `${change.verb} ${change.savepoint}`;
    default:
      return change.kind;
  }
}
