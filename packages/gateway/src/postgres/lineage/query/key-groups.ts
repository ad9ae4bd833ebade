/**
 * Grouping by the whole primary key of a table, as mappers and reports do (`GROUP BY c.id, c.name`, `SELECT DISTINCT c.id, c.name, a.id`): rows that are alike in the key are the
 * same row of that table, or none, so what else of it is in the list groups nothing, and tells nothing.
 */
import { spendWork } from '../../inspect/query/analyze-query.ts';
import { asKind, stringsOf } from '../../inspect/parse/tree.ts';
import type { Node } from '../../inspect/parse/tree.ts';
import type { LineageContext } from '../port.ts';
import { isStar, partsOf } from './column-reference.ts';
import { columnOf, leafOf } from './key-joins.ts';
import type { Leaf } from './key-joins.ts';
import type { Scope } from './scope.ts';

/** Whether an entry of the list is nothing but columns that keys in the list decide. */
export type IsDecided = (entry: Node) => boolean;

/**
 * Whether the rows of a DISTINCT come in an order that columns of the list and their keys decide alone. Any other order is that in which the server found out what is alike: by
 * sorting or hashing every column, so that the place of a row would tell of values that tell nothing as a group. GROUP BY leaves out what a key decides.
 *
 * @param entries the output list. @param ordered what ORDER BY orders by.
 */
export function isOrderedByKeys(
  entries: readonly Node[],
  ordered: readonly Node[],
  from: readonly Node[] | undefined,
  scope: Scope,
  context: LineageContext,
): boolean {
  const { leaves, isMerging } = leavesOf(from, scope, context);
  spendWork((entries.length + ordered.length) * leaves.length);
  const known = new Set(
    ordered.flatMap((node) => {
      const found = plainColumn(node, leaves, isMerging);
      return found === undefined ? [] : [nameOf(found.leaf, found.column)];
    }),
  );
  const isKeyed = (leaf: Leaf): boolean => {
    const { primaryKey = [] } = leaf.relation;
    return (
      primaryKey.length > 0 && !leaf.isShared && primaryKey.every((name) => known.has(nameOf(leaf, name)))
    );
  };
  return entries.every((entry) => {
    const star = starOf(entry, leaves);
    if (star !== undefined) return isKeyed(star);
    const found = plainColumn(entry, leaves, isMerging);
    return found !== undefined && (known.has(nameOf(found.leaf, found.column)) || isKeyed(found.leaf));
  });
}

const nameOf = (leaf: Leaf, column: string): string => JSON.stringify([leaf.name, column]);

/** @param entries of GROUP BY, or the output list of DISTINCT. */
export function decidedByKeys(
  entries: readonly Node[],
  from: readonly Node[] | undefined,
  scope: Scope,
  context: LineageContext,
): IsDecided {
  const { leaves, isMerging } = leavesOf(from, scope, context);
  if (leaves.length === 0) return () => false;
  spendWork(entries.length * leaves.length);
  const grouped = entries.map((entry) => plainColumn(entry, leaves, isMerging));
  const starred = new Set(entries.map((entry) => starOf(entry, leaves)));
  const keyed = new Set(
    leaves.filter(({ relation: { primaryKey = [] }, ...leaf }) => {
      if (primaryKey.length === 0 || leaf.isShared) return false;
      const hasColumn = (name: string): boolean =>
        grouped.some((column) => column?.leaf.name === leaf.name && column.column === name);
      return [...starred].some((each) => each?.name === leaf.name) || primaryKey.every(hasColumn);
    }),
  );
  return (entry) => {
    const star = starOf(entry, leaves);
    if (star !== undefined) return keyed.has(star);
    const column = plainColumn(entry, leaves, isMerging);
    if (column === undefined || !keyed.has(column.leaf)) return false;
    // The key itself groups.
    return column.leaf.relation.primaryKey?.includes(column.column) === false;
  };
}

interface Leaves {
  readonly leaves: readonly Leaf[];
  /** USING and NATURAL: a bare name may be of neither side. */
  readonly isMerging: boolean;
}

/** The tables of FROM that a name can mean; what stands beside them does not matter. */
function leavesOf(from: readonly Node[] | undefined, scope: Scope, context: LineageContext): Leaves {
  const leaves: Leaf[] = [];
  let isMerging = false;
  const pending = [...(from ?? [])];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    const leaf = leafOf(asKind(node, 'RangeVar'), scope, context);
    if (leaf !== undefined) leaves.push(leaf);
    const join = asKind(node, 'JoinExpr');
    if (join === undefined) continue;
    if (join.isNatural === true || (join.usingClause ?? []).length > 0) isMerging = true;
    // Its name hides those of its sides.
    if (join.alias !== undefined) continue;
    for (const side of [join.larg, join.rarg]) if (side !== undefined) pending.push(side);
  }
  const names = new Set(leaves.map(({ name }) => name));
  return { leaves: names.size === leaves.length && leaves.length <= MAX_LEAVES ? leaves : [], isMerging };
}

/** More are no statement that this is worth finding out of. */
const MAX_LEAVES = 32;

function plainColumn(entry: Node, leaves: readonly Leaf[], isMerging: boolean): ReturnType<typeof columnOf> {
  const parts = stringsOf(asKind(entry, 'ColumnRef')?.fields);
  return parts === undefined || (isMerging && parts.length === 1) ? undefined : columnOf(entry, leaves);
}

/** `t.*`. */
function starOf(entry: Node, leaves: readonly Leaf[]): Leaf | undefined {
  const fields = asKind(entry, 'ColumnRef')?.fields;
  if (fields?.length !== 2 || !isStar(fields[1])) return undefined;
  const [name] = partsOf(fields);
  return leaves.find((leaf) => leaf.name === name);
}
