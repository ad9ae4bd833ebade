import type { Limits } from '../config/config.ts';

/**
 * How far above its limit an address (or the whole listener) may open connections, only to be told so properly or to
 * send a CancelRequest, which has to work when everything is full. Beyond it connections are dropped unread.
 */
export const HEADROOM = 16;

export type Admission = 'admitted' | 'over' | 'drop';

/** Counts connections. One per listener; the limits may change under it. */
export class ConnectionCounter {
  #open = 0;
  #pending = 0;
  readonly #byAddress = new Map<string, number>();
  readonly #byPrincipal = new Map<string, number>();

  get open(): number {
    return this.#open;
  }

  get pending(): number {
    return this.#pending;
  }

  /** Counts a new connection, unless the answer is `drop`. `over`: tell it after start-up that there is no room. */
  admit(address: string, limits: Limits): Admission {
    const here = this.#byAddress.get(address) ?? 0;
    if (
      this.#pending >= limits.pendingConnections ||
      this.#open >= limits.connections + HEADROOM ||
      here >= limits.connectionsPerAddress + HEADROOM
    ) {
      return 'drop';
    }
    const isOver = this.#open >= limits.connections || here >= limits.connectionsPerAddress;
    this.#open++;
    this.#pending++;
    this.#byAddress.set(address, here + 1);
    return isOver ? 'over' : 'admitted';
  }

  /** The connection has authenticated, or has ended before it did. Once per connection. */
  settle(): void {
    this.#pending--;
  }

  /** The connection is closed. Once per connection. */
  leave(address: string): void {
    this.#open--;
    decrement(this.#byAddress, address);
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
}

function decrement(counts: Map<string, number>, key: string): void {
  const count = (counts.get(key) ?? 0) - 1;
  if (count > 0) counts.set(key, count);
  else counts.delete(key);
}
