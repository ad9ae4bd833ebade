import { CountersignError, isCountersignError } from '../../errors.ts';
import type { OwnSession } from '../upstream/own-session.ts';
import { indexCatalog } from './catalog-index.ts';
import type { CatalogLease } from './catalog-lease.ts';
import type { CatalogProbe } from './catalog-queries.ts';
import type { Catalog } from './catalog.ts';
import { DefinitionUses } from './definition-uses.ts';
import { loadCatalog, openCatalogSession, probeCatalog } from './load-catalog.ts';

export interface LiveCatalogOptions {
  readonly target: string;
  /** Opens a session in the database, recorded. */
  readonly connect: () => Promise<OwnSession>;
  /** How old a snapshot may be that decides: `targets.<t>.catalog.poll`. */
  readonly pollMs: number;
  /** How long the connection is kept when no session uses the database. */
  readonly lingerMs: number;
  /** A snapshot with another epoch was loaded. Called before it is in force; when it throws, the load has failed. */
  readonly onLoaded: (catalog: Catalog, tookMs: number) => void;
  /** The target was asked and the snapshot is in force. */
  readonly onConfirmed: () => void;
  readonly onFailure: (error: CountersignError) => void;
}

/** The target is asked this early, so that a snapshot in use does not run out: part of `pollMs`. */
const ASK_AFTER = 0.75;

const FIRST_BACKOFF_MS = 100;
const LONGEST_BACKOFF_MS = 5_000;

/** Pause between two questions: at least so long, and as long as the last one took. */
const SHORTEST_PAUSE_MS = 25;

/**
 * The catalog of one database, kept fresh while sessions use it. It is asked after when somebody decides by it: at
 * `ASK_AFTER` of its age if it was used since, else by the next one who needs it. So a gateway whose sessions are idle asks nothing.
 *
 * Everything runs on one thread. A snapshot is in force iff the question that confirmed it began after the last `invalidate` and
 * not longer than `pollMs` ago.
 */
export class LiveCatalog {
  readonly uses = new DefinitionUses();
  readonly #options: LiveCatalogOptions;
  readonly #listeners = new Set<(catalog: Catalog) => void>();
  #session: OwnSession | undefined;
  #catalog: Catalog | undefined;
  #probe: CatalogProbe | undefined;
  /** Monotonic, ms: when the question began that confirmed `#catalog`. */
  #confirmedAt = Number.NEGATIVE_INFINITY;
  /** Counts `invalidate`; `#confirmedIn` is what it was when the confirming question began. */
  #generation = 0;
  #confirmedIn = -1;
  /** The question under way, and the one that waits for its end. */
  #asking: { readonly generation: number; readonly answer: Promise<Catalog> } | undefined;
  #next: Promise<Catalog> | undefined;
  #lastTookMs = 0;
  #lastEndedAt = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #failure: CountersignError | undefined;
  #retryAt = Number.NEGATIVE_INFINITY;
  #wasUsed = false;
  #timer: NodeJS.Timeout | undefined;
  #users = 0;
  #closed = false;

  constructor(options: LiveCatalogOptions) {
    this.#options = options;
  }

  get users(): number {
    return this.#users;
  }

  /** The newest snapshot, in force or not. */
  get newest(): Catalog | undefined {
    return this.#catalog;
  }

  /** Since the newest snapshot was last known to be right, ms. Infinite when there is none. */
  get ageMs(): number {
    return performance.now() - this.#confirmedAt;
  }

  get current(): Catalog | undefined {
    this.#wasUsed = true;
    const isConfirmed = this.#confirmedIn === this.#generation && this.ageMs <= this.#options.pollMs;
    return isConfirmed && !this.#closed ? this.#catalog : undefined;
  }

