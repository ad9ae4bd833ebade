/**
 * What a statement really does, as superuser, against what the analysis demands for it. Every own routine of this database says so when it runs; a case
 * names the routine that the server runs, or asks the server afterwards what has changed, and the analysis must have demanded that or refused the text.
 */
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client } from 'pg';
import type { Access } from '../../packages/gateway/src/policy/access.ts';
import type { Catalog } from '../../packages/gateway/src/postgres/catalog/catalog.ts';
import { analyzeStatement } from '../../packages/gateway/src/postgres/inspect/analyze-statement.ts';
import type { Meaning, SessionNames } from '../../packages/gateway/src/postgres/inspect/meaning.ts';
import { initParser } from '../../packages/gateway/src/postgres/inspect/parse/parse-statement.ts';
import { loadTestCatalog } from '../support/catalog.ts';
import { startTestPostgres } from '../support/postgres-server.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { written } from './fixture.ts';
import { CASES, LATE_CASES, LATE_SETUP, SETUP } from './beyond-cases.ts';
import type { BeyondCase } from './beyond-cases.ts';

let server: PostgresServer;
let catalog: Catalog;
const clients = new Set<Client>();

async function connect(): Promise<Client> {
  const client = new Client({ connectionString: server.url() });
  await client.connect();
  clients.add(client);
  return client;
}

before(async () => {
  server = await startTestPostgres();
  const client = await connect();
  await client.query(SETUP);
  await initParser();
  catalog = await loadTestCatalog(server);
});

after(async () => {
  for (const client of clients) await client.end();
  await server.stop();
});

const encoder = new TextEncoder();

function isRefused({ unreadable, unknownNames }: Meaning): boolean {
  return unreadable !== undefined || unknownNames.length > 0;
}

/** Runs the texts in a transaction of their own. @returns the routines that ran during the last of them. */
async function run(each: BeyondCase): Promise<{ readonly ran: readonly string[]; readonly proof: unknown }> {
  const client = await connect();
  const ran = new Set<string>();
  client.on('notice', ({ message }) => {
    const name = /^ran (\S+)$/u.exec(message ?? '')?.[1];
    if (name !== undefined) ran.add(name);
  });
  await client.query(`BEGIN; SET LOCAL search_path = ${each.path ?? 'a, b'}`);
  const texts = [...(each.first ?? []), each.sql];
  for (const text of texts) {
    ran.clear();
    await client.query(text);
  }
  const proof = each.proof === undefined ? true : Object.values((await client.query(each.proof)).rows[0])[0];
  await client.query('ROLLBACK');
  return { ran: [...ran].sort(), proof };
}

async function judge(each: BeyondCase): Promise<void> {
  const names: SessionNames = {
    searchPath: (each.path ?? 'a, b').split(', '),
    temporary: new Set(each.temporary ?? []),
  };
  const judged = [...(each.first ?? []), each.sql].map((text) =>
    analyzeStatement(encoder.encode(text), catalog, names),
  );
  const { ran, proof } = await run(each);
  for (const name of each.runs ?? []) {
    assert.ok(ran.includes(name), `the server did not run ${name}, but ${ran.join(', ')}`);
  }
  assert.equal(proof, true, 'the server did not do it');
  if (judged.some(isRefused)) return;
  const demanded = judged
    .flatMap(({ demands }) => demands)
    .map((access: Access) => written(access).replace(/ via .*$/u, ''));
  for (const name of ran) {
    const isDemanded = demanded.some(
      (text) => text === `execute ${name}` || text.startsWith(`execute ${name} `),
    );
    assert.ok(
      isDemanded || (each.opaque ?? []).some((text) => demanded.includes(text)),
      `it runs ${name}, demanded: ${demanded.join('; ')}`,
    );
  }
  for (const demand of each.demands ?? []) {
    assert.ok(demanded.includes(demand), `${demand} is not among: ${demanded.join('; ')}`);
  }
}

describe('what the server does was demanded, or the text refused', () => {
  for (const each of CASES) test(`${each.says}: ${each.sql}`, async () => judge(each));
});

describe('with a cast between built-in types', () => {
  before(async () => {
    const client = await connect();
    await client.query(LATE_SETUP);
    catalog = await loadTestCatalog(server);
  });
  for (const each of LATE_CASES) test(`${each.says}: ${each.sql}`, async () => judge(each));
});
