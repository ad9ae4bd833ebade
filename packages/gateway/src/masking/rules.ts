/** What is regulated and what happens to it: the `masking` section of the configuration, compiled. Immutable, plain data, no protocol. */

/** Classes that need no definition. Own ones are `[a-z][a-z0-9_]{0,31}`. */
export const BUILT_IN_CLASSES = [
  'ssn',
  'pan',
  'account_number',
  'email',
  'phone',
  'name',
  'dob',
  'address',
  'free_text',
  'secret',
  'ip',
] as const;

export type ClassName = string;

/**
 * The class of a value of which only is known that it may be regulated (made by code that we do not see, a temporary relation of unknown content). Only a grant
 * that unmasks every class lets it out.
 */
export const ANY_CLASS = '*';

/** What takes the place of a value. What a transform cannot do to a type or to this value (too short, no such thing in it) it redacts. */
export type Transform =
  /** A text that says that something stood there and authenticates itself; null where the type has no such value (docs/masking.md). */
  | { readonly kind: 'redact' }
  | { readonly kind: 'null' }
  /** All but the last `count` letters and digits become `*`. */
  | { readonly kind: 'keep-last'; readonly count: number }
  | { readonly kind: 'email-domain' }
  /** Dates and times: the first of January of the year. */
  | { readonly kind: 'year' }
  /** Numbers: down to a multiple of `size`. Dates and times: to the first of the period. */
  | { readonly kind: 'bucket'; readonly size: number | 'month' | 'quarter' | 'year' }
  /** The same for equal values of a class under one grant, different under another; authenticates itself, but for numbers. */
  | { readonly kind: 'token' }
  /** FF1 (NIST SP 800-38G): digits stay digits, letters letters, all else where it is. */
  | { readonly kind: 'fpe' }
  /** Only what detectors find in it is replaced, each by the transform of its own class. */
  | { readonly kind: 'detect' };

export interface ClassRule {
  readonly name: ClassName;
  readonly transform: Transform;
  /** An expression over a column of the class: its value is redacted, or the statement refused. Default `redact`. */
  readonly derived: 'redact' | 'refuse';
}

export interface MaskingRules {
  /** base64url SHA-256 of the canonical section: the rule version on the record. */
  readonly version: string;
  /** Every class that may be used, built-in ones included. */
  readonly classes: ReadonlyMap<ClassName, ClassRule>;
  /** Rows that a group must have before aggregates over regulated columns, and groups by them, may be shown. Default 5. */
  readonly minGroup: number;
  /** Names of aggregates over regulated columns that are free where the statement shows the minimum group size. `count` always is. Default avg, sum. */
  readonly aggregates: ReadonlySet<string>;
  /** Text, JSON and XML columns without a class that the detectors read: none, or all of them. Columns of class `free_text` are always read. Default `none`. */
  readonly detect: 'none' | 'all';
  /** A row with a masked column may be so long, bytes. Default 16 MiB. */
  readonly maxRowBytes: number;
  /** Own routines (`schema.name`) and what their result carries: `nothing`, or what their arguments carry. Any other own routine is opaque. */
  readonly routines: ReadonlyMap<string, 'nothing' | 'arguments'>;
}

/** Which columns of one database are regulated: from configuration, comments and security labels, children of partitioned tables included. */
export interface Classification {
  /** base64url SHA-256 of every binding; part of the key under which lineage is kept. */
  readonly digest: string;
  /** Nothing is classified and detectors are off: nothing of masking has to run. */
  readonly isEmpty: boolean;
  /** Of a base column; views are looked through by the lineage, and a class bound to a view's own column counts on top. */
  classOf(schema: string, relation: string, column: string): ClassName | undefined;
  /** Whether any column of the relation has a class: if none has, its columns need not be followed. */
  hasClasses(schema: string, relation: string): boolean;
  /** Every class that is bound to some column. */
  readonly bound: ReadonlySet<ClassName>;
}

/** What a grant says about masking. */
export interface MaskingGrant {
  /** Classes that leave as they are. `all`: every one, unknown values too. */
  readonly unmask: ReadonlySet<ClassName> | 'all';
  /** Classes whose columns may be written although masked values of the class were delivered before (decision 29). */
  readonly writeClasses: ReadonlySet<ClassName> | 'all';
  /** Distinct values that may be asked for by equality, by class. Absent: 0. Counted per accountable owner, class and period. */
  readonly budgets: ReadonlyMap<
    ClassName,
    { readonly values: number; readonly period: 'hour' | 'day' | 'week' | 'month' }
  >;
}

export const NO_UNMASK: MaskingGrant = { unmask: new Set(), writeClasses: new Set(), budgets: new Map() };
