/** What a statement would do and what would be decided of it, without running it, a gateway or a target: the same code that judges commands. */
import type { CountersignConfig, GrantConfig } from '../config/config.ts';
import { CountersignError } from '../errors.ts';
import { formatAccess } from '../grants/access-text.ts';
import { LiveGrant } from '../grants/live-grant.ts';
import { SystemClock } from '../grants/system-clock.ts';
import type { PolicySet } from '../policy/policy-set.ts';
import { effectivePath, parseSearchPath } from '../postgres/analysis/search-path.ts';
import { readStatement } from '../postgres/analysis/read-statement.ts';
import type { StatementReading } from '../postgres/analysis/reading.ts';
import type { Catalog } from '../postgres/catalog/catalog.ts';
import type { Meaning, SessionChange } from '../postgres/inspect/meaning.ts';
import { judgeSettings, makeSettingsPolicy } from '../postgres/inspect/settings.ts';
import type { Lineage } from '../masking/lineage.ts';
import type { Masking } from '../postgres/lineage/lineage-of.ts';
import { Authorizer } from '../session/authorizer.ts';
import { effectiveGrant } from '../session/session-masking.ts';
import { tellMissing } from '../session/refusal-text.ts';
import { explainMasking, explainValues } from './explained-values.ts';
import type { ExplainedMasking } from './explained-values.ts';
import { usageError } from './output.ts';

export interface ExplainedStatement {
  readonly kind: string;
  readonly effect: string;
  readonly statements: number;
  readonly fingerprint?: string;
  /** What must be granted, as the record writes it. */
  readonly demands: readonly string[];
  /** What is reached on the authority of owners: recorded, not demanded. */
  readonly reaches: readonly string[];
  readonly unknownNames: readonly { readonly kind: string; readonly written: string }[];
  /** Prepared statements that it executes; they are judged with it, in the session. */
  readonly executes: readonly string[];
  /** What it leaves behind in the session. */
  readonly changes: readonly string[];
  /** Where its values come from and go, as far as they are regulated. Absent: nothing is masked, or no configuration is at hand. */
  readonly values?: readonly string[];
  /** Why it would be refused whatever is granted. */
  readonly unreadable?: { readonly reason: string; readonly message?: string; readonly position?: number };
  readonly setting?: { readonly name?: string; readonly reason: string };
  readonly searchPath: readonly string[];
  readonly catalog: { readonly target: string; readonly database: string; readonly epoch: string };
}

/** What would be decided under one grant. */
export interface ExplainedDecision {
  readonly grant: string;
  readonly principal: string;
  readonly effect: 'permit' | 'forbid';
  /** The grant and the policies that decide. */
  readonly policies: readonly string[];
  readonly reasons: readonly string[];
  readonly missing: readonly string[];
  /** What would be masked of its answer, let out unmasked, and refused for what it would tell. Absent: nothing. */
  readonly masking?: ExplainedMasking;
  /** What the client is told besides the error. */
  readonly told?: { readonly detail?: string; readonly hint?: string };
}

export interface StatementToExplain {
  readonly text: string;
  readonly catalog: Catalog;
  /** As the setting would be written. `"$user"` is not a schema here. */
  readonly searchPath: string;
  readonly allowedSettings: readonly string[];
  /** Absent: nothing is masked. */
  readonly masking?: Masking | undefined;
}

export interface Explanation {
  readonly statement: ExplainedStatement;
  readonly meaning: Meaning;
  readonly lineage?: Lineage | undefined;
}

/** Throws `CS_USAGE` for a search path that the server would not take. `initParser` must have ended. */
export function explainStatement({
  allowedSettings,
  catalog,
  masking,
  searchPath,
  text,
}: StatementToExplain): Explanation {
  const elements = parseSearchPath(searchPath);
  const reader = { user: '', usable: undefined, seen: new Set<string>() };
  const path = elements === undefined ? undefined : effectivePath(elements, reader, catalog);
  if (path === undefined) throw usageError(`--search-path ${searchPath} is none that a session can have`);
  const names = { searchPath: path, temporary: new Set<string>() };
  const reading = readStatement(Buffer.from(text), catalog, names, masking);
  const { lineage, meaning } = reading;
  const { epoch, target, database } = catalog.data;
  const { unreadable } = meaning;
  const setting = refusedSetting(reading, allowedSettings);
  const statement: ExplainedStatement = {
    kind: meaning.kind,
    effect: meaning.effect,
    statements: meaning.statements,
    ...(meaning.fingerprint === undefined ? {} : { fingerprint: meaning.fingerprint }),
    demands: meaning.demands.map((access) => formatAccess(access)),
    reaches: meaning.reaches.map((access) => formatAccess(access)),
    unknownNames: meaning.unknownNames,
    executes: meaning.executes ?? [],
    changes: meaning.changes.map(describeChange),
    ...(lineage === undefined ? {} : { values: explainValues(lineage) }),
    ...(unreadable === undefined ? {} : { unreadable }),
    ...(setting === undefined ? {} : { setting }),
    searchPath: path,
    catalog: { target, database, epoch },
  };
  return { statement, meaning, lineage };
}

