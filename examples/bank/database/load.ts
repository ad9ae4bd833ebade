/** Fills a PostgreSQL server with the bank. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, escapeIdentifier, escapeLiteral } from 'pg';

const sqlFile = (name: string): string => readFileSync(join(import.meta.dirname, name), 'utf8');

async function withClient<T>(url: string, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url, application_name: 'bank-load' });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

async function isThere(client: Client, question: string): Promise<boolean> {
  const { rowCount } = await client.query(question);
  return rowCount !== 0;
}

/**
 * Makes the database `bank` complete: its owner, schema, 8,000 customers, 12,000 accounts, 8,000 cards and 100,000 transactions.
 * What is there already is kept. `url(database)` connects as superuser.
 */
export async function loadBank(url: (database: string) => string): Promise<void> {
  await withClient(url('postgres'), async (client) => {
    if (!(await isThere(client, `SELECT FROM pg_roles WHERE rolname = 'bank_owner'`))) {
      await client.query('CREATE ROLE bank_owner NOLOGIN');
    }
    if (!(await isThere(client, `SELECT FROM pg_database WHERE datname = 'bank'`))) {
      await client.query('CREATE DATABASE bank');
    }
  });
  await withClient(url('bank'), async (client) => {
    if (!(await isThere(client, `SELECT WHERE to_regclass('reporting.daily_activity') IS NOT NULL`))) {
      // One transaction: an interrupted load leaves nothing behind.
      await client.query('BEGIN');
      await client.query(sqlFile('schema.sql'));
      await client.query(sqlFile('data.sql'));
      await client.query('COMMIT');
      await client.query('VACUUM ANALYZE');
    }
    await client.query(sqlFile('helpers.sql'));
  });
}

/** What a DBA does once: runs the SQL that `countersign target setup bank --print` printed, says what may be granted, and gives the gateway's login its password. */
export interface SecondWall {
  readonly setupSql: string;
  readonly login: string;
  /** A SCRAM verifier instead of a password: the server's own log of statements then holds nothing that opens a door. */
  readonly verifier: string;
}

/** Installs it in the database of `url`, which connects as superuser. Again: brings it up to date. */
export async function installSecondWall(
  url: string,
  { setupSql, login, verifier }: SecondWall,
): Promise<void> {
  await withClient(url, async (client) => {
    await client.query(withoutPsql(setupSql));
    await client.query(sqlFile('offers.sql'));
    await client.query(`ALTER ROLE ${escapeIdentifier(login)} PASSWORD ${escapeLiteral(verifier)}`);
  });
}

/** Lines that begin with a backslash are for psql, which the demo does not need to have. */
function withoutPsql(text: string): string {
  return text.replaceAll(/^\\.*$/gm, '');
}
