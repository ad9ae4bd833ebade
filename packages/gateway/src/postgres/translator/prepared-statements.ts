import type { StatementAnalysis } from './statement-analysis.ts';

/** A prepared statement whose Parse came through us. */
export interface PreparedStatement {
  /** The exact bytes of its text; a copy. */
  readonly text: Buffer;
  readonly analysis: StatementAnalysis;
  /** As given at Parse; 0 = left to the server. */
  readonly parameterTypes: readonly number[];
}

/**
 * How many bytes of texts one session may have prepared at a time, those not answered yet included. An Execute is recorded with the text of its statement, so
 * the texts have to be kept; the server sets no limit, but a client could fill our memory.
 */
export const PREPARED_BYTES_LIMIT = 64 << 20;

/** What remembering a statement costs: its text and something for itself. */
export function preparedBytes(statement: PreparedStatement): number {
  return statement.text.length + 256;
}

/** A portal made by a Bind that came through us. */
export interface Portal {
  /** Undefined: the statement was made by SQL, we know its name only. */
  readonly statement: PreparedStatement | undefined;
  readonly statementName: string;
  /** The call that made or last ran it. */
  lastCall: string | undefined;
  wasExecuted: boolean;
}

/** What a text does to prepared statements and portals behind our back. */
export type NameEffect =
  | { readonly kind: 'none' }
  | { readonly kind: 'statement'; readonly name: string }
  | { readonly kind: 'everything' };

const NONE: NameEffect = { kind: 'none' };
const EVERYTHING: NameEffect = { kind: 'everything' };
const SUSPICIOUS = /\b(?:prepare|deallocate|discard|declare|close)\b/i;
// Linear on any text: no two runs of one expression can share white space (`\s*;?\s*$` would be quadratic).
const DEALLOCATE_ONE =
  /^\s*deallocate\s+(?:prepare\s+)?(?:"((?:[^"]|"")+)"|([a-z_][a-z0-9_$]*))\s*(?:;\s*)?$/i;
const HARMLESS = /^\s*prepare\s+transaction\b[^;]*(?:;\s*)?$/i;

/**
 * Which names SQL may have given another meaning: PREPARE, DEALLOCATE, DISCARD, DECLARE and CLOSE, wherever in the text.
 * Whatever is not surely one DEALLOCATE of one name makes us forget everything: an Execute is then recorded by name
 * (`statementName`), never with a stale text.
 *
 * RISK: a function that the text calls can do the same unseen; then its own statement is on the record, but the text of
 * a later Execute of that name is the older one. docs/record-format.md states it.
 */
export function nameEffectOf(text: string): NameEffect {
  if (!SUSPICIOUS.test(text)) return NONE;
  if (HARMLESS.test(text)) return NONE;
  const one = DEALLOCATE_ONE.exec(text);
  if (one === null) return EVERYTHING;
  const name = one[1]?.replaceAll('""', '"') ?? one[2]!.toLowerCase();
  return name === 'all' ? EVERYTHING : { kind: 'statement', name };
}
