import { DEFAULT_CATALOG } from '../config/catalog-section.ts';
import type { LoginConfig, PostgresTargetConfig, Secrets } from '../config/config.ts';
import { CountersignError } from '../errors.ts';
import { errorFields } from '../observe/logger.ts';
import type { Logger } from '../observe/logger.ts';
import type { CatalogLease } from '../postgres/catalog/catalog-lease.ts';
import type { Catalog } from '../postgres/catalog/catalog.ts';
import { LiveCatalog } from '../postgres/catalog/live-catalog.ts';
import { dialTarget } from '../postgres/upstream/dial.ts';
import { OwnSession } from '../postgres/upstream/own-session.ts';
import type { Recorder } from '../record/recorder.ts';
import { recordGatewaySession } from './gateway-statement.ts';

/** How long a connection for a catalog that no session uses is kept. */
const LINGER_MS = 15_000;

/** Snapshots of databases that no session uses are kept, so many: what is cached by them still holds for the next session. */
const MAX_UNUSED = 8;

export interface CatalogsOptions {
  readonly recorder: Recorder;
  readonly secrets: Secrets;
  readonly logger: Logger;
  /** Default 15 s. */
  readonly lingerMs?: number;
}

/** What metrics show of one target: the oldest snapshot in use, and totals since the start. */
export interface CatalogFigures {
  readonly target: string;
  /** Of the snapshots that sessions use; undefined when none is in use or none was loaded yet. */
  readonly ageSeconds: number | undefined;
  readonly loads: number;
  readonly failures: number;
  readonly lastLoadSeconds: number;
  readonly relations: number;
}

interface Entry {
  readonly target: PostgresTargetConfig;
  readonly catalog: LiveCatalog;
}

interface Totals {
  loads: number;
  failures: number;
  lastLoadMs: number;
}

/** The catalogs of all databases that sessions use, one snapshot each. */
export class Catalogs {
  readonly #options: CatalogsOptions;
  /** Least recently taken first. Key: target and database. */
  readonly #entries = new Map<string, Entry>();
  /** Entries of a configuration that was replaced, until their last session ends. */
  readonly #former = new Set<Entry>();
  readonly #totals = new Map<string, Totals>();
  #closed = false;

  constructor(options: CatalogsOptions) {
    this.#options = options;
  }

