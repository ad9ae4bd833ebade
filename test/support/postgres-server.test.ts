import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { Client } from 'pg';
import { startTestPostgres } from './postgres-server.ts';
import type { PostgresServer } from './postgres-server.ts';

describe('the PostgreSQL launcher', () => {
  let server: PostgresServer;

  before(async () => {
    server = await startTestPostgres({ settings: { log_statement: 'all' } });
  });

  after(() => server.stop());

  it('starts a server of the wanted major that asks for SCRAM', async () => {
    const client = new Client({ connectionString: server.url() });
    await client.connect();
    const { rows } = await client.query<{ version: string; secret: string }>(
      `select current_setting('server_version_num') as version, rolpassword as secret from pg_authid where rolname = 'postgres'`,
    );
    await client.end();
    assert.match(rows[0]?.version ?? '', /^18\d{4}$/);
    assert.match(rows[0]?.secret ?? '', /^SCRAM-SHA-256\$/);
    assert.match(readFileSync(server.logFile, 'utf8'), /statement: select current_setting/);
  });

  it('refuses a wrong password', async () => {
    const client = new Client({ connectionString: server.url().replace(server.password, 'wrong') });
    await assert.rejects(client.connect(), { code: '28P01' });
  });

  it('removes its temporary folder at the end', async () => {
    const other = await startTestPostgres();
    await other.stop();
    await other.stop();
    assert.equal(existsSync(other.directory), false);
  });
});
