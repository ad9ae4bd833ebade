import type { CountersignConfig, PostgresTargetConfig, Secrets } from '../config/config.ts';
import { CountersignError } from '../errors.ts';
import type { LiveGrant } from '../grants/live-grant.ts';
import { errorFields } from '../observe/logger.ts';
import type { Logger } from '../observe/logger.ts';
import type { CatalogLease } from '../postgres/catalog/catalog-lease.ts';
import type { RoleAnswer, RunRoleStatement } from '../postgres/roles/role-functions.ts';
import { ScopeRoles } from '../postgres/roles/scope-roles.ts';
import type { RoleFigures, RoleLease, RoleNews, RoleOfTarget } from '../postgres/roles/scope-roles.ts';
import { dialTarget } from '../postgres/upstream/dial.ts';
import { OwnSession } from '../postgres/upstream/own-session.ts';
import type { Recorder } from '../record/recorder.ts';
import { ROLE_DEMANDS } from './gateway-principal.ts';
import { recordGatewayStatements } from './gateway-statement.ts';

export type { RoleLease } from '../postgres/roles/scope-roles.ts';

export interface TargetRolesOptions {
  readonly config: () => CountersignConfig;
  readonly recorder: Recorder;
  readonly secrets: Secrets;
  readonly logger: Logger;
  /** From sweep to sweep. Default 10 minutes. */
  readonly sweepMs?: number;
  /** See `ScopeRolesOptions`. */
  readonly patienceMs?: number;
}

export interface RoleWish {
  readonly grant: LiveGrant;
  readonly target: PostgresTargetConfig;
  /** Default: the target's. */
  readonly database?: string | undefined;
  /** Taken for a role of a scope only, and held as long as the role is: it gets what is new. */
  readonly catalog: () => Pick<CatalogLease, 'get' | 'onChange' | 'release'>;
  /** The client went away. */
  readonly signal?: AbortSignal;
}

/** Longest wait for the answer of one of the functions; ending a role may wait five seconds for its sessions. */
const STATEMENT_TIMEOUT_MS = 20_000;
/** An answer names what was skipped: at most so much of it. */
const MAX_ANSWER_BYTES = 16 * 1_048_576;
const SWEEP_MS = 600_000;
/** What the end of the process waits for roles to be dropped. */
const CLOSE_MS = 5_000;
/** Of what is skipped, the log shows so many. */
const SHOWN = 10;

/** Whom a session is in its target: a configured login, or the role of its grant's scope. */
export class TargetRoles {
  readonly #options: TargetRolesOptions;
  readonly #roles: ScopeRoles;
  #timer: NodeJS.Timeout | undefined;
  #sweeping: Promise<void> = Promise.resolve();

