/**
 * Queries on a real catalog: what each demands, by hand (`query-cases.ts`), and by the server. The server's opinion is pg_depend: the body of
 * a SQL function written BEGIN ATOMIC depends on exactly the relations, columns and routines that its analysed query refers to.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client } from 'pg';
import type { Access } from '../../packages/gateway/src/policy/access.ts';
import type { Catalog } from '../../packages/gateway/src/postgres/catalog/catalog.ts';
import type { Meaning } from '../../packages/gateway/src/postgres/inspect/meaning.ts';
import { initParser } from '../../packages/gateway/src/postgres/inspect/parse/parse-statement.ts';
import { loadTestCatalog } from '../support/catalog.ts';
import { startTestPostgres } from '../support/postgres-server.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { analyze, written } from './fixture.ts';
import { QUERY_CASES } from './query-cases.ts';
import type { QueryCase } from './query-cases.ts';
import { QUERY_SCHEMA } from './query-schema.ts';

const DATABASE = 'countersign';

let server: PostgresServer;
let client: Client;
let catalog: Catalog;

before(async () => {
  server = await startTestPostgres();
  const first = new Client({ connectionString: server.url() });
  await first.connect();
  await first.query(`create database ${DATABASE}`);
  await first.end();
  client = new Client({ connectionString: server.url(DATABASE) });
  await client.connect();
  await client.query(QUERY_SCHEMA);
  await initParser();
  catalog = await loadTestCatalog(server, DATABASE);
});

after(async () => {
  await client.end();
  await server.stop();
});

function meaningOf({ sql, path = ['app'], temporary = [] }: QueryCase): Meaning {
  const names = temporary === '*' ? temporary : new Set(temporary);
  return analyze(sql, catalog, { searchPath: path, temporary: names });
}

function inWords({ demands, reaches, unknownNames, unreadable }: Meaning): string {
  if (unreadable !== undefined) return `unreadable ${unreadable.reason}`;
  const unknown = unknownNames.map(({ kind, written: name }) => `unknown ${kind} ${name}`);
  const demanded = [...unknown, ...demands.map(written)].join('; ');
  return reaches.length === 0 ? demanded : `${demanded} | ${reaches.map(written).join('; ')}`;
}

/** Relation → columns, routines with `execute ` in front and no columns. */
type References = ReadonlyMap<string, ReadonlySet<string> | '*'>;

/** What the text itself refers to, the server's own objects aside. */
function ours(demands: readonly Access[]): References {
  const all = new Map<string, Set<string> | '*'>();
  for (const access of demands) {
    if ((access.kind !== 'relation' && access.kind !== 'routine') || access.via !== undefined) continue;
    if (access.schema === 'pg_catalog' || access.schema === 'information_schema') continue;
    const name = `${access.schema}.${access.name}`;
    if (access.kind === 'routine') {
      all.set(`execute ${name}`, new Set());
      continue;
    }
    const known = all.get(name) ?? new Set();
    all.set(name, access.columns === '*' || known === '*' ? '*' : new Set([...known, ...access.columns]));
  }
  return all;
}

const DEPENDENCIES = `
  select case when d.refclassid = 'pg_class'::regclass then n.nspname || '.' || c.relname
    else 'execute ' || coalesce(p.pronamespace, o.pronamespace)::regnamespace || '.' || coalesce(p.proname, o.proname) end as name,
    a.attname as column
  from pg_depend d
  left join pg_class c on d.refclassid = 'pg_class'::regclass and c.oid = d.refobjid
  left join pg_namespace n on n.oid = c.relnamespace
  left join pg_attribute a on a.attrelid = c.oid and a.attnum = d.refobjsubid and a.attnum > 0
  left join pg_proc p on d.refclassid = 'pg_proc'::regclass and p.oid = d.refobjid
  left join pg_operator r on d.refclassid = 'pg_operator'::regclass and r.oid = d.refobjid
  left join pg_proc o on o.oid = r.oprcode
  where d.classid = 'pg_proc'::regclass and d.objid = 'public.oracle'::regproc and d.refobjid >= 16384 and c.relkind is distinct from 'c'
    and d.refclassid in ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_operator'::regclass)`;

/** @returns undefined: the server does not take the statement. */
async function theirs({ sql, path = ['app'] }: QueryCase): Promise<References | string> {
  const count = new Set(sql.match(/\$\d/gu)).size;
  const parameters = Array.from({ length: count }, (_, index) => (index === 0 ? 'text' : 'int')).join(', ');
  await client.query('begin');
  try {
    await client.query(`set local search_path = ${path.join(', ')}`);
    await client.query(`create function public.oracle(${parameters}) returns void begin atomic ${sql}; end`);
    const { rows } = await client.query<{ name: string; column: string | null }>(DEPENDENCIES);
    const all = new Map<string, Set<string>>();
    for (const { name, column } of rows) {
      const columns = all.get(name) ?? new Set();
      all.set(name, column === null ? columns : columns.add(column));
    }
    return all;
  } catch (error) {
    return (error as Error).message;
  } finally {
    await client.query('rollback');
  }
}

