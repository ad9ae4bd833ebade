import type { GrantConfig } from '../config/config.ts';
import type { MaskingGrant } from '../masking/rules.ts';
import { Scope } from './scope.ts';

/** Why a grant is no longer live. `expired`: its time is over. `removed`, `changed`: by a reload of the configuration. */
export type GrantEnd = 'expired' | 'removed' | 'changed';

/** The two clocks a grant is judged by (decision 36). */
export interface GrantClock {
  /** Wall clock, ms since the epoch. */
  wallMs(): number;
  /** Time since boot, ms, never set back and counting a suspended machine where the system tells it. */
  bootMs(): number;
}

const NOTHING_UNMASKED: MaskingGrant = { unmask: new Set(), writeClasses: new Set(), budgets: new Map() };

/**
 * A grant while it is in force. It ends once, and never comes back: a reload that brings the same id makes a new object.
 *
 * Its end is the earlier of the wall-clock expiry and the boot time that was left when it was loaded, so that a wall
 * clock set back never lengthens it.
 */
export class LiveGrant {
  readonly id: string;
  readonly principal: string;
  readonly target: string;
  /** Absent: a role made for the scope. */
  readonly login: string | undefined;
  readonly scope: Scope;
  /** Empty: only the target's default database. */
  readonly databases: readonly string[];
  readonly expiresAtUs: bigint;
  readonly purpose: string | undefined;
  readonly masking: MaskingGrant;
  readonly #clock: GrantClock;
  readonly #bootDeadlineMs: number;
  readonly #expiresAtMs: number;
  readonly #listeners = new Set<(end: GrantEnd) => void>();
  #ended: GrantEnd | undefined;

  constructor(config: GrantConfig, clock: GrantClock) {
    this.id = config.id;
    this.principal = config.principal;
    this.target = config.target;
    this.login = config.login;
    this.scope = new Scope(config.scope);
    this.databases = config.databases;
    this.expiresAtUs = config.expiresAtUs;
    this.purpose = config.purpose;
    this.masking = config.masking ?? NOTHING_UNMASKED;
    this.#clock = clock;
    this.#expiresAtMs = Number(config.expiresAtUs / 1000n);
    this.#bootDeadlineMs = clock.bootMs() + this.#expiresAtMs - clock.wallMs();
  }

  /** Why it ended; undefined while it is live. Also notices an expiry that no timer has told yet. */
  get ended(): GrantEnd | undefined {
    if (this.#ended === undefined && this.leftMs() <= 0) this.end('expired');
    return this.#ended;
  }

  /** Milliseconds until it expires; zero or less when it is over. */
  leftMs(): number {
    const byWall = this.#expiresAtMs - this.#clock.wallMs();
    const byBoot = this.#bootDeadlineMs - this.#clock.bootMs();
    return Math.min(byWall, byBoot);
  }

  /** Ends it now and tells everyone who asked, once. */
  end(how: GrantEnd): void {
    if (this.#ended !== undefined) return;
    this.#ended = how;
    const listeners = [...this.#listeners];
    this.#listeners.clear();
    for (const listener of listeners) listener(how);
  }

  /** Calls back when the grant ends, at once if it has ended already. Gives the function that takes the wish back. */
  onEnd(listener: (end: GrantEnd) => void): () => void {
    const { ended } = this;
    if (ended !== undefined) {
      listener(ended);
      return () => {};
    }
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  /** Whether the configuration still says the same of this grant. */
  isSameAs(config: GrantConfig): boolean {
    return (
      this.id === config.id &&
      this.principal === config.principal &&
      this.target === config.target &&
      this.login === config.login &&
      this.scope.canonical === new Scope(config.scope).canonical &&
      canonicalMasking(this.masking) === canonicalMasking(config.masking) &&
      this.expiresAtUs === config.expiresAtUs &&
      this.databases.length === config.databases.length &&
      this.databases.every((database, index) => database === config.databases[index])
    );
  }
}

/** The same for grants that say the same of masking, in whatever order. */
export function canonicalMasking({ unmask, writeClasses, budgets }: MaskingGrant = NOTHING_UNMASKED): string {
  return JSON.stringify([
    unmask === 'all' ? unmask : [...unmask].toSorted(),
    writeClasses === 'all' ? writeClasses : [...writeClasses].toSorted(),
    [...budgets]
      .map(([name, { values, period }]) => [name, values, period] as const)
      .toSorted(([one], [other]) => (one < other ? -1 : 1)),
  ]);
}
