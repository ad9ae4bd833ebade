/**
 * Where the values of an answer come from, in words that no protocol owns. A translator derives it (`postgres/lineage/`), `judge.ts` holds it against the
 * grant. Only what is classified, or may be, is followed: a value without sources is free. Plain data: cached, passed between threads.
 */
import type { ClassName } from './rules.ts';

/** Something regulated that a value can come from. */
export type Source =
  | {
      readonly kind: 'column';
      /** `schema.relation.column` of the base column (or of the view's own column that is classified). */
      readonly object: string;
      readonly class: ClassName;
    }
  /** A column of a temporary relation: what it carries only the session knows (`MaskingSession`). `*`: any of its columns. */
  | { readonly kind: 'temporary'; readonly relation: string; readonly column: string }
  /** It may be anything: made by an opaque routine, shown by a system relation of class `values`, or not understood. `object` names what by. */
  | { readonly kind: 'unknown'; readonly object: string };

/** One column of a result. */
export interface OutputColumn {
  /** Each once. Empty: free. */
  readonly sources: readonly Source[];
  /** `direct`: the value of exactly one column as it is. `derived`: anything else. */
  readonly how: 'direct' | 'derived';
  /** What the server calls it. Undefined: not known. */
  readonly name?: string | undefined;
  /** Of a direct column: its declared type. COPY has no row description. */
  readonly typeOid?: number | undefined;
  /** Of a direct column of a relation: `schema.relation.column` as read, regulated or not; held against the server's own row description. */
  readonly origin?: string | undefined;
}

/** A regulated value is compared with something that the caller chose: equality only, everything else is an `Oracle`. */
export interface Probe {
  readonly sources: readonly Source[];
  readonly kind: 'equality' | 'unique';
  /** Constants it is compared with, each element of a list or array as one, as written in the text (a string's content, a number's digits). */
  readonly constants: readonly string[];
  /** Numbers of the parameters it is compared with, from 1. */
  readonly parameters: readonly number[];
  /** Of those, the ones that are arrays: each element counts. */
  readonly arrays: readonly number[];
}

/** Why a shape tells something about regulated values other than through the values of its answer. Public: docs/masking.md, refusals and the record have them. */
export type OracleReason =
  /** <, >, BETWEEN, and whatever orders: ORDER BY, window ORDER BY, greatest in a condition, min/max in a condition. */
  | 'range'
  /** LIKE, regular expressions, SIMILAR, full text, starts_with … */
  | 'pattern'
  | 'order'
  /** GROUP BY, DISTINCT, set operations that remove duplicates, without the minimum group size. */
  | 'group'
  /** An aggregate other than count without the minimum group size, used where it can be told apart. */
  | 'aggregate'
  /** Compared with a value of another class, or with one that is not regulated and not a constant. */
  | 'comparison'
  /** An operation on it can fail, run long or make more or fewer rows depending on the value: casts, arithmetic, generate_series, unnest of a split … */
  | 'fallible'
  /** As the argument of a routine that we cannot see into. */
  | 'opaque'
  /** As LIMIT, OFFSET, an array index, a FILTER …: anything else that is not a value of the answer. */
  | 'control';

export interface Oracle {
  readonly reason: OracleReason;
  readonly sources: readonly Source[];
}

/** Where a regulated value would go, other than to the caller. */
export type Destination =
  | { readonly kind: 'column'; readonly object: string; readonly class?: ClassName | undefined }
  /** Allowed and followed. `columns`: what each column then carries; `*`: every column carries it. */
  | TemporaryDestination
  /** A new relation, a setting, sequence, lock, notification, large object, message, file: never of a class. */
  | {
      readonly kind: 'sink';
      readonly what:
        | 'relation'
        | 'setting'
        | 'sequence'
        | 'lock'
        | 'notification'
        | 'large-object'
        | 'message'
        | 'file'
        | 'routine';
    };

export interface TemporaryDestination {
  readonly kind: 'temporary';
  readonly relation: string;
  readonly column: string;
  /**
   * The relation or column is made or changed. `strict`: something in its definition is evaluated, and can fail or go elsewhere, when rows are written. `view`: rows
   * that are written go to what is behind it. Absent: rows are written.
   */
  readonly defines?: 'column' | 'strict' | 'view';
  /** pg_type.oid of the column, or of the value that is written. Of a column absent where its length or precision may not take every value of the type. */
  readonly typeOid?: number | undefined;
  /** With `*`: the column in that place, from 0, where it is known what the columns are. */
  readonly position?: number | undefined;
  /** A column that has the very type of this one: `schema.relation.column`. */
  readonly like?: string | undefined;
}

export interface Flow {
  readonly sources: readonly Source[];
  readonly how: 'direct' | 'derived';
  readonly to: Destination;
}

/** A classified column is given a value by the statement itself: constants, parameters, COPY data (decision 29). */
export interface ClassifiedWrite {
  readonly object: string;
  readonly class: ClassName;
}

/** Of one statement of the text, in their order. */
export interface StatementLineage {
  /**
   * Columns of its result, in order. `none`: it has no rows of its own (the server answers with a tag only). `unknown`: it may have rows of which nothing is known:
   * each is masked as a whole by `touched`. `rows-of`: FETCH from a cursor; `result-of`: EXECUTE of a prepared statement.
   */
  readonly outputs:
    | readonly OutputColumn[]
    | 'none'
    | 'unknown'
    | { readonly rowsOf: string }
    | { readonly resultOf: string };
  /** The rows come as COPY data, not as DataRows. */
  readonly isCopyOut?: boolean;
  /** COPY … FROM STDIN: the columns that the data is for, in order. Undefined: it is none. */
  readonly copyIn?: readonly (ClassifiedWrite | undefined)[];
  /** DECLARE: the cursor that is opened, whose rows have `cursorOutputs`. */
  readonly declares?: string;
  readonly cursorOutputs?: readonly OutputColumn[] | 'unknown';
  /** Everything regulated that it reads anywhere: what its errors, notices and notifications could carry. */
  readonly touched: readonly Source[];
  readonly probes: readonly Probe[];
  readonly oracles: readonly Oracle[];
  readonly flows: readonly Flow[];
  readonly writes: readonly ClassifiedWrite[];
  /** Text constants longer than 8 bytes that it would write or compare: where masked values could come back in. Exact content, each once, at most 10,000 (then `*`). */
  readonly constants: readonly string[] | '*';
  /** PREPARE: the lineage of what it prepares. */
  readonly prepares?: { readonly name: string; readonly inner: StatementLineage };
}

export interface Lineage {
  /** One for each statement that is not empty. */
  readonly statements: readonly StatementLineage[];
  /** Nothing regulated anywhere, nothing unknown, no classified column written: nothing of masking has to run. */
  readonly isFree: boolean;
}

export const FREE_LINEAGE: Lineage = { statements: [], isFree: true };
