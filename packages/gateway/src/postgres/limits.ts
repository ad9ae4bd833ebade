import type { Limits } from '../config/config.ts';

/**
 * How far above its limit an address (or the whole listener) may open connections, only to be told so properly or to
 * send a CancelRequest, which has to work when everything is full. Beyond it connections are dropped unread.
 */
export const HEADROOM = 16;
/** A client that is there answers within so long: one that did not makes room for another of the same address. */
export const IDLE_MS = 1000;

export type Admission = 'admitted' | 'over' | 'drop';

/** A connection between accept and authenticated. */
interface Pending {
  readonly sinceMs: number;
  /** Ends it. It settles and leaves in its own time. */
  readonly evict: () => void;
}

/** Counts connections. One per listener; the limits may change under it. Sources are networks (`networkOf`). */
export class ConnectionCounter {
  readonly #nowMs: () => number;
  #open = 0;
  #pending = 0;
  readonly #bySource = new Map<string, number>();
  readonly #pendingBySource = new Map<string, Set<Pending>>();
  readonly #byPrincipal = new Map<string, number>();

  /** `nowMs`: monotonic. Default: the system's. */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  get open(): number {
    return this.#open;
  }

  get pending(): number {
    return this.#pending;
  }

  /** Counts a new connection, unless the answer is `drop`. `over`: tell it after start-up that there is no room. */
  admit(source: string, limits: Limits): Admission {
    const here = this.#bySource.get(source) ?? 0;
    if (this.#open >= limits.connections + HEADROOM || here >= limits.connectionsPerAddress + HEADROOM) {
      return 'drop';
    }
    if (!this.#hasPlace(source, limits)) return 'drop';
    const isOver = this.#open >= limits.connections || here >= limits.connectionsPerAddress;
    this.#open++;
    this.#bySource.set(source, here + 1);
    return isOver ? 'over' : 'admitted';
  }

  /** It is not authenticated yet. `evict` ends it, for a newcomer. Gives what is to be called once when it is, or has ended. */
  await(source: string, evict: () => void): () => void {
    const pending: Pending = { sinceMs: this.#nowMs(), evict };
    const here = this.#pendingBySource.get(source) ?? new Set();
    here.add(pending);
    this.#pendingBySource.set(source, here);
    this.#pending++;
    return () => this.#settle(source, pending);
  }

  /** The connection is closed. Once per connection. */
  leave(source: string): void {
    this.#open--;
    decrement(this.#bySource, source);
  }

  /** False when the principal has as many connections as it may. */
  enterPrincipal(name: string, limits: Limits): boolean {
    const count = this.#byPrincipal.get(name) ?? 0;
    if (count >= limits.connectionsPerPrincipal) return false;
    this.#byPrincipal.set(name, count + 1);
    return true;
  }

  leavePrincipal(name: string): void {
    decrement(this.#byPrincipal, name);
  }

  /** Whether there is a place among those that are not authenticated yet, if need be by taking one from who has most. */
  #hasPlace(source: string, limits: Limits): boolean {
    const own = this.#pendingBySource.get(source)?.size ?? 0;
    if (own >= limits.pendingPerAddress) return this.#evictOldest(source, IDLE_MS);
    if (this.#pending < limits.pendingConnections) return true;
    const [greediest, most] = this.#greediest();
    return most > own + 1 ? this.#evictOldest(greediest, 0) : this.#evictOldest(greediest, IDLE_MS);
  }

  #greediest(): [source: string, pending: number] {
    let found: [string, number] = ['', 0];
    for (const [source, { size }] of this.#pendingBySource) if (size > found[1]) found = [source, size];
    return found;
  }

  #evictOldest(source: string, minAgeMs: number): boolean {
    const [oldest] = this.#pendingBySource.get(source) ?? [];
    if (oldest === undefined || this.#nowMs() - oldest.sinceMs < minAgeMs) return false;
    this.#settle(source, oldest);
    oldest.evict();
    return true;
  }

  #settle(source: string, pending: Pending): void {
    const here = this.#pendingBySource.get(source);
    if (here?.delete(pending) !== true) return;
    this.#pending--;
    if (here.size === 0) this.#pendingBySource.delete(source);
  }
}

function decrement(counts: Map<string, number>, key: string): void {
  const count = (counts.get(key) ?? 0) - 1;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
