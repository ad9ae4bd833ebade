import { randomBytes } from 'node:crypto';

import type { LoginConfig, PostgresTargetConfig, SecretRef, Secrets } from '../../config/config.ts';
import { CountersignError, isCountersignError } from '../../errors.ts';
import { makeVerifier } from '../../identity/scram-verifier.ts';
import type { Catalog } from '../catalog/catalog.ts';
import { privilegesOf } from './privileges.ts';
import type { RoleScope } from './privileges.ts';
import { closeRole, endRole, listRoles, makeRole, roleKey } from './role-functions.ts';
import type { EndedRole, RunRoleStatement } from './role-functions.ts';

/** Whom a session is in the target, until `release`. */
export interface RoleLease {
  readonly kind: 'scope' | 'configured';
  /** Name of the role in the target. */
  readonly role: string;
  /** For `dialTarget`, with `secrets`: the password of a scope's role is nowhere but in memory. */
  readonly login: LoginConfig;
  readonly secrets: Secrets;
  /** The session is over, or was never opened. Safe to call again. */
  release(): void;
}

export interface RoleRequest {
  readonly target: PostgresTargetConfig;
  readonly database: string;
  readonly scope: RoleScope;
  readonly catalog: Catalog;
  /** Wall clock, ms since the epoch. */
  readonly grantEndsAtMs: number;
  /** Calls back when the grant ends, at once when it has. Gives the function that takes the wish back. */
  readonly onGrantEnd: (listener: () => void) => () => void;
  /** The client went away. */
  readonly signal?: AbortSignal;
}

export type RoleNews =
  | {
      readonly type: 'role.created';
      readonly cause: 'new' | 'refreshed';
      readonly relations: number;
      readonly functions: number;
      readonly skipped: number;
    }
  | {
      readonly type: 'role.ended';
      readonly cause: RoleEndCause;
      readonly ended: boolean;
      readonly leftovers: number;
    }
  | { readonly type: 'role.swept'; readonly ended: boolean; readonly leftovers: number };

export type RoleEndCause = 'idle' | 'grant' | 'configuration' | 'shutdown';

/** Which role something happened to. `scope`: digest of the scope; of a role that is swept, nobody knows it any more. */
export interface RoleOfTarget {
  readonly target: string;
  readonly database: string;
  readonly role: string;
  readonly scope?: string;
}

export interface ScopeRolesOptions {
  readonly node: string;
  /** What reads the certificates of a target. */
  readonly secrets: Secrets;
  /** Given to the roles as a convenience; 0: none. Default 0. */
  readonly statementTimeoutMs?: () => number;
  /** Statements as the login that makes roles, each on the record before it is sent. */
  readonly statements: (target: PostgresTargetConfig, database: string) => RunRoleStatement;
  /** Puts it on the record. Must not throw. */
  readonly onNews: (role: RoleOfTarget, news: RoleNews, skipped?: readonly string[]) => void;
  /** Something could not be done; it is tried again by the next sweep. */
  readonly onFailure: (target: string, error: unknown) => void;
  /** Longest wait of a session for its role, queueing included. Default 30 s. */
  readonly patienceMs?: number;
  /** How long a role that lacks what was not offered is good enough for the next session. Default 30 s. */
  readonly incompleteMs?: number;
  /** From the end of a grant to the end of its role, for the sessions to be cut by the gateway first. Default 500 ms. */
  readonly graceMs?: number;
}

export interface RoleFigures {
  /** Roles in use or kept for a next session. */
  readonly roles: number;
  readonly leases: number;
  readonly created: number;
  readonly ended: number;
  readonly swept: number;
  readonly failures: number;
  /** Objects, sessions and dependencies that kept a role from being dropped, summed over the ends. */
  readonly leftovers: number;
}

interface Lease {
  isOver: boolean;
}

