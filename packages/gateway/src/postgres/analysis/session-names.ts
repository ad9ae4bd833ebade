import type { Access } from '../../policy/access.ts';
import type { Catalog } from '../catalog/catalog.ts';
import type { Meaning, SessionChange, SessionNames } from '../inspect/meaning.ts';
import type { TransactionStatus } from '../wire/backend/ready-for-query.ts';
import type { SessionNamesPool } from './names-pool.ts';
import { effectivePath, parseSearchPath } from './search-path.ts';

/** What the target itself says of the names of a session (`read-back.ts`). */
export interface NamesReading {
  /** Text of the setting search_path. */
  readonly path: string;
  readonly user: string;
  /** All schemas, and those of them that the user may use. */
  readonly schemas: readonly string[];
  readonly usable: readonly string[];
  /** Temporary relations and types that there are. */
  readonly temporary: readonly string[];
}

export interface SessionNamesOptions {
  readonly pool: SessionNamesPool;
  /** The target reports every change of search_path by ParameterStatus in front of ReadyForQuery (from 18 on). */
  readonly reportsPath: boolean;
  /** As read at the start of the session; absent: nothing is known yet. */
  readonly start?: NamesReading | undefined;
}

/** How a command that may move names ended. `skipped`: the target never looked at it. */
export type MoveOutcome = 'done' | 'failed' | 'skipped';

/** A command under way that may move names. */
export interface NameMove {
  /** Once, when the target has answered. */
  settle(outcome: MoveOutcome): void;
}

/** What has to be read back before names can be told. `path`: nothing but the setting, which takes no snapshot in the client's transaction. */
export type Missing = 'path' | 'all' | undefined;

/** With more temporary names than this any name may be one, until they are read back. */
const MAX_TEMPORARY = 1_000;

const NOTHING: ReadonlySet<string> = new Set();

interface Role {
  readonly user: string;
  readonly seen: ReadonlySet<string>;
  readonly usable: ReadonlySet<string>;
  /** Of the catalog that was current then: schemas and their privileges may have changed since. Undefined until somebody knows one. */
  epoch: string | undefined;
}

/**
 * What names mean in one session: its search_path and its temporary objects, followed from the answers of the target (decision 3). It knows them exactly or
 * says that it does not; then they are read back from the target before the next statement that depends on them.
 *
 * What the commands under way will change is not guessed: whoever needs the names waits until those are answered (`isSettled`). Temporary names are a
 * superset: those that a rollback took away stay.
 *
 * Data thread; touched only from the callbacks of its session.
 */
export class SessionNamesTracker {
  readonly #pool: SessionNamesPool;
  readonly #reportsPath: boolean;
  /** Elements of the setting; undefined: not known. */
  #path: readonly string[] | undefined;
  #reported: readonly string[] | undefined;
  #role: Role | undefined;
  #temporary: ReadonlySet<string> | '*' = NOTHING;
  /** As it was when the transaction began, and what a COMMIT makes of it. */
  #base: readonly string[] | undefined;
  #committed: readonly string[] | undefined;
  /** The open transaction has moved the path, or may have. */
  #isTouched = false;
  #pending = 0;
  #hasFailed = false;
  #memo:
    | {
        readonly catalog: Pick<Catalog, 'hasSchema'>;
        readonly path: readonly string[] | undefined;
        readonly role: Role | undefined;
        readonly temporary: ReadonlySet<string> | '*';
        readonly names: SessionNames;
      }
    | undefined;

  constructor({ pool, reportsPath, start }: SessionNamesOptions) {
    this.#pool = pool;
    this.#reportsPath = reportsPath;
    if (start === undefined) this.#temporary = '*';
    else this.onReadBack(start, 'I', undefined);
  }

  /** Nothing is under way that may move names. */
  get isSettled(): boolean {
    return this.#pending === 0;
  }

  /** The open transaction has moved names: what its end makes of them, a text that ends it cannot be judged by. */
  get isTouched(): boolean {
    return this.#isTouched;
  }

  /** The names as far as they are known. Equal names are the same object. */
  names(catalog: Pick<Catalog, 'hasSchema'>): SessionNames {
    const memo = this.#memo;
    if (
      memo !== undefined &&
      memo.catalog === catalog &&
      memo.path === this.#path &&
      memo.role === this.#role &&
      memo.temporary === this.#temporary
    ) {
      return memo.names;
    }
    const role = this.#role;
    const path =
      this.#path === undefined || role === undefined ? undefined : effectivePath(this.#path, role, catalog);
    const names = this.#pool.get(path, this.#temporary);
    this.#memo = { catalog, path: this.#path, role, temporary: this.#temporary, names };
    return names;
  }

  /** The same with nothing known of the path. */
  unknownNames(): SessionNames {
    return this.#pool.get(undefined, this.#temporary);
  }