  async get(): Promise<Catalog> {
    const known = this.current;
    if (known !== undefined) return known;
    if (this.#asking?.generation === this.#generation) return this.#asking.answer;
    return this.refresh();
  }

  async refresh(): Promise<Catalog> {
    this.#wasUsed = true;
    if (this.#next !== undefined) return this.#next;
    if (this.#asking === undefined && this.#pauseMs() === 0) return this.#ask();
    // What is under way may have read the catalogs before this call.
    const next = this.#askNext();
    this.#next = next;
    return next;
  }

  invalidate(): void {
    this.#generation += 1;
  }

  lease(): CatalogLease {
    this.#users += 1;
    this.#schedule();
    return new Lease(this, () => {
      this.#users -= 1;
      if (this.#users === 0) this.#schedule();
    });
  }

  onChange(listener: (catalog: Catalog) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends the connection, and resolves when no question is under way any more. Who waits is told `CS_CATALOG_UNAVAILABLE`. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    this.#session?.end();
    this.#listeners.clear();
    await this.#asking?.answer.catch(() => {});
  }

  async #askNext(): Promise<Catalog> {
    await this.#asking?.answer.catch(() => {});
    const pauseMs = this.#pauseMs();
    if (pauseMs > 0) await sleep(pauseMs);
    this.#next = undefined;
    return this.#ask();
  }

  #pauseMs(): number {
    const since = performance.now() - this.#lastEndedAt;
    return Math.max(0, Math.max(SHORTEST_PAUSE_MS, this.#lastTookMs) - since);
  }

  /** Not while another question is under way. */
  async #ask(): Promise<Catalog> {
    if (this.#failure !== undefined && performance.now() < this.#retryAt) throw this.#failure;
    const generation = this.#generation;
    const answer = this.#question(generation);
    this.#asking = { generation, answer };
    return answer;
  }

  async #question(generation: number): Promise<Catalog> {
    const startedAt = performance.now();
    try {
      const catalog = await this.#read(startedAt);
      this.#confirmedAt = startedAt;
      this.#confirmedIn = generation;
      this.#failures = 0;
      this.#failure = undefined;
      this.#options.onConfirmed();
      return catalog;
    } catch (cause) {
      const error = asUnavailable(cause);
      // What the gateway's own record refused did not trouble the target, and the record tells itself when it is back.
      const isOurs = error.code.startsWith('CS_RECORD_');
      const backoffMs = isOurs ? 0 : Math.min(FIRST_BACKOFF_MS * 2 ** this.#failures, LONGEST_BACKOFF_MS);
      if (!isOurs) this.#failures += 1;
      this.#failure = error;
      this.#retryAt = performance.now() + backoffMs;
      if (!this.#closed) this.#options.onFailure(error);
      throw error;
    } finally {
      this.#asking = undefined;
      this.#lastEndedAt = performance.now();
      this.#lastTookMs = this.#lastEndedAt - startedAt;
      this.#schedule();
    }
  }

  /** A connection that was kept may have been lost long ago: then a new one is tried at once. */
  async #read(startedAt: number): Promise<Catalog> {
    const kept = this.#session;
    try {
      return await this.#readOnce(startedAt);
    } catch (error) {
      if (kept === undefined || this.#closed || !isCountersignError(error, 'CS_TARGET_LOST')) throw error;
      return this.#readOnce(startedAt);
    }
  }

  async #readOnce(startedAt: number): Promise<Catalog> {
    const session = await this.#openSession();
    try {
      if (this.#catalog !== undefined && this.#probe !== undefined) {
        const { changed, probe } = await probeCatalog(session, this.#probe);
        if (!changed) {
          this.#probe = probe;
          return this.#catalog;
        }
      }
      const { data, probe } = await loadCatalog(session, this.#options.target);
      const loaded = data.epoch === this.#catalog?.epoch ? this.#catalog : indexCatalog(data);
      if (loaded !== this.#catalog) this.#options.onLoaded(loaded, performance.now() - startedAt);
      const isNew = loaded !== this.#catalog;
      this.#catalog = loaded;
      this.#probe = probe;
      if (isNew) for (const listener of this.#listeners) listener(loaded);
      return loaded;
    } catch (error) {
      // A session in an unknown state is of no use.
      session.end();
      throw error;
    }
  }

  async #openSession(): Promise<OwnSession> {
    if (this.#closed) throw unavailable('the gateway lets go of the target');
    if (this.#session?.alive === true) return this.#session;
    const session = await this.#options.connect();
    try {
      if (this.#closed) throw unavailable('the gateway lets go of the target');
      await openCatalogSession(session);
    } catch (error) {
      session.end();
      throw error;
    }
    this.#session = session;
    // Another server may answer now, or this one after a crash that lost commits: ids of transactions can mean others there.
    this.#probe = undefined;
    return session;
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    if (this.#closed) return;
    const { pollMs, lingerMs } = this.#options;
    if (this.#users === 0) {
      this.#timer = setTimeout(() => this.#letGo(), lingerMs).unref();
      return;
    }
    const dueMs = this.#confirmedAt + pollMs * ASK_AFTER - performance.now();
    const retryMs = this.#retryAt - performance.now();
    const afterMs = Math.min(Math.max(dueMs, retryMs, SHORTEST_PAUSE_MS), pollMs);
    this.#timer = setTimeout(() => this.#tick(), afterMs).unref();
  }

  #tick(): void {
    if (this.#wasUsed && this.#asking === undefined && this.#next === undefined) {
      this.#wasUsed = false;
      this.#ask().catch(() => {});
    } else {
      this.#schedule();
    }
  }

  /** The snapshot is kept: when somebody comes again and the catalog is the same, so is the object, and what is cached by it. */
  #letGo(): void {
    if (this.#asking !== undefined) {
      this.#schedule();
      return;
    }
    this.#session?.end();
    this.#session = undefined;
  }
}

class Lease implements CatalogLease {
  readonly #catalog: LiveCatalog;
  readonly #listening = new Set<() => void>();
  readonly #onRelease: () => void;
  #released = false;

  constructor(catalog: LiveCatalog, onRelease: () => void) {
    this.#catalog = catalog;
    this.#onRelease = onRelease;
  }

  get current(): Catalog | undefined {
    return this.#catalog.current;
  }

  get uses(): DefinitionUses {
    return this.#catalog.uses;
  }

  async get(): Promise<Catalog> {
    return this.#catalog.get();
  }

  async refresh(): Promise<Catalog> {
    return this.#catalog.refresh();
  }

  invalidate(): void {
    this.#catalog.invalidate();
  }

  onChange(listener: (catalog: Catalog) => void): () => void {
    const forget = this.#catalog.onChange(listener);
    this.#listening.add(forget);
    return () => {
      this.#listening.delete(forget);
      forget();
    };
  }

  release(): void {
    if (this.#released) return;
    this.#released = true;
    for (const forget of this.#listening) forget();
    this.#onRelease();
  }
}

async function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}

/** The record's own refusals stay what they are; everything else is one thing for who asks: the catalog is not known. */
function asUnavailable(error: unknown): CountersignError {
  if (!isCountersignError(error)) return new CountersignError('CS_CATALOG_UNAVAILABLE', { cause: error });
  const { code } = error;
  const isOfRecord = code.startsWith('CS_RECORD_') || code === 'CS_UNWITNESSED';
  if (code === 'CS_CATALOG_UNAVAILABLE' || isOfRecord) return error;
  const detail = error.detail === undefined ? code : `${code}: ${error.detail}`;
  return new CountersignError('CS_CATALOG_UNAVAILABLE', { detail, cause: error });
}

function unavailable(detail: string): CountersignError {
  return new CountersignError('CS_CATALOG_UNAVAILABLE', { detail });
}
