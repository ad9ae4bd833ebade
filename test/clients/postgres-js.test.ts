/** postgres.js direct and through the gateway: it pipelines by default, prepares everything, and streams COPY. */
import assert from 'node:assert/strict';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { after, before, describe, it } from 'node:test';
import postgres from 'postgres';
import { ITEMS_SETUP, failure, same } from './node-clients.ts';
import { Stage } from './stage.ts';
import type { Endpoint } from './stage.ts';

type Sql = ReturnType<typeof postgres>;

async function withSql<T>(
  { host, port, user, password, database }: Endpoint,
  use: (sql: Sql) => Promise<T>,
): Promise<T> {
  const sql = postgres({ host, port, user, password, database, max: 1, onnotice: () => undefined });
  try {
    return await use(sql);
  } finally {
    await sql.end();
  }
}

const CASES: Readonly<Record<string, (sql: Sql) => Promise<unknown>>> = {
  'parameters and types': (sql) =>
    sql`SELECT ${7}::int AS i, ${"it's ☃"}::text AS t, ${[1, 2]}::int[] AS a, ${sql.json({ a: 1 })} AS j, ${null}::text AS n`,
  'two hundred pipelined statements on one connection': (sql) =>
    Promise.all(Array.from({ length: 200 }, (_, id) => sql`SELECT name FROM items WHERE id = ${id + 1}`)),
  'a pipeline with errors in the middle': (sql) =>
    Promise.all([
      sql`SELECT 1 AS one`,
      failure(sql`SELECT 1 / ${0}::int`),
      sql`SELECT 2 AS two`,
      failure(sql`SELECT nothing FROM nowhere`),
      sql`SELECT 3 AS three`,
    ]),
  'simple queries of several statements': (sql) => sql`SELECT 1 AS a; SELECT 2 AS b`.simple(),
  'unprepared queries': (sql) => sql.unsafe('SELECT $1::int + 1 AS n', [41]),
  'a transaction with savepoints': async (sql) =>
    sql.begin(async (inner) => {
      await inner`INSERT INTO notes VALUES (2, 'kept')`;
      const failed = await failure(inner.savepoint((point) => point`SELECT 1 / 0`));
      const rows = await inner`SELECT count(*)::int AS n FROM notes WHERE id = 2`;
      await inner`DELETE FROM notes WHERE id = 2`;
      return [failed, rows];
    }),
  'a transaction that throws is rolled back': async (sql) => {
    const failed = await failure(
      sql.begin(async (inner) => {
        await inner`INSERT INTO notes VALUES (3, 'gone')`;
        await inner`INSERT INTO items (id, name) VALUES (1, 'twice')`;
      }),
    );
    return [failed, await sql`SELECT count(*)::int AS n FROM notes WHERE id = 3`];
  },
  cursors: async (sql) => {
    const batches: unknown[] = [];
    await sql`SELECT id FROM items ORDER BY id LIMIT 95`.cursor(
      20,
      (rows) => void batches.push(rows.map(({ id }) => id as number)),
    );
    return batches;
  },
  describe: async (sql) => {
    const { types, columns } = await sql`SELECT id, name FROM items WHERE id = ${1}`.describe();
    return { types, columns: columns.map(({ name, type }) => [name, type]) };
  },
  'COPY out as a stream': async (sql) => {
    const chunks: Buffer[] = [];
    await pipeline(
      await sql`COPY (SELECT n, repeat('x', 50) FROM generate_series(1, 50000) n) TO STDOUT`.readable(),
      new Writable({
        write(chunk: Buffer, _encoding, done) {
          chunks.push(chunk);
          done();
        },
      }),
    );
    const text = Buffer.concat(chunks).toString();
    return { length: text.length, lines: text.split('\n').length };
  },
  'COPY in as a stream': async (sql) => {
    await sql`CREATE TEMP TABLE taken (id int, t text)`;
    const lines = Array.from({ length: 20_000 }, (_, n) => `${n}\tline ${n}\n`);
    await pipeline(Readable.from(lines), await sql`COPY taken FROM STDIN`.writable());
    return await sql`SELECT count(*)::int AS n, sum(id)::int AS s FROM taken`;
  },
  'binary COPY out': async (sql) => {
    const chunks: Buffer[] = [];
    for await (const chunk of await sql`COPY (SELECT id, data FROM items ORDER BY id LIMIT 20) TO STDOUT (FORMAT binary)`.readable()) {
      chunks.push(chunk as Buffer);
    }
    return Buffer.concat(chunks).toString('hex');
  },
  'a result of ten megabytes': async (sql) => {
    const rows = await sql`SELECT repeat(md5(n::text), 320) AS t FROM generate_series(1, 1000) n`;
    return rows.reduce((sum, { t }) => sum + (t as string).length, 0);
  },
};

describe('postgres.js', () => {
  let stage: Stage;

  before(async () => {
    stage = await Stage.start({ setup: ITEMS_SETUP });
  });

  for (const [name, use] of Object.entries(CASES)) {
    it(name, () => same(stage, (endpoint) => withSql(endpoint, use)));
  }

  it('listens and notifies', async () => {
    await same(stage, (endpoint) =>
      withSql(endpoint, async (sql) => {
        const { promise, resolve } = Promise.withResolvers<string>();
        const listening = await sql.listen('told', resolve);
        await sql.notify('told', 'hello');
        const payload = await promise;
        await listening.unlisten();
        return payload;
      }),
    );
  });

  it('cancels a running statement', async () => {
    await same(stage, (endpoint) =>
      withSql(endpoint, async (sql) => {
        const running = sql`SELECT pg_sleep(60)`;
        const failed = failure(running.execute());
        for (;;) {
          // Another connection of the superuser sees when it runs.
          const watcher = postgres(stage.server.url(), { max: 1 });
          const [row] =
            await watcher`SELECT count(*)::int AS n FROM pg_stat_activity WHERE state = 'active' AND query LIKE 'SELECT pg_sleep%'`;
          await watcher.end();
          if (row?.['n'] === 1) {
            break;
          }
        }
        running.cancel();
        return [await failed, await sql`SELECT 1 AS after`];
      }),
    );
  });

  it('is on the record, statement by statement', async () => {
    const texts = await stage.finish();
    const found = texts.filter((text) => text === 'SELECT name FROM items WHERE id = $1');
    // It is prepared once, which is a call of its own, and executed two hundred times.
    assert.equal(found.length, 201);
  });

  after(() => stage.remove());
});
