import type { Source } from './lineage.ts';
import { ANY_CLASS, type ClassName } from './rules.ts';

/** A source that is followed to its end: a base column, or unknown. */
export type BaseSource = Exclude<Source, { readonly kind: 'temporary' }>;

/** What a column of a temporary relation may hold. */
export interface Carried {
  /** Each once. */
  readonly sources: readonly BaseSource[];
  /** `direct`: nothing but values of columns as they are ever came in. */
  readonly how: 'direct' | 'derived';
}

interface Holding {
  readonly sources: Map<string, BaseSource>;
  how: 'direct' | 'derived';
  /** Made more than once with different ones: null. Undefined: it was not seen being made. */
  form?: ColumnForm | null;
}

/** Which values a column of a temporary relation surely takes: what fails would tell of the value. */
export interface ColumnForm {
  readonly typeOid?: number | undefined;
  readonly like?: string | undefined;
}

const TEXT = 25;
/** varchar, char, name: become text without fail. */
const TEXTS: ReadonlySet<number> = new Set([1043, 1042, 19]);

/** Every column of a relation, or every temporary relation. */
export const EVERY = '*';

/** Beyond so many columns nothing is followed any more: each may hold anything. */
const MAX_COLUMNS = 10_000;

/** The record names no temporary relation: the caller chose its name. */
const UNKNOWN_TEMPORARY: BaseSource = { kind: 'unknown', object: 'pg_temp.*' };

/**
 * What masking has to remember while a session lasts. It only grows: a statement that fails or is rolled back leaves too much behind, never too little.
 *
 * On the data thread only.
 */
export class MaskingSession {
  readonly #lossy = new Set<ClassName>();
  readonly #temporary = new Map<string, Map<string, Holding>>();
  /** What code that we do not see may have put into any temporary relation. */
  readonly #everywhere = new Map<string, BaseSource>();
  /** Temporary relations whose definition looks at the values that are written. */
  readonly #strict = new Set<string>();
  readonly #views = new Set<string>();
  /** Names of the columns of a temporary relation, in their order; null: not known. */
  readonly #order = new Map<string, string[] | null>();
  #columns = 0;

  /**
   * A masked value left. `isAuthentic`: it says itself that it is one (a redaction that is text, a token), and is found when it comes back; of any other kind
   * it has to be remembered that the session may take it for the real one.
   */
  noteDelivered(className: ClassName, isAuthentic = false): void {
    if (!isAuthentic) this.#lossy.add(className);
  }

  /** Whether masked values of the class left that would not be found when they come back. An unknown one may have been of any class. */
  wasDelivered(className: ClassName): boolean {
    return this.#lossy.has(className) || this.#lossy.has(ANY_CLASS);
  }

  /** Values moved into a temporary relation; none: it is there, and was given free values. `EVERY` as `relation`: into any of them. */
  noteTemporary(relation: string, column: string, moved: Carried): void {
    if (relation === EVERY) {
      for (const source of moved.sources) this.#everywhere.set(keyOf(source), source);
      return;
    }
    const holding = this.#obtain(relation, column);
    if (holding === undefined) return;
    for (const source of moved.sources) holding.sources.set(keyOf(source), source);
    // What is free does not make a mixture of what comes in beside it.
    if (moved.how === 'derived' && moved.sources.length > 0) holding.how = 'derived';
  }

  /** It was made or changed: what is written to it is looked at by something in its definition, or goes to what is behind it. */
  noteDefinition(relation: string, kind: 'strict' | 'view'): void {
    (kind === 'view' ? this.#views : this.#strict).add(relation);
    this.#order.set(relation, null);
  }

  noteForm(relation: string, column: string, form: ColumnForm): void {
    const holding = this.#obtain(relation, column);
    if (holding === undefined) return;
    const order = this.#order.get(relation);
    if (column === EVERY || order?.includes(column) === true) this.#order.set(relation, null);
    else if (order !== null) this.#order.set(relation, [...(order ?? []), column]);
    const { form: before } = holding;
    const isSame = before?.typeOid === form.typeOid && before?.like === form.like;
    holding.form = before === undefined || (before !== null && isSame) ? form : null;
  }

  formOf(relation: string, column: string): ColumnForm | undefined {
    return this.#temporary.get(relation)?.get(column)?.form ?? undefined;
  }

  /** Undefined: not known. */
  columnAt(relation: string, position: number): string | undefined {
    return this.#order.get(relation)?.[position];
  }

  isView(relation: string): boolean {
    return this.#views.has(relation);
  }

  /** Whether a column surely takes every value of a type, or of another column, so that nothing is told by failing. */
  takes(relation: string, column: string, value: ColumnForm): boolean {
    if (this.#strict.has(relation) || this.#views.has(relation)) return false;
    const form = this.#temporary.get(relation)?.get(column)?.form;
    if (form === undefined || form === null) return false;
    if (form.like !== undefined && form.like === value.like) return true;
    if (form.typeOid === undefined || value.typeOid === undefined) return false;
    return form.typeOid === value.typeOid || (form.typeOid === TEXT && TEXTS.has(value.typeOid));
  }

  /** A relation that nobody saw being made may hold anything. */
  carriedBy(relation: string, column: string): Carried {
    const columns = this.#temporary.get(relation);
    if (columns === undefined) return { sources: [UNKNOWN_TEMPORARY], how: 'derived' };
    const found =
      column === EVERY
        ? [...columns.values()]
        : [columns.get(column), columns.get(EVERY)].filter((each) => each !== undefined);
    const sources = new Map(this.#everywhere);
    for (const holding of found) for (const [key, source] of holding.sources) sources.set(key, source);
    const isDirect =
      column !== EVERY && this.#everywhere.size === 0 && found.every(({ how }) => how === 'direct');
    return { sources: [...sources.values()], how: isDirect ? 'direct' : 'derived' };
  }

  /** Undefined: there is no room for it, and every temporary relation counts as unknown from now on. */
  #obtain(relation: string, column: string): Holding | undefined {
    let columns = this.#temporary.get(relation);
    let holding = columns?.get(column);
    if (holding !== undefined) return holding;
    if (this.#columns >= MAX_COLUMNS) {
      this.#everywhere.set(keyOf(UNKNOWN_TEMPORARY), UNKNOWN_TEMPORARY);
      return undefined;
    }
    if (columns === undefined) this.#temporary.set(relation, (columns = new Map()));
    holding = { sources: new Map(), how: 'direct' };
    columns.set(column, holding);
    this.#columns += 1;
    return holding;
  }
}

function keyOf(source: BaseSource): string {
  return source.kind === 'unknown' ? `?${source.object}` : `${source.class} ${source.object}`;
}
