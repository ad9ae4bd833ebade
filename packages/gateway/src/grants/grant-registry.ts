import type { GrantConfig, PostgresTargetConfig } from '../config/config.ts';
import { CountersignError } from '../errors.ts';
import type { Recorder } from '../record/recorder.ts';
import { LiveGrant, type GrantClock, type GrantEnd } from './live-grant.ts';
import { compareScopes } from './scope.ts';
import { SystemClock } from './system-clock.ts';

/** What a connection asks for, after it authenticated. */
export interface GrantRequest {
  readonly principal: string;
  readonly target: string;
  /** Absent: the target's default database. */
  readonly database?: string;
  /** From `options=-c countersign.grant=<id>`; absent: the narrowest that fits. */
  readonly grantId?: string;
}

export interface GrantRegistryOptions {
  readonly grants: readonly GrantConfig[];
  readonly targets: readonly Pick<PostgresTargetConfig, 'name' | 'database'>[];
  /** Where `grant.expired` and `grant.revoked` go. */
  readonly recorder: Pick<Recorder, 'append'>;
  readonly clock?: GrantClock;
  /** Told when the end of a grant could not be recorded (it is ended nevertheless). */
  readonly onRecordFailure?: (error: unknown) => void;
}

/** Longest sleep of the expiry timer: a wall clock that is set forward is noticed within it. */
const LONGEST_SLEEP_MS = 10_000;

/**
 * The standing grants of the configuration in force. One registry lives as long as the gateway; `reload` replaces the
 * set in one step. A grant that expires, disappears or changes ends, and with it the sessions that hold it.
 */
export class GrantRegistry {
  readonly #recorder: Pick<Recorder, 'append'>;
  readonly #clock: GrantClock;
  readonly #onRecordFailure: ((error: unknown) => void) | undefined;
  #grants: ReadonlyMap<string, LiveGrant> = new Map();
  #defaultDatabases: ReadonlyMap<string, string> = new Map();
  #timer: NodeJS.Timeout | undefined;

  constructor(options: GrantRegistryOptions) {
    this.#recorder = options.recorder;
    this.#clock = options.clock ?? new SystemClock();
    this.#onRecordFailure = options.onRecordFailure;
    this.reload(options.grants, options.targets);
  }

  /** Every grant of the configuration in force that has not ended. */
  get live(): readonly LiveGrant[] {
    return [...this.#grants.values()].filter((grant) => grant.ended === undefined);
  }

  /**
   * The grant this connection works under. Throws `CS_TARGET_UNKNOWN` when there is no such target or the principal has
   * no live grant for it (the two look the same), `CS_NO_GRANT` when its grants do not cover the database or the
   * grant that was asked for.
   */
  find(request: GrantRequest): LiveGrant {
    const defaultDatabase = this.#defaultDatabases.get(request.target);
    const held = this.live.filter(
      (grant) => grant.principal === request.principal && grant.target === request.target,
    );
    if (defaultDatabase === undefined || held.length === 0) throw new CountersignError('CS_TARGET_UNKNOWN');
    const database = request.database ?? defaultDatabase;
    const fitting = held.filter(
      (grant) =>
        (request.grantId === undefined || grant.id === request.grantId) &&
        covers(grant, database, defaultDatabase),
    );
    const [narrowest] = fitting.toSorted(byNarrowness);
    if (narrowest === undefined) throw new CountersignError('CS_NO_GRANT');
    return narrowest;
  }

  /** Takes the grants of a new configuration. Ends those that disappeared or changed; unchanged ones stay the same objects. */
  reload(
    configs: readonly GrantConfig[],
    targets: readonly Pick<PostgresTargetConfig, 'name' | 'database'>[],
  ): void {
    const before = this.#grants;
    const next = new Map<string, LiveGrant>();
    for (const config of configs) {
      const known = before.get(config.id);
      const unchanged = known !== undefined && known.ended === undefined && known.isSameAs(config);
      next.set(config.id, unchanged ? known : this.#admit(config));
    }
    this.#grants = next;
    this.#defaultDatabases = new Map(targets.map((target) => [target.name, target.database]));
    for (const [id, grant] of before) {
      const successor = next.get(id);
      if (successor !== grant) grant.end(successor === undefined ? 'removed' : 'changed');
    }
    this.#schedule();
  }

  /** Stops the expiry timer. Grants keep noticing their expiry when they are asked. */
  close(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #admit(config: GrantConfig): LiveGrant {
    const grant = new LiveGrant(config, this.#clock);
    // Loaded after its end: it was never in force here, so there is no end to record.
    if (grant.leftMs() > 0) grant.onEnd((end) => this.#recordEnd(grant.id, end));
    return grant;
  }

  #recordEnd(grant: string, end: GrantEnd): void {
    const type = end === 'expired' ? 'grant.expired' : 'grant.revoked';
    try {
      this.#recorder.append({ type, grant, cause: end }, [], { control: true });
    } catch (error) {
      this.#onRecordFailure?.(error);
    }
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    let next = Number.POSITIVE_INFINITY;
    // Asking ends those that are over.
    for (const grant of this.live) next = Math.min(next, grant.leftMs());
    if (next === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => this.#schedule(), Math.min(Math.max(next, 1), LONGEST_SLEEP_MS));
    this.#timer.unref();
  }
}

function covers(grant: LiveGrant, database: string, defaultDatabase: string): boolean {
  return grant.databases.length === 0 ? database === defaultDatabase : grant.databases.includes(database);
}

/**
 * The narrower scope first, then fewest databases, then the one that ends first, then by id so that the choice never depends on file order.
 */
function byNarrowness(a: LiveGrant, b: LiveGrant): number {
  const scopes = compareScopes(a.scope, b.scope);
  if (scopes !== 0) return scopes;
  const width = Math.max(a.databases.length, 1) - Math.max(b.databases.length, 1);
  if (width !== 0) return width;
  if (a.expiresAtUs !== b.expiresAtUs) return a.expiresAtUs < b.expiresAtUs ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}
