import type { ErrorCode } from '../errors.ts';
import type { Destination, OracleReason } from './lineage.ts';
import type { ClassName } from './rules.ts';

export type MaskRefusalCode = Extract<
  ErrorCode,
  'CS_MASK_ORACLE' | 'CS_MASK_DERIVED' | 'CS_MASK_BUDGET' | 'CS_MASK_FLOW' | 'CS_MASK_WRITE_BACK'
>;

/** Public: docs/refusals.md and the record have them. */
export type MaskRefusalReason =
  | OracleReason
  /** An expression over a class that allows none. */
  | 'derived'
  /** More distinct values than the budget has left; as many as cannot be counted. */
  | 'budget'
  | 'uncountable'
  /** Where a value would have gone: a column of another class, or the kind of a sink. */
  | 'column'
  | Extract<Destination, { readonly kind: 'sink' }>['what']
  /** A redaction or token of ours would come back, or could: values of the class were delivered in a form that is not found again. */
  | 'masked-value'
  | 'lossy'
  /** A value of the caller's own for a column of a class. */
  | 'write';

/** What is told of each: `It <this> values of class ssn.` */
export const MASK_REFUSAL_REASONS: Readonly<Record<MaskRefusalReason, string>> = {
  range: 'compares by order',
  pattern: 'matches a pattern with',
  order: 'orders by',
  group: 'groups by, or removes duplicates of,',
  aggregate: 'aggregates',
  comparison: 'compares with something other than constants, parameters and columns of the same class',
  fallible: 'does what can fail, take long or make more or fewer rows, depending on the value, to',
  opaque: 'gives to a routine that the gateway does not see into',
  control: 'lets its course depend on',
  derived: 'answers an expression over',
  budget: 'asks by equality for',
  uncountable: 'asks by equality, for so many values as cannot be counted, for',
  column: 'writes to a column of another class',
  relation: 'writes to a new relation',
  setting: 'writes to a setting',
  sequence: 'writes to a sequence',
  lock: 'names a lock by',
  notification: 'sends as a notification',
  'large-object': 'writes to a large object',
  message: 'raises as a message',
  file: 'writes to a file',
  routine: 'puts into a routine',
  'masked-value': 'writes or compares a masked value (a redaction or token) of',
  lossy: 'writes, after masked values of the class were delivered to the session,',
  write: 'writes',
};

export function isMaskRefusalReason(word: string): word is MaskRefusalReason {
  return Object.hasOwn(MASK_REFUSAL_REASONS, word);
}

/** One reason why a statement may not run as it is. */
export interface MaskRefusal {
  readonly code: MaskRefusalCode;
  readonly reason: MaskRefusalReason;
  /** Sorted. `*`: any. */
  readonly classes: readonly ClassName[];
  /** `schema.relation.column`, sorted: for whoever tells it, who must leave out what the caller does not name. */
  readonly objects: readonly string[];
  /** Of a budget: what is there, and what it would take. */
  readonly budget?: {
    readonly values: number;
    readonly used: number;
    readonly asked: number;
    readonly period: string;
  };
}
