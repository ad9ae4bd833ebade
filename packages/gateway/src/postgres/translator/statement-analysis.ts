import { CountersignError } from '../../errors.ts';
import { inspectStatement, type Inspection } from '../inspect/inspect.ts';
import { judgeSettings, type SettingsPolicy, type SettingsVerdict } from '../inspect/settings.ts';
import { nameEffectOf, type NameEffect } from './prepared-statements.ts';

/** What the translator needs to know of a text before it forwards it. */
export interface StatementAnalysis {
  readonly kind: Inspection['kind'];
  readonly effect: Inspection['effect'];
  readonly statements: number;
  /** Why it may not run: a setting that the session may not change, or a text that could not be read. */
  readonly refusal: CountersignError | undefined;
  readonly names: NameEffect;
}

/** The same as plain data, small whatever the text: it can be passed between threads. */
export interface StatementReading extends Omit<StatementAnalysis, 'refusal'> {
  readonly verdict: SettingsVerdict;
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
const NOTHING_SET: SettingsVerdict = { ok: true };

/** @param text the exact bytes, without NUL. */
export function analyzeStatement(text: Buffer, policy: SettingsPolicy): StatementAnalysis {
  return toAnalysis(readStatement(text, policy));
}

/** Everything of `analyzeStatement` that takes time in proportion to the text. */
export function readStatement(text: Buffer, policy: SettingsPolicy): StatementReading {
  const { kind, effect, statements, settings } = inspectStatement(text);
  return {
    kind,
    effect,
    statements,
    verdict: settings.length === 0 ? NOTHING_SET : judgeSettings(settings, policy),
    names: TOUCHES_NAMES.has(kind) ? nameEffectOf(text.toString('utf8')) : NO_EFFECT,
  };
}

export function toAnalysis({
  kind,
  effect,
  statements,
  verdict,
  names,
}: StatementReading): StatementAnalysis {
  return { kind, effect, statements, refusal: refusalOf(verdict), names };
}

/** Of a text that could not be read to its end: it may not run. */
export function unreadStatement(cause?: Error): StatementAnalysis {
  const refusal = new CountersignError('CS_STATEMENT_TOO_COMPLEX', cause === undefined ? {} : { cause });
  return { kind: 'unknown', effect: 'unknown', statements: 1, refusal, names: NO_EFFECT };
}

function refusalOf(verdict: SettingsVerdict): CountersignError | undefined {
  if (verdict.ok) return undefined;
  const subject = verdict.setting === undefined ? '' : `${verdict.setting}: `;
  return new CountersignError('CS_SETTING_DENIED', { detail: `${subject}${verdict.reason}` });
}
