/** The shape of an attack: an attempt to read, write or escape beyond a scope, as data. */

/** One move of the attacker, or of the world around. `{{dir}}`, `{{port}}` and `{{victim}}` in texts are filled in by the runner. */
export type Step =
  /** A simple query, possibly of several statements. */
  | string
  /** Parse, Bind, Execute and Sync of the unnamed statement; or, with `name` alone, of one that was parsed. */
  | {
      readonly kind: 'extended';
      readonly text?: string;
      readonly name?: string;
      readonly values: readonly string[];
    }
  | {
      readonly kind: 'parse';
      readonly name: string;
      readonly text: string;
      /** Types of the parameters, by name; the OIDs go over the wire. */
      readonly types?: readonly string[];
    }
  /** Describe of a prepared statement. */
  | { readonly kind: 'describe'; readonly name: string }
  /** Each text as Parse, Bind, Execute, and one Sync at the end. */
  | { readonly kind: 'pipeline'; readonly texts: readonly string[] }
  /** COPY FROM STDIN with this data. */
  | { readonly kind: 'copy-in'; readonly text: string; readonly data: string }
  /** The old FunctionCall message; the OID is that of `routine` in the target. */
  | { readonly kind: 'function-call'; readonly routine: string; readonly arguments: readonly string[] }
  /** A simple query of these exact bytes (latin1), which need not be UTF-8 or free of NUL. */
  | { readonly kind: 'bytes'; readonly text: string }
  /** Somebody else, a superuser beside the gateway, does this in the meantime. */
  | { readonly kind: 'outside'; readonly sql: string };

export type ScopeName = 'reader' | 'teller' | 'builder' | 'caller';

/** How success shows besides the canaries, the state, the listener, the folder and the other session, which are always looked at. */
export interface Evidence {
  /** A text that the bytes received must not hold. The statements themselves do not hold it either. */
  readonly received?: string;
  /** A query for the observer that gives true when the attack succeeded. */
  readonly check?: string;
  /** Two steps whose answers must be the same, the names in the texts aside: whoever can tell them apart has learnt something. */
  readonly differs?: readonly [number, number];
  /** `options` of the start-up message. */
  readonly options?: string;
  /** Another database of the server than the one the scope is for. */
  readonly database?: string;
  /** What a superuser does before. */
  readonly setup?: string;
  /** The first major version of PostgreSQL that understands it. Default: all. */
  readonly since?: number;
  /** Why it is not counted: it has no effect on any server here even when nothing stops it. */
  readonly inert?: string;
}

export interface Attack extends Evidence {
  /** Never given to another attack. */
  readonly id: string;
  readonly scope: ScopeName;
  readonly goal: 'read' | 'write' | 'escape';
  /** The mechanism, in a sentence. */
  readonly how: string;
  readonly steps: readonly Step[];
}

export interface Family {
  readonly name: string;
  readonly attacks: readonly Attack[];
}

type Maker = (
  id: string,
  scope: ScopeName,
  how: string,
  steps: readonly Step[],
  evidence?: Evidence,
) => Attack;

const make =
  (goal: Attack['goal']): Maker =>
  (id, scope, how, steps, evidence = {}) => ({ id, scope, goal, how, steps, ...evidence });

export const reads = make('read');
export const writes = make('write');
export const escapes = make('escape');

export const extended = (text: string, ...values: string[]): Step => ({ kind: 'extended', text, values });
export const parse = (name: string, text: string): Step => ({ kind: 'parse', name, text });
export const parseTyped = (name: string, text: string, ...types: string[]): Step => ({
  kind: 'parse',
  name,
  text,
  types,
});
export const run = (name: string, ...values: string[]): Step => ({ kind: 'extended', name, values });
export const describe = (name: string): Step => ({ kind: 'describe', name });
export const pipeline = (...texts: string[]): Step => ({ kind: 'pipeline', texts });
export const copyIn = (text: string, data: string): Step => ({ kind: 'copy-in', text, data });
export const functionCall = (routine: string, ...values: string[]): Step => ({
  kind: 'function-call',
  routine,
  arguments: values,
});
export const bytes = (text: string): Step => ({ kind: 'bytes', text });
export const outside = (sql: string): Step => ({ kind: 'outside', sql });
