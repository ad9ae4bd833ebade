import { CountersignError } from '../errors.ts';

const HARMLESS = new Set(
  `datestyle intervalstyle timezone extra_float_digits bytea_output search_path statement_timeout lock_timeout
   idle_in_transaction_session_timeout client_min_messages default_transaction_isolation default_transaction_read_only
   default_transaction_deferrable row_security`.split(/\s+/),
);

/** The error for the first setting that a client may not give at start-up; undefined when all may pass. */
export function judgeStartupSettings(
  settings: ReadonlyMap<string, string>,
  allowed: readonly string[],
): CountersignError | undefined {
  for (const name of settings.keys()) {
    if (!HARMLESS.has(name) && !allowed.includes(name)) return new CountersignError('CS_SETTING_DENIED');
  }
  return undefined;
}
