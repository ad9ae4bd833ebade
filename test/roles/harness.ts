/** A real server with the setup of the second wall installed, and what tests of it need. */
import { Client } from 'pg';
import type { CustomTypesConfig } from 'pg';
import type { PostgresTargetConfig } from '../../packages/gateway/src/config/config.ts';
import type { ScopeConfig } from '../../packages/gateway/src/config/scope-section.ts';
import { Scope } from '../../packages/gateway/src/grants/scope.ts';
import { makeVerifier } from '../../packages/gateway/src/identity/scram-verifier.ts';
import type { RunRoleStatement } from '../../packages/gateway/src/postgres/roles/role-functions.ts';
import { OWNER_ROLE, setupSql } from '../../packages/gateway/src/postgres/roles/setup-sql.ts';
import { startTestPostgres } from '../support/postgres-server.ts';
import type { PostgresMajor, PostgresServer } from '../support/postgres-server.ts';

/** The oldest and the newest of the two rules on CREATEROLE: 16 changed them. */
export const MAJORS: readonly PostgresMajor[] = [15, 18];

export const LOGIN = 'countersign_gateway';
export const LOGIN_PASSWORD = 'the gateway';
export const OBJECTS = 'countersign_objects';
export const SETUP = {
  target: 'bank',
  database: 'postgres',
  login: LOGIN,
  owner: OWNER_ROLE,
  objects: OBJECTS,
  prefix: 'cs_',
} as const;

/** What is offered: reading all of `bank`, writing some of it, and making objects in `scratch`. Nothing of `vault`. */
const OBJECTS_OF_BANK = `
  CREATE SCHEMA bank; CREATE SCHEMA vault; CREATE SCHEMA scratch;
  CREATE TABLE bank.accounts (id serial PRIMARY KEY, status text, owner_name text, secret text);
  CREATE TABLE bank.orders (id serial PRIMARY KEY, amount int, note text);
  CREATE TABLE bank."odd ""name; DROP" (a int);
  CREATE TABLE vault.keys (id int, material text);
  CREATE VIEW bank.open_accounts AS SELECT id, status FROM bank.accounts;
  INSERT INTO bank.accounts (status, owner_name, secret) VALUES ('open', 'Ann', 's1'), ('shut', 'Bob', 's2');
  INSERT INTO vault.keys VALUES (1, 'material');
  CREATE FUNCTION bank.balance(int) RETURNS int LANGUAGE sql AS 'SELECT $1';
  CREATE FUNCTION bank.transfer(int) RETURNS int LANGUAGE sql AS 'SELECT $1';
  CREATE FUNCTION bank.as_owner() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM vault.keys';
  CREATE FUNCTION bank.named_as_owner() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM vault.keys';
  REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA bank FROM PUBLIC;
  INSERT INTO countersign.grantable VALUES
    ('bank', '*', '{select,execute}'), ('bank', 'orders', '{insert,update,delete}'),
    ('bank', 'named_as_owner', '{execute}'), ('scratch', '*', '{ddl}');
  SELECT countersign.apply_offers();
`;

/** psql's own commands are for psql. */
export function withoutPsql(text: string): string {
  return text.replaceAll(/^\\.*$/gm, '');
}

export class WalledServer {
  readonly server: PostgresServer;
  readonly dba: Client;
  readonly #clients: Client[] = [];

  private constructor(server: PostgresServer, dba: Client) {
    this.server = server;
    this.dba = dba;
  }

  static async start(major: PostgresMajor): Promise<WalledServer> {
    const server = await startTestPostgres({ major, settings: { max_connections: '150' } });
    try {
      const dba = new Client({ connectionString: server.url() });
      await dba.connect();
      await dba.query(withoutPsql(setupSql(SETUP)));
      await dba.query(`ALTER ROLE ${LOGIN} PASSWORD '${await makeVerifier(LOGIN_PASSWORD)}'`);
      await dba.query(OBJECTS_OF_BANK);
      return new WalledServer(server, dba);
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  get target(): PostgresTargetConfig {
    return {
      name: 'bank',
      protocol: 'postgres',
      hosts: [{ host: '127.0.0.1', port: this.server.port }],
      database: 'postgres',
      logins: { roles: { user: LOGIN, password: { kind: 'env', name: 'ROLES' } } },
      tls: { mode: 'disable', direct: false },
      targetSessionAttrs: 'any',
      connectTimeoutMs: 20_000,
      allowedSettings: [],
      roles: { login: 'roles', owner: OBJECTS, prefix: 'cs_', idleMs: 3_600_000 },
    };
  }

  /** A client as a role; it is ended with the server. */
  async connect(user: string = LOGIN, password: string = LOGIN_PASSWORD): Promise<Client> {
    const client = new Client({
      host: '127.0.0.1',
      port: this.server.port,
      database: 'postgres',
      user,
      password,
    });
    client.on('error', () => {});
    await client.connect();
    this.#clients.push(client);
    return client;
  }

  /** Statements of the gateway's login, each over a connection of its own as in the product, without a record. */
  run(statements: string[] = []): RunRoleStatement {
    return async (statement) => {
      statements.push(statement);
      const client = await this.connect();
      try {
        const { rows } = await client.query<(string | null)[]>({
          text: statement,
          rowMode: 'array',
          types: AS_TEXT,
        });
        return { sqlState: undefined, value: rows[0]?.[0] ?? undefined };
      } catch (error) {
        return { sqlState: stateOf(error), value: undefined };
      } finally {
        await client.end();
      }
    };
  }

  async names(statement: string): Promise<string[]> {
    const { rows } = await this.dba.query<{ name: string }>(statement);
    return rows.map(({ name }) => name);
  }

  async rolesThere(): Promise<string[]> {
    return await this.names(
      "SELECT rolname AS name FROM pg_roles WHERE rolname ~ '^cs_[0-9a-f]{32}$' ORDER BY 1",
    );
  }

  async stop(): Promise<void> {
    await Promise.allSettled([this.dba, ...this.#clients].map((client) => client.end()));
    await this.server.stop();
  }
}

/** `pg` would parse JSON: the product gets text. */
const AS_TEXT = { getTypeParser: () => (value: string) => value } as unknown as CustomTypesConfig;

/** SQLSTATE of a statement; `ok` when it ran. */
export async function outcomeOf(client: Client, statement: string, values?: unknown[]): Promise<string> {
  try {
    await client.query(statement, values);
    return 'ok';
  } catch (error) {
    return stateOf(error);
  }
}

function stateOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'XX000';
}

export function scopeOf(config: Partial<ScopeConfig>): Scope {
  return new Scope({ relations: [], functions: [], ddl: [], allow: [], ...config });
}
