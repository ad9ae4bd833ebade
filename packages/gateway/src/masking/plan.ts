/** What masking does to one statement under one grant: made by `judge.ts`, carried out by the translator's mask (`postgres/mask/`). Plain data. */
import type { ClassName, Transform } from './rules.ts';

/** What becomes of one column of an answer. */
export type ColumnAction =
  | { readonly kind: 'pass' }
  | {
      readonly kind: 'mask';
      readonly transform: Transform;
      /** The class; of several, the first of the sorted names. `*`: unknown. */
      readonly class: ClassName;
      /** For the record: `schema.relation.column`, or what it was derived from, joined by `,` (at most 8 and a count). */
      readonly object: string;
      /** Declared type of a direct column, where the protocol does not tell. */
      readonly typeOid?: number | undefined;
    }
  /** Text that no catalog classifies: only what detectors find is replaced. */
  | { readonly kind: 'detect' };

export interface ResultPlan {
  /**
   * In order. If the answer has another number of columns, or one whose origin the server tells differently than `origins`, all of it is masked by `otherwise`.
   */
  readonly columns: readonly ColumnAction[] | 'unknown';
  /** `schema.relation.column` of direct columns, by position; undefined: not known. */
  readonly origins: readonly (string | undefined)[];
  /** For columns that nothing is known of: a redaction. */
  readonly otherwise: ColumnAction;
  /** Nothing is masked or read in it: rows pass untouched. */
  readonly isFree: boolean;
}

/** One statement of a text. */
export interface StatementPlan {
  readonly result: ResultPlan;
  readonly isCopyOut: boolean;
  /** Messages of errors, warnings and notices may carry a masked value: only what the server's own words are is told. */
  readonly withholdMessages: boolean;
  /** COPY … FROM STDIN into classified columns: by column, which class it writes; undefined: none. Undefined as a whole: no data is looked at. */
  readonly copyIn?:
    | readonly ({ readonly class: ClassName; readonly object: string } | undefined)[]
    | undefined;
  /** FETCH: the plan is that of the cursor. EXECUTE: that of the prepared statement. */
  readonly rowsOf?: string | undefined;
  readonly resultOf?: string | undefined;
  /** DECLARE: rows of this cursor are delivered by `cursor`. */
  readonly declares?: string | undefined;
  readonly cursor?: ResultPlan | undefined;
}

export interface MaskPlan {
  readonly statements: readonly StatementPlan[];
  /** Nothing in it has to be looked at. */
  readonly isFree: boolean;
  /** Classes that the grant lets out in it, with the objects they come from: recorded in the intent. */
  readonly unmasked: readonly { readonly class: ClassName; readonly object: string }[];
}

export const FREE_PLAN: MaskPlan = { statements: [], isFree: true, unmasked: [] };

/** What was masked of a call, for `call.result`: counted over values that are not null. */
export interface MaskedCount {
  readonly object: string;
  readonly class: ClassName;
  readonly transform: Transform['kind'];
  count: number;
}
