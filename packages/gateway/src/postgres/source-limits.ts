import type { Limits } from '../config/config.ts';
import { TokenBucket } from '../session/token-bucket.ts';

/** Failures in a row of one network for one name that cost nothing but themselves. */
export const FREE_FAILURES = 5;
const FIRST_WAIT_MS = 250;
/** A name that failed is forgotten after so long without another failure. */
const FORGET_MS = 15 * 60_000;
/** Failures of one network over all names: so many at once, and one more every second. */
const NETWORK_FAILURES = 100;
const NETWORK_FAILURES_PER_SECOND = 1;
/** Networks and names that are remembered at a time; the one not seen for longest goes. */
const MAX_NETWORKS = 4096;
const MAX_NAMES = 8192;
/** One more than a configured name may have, so that a longer one is never taken for it. */
const MAX_NAME_CHARACTERS = 64;

interface Network {
  readonly connections: TokenBucket;
  /** Told why, or allowed to cancel, beyond the rate. */
  readonly overs: TokenBucket;
  failures: TokenBucket | undefined;
}

interface Name {
  failures: number;
  /** Of the newest failure. */
  failedAtMs: number;
  /** It has logged in from here, so the failures of others behind the same address are not its own. */
  isKnown: boolean;
}

export type Rate = 'within' | 'over' | 'drop';

/**
 * What sources do over time, before anybody is authenticated (decision 20): how fast they connect, and how often they fail. It keeps a
 * bounded number of them, by network (`networkOf`). Names are as clients sent them, known to configuration or not: nothing in here tells
 * the one from the other.
 */
export class SourceLimits {
  readonly #nowMs: () => number;
  readonly #networks = new Map<string, Network>();
  readonly #names = new Map<string, Name>();
  #all: TokenBucket | undefined;
  #limits: Limits | undefined;

  /** `nowMs`: monotonic. Default: the system's. */
  constructor(nowMs: () => number = () => performance.now()) {
    this.#nowMs = nowMs;
  }

  /** Networks and names that are remembered now. */
  get sizes(): { readonly networks: number; readonly names: number } {
    return { networks: this.#networks.size, names: this.#names.size };
  }

  /** A connection was accepted. `over`: it may cancel, or be told so; `drop`: it is to be closed unread. */
  connect(network: string, limits: Limits): Rate {
    const nowMs = this.#nowMs();
    this.#takeLimits(limits, nowMs);
    const source = this.#network(network, limits, nowMs);
    // The address pays first: what is dropped for its own sake takes nothing from the others.
    if (!source.connections.take(1, nowMs)) return source.overs.take(1, nowMs) ? 'over' : 'drop';
    return this.#all?.take(1, nowMs) === false ? 'over' : 'within';
  }

  /** Whether an attempt is to be refused before anything is looked at. */
  mustWait(network: string, name: string, limits: Limits): boolean {
    if (limits.authnBackoffMs === 0) return false;
    const nowMs = this.#nowMs();
    const known = this.#names.get(keyOf(network, name));
    if (known !== undefined && nowMs < known.failedAtMs + waitMs(known.failures, limits.authnBackoffMs)) {
      return true;
    }
    if (known?.isKnown === true) return false;
    return (this.#networks.get(network)?.failures?.waitMs(nowMs) ?? 0) > 0;
  }

  failed(network: string, name: string, limits: Limits): void {
    const nowMs = this.#nowMs();
    const key = keyOf(network, name);
    const known = this.#names.get(key) ?? { failures: 0, failedAtMs: nowMs, isKnown: false };
    if (nowMs - known.failedAtMs > FORGET_MS) known.failures = 0;
    known.failures += 1;
    known.failedAtMs = nowMs;
    touch(this.#names, key, known, MAX_NAMES);
    const source = this.#network(network, limits, nowMs);
    source.failures ??= new TokenBucket(NETWORK_FAILURES_PER_SECOND, NETWORK_FAILURES, nowMs);
    // No deeper into debt than one wait is long: the network comes back as soon as it stops.
    if (source.failures.waitMs(nowMs) < limits.authnBackoffMs) source.failures.spend(1, nowMs);
  }

  succeeded(network: string, name: string): void {
    const nowMs = this.#nowMs();
    touch(this.#names, keyOf(network, name), { failures: 0, failedAtMs: nowMs, isKnown: true }, MAX_NAMES);
  }

  #network(network: string, limits: Limits, nowMs: number): Network {
    const known = this.#networks.get(network) ?? {
      connections: new TokenBucket(limits.connectionRatePerAddress, limits.connectionsPerAddress, nowMs),
      overs: new TokenBucket(limits.connectionRatePerAddress / 5, limits.connectionRatePerAddress / 5, nowMs),
      failures: undefined,
    };
    touch(this.#networks, network, known, MAX_NETWORKS);
    return known;
  }

  /** After a reload with other limits everybody begins anew. */
  #takeLimits(limits: Limits, nowMs: number): void {
    if (this.#limits === limits) return;
    this.#limits = limits;
    this.#networks.clear();
    this.#all = new TokenBucket(limits.connectionRate, limits.connections, nowMs);
  }
}

function keyOf(network: string, name: string): string {
  return `${network} ${name.slice(0, MAX_NAME_CHARACTERS)}`;
}

function waitMs(failures: number, longestMs: number): number {
  if (failures < FREE_FAILURES) return 0;
  return Math.min(longestMs, FIRST_WAIT_MS * 2 ** Math.min(20, failures - FREE_FAILURES));
}

/** Puts an entry at the young end, and forgets the one at the old end when there are too many. */
function touch<T>(map: Map<string, T>, key: string, value: T, most: number): void {
  map.delete(key);
  map.set(key, value);
  if (map.size <= most) return;
  for (const oldest of map.keys()) {
    map.delete(oldest);
    return;
  }
}