/** What is in the first and not in the second. A whole row counts as every column. */
function missing(references: References, from: References): readonly string[] {
  const found: string[] = [];
  for (const [name, columns] of references) {
    const others = from.get(name);
    if (others === undefined) found.push(name);
    if (others === undefined || others === '*') continue;
    if (columns === '*') found.push(`${name}(*)`);
    else for (const column of columns) if (!others.has(column)) found.push(`${name}.${column}`);
  }
  return found.sort();
}

const isForOracle = ({ temporary, means }: QueryCase): boolean =>
  temporary === undefined && !means.startsWith('unknown') && !means.includes('pg_temp.');

describe('what a query demands', () => {
  for (const query of QUERY_CASES) {
    it(`${query.what}: ${query.sql}`, () => {
      assert.equal(inWords(meaningOf(query)), query.means);
    });
  }
});

describe('what the server says a query refers to', () => {
  for (const query of QUERY_CASES.filter(isForOracle)) {
    it(`agrees: ${query.what}`, async () => {
      const expected = await theirs(query);
      if (typeof expected === 'string') assert.fail(`${query.sql}: ${expected}`);
      const found = ours(meaningOf(query).demands);
      assert.deepEqual(missing(expected, found).join(', '), query.less ?? '', `not seen in ${query.sql}`);
      assert.deepEqual(
        missing(found, expected).join(', '),
        query.more ?? '',
        `more than needed in ${query.sql}`,
      );
    });
  }

  for (const query of QUERY_CASES.filter(({ means }) => means.startsWith('unknown'))) {
    it(`refuses what is unknown to us: ${query.what}`, async () => {
      assert.equal(typeof (await theirs(query)), 'string');
    });
  }

  it('has looked at more than a hundred and fifty of them', () => {
    assert.ok(QUERY_CASES.filter(isForOracle).length > 150);
  });
});

/** Texts that grow without bound, and what is said when they have. */
const GROWING: Readonly<Record<string, (times: number) => string>> = {
  'operators in a chain': (n) => `select ${'1 + '.repeat(n)}1`,
  'operators in brackets': (n) => `select ${'1 + ('.repeat(n)}1${')'.repeat(n)}`,
  'casts of casts': (n) => `select 1${'::int'.repeat(n)}`,
  'functions in functions': (n) => `select ${'lower('.repeat(n)}'x'${')'.repeat(n)}`,
  'subqueries in subqueries': (n) => `select ${'(select '.repeat(n)}1${')'.repeat(n)}`,
  'subqueries in FROM': (n) => `select * from ${'(select * from '.repeat(n)}accounts${') x'.repeat(n)}`,
  'joins of joins': (n) => `select 1 from accounts a${' cross join accounts b'.repeat(n)}`,
  unions: (n) => `select 1${' union select 1'.repeat(n)}`,
  'recursion in recursion': (n) =>
    `${'with recursive a as ('.repeat(n)}select 1${' union select 1) select 1'.repeat(n)}`,
  'CASE in CASE': (n) => `select ${'case when true then '.repeat(n)}1${' end'.repeat(n)}`,
};

describe('limits', () => {
  for (const [what, make] of Object.entries(GROWING)) {
    it(`analyses 60 ${what}, and however many the parser takes, or says that it is too deep`, () => {
      assert.equal(
        analyze(make(60), catalog, { searchPath: ['app'], temporary: new Set() }).unreadable,
        undefined,
      );
      for (const times of [150, 300, 600, 900]) {
        const { unreadable } = analyze(make(times), catalog, { searchPath: ['app'], temporary: new Set() });
        assert.ok(['too-deep', 'too-many-objects', undefined].includes(unreadable?.reason), String(times));
      }
    });
  }

  it('does not follow WITH queries that double their columns at every step', () => {
    const steps = Array.from(
      { length: 60 },
      (_, n) => `, c${n + 1} as (select * from c${n} x, c${n} y)`,
    ).join('');
    const text = `with c0 as (select * from accounts)${steps} select 1`;
    const { unreadable } = analyze(text, catalog, { searchPath: ['app'], temporary: new Set() });
    assert.equal(unreadable?.reason, 'too-many-objects');
  });

  it('does not judge a statement of more objects than anyone could read', () => {
    const tables = Array.from({ length: 3000 }, (_, n) => `t${n}`);
    const names = { searchPath: ['app'], temporary: new Set(tables) };
    const { unreadable } = analyze(`select 1 from ${tables.join(', ')}`, catalog, names);
    assert.equal(unreadable?.reason, 'too-many-objects');
  });

  it('judges nothing unqualified while the path is not known, but what stands nowhere else than in pg_catalog', () => {
    const names = { searchPath: undefined, temporary: new Set<string>() };
    assert.equal(
      analyze('select id from accounts', catalog, names).unreadable?.reason,
      'unknown-search-path',
    );
    assert.equal(analyze("select lower('x')", catalog, names).unreadable?.reason, 'unknown-search-path');
    assert.equal(analyze("select upper('x') || 'y', 1 + 2", catalog, names).unreadable, undefined);
    assert.equal(analyze('select id from app.accounts', catalog, names).unreadable, undefined);
  });
});
