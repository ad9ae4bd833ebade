/**
 * A real PostgreSQL and the real gateway in front of it, for running the same client against both. At the end the
 * record must verify, and hold every statement that the server's own log holds, in the order of each backend.
 */
import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { Client } from 'pg';
import { readRecordedCalls } from '../kill/recorded-calls.ts';
import { GatewayFolder, GatewayProcess, PRINCIPAL, TARGET } from '../support/gateway-process.ts';
import { startTestPostgres } from '../support/postgres-server.ts';
import type { PostgresMajor, PostgresServer } from '../support/postgres-server.ts';
import { verifyRecord } from '../support/record-view.ts';

export interface Endpoint {
  readonly name: 'direct' | 'gateway';
  readonly host: '127.0.0.1';
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

export interface StageOptions {
  /** Default 18. */
  readonly major?: PostgresMajor;
  /** Run with superuser rights by `setup`, in the database. */
  readonly setup?: readonly string[];
  /** PEM files for the gateway's listener, and PEM texts for the server. */
  readonly tls?: {
    readonly listener: { readonly cert: string; readonly key: string };
    readonly server: { readonly cert: string; readonly key: string };
  };
}

const LOGIN = 'app';
const LOGIN_PASSWORD = 'not-a-secret-in-a-test';
const DATABASE = 'shop';

/** Prefix of a line in the server's log: backend and user. */
const LINE = /^<<(\d+)\|([^>]*)>> /;

interface Logged {
  readonly pid: string;
  readonly text: string;
}

/** Statements of the gateway's login, as the server logged them. Lines that continue a statement start with a tab. */
function loggedStatements(log: string): readonly Logged[] {
  const found: Logged[] = [];
  for (const entry of log.split(/\n(?=<<)/)) {
    const prefix = LINE.exec(entry);
    if (prefix === null || prefix[2] !== LOGIN) {
      continue;
    }
    const rest = entry.slice(prefix[0].length).replace(/\n$/, '');
    const statement = /^LOG: {2}(?:statement|execute (?:fetch from )?\S+): /.exec(rest);
    if (statement !== null) {
      found.push({ pid: prefix[1] ?? '', text: rest.slice(statement[0].length).replaceAll('\n\t', '\n') });
    }
  }
  return found;
}

function byPid<T>(items: readonly T[], pidOf: (item: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(pidOf(item)) ?? [];
    group.push(item);
    groups.set(pidOf(item), group);
  }
  return groups;
}

export class Stage {
  readonly server: PostgresServer;
  readonly direct: Endpoint;
  readonly gateway: Endpoint;
  readonly #folder: GatewayFolder;
  readonly #process: GatewayProcess;

  private constructor(server: PostgresServer, folder: GatewayFolder, process: GatewayProcess) {
    this.server = server;
    this.#folder = folder;
    this.#process = process;
    const shared = { host: '127.0.0.1' } as const;
    // The direct login is another role with the same rights: its statements are told from the gateway's in the log.
    this.direct = {
      ...shared,
      name: 'direct',
      port: server.port,
      user: 'direct_app',
      password: LOGIN_PASSWORD,
      database: DATABASE,
    };
    this.gateway = {
      ...shared,
      name: 'gateway',
      port: process.port,
      user: PRINCIPAL,
      password: folder.password,
      database: TARGET,
    };
  }

  static async start({ major = 18, setup = [], tls }: StageOptions = {}): Promise<Stage> {
    const server = await startTestPostgres({
      major,
      settings: { log_statement: 'all', log_line_prefix: '<<%p|%u>> ', log_min_messages: 'log' },
      ...(tls === undefined ? {} : { tls: tls.server }),
    });
    await runAll(server.url(), [
      `CREATE ROLE owner NOLOGIN`,
      ...[LOGIN, 'direct_app'].flatMap((role) => [
        `CREATE ROLE ${role} LOGIN PASSWORD '${LOGIN_PASSWORD}' IN ROLE owner`,
        `ALTER ROLE ${role} SET role = 'owner'`,
      ]),
      `CREATE DATABASE ${DATABASE} OWNER owner`,
    ]);
    await runAll(server.url(DATABASE), ['ALTER SCHEMA public OWNER TO owner', ...setup]);
    const target = { port: server.port, database: DATABASE, user: LOGIN, password: LOGIN_PASSWORD };
    const folder = await GatewayFolder.create({ target });
    if (tls !== undefined) {
      addTls(folder, tls.listener);
    }
    return new Stage(server, folder, await GatewayProcess.start(folder));
  }

  /** Both ways to the database, for loops. */
  get endpoints(): readonly [Endpoint, Endpoint] {
    return [this.direct, this.gateway];
  }

  /**
   * Stops the gateway, verifies the record and holds the server's log against it. Gives the texts on the record.
   * For the last test of a suite.
   */
  async finish(): Promise<readonly string[]> {
    const code = await this.#process.stop();
    assert.equal(code, 0, this.#process.log);
    return await this.#check();
  }

  /** Stops and removes everything, whatever happened before. */
  async remove(): Promise<void> {
    await this.#process.stop();
    await this.server.stop();
    this.#folder.remove();
  }

  async #check(): Promise<readonly string[]> {
    const { stateDirectory, custodianKey } = this.#folder;
    const report = await verifyRecord(stateDirectory);
    assert.equal(report.verdict, 'VERIFIED', JSON.stringify(report.findings));
    const { calls } = readRecordedCalls(stateDirectory, custodianKey);
    const recorded = byPid(calls, ({ backend }) => backend.split('/')[0] ?? '');
    const logged = byPid(loggedStatements(readFileSync(this.server.logFile, 'utf8')), ({ pid }) => pid);
    assert.ok(logged.size > 0, 'the server saw no statement through the gateway: the check would be void');
    for (const [pid, statements] of logged) {
      const known = recorded.get(pid) ?? [];
      let place = 0;
      for (const { text } of statements) {
        const found = known.findIndex((call, index) => index >= place && call.text === text);
        assert.ok(found >= 0, `executed, but not on the record (backend ${pid}): ${text}`);
        place = found + 1;
      }
    }
    return calls.map(({ text }) => text);
  }
}

function addTls(folder: GatewayFolder, listener: { readonly cert: string; readonly key: string }): void {
  const yaml = readFileSync(folder.configFile, 'utf8')
    .replace(
      '  postgres:\n    address: 127.0.0.1:0\n',
      `  postgres:\n    address: 127.0.0.1:0\n    tls: { cert: 'file:${listener.cert}', key: 'file:${listener.key}', required: true }\n`,
    )
    .replace('    protocol: postgres\n', `    protocol: postgres\n    tls: { mode: require }\n`);
  writeFileSync(folder.configFile, yaml);
}

async function runAll(url: string, statements: readonly string[]): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  for (const statement of statements) {
    await client.query(statement);
  }
  await client.end();
}
