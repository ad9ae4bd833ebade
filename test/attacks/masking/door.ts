/** The real gateway in front of both databases, with masking or, to show that the attempts are real, without. */
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { readConfig } from '../../../packages/gateway/src/config/read-config.ts';
import type { CountersignConfig } from '../../../packages/gateway/src/config/config.ts';
import { startGateway, type Gateway } from '../../../packages/gateway/src/gateway/gateway.ts';
import { createLogger } from '../../../packages/gateway/src/observe/logger.ts';
import { EVERYTHING, GatewayFolder } from '../../support/gateway-process.ts';
import { query, RawSession } from '../../support/raw-session.ts';
import type { GrantWords } from './attempt.ts';
import type { Side } from './canaries.ts';
import { CLASSIFIED, MASKING_SECTION } from './fixture.ts';
import { databaseOf, SIDES, type World } from './world.ts';

/** The longest that a configuration may say: after a change from outside the gateway is told to look. */
const POLL = '60s';
const LOOKS = 200;

export const targetOf = (side: Side): string => `bank-${side}`;
/** @param name of who attempts; each has an owner, so a budget, of its own */
export const principalOf = (name: string, side: Side): string => `mask-${name}-${side}`;

/** Who attempts whatever needs no words of its own in a grant. */
export const ANYBODY = 'anybody';

/** Reads what a session reads when it begins, and what is made with a database. */
const READ_ALL = `select count(*) from pg_database, pg_roles, pg_shdepend, pg_shdescription, pg_db_role_setting`;

export interface Attacker {
  readonly name: string;
  readonly words: GrantWords;
}

/** A session and every byte that it received. */
export interface Tapped {
  readonly session: RawSession;
  readonly chunks: Buffer[];
}

export class Door {
  readonly world: World;
  readonly masked: boolean;
  readonly #folder: GatewayFolder;
  readonly #attackers: Map<string, GrantWords>;
  readonly #head: string;
  readonly #shared = new Map<Side, Tapped>();
  #gateway!: Gateway;

  private constructor(world: World, folder: GatewayFolder, masked: boolean, attackers: readonly Attacker[]) {
    this.world = world;
    this.masked = masked;
    this.#folder = folder;
    this.#attackers = new Map(attackers.map(({ name, words }) => [name, words]));
    const text = readFileSync(folder.configFile, 'utf8');
    this.#head = text.slice(0, text.indexOf('targets:'));
  }

  static async open(world: World, masked: boolean, attackers: readonly Attacker[]): Promise<Door> {
    const { server } = world;
    await world.outside(
      'a',
      `drop role if exists cs_catalog; create role cs_catalog superuser login password 'reads the catalog'`,
    );
    const folder = await GatewayFolder.create({
      target: { port: server.port, database: databaseOf('a'), user: server.user, password: server.password },
    });
    writeFileSync(join(folder.directory, 'catalog.password'), 'reads the catalog', { mode: 0o600 });
    writeFileSync(join(folder.directory, 'masking.key'), randomBytes(32).toString('base64'), { mode: 0o600 });
    const door = new Door(world, folder, masked, attackers);
    door.#gateway = await startGateway(door.#configure(), { logger: createLogger({ level: 'silent' }) });
    await door.settle();
    return door;
  }

  #targets(): string {
    return SIDES.map(
      (side) => `  ${targetOf(side)}:
    protocol: postgres
    hosts: ['127.0.0.1:${this.world.server.port}']
    database: ${databaseOf(side)}
    catalog: {login: catalog, poll: ${POLL}}
${this.masked ? `    classes: ${JSON.stringify(CLASSIFIED)}\n` : ''}    logins:
      catalog: {user: cs_catalog, password: file:catalog.password}
      app: {user: ${this.world.server.user}, password: file:target.password}
`,
    ).join('');
  }

  #grant(name: string, words: GrantWords, side: Side): string {
    const masking = this.masked
      ? Object.entries(words)
          .map(([key, value]) => `, ${key}: ${JSON.stringify(value)}`)
          .join('')
      : '';
    return `  - {id: grant-${name}-${side}, principal: ${principalOf(name, side)}, target: ${targetOf(side)}, login: app, expires: 2090-01-01, scope: ${EVERYTHING}${masking}}`;
  }

  #configure(): CountersignConfig {
    const everyone = [...this.#attackers].flatMap(([name, words]) =>
      SIDES.map((side) => ({ name, words, side })),
    );
    writeFileSync(
      this.#folder.configFile,
      `${this.#head}${this.masked ? MASKING_SECTION : ''}targets:
${this.#targets()}principals:
${everyone.map(({ name, side }) => `  - {name: ${principalOf(name, side)}, owner: owner-${name}-${side} <${name}-${side}@example.com>, kind: service, credential: file:tester.verifier}`).join('\n')}
grants:
${everyone.map(({ name, words, side }) => this.#grant(name, words, side)).join('\n')}
`,
    );
    return readConfig(this.#folder.configFile).config;
  }

  async connect(name: string, side: Side): Promise<Tapped> {
    const endpoint = this.#folder.endpoint(this.#gateway.address.port);
    const session = await RawSession.connect({
      ...endpoint,
      database: targetOf(side),
      user: principalOf(name, side),
    });
    // Everything that the socket gives, besides what the session makes of it.
    const chunks: Buffer[] = [];
    session.socket.on('data', (chunk: Buffer) => void chunks.push(Buffer.from(chunk)));
    return { session, chunks };
  }

  /** One session for all that leave nothing behind in it. */
  async shared(name: string, side: Side): Promise<Tapped> {
    const tapped = this.#shared.get(side) ?? (await this.connect(name, side));
    this.#shared.set(side, tapped);
    tapped.chunks.length = 0;
    return tapped;
  }

  async end(session: RawSession): Promise<void> {
    session.end();
    session.destroy();
    for (const [side, tapped] of this.#shared) if (tapped.session === session) this.#shared.delete(side);
    await this.world.untilQuiet(this.#shared.size);
  }

  /** Both databases as they were before. */
  async restore(): Promise<void> {
    for (const { session } of Array.from(this.#shared.values())) await this.end(session);
    await this.world.restore();
    await this.settle();
  }

  /** What is fresh is read for the first time. */
  async settle(): Promise<void> {
    await this.look();
    for (const side of SIDES) {
      await this.world.outside(side, READ_ALL);
      const { session } = await this.shared(ANYBODY, side);
      session.send(query(READ_ALL));
      await session.receiveUntil();
    }
    await this.world.mark();
  }

  /** The configuration is loaded again, with other words in one attacker's grants. */
  async regrant(name: string, words: GrantWords): Promise<void> {
    this.#attackers.set(name, words);
    await this.#gateway.reload(this.#configure());
  }

  /** What was changed from outside is known from here on, as it would be once the poll's interval is over. */
  async look(): Promise<void> {
    const one = async (target: CountersignConfig['targets'][number]): Promise<void> => {
      const lease = this.#gateway.catalogs.lease(target);
      try {
        await this.#refresh(lease);
      } finally {
        lease.release();
      }
    };
    await Promise.all(this.#gateway.config.targets.map((target) => one(target)));
  }

  async #refresh(lease: { refresh(): Promise<unknown> }): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await lease.refresh();
        return;
      } catch (error) {
        // Its connection was lost with the database: the first look may still find that out.
        if (attempt === LOOKS) throw error;
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    }
  }

  async close(): Promise<void> {
    for (const { session } of this.#shared.values()) session.destroy();
    await this.#gateway.close();
    this.#folder.remove();
  }
}
