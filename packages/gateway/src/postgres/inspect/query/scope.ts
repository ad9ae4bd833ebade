/**
 * What column and table names mean at a place of a query: the server's namespaces (parse_relation.c). A scope is one query level; what
 * it does not have is looked for in the level around it.
 */
import type { ColumnUse } from './demands.ts';
import { spendWork } from './work.ts';

/** What a query gives: names of its columns, and what FOR UPDATE of it would lock. */
export interface Output {
  readonly columns: readonly string[];
  /** There may be more columns, of names that we cannot know. */
  readonly isOpen: boolean;
  readonly items: readonly RangeItem[];
}

/** The relation, or relations, behind an item of FROM. Columns are counted as read only when something reads them. */
export class RelationSource {
  readonly #bind: () => readonly ColumnUse[];
  #uses: readonly ColumnUse[] | undefined;

  /** @param bind demands it for reading; called at the first read. */
  constructor(bind: () => readonly ColumnUse[]) {
    this.#bind = bind;
  }

  /** Rows are seen, no column. */
  touch(): readonly ColumnUse[] {
    this.#uses ??= this.#bind();
    return this.#uses;
  }

  read(column: string): void {
    for (const use of this.touch()) use.add(column);
  }

  readAll(): void {
    for (const use of this.touch()) use.addAll();
  }
}

export interface SourceColumn {
  readonly name: string;
  /** What reading it reads. Undefined: it was read where the value was made (a subquery's column, a function's). */
  readonly source?: RelationSource;
  /** Its name in the source, where an alias renames it. */
  readonly column?: string;
}

/** One entry of FROM, a join, or the target of a write. */
export interface RangeItem {
  /** What it is called. Undefined: nothing can name it. */
  readonly name: string | undefined;
  /** Of a relation without an alias: its schema, so that `schema.name.column` finds it. */
  readonly schema?: string;
  readonly columns: readonly SourceColumn[];
  /** It may have columns besides these, or not even these. */
  readonly isOpen: boolean;
  /** Of relations, joins of them: what a whole row reads. */
  readonly sources: readonly RelationSource[];
  /** It is a relation: it has system columns. */
  readonly isRelation: boolean;
  /** What FOR UPDATE does to it. */
  readonly lock?: () => void;
  columnsVisible: boolean;
  nameVisible: boolean;
}

/** One query of a WITH clause. */
export interface CommonTable {
  readonly name: string;
  /** Its columns; analyses it if that has not been done. */
  readonly output: () => Output;
}

export interface Scope {
  readonly parent: Scope | undefined;
  readonly items: RangeItem[];
  tables: readonly CommonTable[];
  /** Names of its WINDOW clause need nothing; PL/pgSQL variables and rule relations come as items. */
}

export const emptyScope = (parent?: Scope): Scope => ({ parent, items: [], tables: [] });

/** A scope at the same level that sees other items: LATERAL, and the conditions of joins. */
export const scopeWith = (scope: Scope, items: readonly RangeItem[]): Scope => ({
  parent: scope.parent,
  items: [...items],
  tables: scope.tables,
});

const SYSTEM_COLUMNS: ReadonlySet<string> = new Set(['ctid', 'xmin', 'cmin', 'xmax', 'cmax', 'tableoid']);

export const isSystemColumn = (name: string): boolean => SYSTEM_COLUMNS.has(name);

export type Certainty = 'found' | 'maybe' | 'none';

/** Reads a column that is named without its table. Levels from the inside out; the first that has it. */
export function readColumn(scope: Scope | undefined, name: string): Certainty {
  let maybe = false;
  for (let level = scope; level !== undefined; level = level.parent) {
    const certainty = readHere(level, name);
    if (certainty === 'found') return 'found';
    maybe ||= certainty === 'maybe';
  }
  return maybe ? 'maybe' : 'none';
}

/** At one level. `maybe`: something there could have a column of that name; what surely could was read. */
export function readHere(level: Scope, name: string): Certainty {
  let certainty: Certainty = 'none';
  spendWork(level.items.length / 8);
  for (const item of level.items) {
    if (!item.columnsVisible) continue;
    const found = readIn(item, name);
    if (found === 'found' || certainty === 'none') certainty = found === 'none' ? certainty : found;
  }
  return certainty;
}

/** From this many columns on, they are looked up, not looked through. */
const MANY_COLUMNS = 64;

const indexes = new WeakMap<readonly SourceColumn[], ReadonlyMap<string, readonly SourceColumn[]>>();
const NO_COLUMNS: readonly SourceColumn[] = [];

/** Those of a name: mostly one; several are an error that the server will tell. */
export function columnsNamed({ columns }: RangeItem, name: string): readonly SourceColumn[] {
  if (columns.length < MANY_COLUMNS) {
    return columns.filter((column) => column.name === name);
  }
  let index = indexes.get(columns);
  if (index === undefined) {
    spendWork(columns.length);
    index = Map.groupBy(columns, (column) => column.name);
    indexes.set(columns, index);
  }
  return index.get(name) ?? NO_COLUMNS;
}

/** Reads a column of one item. */
export function readIn(item: RangeItem, name: string): Certainty {
  let isFound = false;
  for (const column of columnsNamed(item, name)) {
    column.source?.read(column.column ?? name);
    isFound = true;
  }
  if (isFound) return item.isOpen ? 'maybe' : 'found';
  if (item.isRelation && isSystemColumn(name)) {
    for (const source of item.sources) source.touch();
    return item.isOpen ? 'maybe' : 'found';
  }
  if (!item.isOpen) return 'none';
  // An open relation is demanded with all its columns already; it has to be demanded at all.
  for (const source of item.sources) source.touch();
  return 'maybe';
}

/** The item of that name: the nearest level's, and there the first. */
export function findItem(scope: Scope | undefined, name: string, schema?: string): RangeItem | undefined {
  for (let level = scope; level !== undefined; level = level.parent) {
    spendWork(level.items.length / 32);
    for (const item of level.items) {
      if (item.nameVisible && item.name === name && (schema === undefined || item.schema === schema))
        return item;
    }
  }
  return undefined;
}

/** The value of a whole row: every column, and those of tomorrow. */
export function readWholeRow(item: RangeItem): void {
  for (const source of item.sources) source.readAll();
  // Columns of a join that come from sources have been read with those.
}

/** `*`: the columns that there are now, each by its name. */
export function readEachColumn(item: RangeItem): void {
  for (const { name, source, column } of item.columns) source?.read(column ?? name);
  if (item.isOpen) for (const source of item.sources) source.touch();
}

/** The WITH query of that name, nearest first. */
export function findTable(scope: Scope | undefined, name: string): CommonTable | undefined {
  for (let level = scope; level !== undefined; level = level.parent) {
    const table = level.tables.find((candidate) => candidate.name === name);
    if (table !== undefined) return table;
  }
  return undefined;
}
