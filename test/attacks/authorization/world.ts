/** The real things that attacks are tried on: a server with the bank, a listener, a folder, and another session. */
import { once } from 'node:events';
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';
import { startTestPostgres, type PostgresMajor, type PostgresServer } from '../../support/postgres-server.ts';
import {
  CLUSTER_SQL,
  EXTENSIONS_SQL,
  FILE_CANARY,
  FINISH_SQL,
  OTHER_DATABASE,
  OTHER_SQL,
  OWNER_SQL,
  SERVER_HBA,
  SERVER_SETTINGS,
  VICTIM_QUERY,
} from './fixture.ts';
import { changedKeys, readMark, readState, rowsQuery, type State } from './state.ts';

export const TEMPLATE = 'authz_template';

/** Takes connections, counts them and says nothing: whoever connects has escaped. */
export class Listener {
  readonly port: number;
  readonly #server: Server;
  #count = 0;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
    server.on('connection', (socket) => {
      this.#count += 1;
      socket.on('error', () => {});
      socket.destroy();
    });
  }

  static async open(): Promise<Listener> {
    const server = createServer();
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    server.unref();
    return new Listener(server);
  }

  /** Connections since the last time it was asked. */
  taken(): number {
    const count = this.#count;
    this.#count = 0;
    return count;
  }

  close(): void {
    this.#server.close();
  }
}

export async function connectAs(server: PostgresServer, database: string, name: string): Promise<Client> {
  const client = new Client({ connectionString: server.url(database), application_name: name });
  // The database may be dropped from under it.
  client.on('error', () => {});
  await client.connect();
  return client;
}

/** Of a signal that was sent: some 2 s. */
const LOOKS_AFTER_A_SIGNAL = 80;

/** Somebody else's session: it runs a query with a canary and holds a lock, and must live on untouched. */
export class Victim {
  readonly #server: PostgresServer;
  #client!: Client;
  pid = 0;
  #hurt = false;

  private constructor(server: PostgresServer) {
    this.#server = server;
  }

  static async start(server: PostgresServer): Promise<Victim> {
    const victim = new Victim(server);
    await victim.#begin();
    return victim;
  }

