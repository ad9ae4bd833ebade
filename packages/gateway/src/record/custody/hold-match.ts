/** Whether a hold keeps the contents of a leaf. Asked leaf by leaf, in log order, of those that an erasure would touch. */

import type { Leaf, VaultScope } from 'countersign-verify';
import type { HoldScope } from '../events/custody.ts';

interface Reference {
  readonly journal?: string;
  readonly jseq: number;
}

/** Follows the log and knows to whom sessions and contexts belong. Every leaf must pass `follow`. */
export class HoldMatcher {
  readonly #holds: readonly { readonly hold: string; readonly scope: HoldScope }[];
  readonly #held = new Set<string>();
  readonly #principalOfContext = new Map<string, string>();
  readonly #principalOfSession = new Map<string, string>();
  /** Contexts that would be erased, and those that held sessions cite: known only when the log has been read. */
  readonly #erasedContexts = new Set<string>();
  readonly #contextsOfSession = new Map<string, Set<string>>();

  constructor(holds: readonly { readonly hold: string; readonly scope: HoldScope }[]) {
    this.#holds = holds;
  }

  follow(leaf: Leaf): void {
    const { principal, session } = leaf;
    if (leaf.type === 'context' && typeof principal === 'string')
      this.#principalOfContext.set(placeOf(leaf.journal, leaf.jseq), principal);
    if (typeof session !== 'string') return;
    const context = contextOf(leaf);
    const owner = typeof principal === 'string' ? principal : this.#principalOfContext.get(context ?? '');
    if (owner !== undefined && !this.#principalOfSession.has(session))
      this.#principalOfSession.set(session, owner);
    if (context === undefined || !this.#isSessionHeld(session)) return;
    const cited = this.#contextsOfSession.get(session) ?? new Set<string>();
    cited.add(context);
    this.#contextsOfSession.set(session, cited);
  }

  /** A leaf whose contents would go, and where they lie. */
  touch(leaf: Leaf, scopes: readonly VaultScope[]): void {
    if (leaf.type === 'context') this.#erasedContexts.add(placeOf(leaf.journal, leaf.jseq));
    for (const { hold, scope } of this.#holds) {
      if (!this.#held.has(hold) && this.#keeps(scope, leaf, scopes)) this.#held.add(hold);
    }
  }

  /** Names of the holds that keep something of what was touched. */
  finish(): string[] {
    for (const { hold, scope } of this.#holds) {
      const cited = scope.session === undefined ? undefined : this.#contextsOfSession.get(scope.session);
      if (cited !== undefined && [...cited].some((context) => this.#erasedContexts.has(context)))
        this.#held.add(hold);
    }
    return [...this.#held].sort();
  }

  #isSessionHeld(session: string): boolean {
    return this.#holds.some(({ scope }) => scope.session === session);
  }

  #keeps(scope: HoldScope, leaf: Leaf, places: readonly VaultScope[]): boolean {
    switch (scope.kind) {
      case 'all':
        return true;
      case 'time':
        return leaf.at >= (scope.fromUs ?? 0) && leaf.at <= (scope.toUs ?? Infinity);
      case 'session':
        return leaf['session'] === scope.session;
      case 'principal':
        return this.#principalOf(leaf) === scope.principal;
      default:
        return places.some(
          ({ period, retentionClass }) =>
            (scope.class === undefined || scope.class === retentionClass) &&
            (scope.period === undefined || scope.period === period),
        );
    }
  }

  #principalOf(leaf: Leaf): string | undefined {
    if (typeof leaf['principal'] === 'string') return leaf['principal'];
    const context = contextOf(leaf);
    const own = context === undefined ? undefined : this.#principalOfContext.get(context);
    if (own !== undefined || typeof leaf['session'] !== 'string') return own;
    return this.#principalOfSession.get(leaf['session']);
  }
}

function placeOf(journal: string, jseq: number): string {
  return `${journal}:${jseq}`;
}

function contextOf(leaf: Leaf): string | undefined {
  const context = leaf['context'] as unknown as Reference | undefined;
  return context === undefined ? undefined : placeOf(context.journal ?? leaf.journal, context.jseq);
}
