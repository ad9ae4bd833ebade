import type { Leaf } from 'countersign-verify';

/** Which leaves are wanted; ids may be given by their last characters. */
export interface LeafChoice {
  readonly session?: string;
  readonly call?: string;
  readonly type?: string;
  readonly principal?: string;
}

/** Tells leaves that are wanted. It has to see them in log order: whose a session is stands in a context before it. */
export class LeafFilter {
  readonly #choice: LeafChoice;
  /** Contexts of the principal, as `journal jseq`, and the sessions that cite them. */
  readonly #contexts = new Set<string>();
  readonly #sessions = new Set<unknown>();

  constructor(choice: LeafChoice) {
    this.#choice = choice;
  }

  /** Every leaf is wanted. */
  get takesAll(): boolean {
    const { session, call, type, principal } = this.#choice;
    return [session, call, type, principal].every((each) => each === undefined);
  }

  /** Leaves before those that are asked for have to be shown to it as well. */
  get needsHistory(): boolean {
    return this.#choice.principal !== undefined;
  }

  takes(leaf: Leaf): boolean {
    const { session, call, type, principal } = this.#choice;
    const isTheirs = principal === undefined || this.#isOf(principal, leaf);
    return (
      isTheirs &&
      (type === undefined || leaf.type === type) &&
      (session === undefined || endsWith(leaf['session'], session)) &&
      (call === undefined || endsWith(leaf['id'], call) || endsWith(leaf['call'], call))
    );
  }

  #isOf(principal: string, leaf: Leaf): boolean {
    if (leaf['principal'] === principal) {
      if (leaf.type === 'context') this.#contexts.add(`${leaf.journal} ${leaf.jseq}`);
      return true;
    }
    const { session } = leaf;
    if (session === undefined) return false;
    const context = leaf['context'] as { readonly jseq?: unknown } | undefined;
    if (this.#contexts.has(`${leaf.journal} ${String(context?.jseq)}`)) this.#sessions.add(session);
    return this.#sessions.has(session);
  }
}

function endsWith(value: unknown, end: string): boolean {
  return typeof value === 'string' && value.endsWith(end);
}
