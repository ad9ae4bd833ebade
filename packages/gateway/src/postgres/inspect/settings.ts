/**
 * Which settings a session may change (decision 2): a built-in list, what the operator adds per target, and two that
 * are pinned for the whole session because the reading of every later statement rests on them.
 *
 * RISK: code inside the target (functions, and strings that are put together at run time) can change settings
 * unseen. For the pinned ones the translator watches ParameterStatus and ends the session; the others are
 * conveniences and no wall.
 */
import { GUARDED_SETTINGS, HARMLESS_SETTINGS } from './known-settings.ts';
import { inspectStatement } from './inspect.ts';
import type { RefusalReason, SettingChange } from './setting-changes.ts';

/** The start-up parameters that the gateway sends to every target, and keeps so. */
export const PINNED_SETTINGS: ReadonlyMap<string, string> = new Map([
  ['client_encoding', 'UTF8'],
  ['standard_conforming_strings', 'on'],
]);

const HARMLESS: ReadonlySet<string> = new Set(HARMLESS_SETTINGS);
const KNOWN: ReadonlySet<string> = new Set([
  ...HARMLESS_SETTINGS,
  ...GUARDED_SETTINGS,
  ...PINNED_SETTINGS.keys(),
]);

/** A policy for one target; made once per configuration. */
export interface SettingsPolicy {
  /** What it was made of. */
  readonly allowed: readonly string[];
  allows(name: string): boolean;
}

/**
 * @param allowed what the operator adds: exact names, or `prefix.*` for the settings of an extension or application.
 * Pinned settings stay pinned whatever it says.
 */
export function makeSettingsPolicy(allowed: readonly string[]): SettingsPolicy {
  const names = new Set<string>();
  const prefixes: string[] = [];
  for (const entry of allowed) {
    const name = entry.toLowerCase();
    if (name.endsWith('.*')) prefixes.push(name.slice(0, -1));
    else names.add(name);
  }
  return {
    allowed,
    allows: (name) =>
      HARMLESS.has(name) || names.has(name) || prefixes.some((prefix) => name.startsWith(prefix)),
  };
}

const IDENTITY_SETTINGS: ReadonlyMap<RefusalReason, string> = new Map([
  ['role', 'role'],
  ['session-authorization', 'session_authorization'],
]);

export type SettingsVerdict =
  | { readonly ok: true }
  | {
      readonly ok: false;
      readonly reason: RefusalReason | 'not-allowed' | 'pinned';
      /** Only a name that PostgreSQL itself has; the caller's own text is never repeated. */
      readonly setting?: string;
    };

const OK: SettingsVerdict = { ok: true };

/** Judge what `inspectStatement` found. Costs nothing when it found nothing. */
export function judgeSettings(changes: readonly SettingChange[], policy: SettingsPolicy): SettingsVerdict {
  for (const change of changes) {
    const verdict = judgeChange(change, policy);
    if (!verdict.ok) return verdict;
  }
  return OK;
}

/** `inspectStatement` and `judgeSettings` in one. */
export function judgeStatement(text: Uint8Array | string, policy: SettingsPolicy): SettingsVerdict {
  return judgeSettings(inspectStatement(text).settings, policy);
}

function judgeChange(change: SettingChange, policy: SettingsPolicy): SettingsVerdict {
  switch (change.kind) {
    case 'refused': {
      // Whom the session acts as is the scope's matter (`set-role`), where the target's configuration leaves it to scopes.
      const identity = IDENTITY_SETTINGS.get(change.reason);
      return identity !== undefined && policy.allows(identity) ? OK : { ok: false, reason: change.reason };
    }
    case 'reset':
      // Back to what the session began with, and that was judged then.
      return OK;
    default:
      return judgeValue(change.name, change.value, policy);
  }
}

function judgeValue(name: string, value: string | undefined, policy: SettingsPolicy): SettingsVerdict {
  if (PINNED_SETTINGS.has(name)) {
    return value !== undefined && isPinnedValue(name, value)
      ? OK
      : { ok: false, reason: 'pinned', setting: name };
  }
  if (policy.allows(name)) return OK;
  const isResetOfIdentity =
    (name === 'role' && value === 'none') || (name === 'session_authorization' && value === 'default');
  if (isResetOfIdentity) return OK;
  return KNOWN.has(name)
    ? { ok: false, reason: 'not-allowed', setting: name }
    : { ok: false, reason: 'not-allowed' };
}

/** Does `value` mean what the setting is pinned to, in any of the spellings that the server accepts? */
export function isPinnedValue(name: string, value: string): boolean {
  const lower = value.toLowerCase();
  if (name === 'client_encoding') {
    // The server compares names of encodings by letters and digits only (clean_encoding_name in encnames.c).
    const encoding = lower.replaceAll(/[^a-z0-9]/gu, '');
    return encoding === 'utf8' || encoding === 'unicode';
  }
  // parse_bool_with_len (bool.c): any beginning of true and yes; on needs both letters.
  if (lower === 'on' || lower === '1') return true;
  return lower !== '' && ('true'.startsWith(lower) || 'yes'.startsWith(lower));
}
