/** Every supported major version of the server, with and without TLS on both sides, does the same. */
import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { after, before, describe, it } from 'node:test';
import { Client } from 'pg';
import postgres from 'postgres';
import { TlsFiles } from '../connections/tls-files.ts';
import { POSTGRES_MAJORS, binariesOf } from '../support/postgres-server.ts';
import type { PostgresMajor } from '../support/postgres-server.ts';
import { failure } from './node-clients.ts';
import { Stage } from './stage.ts';
import type { StageOptions } from './stage.ts';

/** False or why not. There are no packages of 13 and 14 for arm64; elsewhere `npm test` installs all of them. */
function unavailable(major: PostgresMajor): string | false {
  if (major === 18 || binariesOf(major) !== undefined) {
    return false;
  }
  if (process.env['CI'] === 'true' && process.arch === 'x64') {
    throw new Error(`PostgreSQL ${major} is not installed`);
  }
  return `PostgreSQL ${major} is not installed`;
}

/** Works the whole protocol once. `encrypted`: with TLS between client and gateway. */
function storyOf(options: () => StageOptions, encrypted: boolean): void {
  let stage: Stage;
  const ssl = encrypted ? { rejectUnauthorized: false } : false;

  const connect = async (): Promise<Client> => {
    const { host, port, user, password, database } = stage.gateway;
    const client = new Client({ host, port, user, password, database, ssl });
    await client.connect();
    return client;
  };

  before(async () => {
    stage = await Stage.start(options());
  });

  it('simple and extended queries, errors, transactions', async () => {
    const client = await connect();
    const { rows } = await client.query<{ v: string }>(`SELECT current_setting('server_version_num') AS v`);
    assert.equal(Math.floor(Number(rows[0]?.v) / 10_000), options().major);
    assert.deepEqual((await client.query('SELECT $1::int + 1 AS n', [41])).rows, [{ n: 42 }]);
    assert.partialDeepStrictEqual(await failure(client.query('SELECT 1/0')), { code: '22012' });
    await client.query('BEGIN');
    await client.query('CREATE TABLE kept (n int)');
    await client.query('INSERT INTO kept VALUES ($1), ($2)', [1, 2]);
    await client.query('COMMIT');
    assert.equal((await client.query('SELECT * FROM kept')).rowCount, 2);
    await client.end();
  });

  it('COPY in and out', async () => {
    const { host, port, user, password, database } = stage.gateway;
    const sql = postgres({ host, port, user, password, database, max: 1, ssl });
    await sql`CREATE TABLE copied (n int, t text)`;
    const lines = Array.from({ length: 5_000 }, (_, n) => `${n}\trow ${n}\n`);
    await pipeline(Readable.from(lines), await sql`COPY copied FROM STDIN`.writable());
    let text = '';
    for await (const chunk of await sql`COPY copied TO STDOUT`.readable()) {
      text += String(chunk);
    }
    assert.equal(text, lines.join(''));
    await sql.end();
  });

  it('cancels a statement', async () => {
    const { host, port, user, password, database } = stage.gateway;
    const sql = postgres({ host, port, user, password, database, max: 1, ssl });
    await sql`SELECT 1`;
    const running = sql`SELECT pg_sleep(60)`;
    const failed = failure(running.execute());
    const watcher = new Client({ connectionString: stage.server.url() });
    await watcher.connect();
    const look = `SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query = 'SELECT pg_sleep(60)'`;
    while ((await watcher.query(look)).rowCount === 0) {
      // Until it runs.
    }
    await watcher.end();
    running.cancel();
    assert.partialDeepStrictEqual(await failed, { code: '57014' });
    await sql.end();
  });

  it('is on the record, statement by statement', async () => {
    const texts = await stage.finish();
    assert.ok(texts.includes('INSERT INTO kept VALUES ($1), ($2)'));
  });

  after(() => stage.remove());
}

for (const major of POSTGRES_MAJORS) {
  describe(`PostgreSQL ${major}`, { skip: unavailable(major) }, () => {
    storyOf(() => ({ major }), false);
  });
}

describe('TLS to the gateway and from it to the server', () => {
  let files: TlsFiles;
  let options: StageOptions;

  before(() => {
    files = new TlsFiles();
    const server = files.issue('server');
    options = {
      major: 18,
      tls: {
        listener: files.issue('gateway'),
        server: { cert: files.read(server.cert), key: files.read(server.key) },
      },
    };
  });

  describe('with TLS', () => {
    storyOf(() => options, true);
  });

  after(() => files.remove());
});
