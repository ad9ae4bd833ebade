import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Client } from 'pg';
import { startTestPostgres } from '../../../test/support/postgres-server.ts';
import type { PostgresServer } from '../../../test/support/postgres-server.ts';
import { loadBank } from './load.ts';

const query = async (url: string, sql: string): Promise<Record<string, unknown>[]> => {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(sql)).rows;
  } finally {
    await client.end();
  }
};

describe('the bank', () => {
  let server: PostgresServer;

  before(async () => {
    server = await startTestPostgres();
    await loadBank((database) => server.url(database));
    // Again: what is there is kept.
    await loadBank((database) => server.url(database));
  });

  after(() => server.stop());

  it('holds the same synthetic data on every machine', async () => {
    const [row] = await query(
      server.url('bank'),
      `SELECT count(*)::integer AS count,
              md5(string_agg(t::text, E'\\n' ORDER BY transaction_id)) AS digest,
              (SELECT md5(string_agg(c::text, E'\\n' ORDER BY customer_id)) FROM bank.customers c) AS customers
       FROM bank.transactions t`,
    );
    assert.deepEqual(row, EXPECTED);
  });

  it('has card numbers with a valid check digit', async () => {
    const rows = await query(server.url('bank'), 'SELECT pan FROM bank.cards LIMIT 500');
    for (const { pan } of rows) {
      const sum = String(pan)
        .split('')
        .toReversed()
        .reduce((total, digit, place) => {
          const value = Number(digit) * (place % 2 === 1 ? 2 : 1);
          return total + (value > 9 ? value - 9 : value);
        }, 0);
      assert.equal(sum % 10, 0, String(pan));
    }
  });

  it('has a view for reports, and lets nobody but its owner do anything', async () => {
    const [row] = await query(
      server.url('bank'),
      'SELECT count(*)::integer AS count FROM reporting.daily_activity',
    );
    assert.deepEqual(row, { count: 455 });
    await query(server.url('bank'), `CREATE ROLE anybody LOGIN PASSWORD 'first'`);
    const anybody = server
      .url('bank')
      .replace('//postgres:', '//anybody:')
      .replace(`:${server.password}@`, ':first@');
    for (const sql of [
      'SELECT count(*) FROM bank.customers',
      'SELECT count(*) FROM reporting.daily_activity',
      `SELECT reporting.row_count('bank.customers')`,
    ]) {
      await assert.rejects(query(anybody, sql), { code: '42501' });
    }
  });
});

/** Pinned: the demo's transcript and the tests of later parts rest on these values. */
const EXPECTED = {
  count: 100_000,
  digest: '57f0c5b3e6e642183ea4ae7f1e406447',
  customers: 'bd4c8f114d86c7dff655d0f9e1005dfd',
};
