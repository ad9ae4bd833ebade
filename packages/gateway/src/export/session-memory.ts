import { sha256 } from 'countersign-verify';
import type { CanonicalValue, Leaf } from 'countersign-verify';

/** Who acts on what, as a `context` leaf says it. Names from configuration only. */
export interface Actor {
  readonly principal?: string;
  readonly kind?: string;
  readonly grant?: string;
  readonly target?: string;
  readonly login?: string;
}

export interface KnownSession extends Actor {
  /** Commitment to the client's address. */
  readonly peer?: string;
}

export interface KnownCall {
  readonly session: string;
  readonly kind: string;
  readonly effect: string;
}

/** Bounds of what is remembered; beyond them the oldest is forgotten, and an event lacks its actor. */
const MAX_CONTEXTS = 4_096;
const MAX_SESSIONS = 20_000;
const MAX_CALLS = 100_000;

/** As it is kept beside the cursor. */
export interface MemoryState {
  readonly contexts: readonly (readonly [string, Actor])[];
  readonly sessions: readonly (readonly [string, KnownSession])[];
  readonly calls: readonly (readonly [string, KnownCall])[];
}

/**
 * What earlier leaves say that later ones only refer to: the principal of a session, the kind of a call. A fold over the
 * log in order: the same leaves give the same memory, so it can always be made again from the log.
 */
export class SessionMemory {
  readonly #contexts: Map<string, Actor>;
  readonly #sessions: Map<string, KnownSession>;
  readonly #calls: Map<string, KnownCall>;

  constructor(state: MemoryState = { contexts: [], sessions: [], calls: [] }) {
    this.#contexts = new Map(state.contexts);
    this.#sessions = new Map(state.sessions);
    this.#calls = new Map(state.calls);
  }

  get state(): MemoryState {
    return { contexts: [...this.#contexts], sessions: [...this.#sessions], calls: [...this.#calls] };
  }

  session(id: CanonicalValue | undefined): KnownSession | undefined {
    return typeof id === 'string' ? this.#sessions.get(id) : undefined;
  }

  call(id: CanonicalValue | undefined): KnownCall | undefined {
    return typeof id === 'string' ? this.#calls.get(id) : undefined;
  }

  /** Who a leaf's own context or its session names. */
  actorOf(leaf: Leaf): KnownSession {
    const session = this.session(leaf['session']);
    if (session !== undefined) return session;
    const cited = text(leaf['context'], 'digest');
    return (cited === undefined ? undefined : this.#contexts.get(cited)) ?? {};
  }

  /** Before the leaf is turned into an event: what it introduces. */
  learn(leaf: Leaf, bytes: Uint8Array): void {
    if (leaf.type === 'context') {
      remember(this.#contexts, sha256(bytes).toString('base64url'), actorIn(leaf), MAX_CONTEXTS);
    } else if (leaf.type === 'session.opened') {
      const peer = leaf['peer'];
      const actor = this.actorOf(leaf);
      const known = typeof peer === 'string' ? { ...actor, peer } : actor;
      remember(this.#sessions, text(leaf, 'session') ?? '', known, MAX_SESSIONS);
    } else if (leaf.type === 'call.intent') {
      const call = {
        session: text(leaf, 'session') ?? '',
        kind: text(leaf, 'kind') ?? '',
        effect: text(leaf, 'effect') ?? '',
      };
      remember(this.#calls, text(leaf, 'id') ?? '', call, MAX_CALLS);
    }
  }

  /** After it: what it ends. */
  forget(leaf: Leaf): void {
    if (leaf.type === 'call.result' || leaf.type === 'call.voided') {
      this.#calls.delete(text(leaf, 'call') ?? '');
    } else if (leaf.type === 'session.closed') {
      const session = text(leaf, 'session') ?? '';
      this.#sessions.delete(session);
      const cited = text(leaf['context'], 'digest');
      if (cited !== undefined) this.#contexts.delete(cited);
      // A whole session leaves no call behind; one whose results were lost would.
      for (const [id, call] of this.#calls) if (call.session === session) this.#calls.delete(id);
    }
  }
}

function remember<T>(map: Map<string, T>, key: string, value: T, limit: number): void {
  if (map.size >= limit) map.delete(map.keys().next().value!);
  map.set(key, value);
}

function actorIn(leaf: Leaf): Actor {
  const fields = {
    principal: text(leaf, 'principal'),
    kind: text(leaf, 'principal_kind'),
    grant: text(leaf['grant'], 'id'),
    target: text(leaf['target'], 'name'),
    login: text(leaf['target'], 'login'),
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function text(value: CanonicalValue | undefined, key: string): string | undefined {
  if (typeof value !== 'object' || Array.isArray(value)) return undefined;
  const field = (value as Readonly<Record<string, CanonicalValue>>)[key];
  return typeof field === 'string' ? field : undefined;
}
