/** The catalog of a real server, as the gateway reads it. */
import { Client } from 'pg';
import type { PostgresTargetConfig } from '../../packages/gateway/src/config/config.ts';
import { indexCatalog } from '../../packages/gateway/src/postgres/catalog/catalog-index.ts';
import type { Catalog } from '../../packages/gateway/src/postgres/catalog/catalog.ts';
import { loadCatalog, openCatalogSession } from '../../packages/gateway/src/postgres/catalog/load-catalog.ts';
import { dialTarget } from '../../packages/gateway/src/postgres/upstream/dial.ts';
import { OwnSession } from '../../packages/gateway/src/postgres/upstream/own-session.ts';
import { startTestPostgres } from './postgres-server.ts';

/** What `loadTestCatalog` needs to know of a server; a `PostgresServer` is one. */
export interface CatalogServer {
  readonly port: number;
  readonly user: string;
  readonly password: string;
}

/** A session of the gateway's own as the superuser, nothing recorded. `statements` collects what it sends. */
export async function openOwnSession(
  server: CatalogServer,
  database = 'postgres',
  statements: string[] = [],
): Promise<OwnSession> {
  const target: PostgresTargetConfig = {
    name: 'test',
    protocol: 'postgres',
    hosts: [{ host: '127.0.0.1', port: server.port }],
    database,
    logins: {},
    tls: { mode: 'disable', direct: false },
    targetSessionAttrs: 'any',
    connectTimeoutMs: 20_000,
    allowedSettings: [],
  };
  const connection = await dialTarget(
    target,
    { user: server.user, password: { kind: 'env', name: 'PASSWORD' } },
    { secrets: { read: async () => Promise.resolve(Buffer.from(server.password)) }, principal: 'gateway' },
  );
  return new OwnSession(connection, async (statement) => {
    statements.push(statement);
    return Promise.resolve(() => {});
  });
}

/** A snapshot of now. Default database: `postgres`. */
export async function loadTestCatalog(server: CatalogServer, database = 'postgres'): Promise<Catalog> {
  const session = await openOwnSession(server, database);
  try {
    await openCatalogSession(session);
    const { data } = await loadCatalog(session, 'test');
    return indexCatalog(data);
  } finally {
    session.end();
  }
}

/** That of a new database in which the schema was made, on a server that lives no longer than this. */
export async function catalogWith(schema: string): Promise<Catalog> {
  const server = await startTestPostgres();
  try {
    const client = new Client({ connectionString: server.url() });
    await client.connect();
    await client.query(schema);
    await client.end();
    return await loadTestCatalog(server);
  } finally {
    await server.stop();
  }
}
