/**
 * Ordinary work is not in the way of anybody: every statement of the corpus through the real gateway, under a scope that fits the work, with the answer that a
 * direct connection gives. What is refused nevertheless is listed in `known-refusals.ts`, with the reason.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Client } from 'pg';
import { startTestPostgres } from '../support/postgres-server.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { Harness } from '../translator/harness.ts';
import { BANK_SCHEMA } from './bank-schema.ts';
import { CORPUS, SCOPES } from './corpus.ts';
import type { Series } from './corpus.ts';
import { KNOWN_REFUSALS } from './known-refusals.ts';
import { difference, play } from './play.ts';
import { corpusTable, refusalTable } from './table.ts';

const LOGIN = { user: 'app', password: 'not-a-secret-in-a-test' };

let server: PostgresServer;
let admin: Client;
const oids = new Map<string, string>();

before(async () => {
  server = await startTestPostgres();
  admin = new Client({ connectionString: server.url() });
  await admin.connect();
  await admin.query(`create role app login password '${LOGIN.password}'`);
  await admin.query('create database bank_template owner app');
  const owner = new Client({ ...LOGIN, host: '127.0.0.1', port: server.port, database: 'bank_template' });
  await owner.connect();
  try {
    await owner.query(BANK_SCHEMA);
    const { rows } = await owner.query<{ name: string; oid: string }>(OIDS);
    for (const { name, oid } of rows) oids.set(name, oid);
  } finally {
    await owner.end();
  }
});

after(async () => {
  await admin.end();
  await server.stop();
});

const OIDS = `select '{' || kind || ':' || name || '}' as name, oid::text from (
  select 'class' as kind, n.nspname || '.' || c.relname as name, c.oid from pg_class c join pg_namespace n on n.oid = c.relnamespace
  union all select 'type', n.nspname || '.' || t.typname, t.oid from pg_type t join pg_namespace n on n.oid = t.typnamespace
  union all select 'proc', n.nspname || '.' || p.proname, p.oid from pg_proc p join pg_namespace n on n.oid = p.pronamespace
  union all select 'namespace', nspname, oid from pg_namespace) o where oid >= 16384`;

function resolve(sql: string): string {
  return sql.replaceAll(/\{(?:class|type|proc|namespace):[^{}]+\}/gu, (name) => {
    const oid = oids.get(name);
    if (oid === undefined) throw new Error(`there is no ${name}`);
    return oid;
  });
}

/** The same database again: what one run did is not seen by the next, and objects keep their OIDs. */
async function fresh(): Promise<void> {
  await admin.query('drop database if exists shop with (force)');
  await admin.query('create database shop template bank_template owner app');
}

interface Outcome {
  readonly refused: readonly { readonly id: string; readonly why: string }[];
  readonly different: readonly string[];
  readonly same: number;
}

async function compare(series: Series): Promise<Outcome> {
  await fresh();
  const direct = await play(
    { ...LOGIN, host: '127.0.0.1', port: server.port, database: 'shop' },
    series,
    resolve,
  );
  await fresh();
  const harness = await Harness.start(server, {
    target: { ...LOGIN, port: server.port, database: 'shop' },
    scope: SCOPES[series.scope],
  });
  const gateway = await play(harness.endpoint, series, resolve);
  await harness.finish();
  const refused: { id: string; why: string }[] = [];
  const different: string[] = [];
  let isAborted = false;
  for (const { id, sql } of series.statements) {
    const [theirs, ours] = [direct.get(id), gateway.get(id)];
    assert.ok(theirs !== undefined && ours !== undefined, id);
    const what = difference(theirs, ours);
    if (what === undefined) isAborted = false;
    else if (ours.error?.message.startsWith('countersign:') === true) {
      refused.push({ id, why: `${ours.error.message} ${ours.error.detail?.split('\n')[0] ?? ''}` });
      isAborted = true;
    } else if (isAborted) refused.push({ id, why: `after a refusal: ${what}` });
    else different.push(`${id}: ${what}\n    ${sql.replaceAll(/\s+/gu, ' ').slice(0, 300)}`);
  }
  return { refused, different, same: series.statements.length - refused.length - different.length };
}

describe('ordinary statements', () => {
  it('are many, and each has an id of its own', () => {
    const ids = CORPUS.flatMap(({ statements }) => statements.map(({ id }) => id));
    assert.equal(new Set(ids).size, ids.length);
    assert.ok(ids.length >= 320, String(ids.length));
    for (const { id } of KNOWN_REFUSALS) assert.ok(ids.includes(id), `there is no ${id} any more`);
  });

  it('are told of in the document as they are', () => {
    const text = readFileSync(join(import.meta.dirname, '../../docs/ordinary.md'), 'utf8');
    assert.ok(
      text.includes(corpusTable()) && text.includes(refusalTable()),
      'node test/ordinary/table.ts prints the tables',
    );
  });

  for (const series of CORPUS) {
    it(`${series.name}: ${series.from}`, async (t) => {
      const { different, refused, same } = await compare(series);
      t.diagnostic(
        `${series.statements.length} statements under the scope ${series.scope}: ${same} as directly, ${refused.length} refused`,
      );
      assert.deepEqual(different, []);
      const known = new Set(KNOWN_REFUSALS.map(({ id }) => id));
      const news = refused.filter(({ id }) => !known.has(id)).map(({ id, why }) => `${id}: ${why}`);
      assert.deepEqual(news, [], 'refused, and not known to be');
      const still = new Set(refused.map(({ id }) => id));
      const stale = series.statements.filter(({ id }) => known.has(id) && !still.has(id)).map(({ id }) => id);
      assert.deepEqual(stale, [], 'no longer refused: take them off the list');
    });
  }
});
