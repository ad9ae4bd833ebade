import type { Lineage } from '../masking/lineage.ts';
import type { Access } from '../policy/access.ts';

/**
 * What a command would touch, as its translator found out. `demands` is also the key under which decisions are remembered: the same
 * statement should come with the same array, which is frozen when it is first seen.
 */
export interface Touched {
  /** What must be granted. Empty: it touches nothing. */
  readonly demands: readonly Access[];
  /** What is reached besides, on the authority of owners of views and the like: recorded. */
  readonly reaches?: readonly Access[];
  /**
   * Names that the target does not have, as the caller wrote them: the command is refused in the words that it would be refused in if they
   * were there and not granted.
   */
  readonly unknownNames?: readonly UnknownName[];
  /**
   * All that those names could demand, whatever they were. If it is granted the command goes to the target, which says that they are not there. Absent:
   * it cannot be told.
   */
  readonly possible?: readonly Access[];
  readonly fingerprint?: string;
  /** Epoch of the catalog that all of this was found in. */
  readonly catalog?: string;
  /** The text of the command, asked for only to tell in a refusal no other names than the caller wrote itself. */
  readonly text?: () => string;
  /** Where its values come from and go. Absent: nothing is classified in the target. */
  readonly lineage?: Lineage;
  /** Text of a bound parameter (from 1), for counting probes and finding masked values in it. Undefined: null or not known; then it counts as new. */
  readonly parameter?: (number: number) => string | undefined;
  /** The same of an array parameter. Undefined: not known; then a probe for its elements is refused. */
  readonly parameterElements?: (number: number) => readonly (string | null)[] | undefined;
  /** How many parameters are bound. Absent: none is looked at for masked values. */
  readonly parameterCount?: number;
  /** Digest of which columns of the target are regulated. Absent: none is. Given without `lineage`, the command counts as one of which nothing is known. */
  readonly classification?: string;
}

export interface UnknownName {
  readonly kind: 'relation' | 'routine' | 'column' | 'type' | 'schema';
  /** As the server reads it, without quotes; parts are joined by dots. */
  readonly written: string;
  /** `ddl`: what would be demanded, if it were there, is `ddl` of its schema. */
  readonly verb?: 'ddl';
}