  async #begin(): Promise<void> {
    this.#client = await connectAs(this.#server, 'postgres', 'victim');
    const { rows } = await this.#client.query<{ pid: number }>(
      'select pg_backend_pid() as pid from pg_advisory_lock_shared(424)',
    );
    this.pid = rows[0]!.pid;
    this.#hurt = false;
    this.#client.query(VICTIM_QUERY).catch(() => {
      this.#hurt = true;
    });
    // What reaches it before its query has nothing to end.
    const observer = await connectAs(this.#server, 'postgres', 'watch');
    while (!(await this.#isBusy(observer))) await sleep(5);
    await observer.end();
  }

  /** Whether its query ended, seen from the server; then another one is begun. */
  async wasHurt(observer: Client, isAimedAt: boolean): Promise<boolean> {
    let hurt = !(await this.#isBusy(observer));
    // A signal is told before the other side has taken it.
    const looks = isAimedAt ? LOOKS_AFTER_A_SIGNAL : 0;
    for (let look = 0; !hurt && look < looks; look++) {
      await sleep(25);
      hurt = this.#hurt || !(await this.#isBusy(observer));
    }
    if (hurt || this.#hurt) {
      await this.#client.end().catch(() => {});
      await this.#begin();
      return true;
    }
    return false;
  }

  async #isBusy(observer: Client): Promise<boolean> {
    const { rows } = await observer.query<{ state: string }>(
      'select state from pg_stat_activity where pid = $1',
      [this.pid],
    );
    return rows[0]?.state === 'active';
  }

  async end(observer: Client): Promise<void> {
    // Its query sleeps: only the server can end it.
    const ended = this.#client.end().catch(() => {});
    await observer.query('select pg_terminate_backend($1)', [this.pid]).catch(() => {});
    await ended;
  }
}

/** A folder that the server may write to, with a file that it may read. */
export class Folder {
  readonly path: string;

  constructor() {
    this.path = mkdtempSync(join(tmpdir(), 'countersign-authz-'));
    chmodSync(this.path, 0o777);
    writeFileSync(join(this.path, 'canary.txt'), FILE_CANARY, { mode: 0o644 });
  }

  /** Files that came since the last time it was asked. */
  taken(): string[] {
    const names = readdirSync(this.path).filter((name) => name !== 'canary.txt');
    for (const name of names) rmSync(join(this.path, name), { force: true, recursive: true });
    return names;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

const fillIn = (text: string, values: Readonly<Record<string, string>>): string =>
  text.replaceAll(/\{\{(\w+)\}\}/gu, (whole, name: string) => values[name] ?? whole);

/** A server with the template of the bank. */
export class World {
  readonly server: PostgresServer;
  readonly admin: Client;
  readonly #places: { readonly folder: Folder; readonly listener: Listener };
  /** SQL that gives the contents of every relation of the template. */
  readonly rows: string;

  private constructor(server: PostgresServer, admin: Client, places: World['places'], rows: string) {
    this.server = server;
    this.admin = admin;
    this.#places = places;
    this.rows = rows;
  }

  get places(): { readonly folder: Folder; readonly listener: Listener } {
    return this.#places;
  }

  /** @param prepare runs on the template as superuser, last: roles and their privileges */
  static async start(options: {
    readonly major?: PostgresMajor;
    readonly prepare?: (server: PostgresServer, template: Client) => Promise<void>;
  }): Promise<World> {
    const folder = new Folder();
    const listener = await Listener.open();
    const server = await startTestPostgres({
      ...(options.major === undefined ? {} : { major: options.major }),
      settings: SERVER_SETTINGS,
      hba: SERVER_HBA,
    });
    try {
      const admin = await connectAs(server, 'postgres', 'admin');
      await admin.query(CLUSTER_SQL);
      await admin.query(`create database ${TEMPLATE}`);
      const template = await connectAs(server, TEMPLATE, 'template');
      const values = { database: TEMPLATE, dir: folder.path, port: String(listener.port) };
      for (const sql of [EXTENSIONS_SQL, OWNER_SQL, FINISH_SQL]) await template.query(fillIn(sql, values));
      await options.prepare?.(server, template);
      await admin.query(`create database ${OTHER_DATABASE}`);
      const other = await connectAs(server, OTHER_DATABASE, 'template');
      await other.query(OTHER_SQL);
      await other.end();
      const rows = await rowsQuery(template);
      // Copies begin with what this reading leaves behind (hint bits), and so need not be written to when they are read.
      await readState(template, rows);
      await template.end();
      return new World(server, admin, { folder, listener }, rows);
    } catch (error) {
      await server.stop();
      folder.remove();
      listener.close();
      throw error;
    }
  }

  async stop(): Promise<void> {
    await this.admin.end().catch(() => {});
    await this.server.stop();
    this.places.folder.remove();
    this.places.listener.close();
  }
}

/** What an attack may have done to roles, settings and other things of the whole cluster; each may fail. */
const CLUSTER_REPAIR = (database: string): readonly string[] => [
  'drop role if exists mine',
  'drop role if exists auditor',
  `create role auditor login password 'SCRAM-SHA-256$4096:Q05SWWF1dGhpZHNhbHQ=$Q05SWWF1dGhpZHN0b3JlZGtleQAAAAAAAAAAAAAAAAA=:Q05SWWF1dGhpZHNlcnZlcmtleQAAAAAAAAAAAAAAAAA='`,
  'alter role auditor nosuperuser',
  'alter role auditor reset all',
  `alter role auditor set app.token = 'CNRY-rolesetting'`,
  `alter role all in database ${database} reset all`,
  'revoke bank_owner from auditor',
  `alter database ${database} reset all`,
  'drop database if exists mine',
  `drop database if exists ${database}_spare`,
  'alter system reset log_statement',
  'select pg_reload_conf()',
  'select pg_drop_replication_slot(slot_name) from pg_replication_slots',
  'select pg_replication_origin_drop(roname) from pg_replication_origin',
];

/** Keys of the state that another database of the cluster has as well. */
const OF_THE_CLUSTER =
  /^(role|members|databases|slots|configuration|catalog pg_(tablespace|replication_origin|subscription))/;

const DATABASE_RELEASE: readonly string[] = [
  'alter subscription s disable',
  'alter subscription s set (slot_name = none)',
  'drop subscription s',
];

async function tryAll(client: Client, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await client.query(statement).catch(() => {});
}

const releaseOf = (gids: readonly { readonly gid: string }[]): readonly string[] =>
  gids.map(({ gid }) => `rollback prepared '${gid.replaceAll("'", "''")}'`);

/** One database to be attacked, a copy of the template that is made anew when something changed it. */
export class Arena {
  readonly world: World;
  readonly database: string;
  readonly victim: Victim;
  observer!: Client;
  baseline!: State;
  /** Notifications on `bell` since the last attack. */
  notified: string[] = [];
  #read: { readonly mark: string; readonly state: State } | undefined;
  /** Roles whose temporary tables PUBLIC does not grant any more. */
  readonly #temporary: readonly string[];

  private constructor(world: World, database: string, victim: Victim, temporary: readonly string[]) {
    this.world = world;
    this.database = database;
    this.victim = victim;
    this.#temporary = temporary;
  }

  static async open(world: World, database: string, temporary: readonly string[] = []): Promise<Arena> {
    const arena = new Arena(world, database, await Victim.start(world.server), temporary);
    await arena.#make();
    arena.baseline = await arena.state();
    return arena;
  }

  async #make(): Promise<void> {
    await this.world.admin.query(`create database ${this.database} template ${TEMPLATE} strategy file_copy`);
    await this.world.admin.query(`revoke temporary on database ${this.database} from public`);
    for (const role of this.#temporary) {
      await this.world.admin.query(`grant temporary on database ${this.database} to ${role}`);
    }
    this.observer = await connectAs(this.world.server, this.database, 'observer');
    this.observer.on('notification', ({ payload }) => void this.notified.push(payload ?? ''));
    await this.observer.query('listen bell');
  }

  fill(text: string): string {
    const { folder, listener } = this.world.places;
    return fillIn(text, {
      database: this.database,
      dir: folder.path,
      port: String(listener.port),
      victim: String(this.victim.pid),
    });
  }

  /** Read anew only when something was written since the last time. */
  async state(): Promise<State> {
    const mark = await readMark(this.observer);
    if (this.#read?.mark === mark) return this.#read.state;
    const state = await readState(this.observer, this.world.rows);
    // Reading may write (hint bits): what is remembered is the mark from before, so the next time may read in vain.
    this.#read = { mark, state };
    return state;
  }

  /**
   * A fresh copy of the bank; roles and settings of the cluster as they were. Throws when they are not.
   *
   * @param changed keys of the state; those of the database itself need no second look: a copy is a copy
   */
  async restore(changed: readonly string[]): Promise<void> {
    const before = this.baseline;
    const prepared = await this.observer.query<{ gid: string }>(
      'select gid from pg_prepared_xacts where database = current_database()',
    );
    await tryAll(this.observer, [...releaseOf(prepared.rows), ...DATABASE_RELEASE]);
    await this.observer.end();
    await this.world.admin.query(`drop database ${this.database} with (force)`);
    await this.#make();
    if (!changed.some((key) => OF_THE_CLUSTER.test(key))) {
      this.#read = { mark: await readMark(this.observer), state: before };
      return;
    }
    await tryAll(this.world.admin, CLUSTER_REPAIR(this.database));
    this.baseline = await this.state();
    const left = changedKeys(before, this.baseline).filter((key) => !key.startsWith('role auditor'));
    if (left.length > 0) throw new Error(`the cluster could not be put back: ${left.join(', ')}`);
  }

  async close(): Promise<void> {
    await this.victim.end(this.observer);
    await this.observer.end().catch(() => {});
  }
}
