import { CountersignError } from '../errors.ts';
import { judgeSettings, makeSettingsPolicy } from './inspect/settings.ts';

/** The error for the first setting that a client may not give at start-up; undefined when all may pass. */
export function judgeStartupSettings(
  settings: ReadonlyMap<string, string>,
  allowed: readonly string[],
): CountersignError | undefined {
  const changes = [...settings].map(([name, value]) => ({ kind: 'set' as const, name, value }));
  const verdict = judgeSettings(changes, makeSettingsPolicy(allowed));
  if (verdict.ok) return undefined;
  return new CountersignError(
    'CS_SETTING_DENIED',
    verdict.setting === undefined ? {} : { detail: verdict.setting },
  );
}
