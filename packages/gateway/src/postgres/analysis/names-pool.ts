import type { SessionNames } from '../inspect/meaning.ts';

/** More different ones than this and equal names may be two objects: then the cache knows a meaning twice. */
const MAX_POOLED = 10_000;

/** Gives equal `SessionNames` the same object, so that a cache can compare them by identity. For all sessions of the process. */
export class SessionNamesPool {
  readonly #pool = new Map<string, SessionNames>();

  get(searchPath: readonly string[] | undefined, temporary: ReadonlySet<string> | '*'): SessionNames {
    const key = JSON.stringify([searchPath ?? null, temporary === '*' ? '*' : [...temporary].sort()]);
    const known = this.#pool.get(key);
    if (known !== undefined) return known;
    if (this.#pool.size >= MAX_POOLED) this.#pool.clear();
    const names: SessionNames = { searchPath, temporary: temporary === '*' ? '*' : new Set(temporary) };
    this.#pool.set(key, names);
    return names;
  }
}
