import { CountersignError } from '../../errors.ts';
import { inspectStatement, type Inspection } from '../inspect/inspect.ts';
import { judgeSettings, type SettingsPolicy } from '../inspect/settings.ts';
import { nameEffectOf, type NameEffect } from './prepared-statements.ts';

/** What the translator needs to know of a text before it forwards it. */
export interface StatementAnalysis {
  readonly kind: Inspection['kind'];
  readonly effect: Inspection['effect'];
  readonly statements: number;
  /** Why it may not run: a setting that the session may not change. */
  readonly refusal: CountersignError | undefined;
  readonly names: NameEffect;
}

/** Kinds that can give a prepared statement or portal another meaning, or may hide a statement that does. */
const TOUCHES_NAMES: ReadonlySet<string> = new Set([
  'prepare',
  'deallocate',
  'discard',
  'declare',
  'close',
  'multi',
  'do',
  'call',
  'unknown',
] satisfies Inspection['kind'][]);

const NO_EFFECT: NameEffect = { kind: 'none' };

/** @param text the exact bytes, without NUL. */
export function analyzeStatement(text: Buffer, policy: SettingsPolicy): StatementAnalysis {
  const { kind, effect, statements, settings } = inspectStatement(text);
  return {
    kind,
    effect,
    statements,
    refusal: settings.length === 0 ? undefined : judge(settings, policy),
    names: TOUCHES_NAMES.has(kind) ? nameEffectOf(text.toString('utf8')) : NO_EFFECT,
  };
}

function judge(settings: Inspection['settings'], policy: SettingsPolicy): CountersignError | undefined {
  const verdict = judgeSettings(settings, policy);
  if (verdict.ok) return undefined;
  const subject = verdict.setting === undefined ? '' : `${verdict.setting}: `;
  return new CountersignError('CS_SETTING_DENIED', { detail: `${subject}${verdict.reason}` });
}