interface Entry {
  readonly key: string;
  readonly target: PostgresTargetConfig;
  readonly database: string;
  readonly scope: RoleScope;
  readonly password: string;
  readonly verifier: Promise<string>;
  readonly leases: Set<Lease>;
  role: string | undefined;
  epoch: string | undefined;
  /** The epoch that it is being made for, or was last. */
  wanted: string | undefined;
  validUntilMs: number;
  /** `performance.now()` after which it is made again for the next session: it lacks what was not offered. */
  staleAt: number;
  /** Counts the times that it was made or refreshed. */
  made: number;
  making: Promise<void> | undefined;
  idle: NodeJS.Timeout | undefined;
}

/** A role outlives the grant by so much: clocks differ, and a session that ends is not cut off by the target first. */
const VALID_MARGIN_MS = 60_000;
const PATIENCE_MS = 30_000;
const GRACE_MS = 500;
/** No catalog tells when a DBA offers more. */
const INCOMPLETE_MS = 30_000;

/**
 * The roles of scopes in the targets (decision 8): one for each scope and database, made before the first session dials, shared by
 * sessions, dropped when none has needed it for a while or its grants are over. Changes in one target happen one at a time.
 *
 * An entry in `#entries` owns its role. Whatever the target lists for this node without an entry is an orphan. Entries come and
 * go synchronously, and an end looks again when its turn has come: a role that is wanted anew is never dropped under a session.
 */
export class ScopeRoles {
  readonly #options: ScopeRolesOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #queues = new Map<string, Promise<unknown>>();
  readonly #counts = { created: 0, ended: 0, swept: 0, failures: 0, leftovers: 0 };
  #isClosed = false;

  constructor(options: ScopeRolesOptions) {
    this.#options = options;
  }

