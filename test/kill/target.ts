/** The database server under the kill loop, and its own account of what it did. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { startTestPostgres } from '../support/postgres-server.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import type { SideEffectRow } from './compare.ts';
import { SCHEMA } from './schema.ts';
import { readTargetLog, targetLogSettings } from './target-log.ts';
import type { TargetLog } from './target-log.ts';

/** The login that the gateway has here. */
export const TARGET_LOGIN = 'kill_login';
export const TARGET_PASSWORD = 'not-a-secret-in-a-test';

const DATABASE = 'killed';

export interface Account {
  readonly log: TargetLog;
  readonly rows: readonly SideEffectRow[];
}

export class Target {
  readonly server: PostgresServer;
  readonly database = DATABASE;

  private constructor(server: PostgresServer) {
    this.server = server;
  }

  static async start(): Promise<Target> {
    const server = await startTestPostgres({ settings: targetLogSettings('log') });
    const target = new Target(server);
    await target.#run('postgres', [
      `create role ${TARGET_LOGIN} login password '${TARGET_PASSWORD}'`,
      `create database ${DATABASE}`,
    ]);
    await target.#run(DATABASE, [
      SCHEMA,
      `grant select, insert, update, delete on all tables in schema public to ${TARGET_LOGIN}`,
    ]);
    return target;
  }

  async #run(database: string, texts: readonly string[]): Promise<Record<string, unknown>[]> {
    const client = new Client({ connectionString: this.server.url(database) });
    await client.connect();
    let rows: Record<string, unknown>[] = [];
    for (const text of texts) rows = (await client.query<Record<string, unknown>>(text)).rows;
    await client.end();
    return rows;
  }

  /** Waits until no session of the gateway is left: a backend may outlive its client by a statement. */
  async waitForQuiet(): Promise<void> {
    for (;;) {
      const busy = await this.#run(DATABASE, [
        `select pid from pg_stat_activity where usename = '${TARGET_LOGIN}'`,
      ]);
      if (busy.length === 0) return;
      await sleep(20);
    }
  }

  /** What the server says that it did so far. Call it when the gateway has stopped. */
  async account(): Promise<Account> {
    await this.waitForQuiet();
    // All backends write to one pipe: once this line is in the file, so is everything before it.
    const last = `end of account ${process.hrtime.bigint()}`;
    await this.#run(DATABASE, [`do $$ begin raise log '${last}'; end $$`]);
    const directory = join(this.server.directory, 'data', 'log');
    const isComplete = (): boolean =>
      readdirSync(directory).some(
        (name) => name.endsWith('.json') && readFileSync(join(directory, name), 'utf8').includes(`"${last}"`),
      );
    while (!isComplete()) await sleep(20);
    const rows = await this.#run(DATABASE, ['select marker, pid from side_effects']);
    return {
      log: readTargetLog(directory, TARGET_LOGIN),
      rows: rows.map((row) => ({ marker: String(row['marker']), pid: Number(row['pid']) })),
    };
  }

  async stop(): Promise<void> {
    await this.server.stop();
  }
}