  /**
   * The catalog of a database for one session, to be released with it. Default database: the target's. Throws `CS_SHUTTING_DOWN`. Nothing is
   * asked before `get`.
   */
  lease(target: PostgresTargetConfig, database: string = target.database): CatalogLease {
    if (this.#closed) throw new CountersignError('CS_SHUTTING_DOWN');
    const key = `${target.name}/${database}`;
    let entry = this.#entries.get(key);
    if (entry !== undefined && !isSame(entry.target, target)) {
      this.#retire(key, entry);
      entry = undefined;
    }
    entry ??= { target, catalog: this.#create(target, database) };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    const lease = entry.catalog.lease();
    this.#dropUnused();
    return lease;
  }

  /** The newest snapshot that is known of a database, in force or not; nothing is asked. */
  newest(target: string, database: string): Catalog | undefined {
    return this.#entries.get(`${target}/${database}`)?.catalog.newest;
  }

  /** New targets are in force: who comes from now on gets their catalogs. */
  reload(targets: readonly PostgresTargetConfig[]): void {
    for (const [key, entry] of this.#entries) {
      const next = targets.find(({ name }) => name === entry.target.name);
      if (next === undefined || !isSame(entry.target, next)) this.#retire(key, entry);
    }
    this.#dropUnused();
  }

  get figures(): readonly CatalogFigures[] {
    return [...this.#totals].map(([target, { loads, failures, lastLoadMs }]) => {
      const used = [...this.#entries.values(), ...this.#former].filter(
        (entry) => entry.target.name === target && entry.catalog.users > 0,
      );
      const ages = used.map(({ catalog }) => catalog.ageMs / 1_000).filter((age) => Number.isFinite(age));
      const relations = used.map(({ catalog }) => catalog.newest?.data.relations.length ?? 0);
      return {
        target,
        ageSeconds: ages.length === 0 ? undefined : Math.max(...ages),
        loads,
        failures,
        lastLoadSeconds: lastLoadMs / 1_000,
        relations: relations.reduce((sum, count) => sum + count, 0),
      };
    });
  }

  /** Ends all connections; resolves when their last words are on their way to the record. */
  async close(): Promise<void> {
    this.#closed = true;
    const all = [...this.#entries.values(), ...this.#former];
    await Promise.all(all.map(async ({ catalog }) => catalog.close()));
  }

  #create(target: PostgresTargetConfig, database: string): LiveCatalog {
    const { logger, recorder } = this.#options;
    const totals = this.#totalsOf(target.name);
    let failing = false;
    return new LiveCatalog({
      target: target.name,
      connect: async () => this.#connect(target, database),
      pollMs: (target.catalog ?? DEFAULT_CATALOG).pollMs,
      lingerMs: this.#options.lingerMs ?? LINGER_MS,
      onConfirmed: () => {
        if (failing) logger.info('catalog known again', { target: target.name });
        failing = false;
      },
      onLoaded: ({ data, epoch }, tookMs) => {
        const relations = data.relations.length;
        const routines = data.routines.length;
        recorder.append({
          type: 'catalog.loaded',
          target: target.name,
          database: data.database,
          epoch,
          relations,
          routines,
        });
        totals.loads += 1;
        totals.lastLoadMs = tookMs;
      },
      onFailure: (error) => {
        totals.failures += 1;
        // Once per outage: the metric counts the rest.
        if (!failing)
          logger.error('the catalog cannot be read', { ...errorFields(error), target: target.name });
        failing = true;
      },
    });
  }

  async #connect(target: PostgresTargetConfig, database: string): Promise<OwnSession> {
    const { recorder, secrets } = this.#options;
    const { name, login } = loginOf(target);
    const session = recordGatewaySession(recorder, target, name);
    try {
      const connection = await dialTarget(target, login, {
        database,
        secrets,
        principal: 'gateway',
        applicationName: 'catalog',
        recordGatewayStatement: session.record,
      });
      const own = new OwnSession(connection, session.record);
      own.onLost(() => session.close());
      return own;
    } catch (error) {
      session.close();
      throw error;
    }
  }

  #totalsOf(target: string): Totals {
    let totals = this.#totals.get(target);
    if (totals === undefined) {
      totals = { loads: 0, failures: 0, lastLoadMs: 0 };
      this.#totals.set(target, totals);
    }
    return totals;
  }

  #retire(key: string, entry: Entry): void {
    this.#entries.delete(key);
    this.#former.add(entry);
  }

  #dropUnused(): void {
    for (const entry of this.#former) {
      if (entry.catalog.users > 0) continue;
      this.#former.delete(entry);
      void entry.catalog.close();
    }
    const unused = [...this.#entries].filter(([, { catalog }]) => catalog.users === 0);
    for (const [key, entry] of unused.slice(0, Math.max(0, unused.length - MAX_UNUSED))) {
      this.#entries.delete(key);
      void entry.catalog.close();
    }
  }
}

function loginOf({ catalog, logins, name: target }: PostgresTargetConfig): {
  readonly name: string;
  readonly login: LoginConfig;
} {
  const name = catalog?.login ?? Object.keys(logins)[0];
  const login = name === undefined ? undefined : logins[name];
  if (name === undefined || login === undefined) {
    throw new CountersignError('CS_CATALOG_UNAVAILABLE', { detail: `${target} has no login` });
  }
  return { name, login };
}

/** Targets are plain data. Which of its columns are regulated changes nothing in how a catalog is read. */
function isSame(one: PostgresTargetConfig, other: PostgresTargetConfig): boolean {
  return one === other || readingText(one) === readingText(other);
}

function readingText(target: PostgresTargetConfig): string {
  return JSON.stringify({ ...target, classes: undefined, classesFrom: undefined });
}
