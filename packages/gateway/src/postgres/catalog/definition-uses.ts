import type { Access } from '../../policy/access.ts';

/** Names of relations, routines and types without their schema; `*`: any. */
export type UsedNames = ReadonlySet<string> | '*';

/** What a command uses of definitions, as far as the judgement of it rests on them. */
export interface DefinitionUse {
  readonly names: UsedNames;
  /** It changes what the names mean. */
  readonly isChange: boolean;
}

interface Entry extends DefinitionUse {
  /** The session. Its own changes are followed in another way. */
  readonly owner: object;
}

interface Waiter extends Entry {
  readonly resolve: () => void;
}

/**
 * The commands under way in one database, by the names that they were judged by. The target looks a name up when it comes to it, which may be long after the
 * judgement: behind a lock, or behind `pg_sleep` in the same text. So what a name means must not change from the judgement of a command until its end:
 * a change and a use of one name by two sessions exclude each other, a change until its transaction has ended.
 */
export class DefinitionUses {
  readonly #entries = new Set<Entry>();
  readonly #waiters = new Set<Waiter>();
  #changes = 0;

  /** Whether another session has something under way that it must not run beside. */
  conflicts(owner: object, use: DefinitionUse): boolean {
    if (this.#changes === 0 && !use.isChange) return false;
    for (const other of this.#entries) {
      if (other.owner === owner || !(other.isChange || use.isChange)) continue;
      if (overlap(other.names, use.names)) return true;
    }
    return false;
  }

  /** It is under way until the function is called. */
  enter(owner: object, use: DefinitionUse): () => void {
    const entry: Entry = { owner, ...use };
    this.#entries.add(entry);
    if (entry.isChange) this.#changes += 1;
    return () => {
      if (!this.#entries.delete(entry)) return;
      if (entry.isChange) this.#changes -= 1;
      this.#wake();
    };
  }

  /** Resolves when nothing is in its way any more, or after `timeoutMs` all the same. */
  async whenFree(owner: object, use: DefinitionUse, timeoutMs: number): Promise<void> {
    await new Promise<void>((resolve) => {
      const waiter: Waiter = { owner, ...use, resolve: () => done() };
      const timer = setTimeout(() => done(), timeoutMs).unref();
      const done = (): void => {
        clearTimeout(timer);
        this.#waiters.delete(waiter);
        resolve();
      };
      this.#waiters.add(waiter);
    });
  }

  #wake(): void {
    for (const waiter of this.#waiters) {
      if (!this.conflicts(waiter.owner, waiter)) waiter.resolve();
    }
  }
}

function overlap(one: UsedNames, other: UsedNames): boolean {
  if (one === '*' || other === '*') return true;
  const [few, many] = one.size <= other.size ? [one, other] : [other, one];
  for (const name of few) if (many.has(name)) return true;
  return false;
}

/** A command under way. */
export interface EnteredUse {
  readonly isChange: boolean;
  /** It has ended; of a change: it never began, because its transaction is what ends it. */
  leave(): void;
}

export interface Accesses {
  readonly demands: readonly Access[];
  readonly reaches?: readonly Access[] | undefined;
  /** As written, parts joined by dots. */
  readonly unknownNames?: readonly { readonly written: string }[] | undefined;
}

const NOTHING: ReadonlySet<string> = new Set();

const uses = new WeakMap<readonly Access[], DefinitionUse>();

/** What a command uses, by what it demands and reaches. The schema does not count: a path may find the name in another one. */
export function definitionUseOf(accesses: Accesses): DefinitionUse {
  const known = uses.get(accesses.demands);
  if (known !== undefined) return known;
  const isChange = accesses.demands.some(({ kind }) => kind === 'schema');
  const use = { names: namesOf(accesses), isChange };
  uses.set(accesses.demands, use);
  return use;
}

function namesOf({ demands, reaches = [], unknownNames = [] }: Accesses): UsedNames {
  if (demands.length + reaches.length + unknownNames.length === 0) return NOTHING;
  const names = new Set(unknownNames.map(({ written }) => written.slice(written.lastIndexOf('.') + 1)));
  for (const access of [...demands, ...reaches]) {
    switch (access.kind) {
      case 'special':
        break;
      case 'routine':
        // The relations that its body names are not told.
        if (access.class === 'own' || access.class === 'security-definer') return '*';
        break;
      case 'schema':
        // A schema as a whole comes or goes, with every name in it.
        if (access.name === undefined) return '*';
        names.add(access.name);
        break;
      default:
        if (access.class !== 'structure') names.add(access.name);
    }
  }
  return names;
}
