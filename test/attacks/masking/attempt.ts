/** The shape of an attempt to get a regulated value, or a bit of one, out of the target: data, played by `play.ts`. */

/** What a grant says about masking, as it stands in the configuration. */
export interface GrantWords {
  readonly unmask?: readonly string[];
  readonly writeClasses?: readonly string[];
  readonly budgets?: Readonly<Record<string, { readonly values: number; readonly per: string }>>;
}

/**
 * One move of the attacker, or of the world around. `{{ssn1}}` in a text is the value that column `ssn` has in row 1 of the first of the two databases
 * (in both the attacker guesses the same), `{{ssn1:3}}` its first three characters, `{{received}}` the first cell that came back before.
 */
export type Step =
  /**
   * A simple query. A single SELECT, VALUES or TABLE is sent again in the extended protocol with results as text and in binary, and as COPY (…) TO STDOUT as text, CSV and
   * binary, unless the attempt is `once`.
   */
  | string
  /** Parse, Bind, Execute and Sync of the unnamed statement; or, with `name` alone, of one that was parsed. */
  | {
      readonly kind: 'extended';
      readonly text?: string;
      readonly name?: string;
      readonly values: readonly string[];
      readonly binary?: boolean;
    }
  | { readonly kind: 'parse'; readonly name: string; readonly text: string }
  | { readonly kind: 'describe'; readonly name: string }
  /** Each text as Parse, Bind, Execute, and one Sync at the end. */
  | { readonly kind: 'pipeline'; readonly texts: readonly string[] }
  /** A portal of which one row is fetched at a time. */
  | { readonly kind: 'portal'; readonly text: string; readonly binary?: boolean }
  /** COPY FROM STDIN with this data. */
  | { readonly kind: 'copy-in'; readonly text: string; readonly data: string }
  /** The old FunctionCall message, with arguments as text and the result in `format`. */
  | {
      readonly kind: 'function-call';
      readonly routine: string;
      readonly arguments: readonly string[];
      readonly binary?: boolean;
    }
  /** Somebody else, a superuser beside the gateway, does this in the meantime. */
  | { readonly kind: 'outside'; readonly sql: string }
  /** The gateway reloads a configuration in which the attacker's grant says this. */
  | { readonly kind: 'grant'; readonly words: GrantWords };

export interface Circumstances {
  /** What the attacker's grant says. Default: nothing. */
  readonly grant?: GrantWords;
  /** What a superuser does before. */
  readonly setup?: string;
  /** The first major version of PostgreSQL that understands it. Default: all. */
  readonly since?: number;
  /** Play it once, as a simple query only: what it does lasts, or it is not one query. */
  readonly once?: boolean;
  /** Steps, from 0, of which the grant allows the answers to differ between the two databases, or to hold the values. */
  readonly granted?: readonly number[];
  /** It reads columns of which a part is shown on purpose: cells may differ between the two databases, their lengths not. */
  readonly residue?: boolean;
  /** A query for a superuser, afterwards: true when what was masked stands where the value was. */
  readonly corrupts?: string;
  /** Why it gets nothing even where nothing is masked. It is played all the same. */
  readonly blocked?: string;
}

export interface Attempt extends Circumstances {
  /** Never given to another attempt. */
  readonly id: string;
  /** The mechanism, in a sentence. */
  readonly how: string;
  readonly steps: readonly Step[];
}

export interface Family {
  readonly name: string;
  readonly attempts: readonly Attempt[];
}

export const attempt = (
  id: string,
  how: string,
  steps: string | readonly Step[],
  circumstances: Circumstances = {},
): Attempt => ({ id, how, steps: typeof steps === 'string' ? [steps] : steps, ...circumstances });

export const extended = (text: string, ...values: string[]): Step => ({ kind: 'extended', text, values });
export const binary = (text: string, ...values: string[]): Step => ({
  kind: 'extended',
  text,
  values,
  binary: true,
});
export const parse = (name: string, text: string): Step => ({ kind: 'parse', name, text });
export const run = (name: string, ...values: string[]): Step => ({ kind: 'extended', name, values });
export const runBinary = (name: string, ...values: string[]): Step => ({
  kind: 'extended',
  name,
  values,
  binary: true,
});
export const describe = (name: string): Step => ({ kind: 'describe', name });
export const pipeline = (...texts: string[]): Step => ({ kind: 'pipeline', texts });
export const portal = (text: string, isBinary = false): Step => ({ kind: 'portal', text, binary: isBinary });
export const copyIn = (text: string, data: string): Step => ({ kind: 'copy-in', text, data });
export const functionCall = (routine: string, ...values: string[]): Step => ({
  kind: 'function-call',
  routine,
  arguments: values,
});
export const outside = (sql: string): Step => ({ kind: 'outside', sql });
export const grant = (words: GrantWords): Step => ({ kind: 'grant', words });