  get figures(): RoleFigures {
    const entries = [...this.#entries.values()];
    const leases = entries.reduce((sum, entry) => sum + entry.leases.size, 0);
    return { roles: entries.length, leases, ...this.#counts };
  }

  /**
   * The role for a scope, ready to log in. Throws `CS_ROLE_UNAVAILABLE` when it cannot be made in time, and what the record says when it
   * does not take the statements.
   */
  async acquire(request: RoleRequest): Promise<RoleLease> {
    if (this.#isClosed) throw new CountersignError('CS_SHUTTING_DOWN');
    const entry = this.#entryFor(request);
    const lease: Lease = { isOver: false };
    entry.leases.add(lease);
    clearTimeout(entry.idle);
    const forgetGrant = request.onGrantEnd(() => this.#grantEnded(entry, lease));
    const release = (): void => {
      forgetGrant();
      if (entry.leases.delete(lease)) this.#released(entry);
    };
    try {
      await this.#inTime(this.#ensure(entry, request), request.signal);
    } catch (error) {
      release();
      if (isCountersignError(error) && error.code.startsWith('CS_RECORD')) throw error;
      throw isCountersignError(error, 'CS_ROLE_UNAVAILABLE')
        ? error
        : new CountersignError('CS_ROLE_UNAVAILABLE', {
            ...(isCountersignError(error) && error.detail !== undefined ? { detail: error.detail } : {}),
            cause: error,
          });
    }
    return { kind: 'scope', ...loginOf(entry, this.#options.secrets), release };
  }

  /** The catalog of a database has changed: roles that wildcards speak of get what is new. Never rejects. */
  async catalogMoved(target: string, database: string, catalog: Catalog): Promise<void> {
    const moved = [...this.#entries.values()].filter(
      (entry) =>
        entry.target.name === target && entry.database === database && entry.wanted !== catalog.epoch,
    );
    for (const entry of moved) {
      try {
        await this.#make(entry, catalog, entry.validUntilMs);
      } catch (error) {
        this.#failed(target, error);
      }
    }
  }

  /** The configuration in force: roles of targets that are not made the same way any more end now, with their sessions. */
  reload(targets: readonly PostgresTargetConfig[]): void {
    const kept = new Map(targets.map((target) => [target.name, wayTo(target)]));
    for (const entry of this.#entries.values()) {
      if (kept.get(entry.target.name) !== wayTo(entry.target)) void this.#end(entry, 'configuration');
    }
  }

  /** Drops the roles of this node that nobody has any more: what a crash left, and what could not be dropped before. Never rejects. */
  async sweep(target: PostgresTargetConfig, database: string): Promise<void> {
    const run = this.#options.statements(target, database);
    try {
      const listed = await this.#inTurn(target.name, () => listRoles(run, this.#options.node));
      for (const { scope: key, role } of listed) {
        await this.#inTurn(target.name, async () => {
          if (this.#entries.has(key)) return;
          const outcome = await dropRole(run, key);
          this.#counts.leftovers += outcome.leftovers;
          if (outcome.ended) this.#counts.swept += 1;
          this.#options.onNews(
            { target: target.name, database, role: role ?? key },
            { type: 'role.swept', ended: outcome.ended, leftovers: outcome.leftovers },
          );
        });
      }
    } catch (error) {
      this.#failed(target.name, error);
    }
  }

  /** Ends every role, for at most so long; what is left is swept by the next start. */
  async close(deadlineMs: number): Promise<void> {
    this.#isClosed = true;
    const ends = Promise.allSettled([...this.#entries.values()].map((entry) => this.#end(entry, 'shutdown')));
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, deadlineMs);
    });
    await Promise.race([ends, deadline]);
    clearTimeout(timer);
  }

  #entryFor({ target, database, scope }: RoleRequest): Entry {
    const key = roleKey(this.#options.node, target.name, database, scope.digest);
    const found = this.#entries.get(key);
    if (found !== undefined) return found;
    const password = randomBytes(32).toString('base64url');
    const verifier = makeVerifier(password);
    verifier.catch(() => {});
    const entry: Entry = {
      key,
      target,
      database,
      scope,
      password,
      verifier,
      leases: new Set(),
      role: undefined,
      epoch: undefined,
      wanted: undefined,
      validUntilMs: 0,
      staleAt: Infinity,
      made: 0,
      making: undefined,
      idle: undefined,
    };
    this.#entries.set(key, entry);
    return entry;
  }

  /** Sessions that come together share one making, of the first one's catalog: theirs cannot be much older or newer. */
  async #ensure(entry: Entry, { catalog, grantEndsAtMs }: RoleRequest): Promise<void> {
    const validUntilMs = grantEndsAtMs + VALID_MARGIN_MS;
    const madeBefore = entry.made;
    const isReady = (): boolean =>
      entry.role !== undefined &&
      entry.validUntilMs >= validUntilMs &&
      (entry.made > madeBefore || (entry.epoch === catalog.epoch && performance.now() < entry.staleAt));
    while (entry.making !== undefined) await entry.making;
    if (!isReady()) await this.#make(entry, catalog, Math.max(entry.validUntilMs, validUntilMs));
  }

  async #make(entry: Entry, catalog: Catalog, validUntilMs: number): Promise<void> {
    entry.wanted = catalog.epoch;
    while (entry.making !== undefined) await entry.making;
    entry.making = this.#inTurn(entry.target.name, async () => {
      // It was ended while it waited: whoever still wants it gets a new one.
      if (this.#entries.get(entry.key) !== entry) throw new CountersignError('CS_ROLE_UNAVAILABLE');
      const isNew = entry.role === undefined;
      const isSame = entry.epoch === catalog.epoch && entry.validUntilMs >= validUntilMs;
      if (!isNew && isSame && performance.now() < entry.staleAt) return;
      const made = await makeRole(this.#options.statements(entry.target, entry.database), {
        node: this.#options.node,
        key: entry.key,
        verifier: await entry.verifier,
        validUntilMs,
        privileges: privilegesOf(entry.scope, catalog, this.#options.statementTimeoutMs?.() ?? 0),
      });
      entry.role = made.role;
      entry.epoch = catalog.epoch;
      entry.validUntilMs = validUntilMs;
      const { incompleteMs = INCOMPLETE_MS } = this.#options;
      entry.staleAt = made.skipped.length === 0 ? Infinity : performance.now() + incompleteMs;
      entry.made += 1;
      this.#counts.created += isNew ? 1 : 0;
      const { relations, functions, skipped } = made;
      const cause = isNew ? 'new' : 'refreshed';
      this.#options.onNews(
        nameOf(entry),
        { type: 'role.created', cause, relations, functions, skipped: skipped.length },
        skipped,
      );
    });
    try {
      await entry.making;
    } finally {
      entry.making = undefined;
    }
  }

  #released(entry: Entry): void {
    if (entry.leases.size > 0 || this.#entries.get(entry.key) !== entry) return;
    const { idleMs = 0 } = entry.target.roles ?? {};
    clearTimeout(entry.idle);
    entry.idle = setTimeout(() => {
      if (entry.leases.size === 0) void this.#end(entry, 'idle');
    }, idleMs);
    entry.idle.unref();
  }

  /** Not at once: the gateway cuts the sessions itself and records how their commands ended. */
  #grantEnded(entry: Entry, lease: Lease): void {
    lease.isOver = true;
    setTimeout(() => {
      if ([...entry.leases].every(({ isOver }) => isOver)) void this.#end(entry, 'grant');
    }, this.#options.graceMs ?? GRACE_MS).unref();
  }

  /** Ends the role with its sessions. Never rejects. */
  async #end(entry: Entry, cause: RoleEndCause): Promise<void> {
    if (this.#entries.get(entry.key) !== entry) return;
    this.#entries.delete(entry.key);
    clearTimeout(entry.idle);
    const { target, database } = entry;
    try {
      const outcome = await this.#inTurn(target.name, () =>
        dropRole(this.#options.statements(target, database), entry.key),
      );
      this.#counts.leftovers += outcome.leftovers;
      this.#counts.ended += outcome.ended ? 1 : 0;
      const { ended, leftovers } = outcome;
      if (entry.role !== undefined || !ended)
        this.#options.onNews(nameOf(entry), { type: 'role.ended', cause, ended, leftovers });
    } catch (error) {
      this.#failed(target.name, error);
    }
  }

  #failed(target: string, error: unknown): void {
    this.#counts.failures += 1;
    this.#options.onFailure(target, error);
  }

  /** One change of roles at a time in each target, in the order in which they were asked for. */
  async #inTurn<Result>(target: string, work: () => Promise<Result>): Promise<Result> {
    const before = this.#queues.get(target) ?? Promise.resolve();
    const turn = before.then(work, work);
    this.#queues.set(
      target,
      turn.catch(() => {}),
    );
    return await turn;
  }

  async #inTime(work: Promise<void>, signal: AbortSignal | undefined): Promise<void> {
    const timeout = AbortSignal.timeout(this.#options.patienceMs ?? PATIENCE_MS);
    const given = signal === undefined ? timeout : AbortSignal.any([timeout, signal]);
    const stopped = Promise.withResolvers<never>();
    const stop = (): void =>
      stopped.reject(
        new CountersignError('CS_ROLE_UNAVAILABLE', { detail: 'the role was not there in time' }),
      );
    given.addEventListener('abort', stop, { once: true });
    if (given.aborted) stop();
    work.catch(() => {});
    try {
      await Promise.race([work, stopped.promise]);
    } finally {
      given.removeEventListener('abort', stop);
    }
  }
}

async function dropRole(run: RunRoleStatement, key: string): Promise<EndedRole> {
  await closeRole(run, key);
  return await endRole(run, key);
}

function nameOf({ target, database, role, key, scope }: Entry): RoleOfTarget {
  return { target: target.name, database, role: role ?? key, scope: scope.digest };
}

/** What must be the same for a role that was made to be the one that would be made now. */
function wayTo({ hosts, roles, logins }: PostgresTargetConfig): string {
  return JSON.stringify([hosts, roles?.login, roles?.prefix, logins[roles?.login ?? '']?.user]);
}

/** The password never leaves memory: a reference that only these `secrets` can read. */
function loginOf(
  { role = '', password }: Entry,
  others: Secrets,
): Pick<RoleLease, 'role' | 'login' | 'secrets'> {
  const ref: SecretRef = Object.freeze({ kind: 'env', name: `role ${role}` });
  return {
    role,
    login: { user: role, password: ref },
    secrets: {
      read: async (asked) => (asked === ref ? Buffer.from(password) : await others.read(asked)),
    },
  };
}
