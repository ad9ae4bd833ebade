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
  | 'lossy';

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
