/**
 * What names mean at a place of a query, with the values behind them: the server's namespaces, as in `inspect/query/scope.ts`. Where a name may mean several
 * columns, its value is any of them; where it may mean one that nobody knows, it is that as well.
 */
import type { Source } from '../../../masking/lineage.ts';
import type { Node } from '../../inspect/parse/tree.ts';
import { isSystemColumn, spendWork } from '../../inspect/query/analyze-query.ts';
import type { LineageScope, NamedValue, QueryColumns, Value } from '../port.ts';
import { FREE_VALUE, eitherOf, rowOf, unionOf, unknownOf } from '../value.ts';

/** One entry of FROM, a join, or the target of a write. */
export interface Item {
  /** What it is called. Undefined: nothing can name it. */
  readonly name: string | undefined;
  /** Of a relation without an alias: its schema, so that `schema.name.column` finds it. */
  readonly schema?: string | undefined;
  readonly columns: readonly NamedValue[];
  /** What a column of any other name carries, `*` for all of them. Undefined: there are no others. */
  readonly other?: ((name: string) => Value) | undefined;
  /** With `other`: `*` is the columns all the same, only their names are not certain. */
  readonly hasWidth?: boolean;
  /** It is a relation: it has system columns. */
  readonly isRelation: boolean;
  /** An alias has given its columns other names. */
  readonly isRenamed?: boolean;
  columnsVisible: boolean;
  nameVisible: boolean;
}

/** One query of a WITH clause. */
export interface CommonTable {
  readonly name: string;
  readonly isRecursive: boolean;
  readonly query: Node;
  /** What the query sees. */
  readonly around: Scope;
  readonly columns: () => QueryColumns;
}

/** What a level that shows the size of its groups counts. */
export interface Counted {
  /** The items whose rows are counted, each at most once. */
  readonly items: readonly Item[];
  /** There are no others: whatever is made of a row counts with it. */
  readonly isAll: boolean;
}

export interface Scope extends LineageScope {
  readonly parent: Scope | undefined;
  readonly items: Item[];
  tables: readonly CommonTable[];
  /** HAVING shows that every group of this level has the minimum size; whose rows are counted. */
  counted?: Counted | undefined;
}

export const emptyScope = (parent?: Scope): Scope => ({
  parent,
  items: [],
  tables: [],
});

/** A scope at the same level that sees other items: LATERAL, and the conditions of joins. */
export const scopeWith = (scope: Scope, items: readonly Item[]): Scope => ({
  parent: scope.parent,
  items: [...items],
  tables: scope.tables,
});

/** Others only get scopes from here. */
export const asScope = (scope: LineageScope | undefined): Scope | undefined => scope as Scope | undefined;

export interface Resolved {
  /** `maybe`: something could have a column of that name, and something further out too. */
  readonly certainty: 'found' | 'maybe' | 'none';
  readonly values: readonly Value[];
}

const NOT_FOUND: Resolved = { certainty: 'none', values: [] };

/** From this many columns on, they are looked up, not looked through. */
const MANY_COLUMNS = 64;
const indexes = new WeakMap<readonly NamedValue[], ReadonlyMap<string, readonly NamedValue[]>>();

function columnsNamed({ columns }: Item, name: string): readonly NamedValue[] {
  if (columns.length < MANY_COLUMNS) return columns.filter((column) => column.name === name);
  let index = indexes.get(columns);
  if (index === undefined) {
    spendWork(columns.length);
    index = Map.groupBy(columns, (column) => column.name);
    indexes.set(columns, index);
  }
  return index.get(name) ?? [];
}

/** A column of one item. */
export function resolveIn(item: Item, name: string): Resolved {
  const values = columnsNamed(item, name).map(({ value }) => value);
  if (values.length === 0 && item.isRelation && isSystemColumn(name)) values.push(FREE_VALUE);
  if (item.other !== undefined) return { certainty: 'maybe', values: [...values, item.other(name)] };
  return values.length > 0 ? { certainty: 'found', values } : NOT_FOUND;
}

/** At one level. */
export function resolveHere(level: Scope, name: string): Resolved {
  spendWork(1 + level.items.length / 8);
  const all = level.items.filter(({ columnsVisible }) => columnsVisible).map((item) => resolveIn(item, name));
  const values = all.flatMap((each) => each.values);
  if (all.some(({ certainty }) => certainty === 'found')) return { certainty: 'found', values };
  return values.length > 0 ? { certainty: 'maybe', values } : NOT_FOUND;
}

/** A column that is named without its table: levels from the inside out, up to the first that surely has it. */
export function resolveColumn(scope: Scope | undefined, name: string): Resolved {
  const values: Value[] = [];
  for (let level = scope; level !== undefined; level = level.parent) {
    const here = resolveHere(level, name);
    values.push(...here.values);
    if (here.certainty === 'found') return { certainty: 'found', values };
  }
  return values.length > 0 ? { certainty: 'maybe', values } : NOT_FOUND;
}

/** The item of that name: the nearest level's, and there the first. */
export function findItem(scope: Scope | undefined, name: string, schema?: string): Item | undefined {
  for (let level = scope; level !== undefined; level = level.parent) {
    spendWork(1 + level.items.length / 32);
    for (const item of level.items) {
      if (item.nameVisible && item.name === name && (schema === undefined || item.schema === schema))
        return item;
    }
  }
  return undefined;
}

/** The WITH query of that name, nearest first. */
export function findTable(scope: Scope | undefined, name: string): CommonTable | undefined {
  for (let level = scope; level !== undefined; level = level.parent) {
    const table = level.tables.find((candidate) => candidate.name === name);
    if (table !== undefined) return table;
  }
  return undefined;
}

/** The value of its whole row. */
export function rowOfItem(item: Item): Value {
  spendWork(1 + item.columns.length / 8);
  const row = rowOf(item.columns);
  if (item.other === undefined || item.hasWidth === true) return row;
  return { ...eitherOf([row, item.other('*')]), how: 'derived', form: 'part', fields: undefined };
}

/** What a column of a query carries that is none of those known. */
export const restOf = ({ columns, rest }: QueryColumns): readonly Source[] =>
  unionOf([rest ?? [], ...columns.map(({ value }) => value.sources)]);

/**
 * Of a subquery, a WITH query or a function.
 *
 * @param names of the columns, from an alias: the first ones are called so.
 */
export function itemOfColumns(
  query: QueryColumns,
  name: string | undefined,
  names: readonly string[] = [],
): Item {
  const rest = query.isOpen ? unknownOf(restOf(query)) : undefined;
  return {
    name,
    columns: renamed(query.columns, names, rest),
    other: rest === undefined ? undefined : () => rest,
    isRelation: false,
    columnsVisible: true,
    nameVisible: name !== undefined,
  };
}

/** @param rest what each column may carry, where it is not known which stands where. */
export function renamed(
  columns: readonly NamedValue[],
  names: readonly string[],
  rest?: Value,
): readonly NamedValue[] {
  if (names.length === 0) return columns;
  const first = names.map((name, index) => ({ name, value: rest ?? columns[index]?.value ?? FREE_VALUE }));
  return [...first, ...columns.slice(names.length)];
}
