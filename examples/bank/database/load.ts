/** Fills a PostgreSQL server with the bank. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, escapeLiteral } from 'pg';

/** A verifier instead of a password: the server's own log of statements then holds nothing that opens a door. */
export interface BankRoles {
  readonly bank_reporting: string;
  readonly bank_teller: string;
}

const LOGINS = ['bank_reporting', 'bank_teller'] as const;

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

async function createRoles(client: Client, roles: BankRoles): Promise<void> {
  const { rows } = await client.query<{ rolname: string }>('SELECT rolname FROM pg_roles');
  const present = new Set(rows.map((row) => row.rolname));
  if (!present.has('bank_owner')) {
    await client.query('CREATE ROLE bank_owner NOLOGIN');
  }
  for (const role of LOGINS) {
    await client.query(
      `${present.has(role) ? 'ALTER' : 'CREATE'} ROLE ${role} LOGIN PASSWORD ${escapeLiteral(roles[role])}`,
    );
  }
}

/**
 * Makes the database `bank` complete: roles with the given SCRAM verifiers, schema, 8,000 customers, 12,000 accounts,
 * 8,000 cards and 100,000 transactions. What is there already is kept. `url(database)` connects as superuser.
 */
export async function loadBank(url: (database: string) => string, roles: BankRoles): Promise<void> {
  await withClient(url('postgres'), async (client) => {
    await createRoles(client, roles);
    const { rowCount } = await client.query(`SELECT 1 FROM pg_database WHERE datname = 'bank'`);
    if (rowCount === 0) {
      await client.query('CREATE DATABASE bank');
    }
  });
  await withClient(url('bank'), async (client) => {
    const { rows } = await client.query<{ loaded: boolean }>(
      `SELECT to_regclass('reporting.daily_activity') IS NOT NULL AS loaded`,
    );
    if (rows[0]?.loaded === true) {
      return;
    }
    // One transaction: an interrupted load leaves nothing behind.
    await client.query('BEGIN');
    await client.query(sqlFile('schema.sql'));
    await client.query(sqlFile('data.sql'));
    await client.query('COMMIT');
    await client.query('VACUUM ANALYZE');
  });
}
