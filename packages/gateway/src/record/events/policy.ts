/** Events of policies. */

/** From here on commands are judged by this set; recorded before it is in force (decision 35). */
export interface PolicyActivated {
  readonly type: 'policy.activated';
  /** SHA-256 of the text, base64url; the context of every later session names it. */
  readonly policies: string;
  /** Commitment to every file, each after a line `==> <name> <bytes>`. */
  readonly text: string;
  /** Commitment to what changed since the set before, policy by policy. Absent at the start. */
  readonly diff?: string;
  /** How many policies there are. 0: nothing is permitted to anybody. */
  readonly count: number;
  readonly cause: 'start' | 'reload';
}