  constructor(options: TargetRolesOptions) {
    const { logger, patienceMs, recorder, secrets } = options;
    this.#options = options;
    this.#roles = new ScopeRoles({
      node: options.config().node,
      secrets,
      statements: (target, database) => this.#statements(target, database),
      statementTimeoutMs: () => options.config().limits.statementTimeoutMs,
      onNews: (role, news, skipped) => this.#tell(recorder, logger, role, news, skipped),
      onFailure: (target, error) =>
        logger.error('a role in the target could not be changed', { ...errorFields(error), target }),
      ...(patienceMs === undefined ? {} : { patienceMs }),
    });
  }

  get figures(): RoleFigures {
    return this.#roles.figures;
  }

  /**
   * The login to dial with; with a grant without `login` this makes the role of its scope first. Its caller releases it when the session
   * is over. Throws `CS_ROLE_UNAVAILABLE`, `CS_NO_GRANT` for a login that is not configured, and what the catalog and the record throw.
   */
  async acquire({
    grant,
    target,
    database = target.database,
    catalog,
    signal,
  }: RoleWish): Promise<RoleLease> {
    if (grant.login !== undefined) return this.#configured(target, grant.login);
    if (target.roles === undefined) {
      throw new CountersignError('CS_ROLE_UNAVAILABLE', { detail: 'the target has no section roles' });
    }
    const snapshots = catalog();
    try {
      const lease = await this.#roles.acquire({
        target,
        database,
        scope: grant.scope,
        catalog: await snapshots.get(),
        grantEndsAtMs: Number(grant.expiresAtUs / 1_000n),
        onGrantEnd: (listener) => grant.onEnd(listener),
        ...(signal === undefined ? {} : { signal }),
      });
      const forget = snapshots.onChange((moved) => {
        void this.#roles.catalogMoved(target.name, database, moved);
      });
      return {
        ...lease,
        release: () => {
          forget();
          snapshots.release();
          lease.release();
        },
      };
    } catch (error) {
      snapshots.release();
      throw error;
    }
  }

  /** Drops what a run before left, now and from time to time. */
  start(): void {
    void this.sweep();
    this.#timer = setInterval(() => void this.sweep(), this.#options.sweepMs ?? SWEEP_MS);
    this.#timer.unref();
  }

  /** The configuration in force has changed. Roles whose grants ended with it end by themselves. */
  reload(): void {
    this.#roles.reload(this.#options.config().targets);
    void this.sweep();
  }

  /** Resolves when every database of every target was looked at. Never rejects. */
  async sweep(): Promise<void> {
    this.#sweeping = this.#sweepAfter(this.#sweeping);
    await this.#sweeping;
  }

  async #sweepAfter(before: Promise<void>): Promise<void> {
    await before;
    const { grants, targets } = this.#options.config();
    const sweeps = targets
      .filter(({ roles }) => roles !== undefined)
      .flatMap((target) => {
        const databases = grants
          .filter((grant) => grant.target === target.name && grant.login === undefined)
          .flatMap((grant) => grant.databases);
        return [...new Set([target.database, ...databases])].map((each) => this.#roles.sweep(target, each));
      });
    await Promise.all(sweeps);
  }

  /** Ends every role. What cannot be ended in time is swept by the next start. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#roles.close(CLOSE_MS);
  }

  #configured(target: PostgresTargetConfig, name: string): RoleLease {
    const login = Object.hasOwn(target.logins, name) ? target.logins[name] : undefined;
    if (login === undefined) throw new CountersignError('CS_NO_GRANT');
    return { kind: 'configured', role: login.user, login, secrets: this.#options.secrets, release: () => {} };
  }

  /** One connection for each statement: they are few, and an idle session of a powerful login is nobody's friend. */
  #statements(target: PostgresTargetConfig, database: string): RunRoleStatement {
    const { recorder, secrets } = this.#options;
    const name = target.roles?.login ?? '';
    return async (statement): Promise<RoleAnswer> => {
      const login = target.logins[name];
      if (login === undefined) throw new CountersignError('CS_ROLE_UNAVAILABLE');
      const record = recordGatewayStatements(recorder, target, name);
      const connection = await dialTarget(primaryOf(target), login, {
        database,
        secrets,
        principal: 'gateway',
      });
      const session = new OwnSession(connection, record);
      try {
        let value: string | undefined;
        const { sqlState } = await session.run(
          statement,
          {
            timeoutMs: STATEMENT_TIMEOUT_MS,
            maxBytes: MAX_ANSWER_BYTES,
            words: { kind: 'select', effect: 'admin', demands: ROLE_DEMANDS },
          },
          (_statement, row) => {
            value ??= row[0] ?? undefined;
          },
        );
        return { sqlState, value };
      } finally {
        session.end();
      }
    };
  }

  #tell(
    recorder: Recorder,
    logger: Logger,
    { target, database, role, scope = '' }: RoleOfTarget,
    news: RoleNews,
    skipped: readonly string[] = [],
  ): void {
    const names = { target, database, role };
    try {
      const options = { control: true, urgency: 'ride' } as const;
      switch (news.type) {
        case 'role.created': {
          const { type, cause, relations, functions, skipped: left } = news;
          recorder.append({ type, ...names, scope, cause, relations, functions, skipped: left }, [], options);
          break;
        }
        case 'role.ended':
          recorder.append(
            {
              type: news.type,
              ...names,
              scope,
              cause: news.cause,
              dropped: news.ended,
              leftovers: news.leftovers,
            },
            [],
            options,
          );
          break;
        case 'role.swept':
          recorder.append(
            { type: news.type, ...names, dropped: news.ended, leftovers: news.leftovers },
            [],
            options,
          );
          break;
        default:
          throw new TypeError(news satisfies never);
      }
    } catch (error) {
      logger.error('what became of a role could not be recorded', { ...errorFields(error), target });
    }
    if (skipped.length > 0) {
      const detail = skipped.slice(0, SHOWN).join('; ');
      logger.warn('the target does not offer all of a scope', { target, count: skipped.length, detail });
    }
  }
}

/** Roles are made where there is something to write to. */
function primaryOf(target: PostgresTargetConfig): PostgresTargetConfig {
  const isOne = target.hosts.length === 1 && target.targetSessionAttrs === 'any';
  return isOne ? target : { ...target, targetSessionAttrs: 'read-write' };
}