function refusedSetting(
  { settings }: StatementReading,
  allowed: readonly string[],
): ExplainedStatement['setting'] {
  const verdict = judgeSettings(settings, makeSettingsPolicy(allowed));
  if (verdict.ok) return undefined;
  const { reason, setting: name } = verdict;
  return { reason, ...(name === undefined ? {} : { name }) };
}

/** What the statement is held against: grants of one target, the policies of the configuration. */
export interface Deciding {
  readonly config: CountersignConfig;
  readonly policies: PolicySet;
  readonly grants: readonly GrantConfig[];
  readonly database: string;
}

/** What each grant would say of it. It is not asked when the statement cannot be read. */
export function decideStatement(
  { lineage, meaning, statement }: Explanation,
  text: string,
  { config, database, grants, policies }: Deciding,
): readonly ExplainedDecision[] {
  const authorizer = new Authorizer(() => policies);
  const rules = config.masking?.rules;
  const maskingUnder = (
    grant: LiveGrant,
    authorization: Parameters<typeof effectiveGrant>[2],
  ): ExplainedMasking | undefined =>
    lineage === undefined || rules === undefined
      ? undefined
      : explainMasking(lineage, rules, effectiveGrant(grant.masking, rules, authorization), grant.masking);
  return grants.map((grantConfig) => {
    const principal = config.principals.find(({ name }) => name === grantConfig.principal);
    const grant = new LiveGrant(grantConfig, new SystemClock());
    const who = { grant: grant.id, principal: grant.principal };
    if (principal === undefined || grant.ended !== undefined) {
      const reasons = [new CountersignError('CS_GRANT_ENDED').code];
      return { ...who, effect: 'forbid', policies: [grant.id], reasons, missing: [] };
    }
    const authorization = authorizer.authorize({ principal, grant, database });
    const { decision, missing } = authorization.decide(meaning.demands);
    const masking = maskingUnder(grant, authorization);
    const isUnknown = meaning.unknownNames.length > 0;
    const isRefused = decision.effect === 'forbid' || isUnknown || statement.setting !== undefined;
    if (!isRefused) return maskedDecision({ ...who, ...decision, missing: [] }, masking);
    const reasons = [
      ...decision.reasons,
      ...(isUnknown ? ['unknown-name'] : []),
      ...(statement.setting === undefined ? [] : ['setting']),
    ];
    const isAccess = (decision.effect === 'forbid' && !reasons.includes('connect')) || isUnknown;
    const told = isAccess
      ? tellMissing({ grant, kind: meaning.kind, touched: meaning, missing, text })
      : undefined;
    return {
      ...who,
      effect: 'forbid',
      policies: decision.policies,
      reasons,
      missing: missing.map((access) => formatAccess(access)),
      ...(told === undefined ? {} : { told: { ...told } }),
    };
  });
}

/** Permitted, unless something regulated would be told otherwise than through the masked answer. */
function maskedDecision(
  decision: ExplainedDecision,
  masking: ExplainedMasking | undefined,
): ExplainedDecision {
  if (masking === undefined) return decision;
  const { counted, masked, refused, unmasked } = masking;
  if (masked.length + refused.length + unmasked.length + counted.length === 0) return decision;
  if (refused.length === 0) return { ...decision, masking };
  return { ...decision, effect: 'forbid', reasons: [...decision.reasons, 'masking'], masking };
}

function describeChange(change: SessionChange): string {
  switch (change.kind) {
    case 'search-path': {
      const to =
        change.value === undefined
          ? 'to what the text does not tell'
          : change.value === 'default'
            ? 'to its default'
            : `to ${change.value.join(', ')}`;
      return `search_path changes ${to}${change.local ? ', for the transaction' : ''}`;
    }
    case 'temporary':
      return change.names === '*'
        ? 'temporary objects of any name may be there'
        : `temporary: ${change.names.join(', ')}`;
    case 'drop-temporary':
      return 'temporary objects are dropped';
    case 'prepare':
      return `prepares ${change.name}`;
    case 'deallocate':
      return `forgets ${change.name ?? 'all'} prepared`;
    case 'transaction':
      return `transaction: ${change.verb}`;
    default:
      return 'runs code that is not seen: names may mean something else afterwards';
  }
}
