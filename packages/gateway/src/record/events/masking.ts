/** What the leaves of a call say of masking. Absent where nothing is regulated. Objects are names of the target's catalog, never what a caller chose. */

/** A regulated column, or `pg_temp.*`, or what an unknown value was made by, that the grant let out. */
export interface Unmasked {
  readonly class: string;
  readonly object: string;
}

/** Regulated values that were asked for by equality, counted against the budget of the accountable owner. */
export interface ProbesOfClass {
  readonly class: string;
  readonly period: 'hour' | 'day' | 'week' | 'month';
  /** Distinct values of this call that were not asked for before in the period. */
  readonly new: number;
  /** Distinct values of the period, these included. */
  readonly used: number;
  readonly budget: number;
}

/** Of `call.intent`. */
export interface MaskingOfCall {
  readonly unmasked?: readonly Unmasked[];
  /** How many `unmasked` leaves out. */
  readonly unmaskedMore?: number;
  readonly probes?: readonly ProbesOfClass[];
}

/** Values of a column that were masked, nulls not counted. */
export interface MaskedColumn {
  /** What they come from; of an expression all it was made of, joined by commas. */
  readonly object: string;
  /** `*`: not known. */
  readonly class: string;
  readonly transform: string;
  readonly count: number;
}

/** Of `call.result`. */
export interface MaskedOfCall {
  readonly masked?: readonly MaskedColumn[];
  /** Values that were masked in columns that `masked` leaves out. */
  readonly maskedMore?: number;
}
