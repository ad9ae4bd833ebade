/** A server with the two databases of the game, each a copy of its template that is made anew when something changed it. */
import { Client } from 'pg';
import { startTestPostgres, type PostgresMajor, type PostgresServer } from '../../support/postgres-server.ts';
import { readMark } from '../authorization/state.ts';
import type { Side } from './canaries.ts';
import { CODE_SQL, dataSql, SCHEMA_SQL } from './fixture.ts';

export const SIDES: readonly Side[] = ['a', 'b'];

export const databaseOf = (side: Side): string => `canary_${side}`;
const templateOf = (side: Side): string => `template_${side}`;

async function connectTo(server: PostgresServer, database: string): Promise<Client> {
  const client = new Client({ connectionString: server.url(database), application_name: 'observer' });
  // The database may be dropped from under it.
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** Sessions of the attacker. */
const LEFT = `select count(*)::int as n from pg_stat_activity where datname like 'canary\\__' and backend_type = 'client backend'
  and application_name <> 'observer' and usename <> 'cs_catalog'`;

const GONE_ROUNDS = 1000;

export class World {
  readonly server: PostgresServer;
  readonly major: PostgresMajor;
  readonly #admin: Client;
  /** One for each database, so that both are made at once. */
  readonly #makers = new Map<Side, Client>();
  readonly #outsiders = new Map<Side, Client>();
  #mark = '';

  private constructor(server: PostgresServer, major: PostgresMajor, admin: Client) {
    this.server = server;
    this.major = major;
    this.#admin = admin;
  }

  static async start(major: PostgresMajor): Promise<World> {
    const server = await startTestPostgres({
      major,
      // What is seen of statistics and of the log of writes does not depend on who works in the background.
      settings: {
        autovacuum: 'off',
        wal_level: 'minimal',
        max_wal_senders: '0',
        max_connections: '60',
        timezone: 'UTC',
        lc_messages: 'C',
      },
    });
    try {
      const admin = await connectTo(server, 'postgres');
      const world = new World(server, major, admin);
      await world.#fillTemplates();
      for (const side of SIDES) world.#makers.set(side, await connectTo(server, 'postgres'));
      await Promise.all(SIDES.map((side) => world.#copy(side)));
      return world;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /** Both begin as copies of one database, so that even the object ids are the same. */
  async #fillTemplates(): Promise<void> {
    await this.#admin.query('create database empty_bank');
    const empty = await connectTo(this.server, 'empty_bank');
    for (const sql of [SCHEMA_SQL, CODE_SQL]) await empty.query(sql);
    await empty.end();
    for (const side of SIDES) {
      await this.#admin.query(`create database ${templateOf(side)} template empty_bank`);
      const template = await connectTo(this.server, templateOf(side));
      await template.query(dataSql(side));
      await template.query('vacuum (freeze, analyze)');
      // And what that wrote.
      await template.query('vacuum (freeze)');
      await template.end();
    }
  }

  async #copy(side: Side): Promise<void> {
    const strategy = this.major < 15 ? '' : ' strategy file_copy';
    const text = `create database ${databaseOf(side)} template ${templateOf(side)}${strategy}`;
    await this.#makers.get(side)!.query(text);
    this.#outsiders.set(side, await connectTo(this.server, databaseOf(side)));
  }

  /** A superuser beside the gateway. */
  async outside(side: Side, sql: string): Promise<void> {
    await this.#outsiders.get(side)!.query(sql);
  }

  /** Whether a query for a superuser gives true. */
  async holds(side: Side, sql: string): Promise<boolean> {
    const { rows } = await this.#outsiders.get(side)!.query<unknown[]>({ text: sql, rowMode: 'array' });
    return rows[0]?.[0] === true;
  }

  async oidOf(side: Side, routine: string): Promise<number> {
    const { rows } = await this.#outsiders
      .get(side)!
      .query<{ oid: number }>('select $1::regproc::oid::int8::int as oid', [routine]);
    return rows[0]!.oid;
  }

  /** Resolves when at most so many sessions of the attacker are left on the server. */
  async untilQuiet(left: number): Promise<void> {
    for (let round = 0; round < GONE_ROUNDS; round += 1) {
      const { rows } = await this.#admin.query<{ n: number }>(LEFT);
      if ((rows[0]?.n ?? 0) <= left) return;
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    throw new Error('a session of an attempt does not end');
  }

  /** Whether anything was written since the copies were made. */
  async isChanged(): Promise<boolean> {
    return (await readMark(this.#admin)) !== this.#mark;
  }

  /** Fresh copies. */
  async restore(): Promise<void> {
    const one = async (side: Side): Promise<void> => {
      await this.#outsiders
        .get(side)!
        .end()
        .catch(() => {});
      await this.#makers.get(side)!.query(`drop database ${databaseOf(side)} with (force)`);
      await this.#copy(side);
    };
    await Promise.all(SIDES.map((side) => one(side)));
  }

  /** From here on every write is a change. Reading what is fresh writes as well (hint bits): that is over by now. */
  async mark(): Promise<void> {
    this.#mark = await readMark(this.#admin);
  }

  async stop(): Promise<void> {
    await this.#admin.end().catch(() => {});
    for (const client of [...this.#makers.values(), ...this.#outsiders.values()])
      await client.end().catch(() => {});
    await this.server.stop();
  }
}
