/** A case: what a person or a program asks of the bank, and what of the answer may differ because it is regulated. */

export type Protocol = 'simple' | 'extended' | 'binary';

/** Statement and parameters as text. Without parameters it goes by the simple protocol. */
export type Step =
  | string
  | readonly [sql: string, ...params: (string | null)[]]
  | { readonly copyIn: string; readonly data: string };

/**
 * Who asks. Both have no `unmask`. `reader`: a small budget of look-ups by e-mail and account number; `writer`: `writeClasses` besides; `nobody`: neither.
 */
export type Who = 'reader' | 'writer' | 'nobody';

export interface Case {
  /** Unique: family and a number. */
  readonly id: string;
  readonly family: string;
  readonly who: Who;
  /** One: it goes by the simple protocol, the extended one, and that with binary results, each compared. Several: in one session. */
  readonly steps: readonly Step[];
  /**
   * What may differ beside columns of tables that are shown as they are (the server itself tells those): by name of the result's column, a class (its transform), or `class!` (redacted).
   * Of COPY: by name of the column in the order that it has.
   */
  readonly masked: Readonly<Record<string, string>>;
  /** Of one step. Default: all three, or those that can carry its parameters. */
  readonly protocols?: readonly Protocol[];
  /** Names of the columns of COPY data, in order. */
  readonly copied?: readonly string[];
  readonly refused?: Refusal;
}

export interface Refusal {
  /** Reason of the refusal: `order`, `group`, … */
  readonly reason: string;
  /** Written so that it is allowed: another case's statement, which must pass. */
  readonly instead?: string;
  /** `masked` of that. */
  readonly insteadMasked?: Readonly<Record<string, string>>;
}

export type Written =
  | string
  | readonly [sql: string, ...params: (string | null)[]]
  | (Partial<Omit<Case, 'id' | 'family' | 'steps'>> & {
      readonly sql?: Step;
      readonly steps?: readonly Step[];
    });

/** Numbered in order: put new ones at the end. */
export function casesOf(
  family: string,
  written: readonly Written[],
  who: Who = 'reader',
  protocols?: readonly Protocol[],
): readonly Case[] {
  const by = protocols === undefined ? {} : { protocols };
  return written.map((each, index) => {
    const id = `${family}-${String(index + 1).padStart(3, '0')}`;
    if (typeof each === 'string' || isStatement(each))
      return { ...by, id, family, who, steps: [each], masked: {} };
    const { sql, steps, ...rest } = each;
    return { ...by, who, masked: {}, ...rest, id, family, steps: steps ?? (sql === undefined ? [] : [sql]) };
  });
}

function isStatement(written: Written): written is readonly [sql: string, ...params: (string | null)[]] {
  return Array.isArray(written);
}