  /**
   * What has to be read back for a statement that depends on names.
   * @param epoch of the catalog that it is judged on. @param isIdle no transaction is open.
   */
  missing(epoch: string, isIdle: boolean): Missing {
    if (this.#role === undefined || this.#temporary === '*') return 'all';
    this.#role.epoch ??= epoch;
    if (isIdle && this.#role.epoch !== epoch) return 'all';
    return this.#path === undefined ? 'path' : undefined;
  }

  /** A command was queued for the target. Undefined: it moves no names, whatever comes of it. */
  expect(meaning: Meaning): NameMove | undefined {
    if (!this.#mayMove(meaning)) return undefined;
    this.#pending += 1;
    let isOver = false;
    return {
      settle: (outcome) => {
        if (isOver) return;
        isOver = true;
        this.#pending -= 1;
        if (outcome === 'failed') this.#hasFailed = true;
        if (outcome !== 'skipped') this.#apply(meaning, outcome === 'done');
      },
    };
  }

  /** ParameterStatus: counts with the ReadyForQuery behind it. */
  onReported(path: string): void {
    this.#reported = parseSearchPath(path);
  }

  /** A command failed that moves no names itself: what its transaction did is undone with it. */
  onFailed(): void {
    this.#hasFailed = true;
  }

  onReady(status: TransactionStatus): void {
    if (status === 'I' && this.#isTouched)
      this.#endTransaction(this.#hasFailed ? this.#base : this.#committed);
    if (status === 'I') this.#hasFailed = false;
    if (this.#reportsPath && this.#reported !== undefined) {
      this.#path = this.#reported;
      if (!this.#isTouched) this.#base = this.#reported;
    }
  }

  /** What the target answered. In a transaction it is what holds there; how the transaction ends is another question. */
  onReadBack(reading: NamesReading, status: TransactionStatus, epoch: string | undefined): void {
    this.onPathReadBack(reading.path, status);
    this.#role = {
      user: reading.user,
      seen: new Set(reading.schemas),
      usable: new Set(reading.usable),
      epoch,
    };
    const temporary = new Set(reading.temporary);
    // A rollback may bring back what the transaction dropped.
    if (status !== 'I' && this.#temporary !== '*') for (const name of this.#temporary) temporary.add(name);
    if (temporary.size === 0) this.#temporary = NOTHING;
    else this.#temporary = temporary.size > MAX_TEMPORARY ? '*' : temporary;
  }

  onPathReadBack(path: string, status: TransactionStatus): void {
    // What was reported stays: the target tells of a change against that, not against what it was asked for in between.
    this.#path = parseSearchPath(path);
    if (status !== 'I') return;
    this.#base = this.#path;
    this.#isTouched = false;
  }

  #mayMove({ changes, demands }: Meaning): boolean {
    if (demands.some(isIdentity)) return true;
    for (const change of changes) {
      if (change.kind === 'transaction') {
        if (this.#isTouched || this.#pending > 0 || changes.length > 1) return true;
      } else if (change.kind !== 'prepare' && change.kind !== 'deallocate') return true;
    }
    return false;
  }

  #apply(meaning: Meaning, isDone: boolean): void {
    const { changes } = meaning;
    if (meaning.demands.some(isIdentity)) this.#role = undefined;
    if (meaning.statements > 1) {
      this.#applyMany(changes);
      return;
    }
    for (const change of changes) this.#applyOne(change, isDone);
  }

  /** Of a text with several statements nobody knows how many of them ran. */
  #applyMany(changes: readonly SessionChange[]): void {
    const ends = changes.some((change) => change.kind === 'transaction');
    const moves = changes.some((change) => change.kind === 'search-path' || change.kind === 'anything');
    for (const change of changes) this.#addTemporary(change);
    if (!moves && !(ends && this.#isTouched)) return;
    this.#touch(undefined, true);
    if (ends) this.#base = undefined;
  }

  #applyOne(change: SessionChange, isDone: boolean): void {
    this.#addTemporary(change);
    switch (change.kind) {
      case 'search-path': {
        const value = change.value === 'default' || !isDone ? undefined : change.value;
        if (change.local) this.#touch(value, false);
        else this.#touch(value, true);
        return;
      }
      case 'anything':
        this.#touch(undefined, true);
        return;
      case 'transaction':
        if (this.#isTouched && isDone) this.#applyTransaction(change.verb);
        return;
      default:
    }
  }

  #applyTransaction(verb: Extract<SessionChange, { kind: 'transaction' }>['verb']): void {
    switch (verb) {
      case 'commit':
        // COMMIT of a transaction that has failed is a rollback: its answer looks the same here.
        this.#endTransaction(this.#committed === this.#base ? this.#base : undefined);
        return;
      case 'rollback':
        this.#endTransaction(this.#base);
        return;
      case 'prepare':
        this.#endTransaction(undefined);
        return;
      case 'rollback-to':
        this.#path = undefined;
        this.#committed = undefined;
        return;
      default:
    }
  }

  #addTemporary(change: SessionChange): void {
    const mayBeOthers = change.kind === 'drop-temporary' && this.#temporary !== NOTHING;
    if (change.kind === 'anything' || mayBeOthers) this.#temporary = '*';
    if (change.kind !== 'temporary' || this.#temporary === '*') return;
    if (change.names === '*') {
      this.#temporary = '*';
      return;
    }
    const names = new Set([...this.#temporary, ...change.names]);
    this.#temporary = names.size > MAX_TEMPORARY ? '*' : names;
  }

  #touch(path: readonly string[] | undefined, outlivesTransaction: boolean): void {
    if (!this.#isTouched) {
      this.#base = this.#path;
      this.#committed = this.#path;
    }
    this.#isTouched = true;
    this.#path = path;
    if (outlivesTransaction) this.#committed = path;
  }

  #endTransaction(path: readonly string[] | undefined): void {
    this.#path = path;
    this.#base = path;
    this.#committed = path;
    this.#isTouched = false;
  }
}

/** After it the session is somebody else, who may use other schemas. */
function isIdentity(access: Access): boolean {
  return (
    access.kind === 'special' && (access.verb === 'set-role' || access.verb === 'set-session-authorization')
  );
}
