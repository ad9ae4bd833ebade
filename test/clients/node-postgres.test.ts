/** node-postgres direct and through the gateway. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client, Pool } from 'pg';
import { ITEMS_SETUP, failure, same } from './node-clients.ts';
import { Stage } from './stage.ts';
import type { Endpoint } from './stage.ts';

async function withClient<T>(endpoint: Endpoint, use: (client: Client) => Promise<T>): Promise<T> {
  const { host, port, user, password, database } = endpoint;
  const client = new Client({ host, port, user, password, database });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

const CASES: Readonly<Record<string, (client: Client) => Promise<unknown>>> = {
  'rows, fields and types of a simple query': async (client) => {
    const { rows, fields, command, rowCount } = await client.query('SELECT * FROM items ORDER BY id LIMIT 3');
    const types = fields.map(({ name, dataTypeID }) => [name, dataTypeID]);
    return { rows, types, command, rowCount };
  },
  'parameters of many types': async (client) =>
    (
      await client.query(
        'SELECT $1::int AS i, $2::text AS t, $3::bytea AS b, $4::int[] AS a, $5::jsonb AS j, $6::timestamptz AS ts, $7::text AS n',
        [7, "it's ☃", Buffer.from([0, 1, 255]), [1, 2, 3], { a: [1] }, new Date(1_780_000_000_000), null],
      )
    ).rows,
  'binary rows': async (client) => {
    const config = { text: 'SELECT id, price::float8 AS p, data FROM items WHERE id < $1', values: [4] };
    return (await client.query({ ...config, binary: true } as typeof config)).rows;
  },
  'a named statement executed again and again': async (client) => {
    const found: unknown[] = [];
    for (const id of [1, 2, 3, 999]) {
      found.push(
        (await client.query({ name: 'find', text: 'SELECT name FROM items WHERE id = $1', values: [id] }))
          .rows,
      );
    }
    return found;
  },
  'portals with row limits': async (client) => {
    const config = { text: 'SELECT id FROM items ORDER BY id LIMIT 95', rows: 10, values: [] };
    return (await client.query(config)).rows;
  },
  'a named statement whose table changes underneath': async (client) => {
    await client.query('CREATE TEMP TABLE moving (a int)');
    await client.query({ name: 'm', text: 'SELECT * FROM moving' });
    await client.query('ALTER TABLE moving ADD COLUMN b int');
    return await failure(client.query({ name: 'm', text: 'SELECT * FROM moving' }));
  },
  'errors of simple and extended queries, and the next statement': async (client) => [
    await failure(client.query('SELECT 1/0')),
    await failure(client.query('SELECT $1::int', ['x'])),
    await failure(client.query('INSERT INTO items (id, name) VALUES ($1, $2)', [1, 'twice'])),
    await failure(client.query('SELECT no_such FROM items')),
    await failure(client.query('SELECT $1', [])),
    (await client.query('SELECT 1 AS one')).rows,
  ],
  'a transaction that fails and is rolled back': async (client) => {
    await client.query('BEGIN');
    await client.query('INSERT INTO notes VALUES (1, $1)', ['gone']);
    const first = await failure(client.query('SELECT 1/0'));
    const second = await failure(client.query('SELECT 1'));
    await client.query('ROLLBACK');
    return [first, second, (await client.query('SELECT count(*) FROM notes WHERE id = 1')).rows];
  },
  'several statements in one text': async (client) => {
    const results = (await client.query('SELECT 1 AS a; SELECT 2 AS b; SET work_mem = 8192')) as unknown as {
      readonly rows: unknown;
      readonly command: string;
    }[];
    return results.map(({ rows, command }) => ({ rows, command }));
  },
  'a DECLAREd cursor': async (client) => {
    await client.query('BEGIN');
    await client.query('DECLARE steps CURSOR FOR SELECT id FROM items ORDER BY id');
    const first = await client.query('FETCH 3 FROM steps');
    const moved = await client.query('MOVE 10 FROM steps');
    const second = await client.query('FETCH 2 FROM steps');
    await client.query('COMMIT');
    return [first.rows, moved.rowCount, second.rows];
  },
  notices: async (client) => {
    const notices: unknown[] = [];
    client.on('notice', ({ message, severity, code }) => notices.push({ message, severity, code }));
    await client.query(`DO $$ BEGIN RAISE NOTICE 'one'; RAISE WARNING 'two'; END $$`);
    return notices;
  },
  'notifications from another session': async (client) => {
    const arrived = new Promise((resolve) => {
      client.on('notification', ({ channel, payload }) => resolve({ channel, payload }));
    });
    await client.query('LISTEN told');
    await client.query(`SELECT pg_notify('told', 'hello')`);
    return await arrived;
  },
  'large values both ways': async (client) => {
    const value = Buffer.alloc(3_000_000, 'countersign');
    const { rows } = await client.query<{ l: number; back: Buffer }>(
      'SELECT length($1::bytea) AS l, $1::bytea AS back',
      [value],
    );
    return { length: rows[0]?.l, same: rows[0]?.back.equals(value) };
  },
  'many rows': async (client) => {
    const { rows } = await client.query<{ n: number }>('SELECT n FROM generate_series(1, 100000) AS n');
    return { count: rows.length, sum: rows.reduce((sum, { n }) => sum + n, 0) };
  },
  'an empty query': async (client) => {
    const { rows, command } = await client.query('');
    return { rows, command };
  },
};

describe('node-postgres', () => {
  let stage: Stage;

  before(async () => {
    stage = await Stage.start({ setup: ITEMS_SETUP });
  });

  for (const [name, use] of Object.entries(CASES)) {
    it(name, () => same(stage, (endpoint) => withClient(endpoint, use)));
  }

  it('cancels a running statement, and only that', async () => {
    await same(stage, (endpoint) =>
      withClient(endpoint, async (client) => {
        const { host, port, user, password, database } = endpoint;
        const canceller = new Client({ host, port, user, password, database });
        const running = failure(client.query('SELECT pg_sleep(60)'));
        const keys = client as unknown as { processID: number; secretKey: number };
        await cancelWhenActive(stage, canceller, keys);
        return [await running, (await client.query('SELECT 1 AS after')).rows];
      }),
    );
  });

  it('serves a pool of connections at once', async () => {
    await same(stage, async ({ host, port, user, password, database }) => {
      const pool = new Pool({ host, port, user, password, database, max: 8 });
      const ids = Array.from({ length: 200 }, (_, index) => index + 1);
      const found = await Promise.all(
        ids.map(
          async (id) =>
            (await pool.query<{ name: string }>('SELECT name FROM items WHERE id = $1', [id])).rows[0]?.name,
        ),
      );
      await pool.end();
      return found;
    });
  });

  it('is on the record, statement by statement', async () => {
    const texts = await stage.finish();
    assert.equal(texts.filter((text) => text === 'SELECT name FROM items WHERE id = $1').length, 204);
  });

  after(() => stage.remove());
});

/** A cancel request is a connection of its own; it is sent once the server says that the statement runs. */
async function cancelWhenActive(
  stage: Stage,
  canceller: Client,
  keys: { readonly processID: number; readonly secretKey: number },
): Promise<void> {
  const watcher = new Client({ connectionString: stage.server.url() });
  await watcher.connect();
  for (;;) {
    const { rowCount } = await watcher.query(
      `SELECT 1 FROM pg_stat_activity WHERE state = 'active' AND query = 'SELECT pg_sleep(60)'`,
    );
    if (rowCount === 1) {
      break;
    }
  }
  await watcher.end();
  const { host, port } = canceller;
  const connection = (
    canceller as unknown as {
      connection: {
        once(event: string, listener: () => void): void;
        connect(port: number, host: string): void;
        cancel(pid: number, key: number): void;
      };
    }
  ).connection;
  const sent = new Promise<void>((resolve) => connection.once('end', resolve));
  connection.once('connect', () => connection.cancel(keys.processID, keys.secretKey));
  connection.connect(port, host);
  await sent;
}
