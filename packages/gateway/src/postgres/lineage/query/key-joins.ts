/**
 * Joins along foreign keys: each row of the table that refers has at most one of the other. A table from which every other one of FROM is reached so comes with each of its
 * rows once at most, so that count(*) counts its rows.
 */
import type { CatalogRelation } from '../../catalog/catalog.ts';
import { findRelation, spendWork } from '../../inspect/query/analyze-query.ts';
import { asKind, stringsOf } from '../../inspect/parse/tree.ts';
import type { Node, NodeOf } from '../../inspect/parse/tree.ts';
import type { LineageContext } from '../port.ts';
import { conjuncts, nameInCatalog } from './conjuncts.ts';
import { findTable } from './scope.ts';
import type { Scope } from './scope.ts';

export interface Leaf {
  /** What it is called where it stands. */
  readonly name: string;
  readonly relation: CatalogRelation;
  /** There may be rows without one of it. */
  readonly isNullable: boolean;
  /** Rows of tables that inherit from it are read too, and no index of its own covers those. */
  readonly isShared: boolean;
}

export interface Column {
  readonly leaf: Leaf;
  readonly column: string;
}

/** Columns that are equal in every row; of a LEFT JOIN, in every row that has both. */
type Equality = readonly [Column, Column];

interface Joined {
  readonly leaves: readonly Leaf[];
  readonly equalities: readonly Equality[];
}

/** More are no statement that this is worth finding out of. */
const MAX_LEAVES = 32;

/** @returns names of the tables whose rows are counted; empty: none, or not known. */
export function countedTables(
  { fromClause = [], whereClause }: NodeOf<'SelectStmt'>,
  scope: Scope,
  context: LineageContext,
): readonly string[] {
  const parts: Joined[] = [];
  for (const node of fromClause) {
    const part = joinedOf(node, scope, context);
    if (part === undefined) return [];
    parts.push(part);
  }
  const leaves = parts.flatMap((part) => part.leaves);
  const names = new Set(leaves.map(({ name }) => name));
  if (names.size !== leaves.length || leaves.length > MAX_LEAVES) return [];
  const equalities = [
    ...parts.flatMap((part) => part.equalities),
    ...equalitiesIn(whereClause, leaves, context),
  ];
  spendWork(leaves.length * (leaves.length + equalities.length));
  return leaves
    .filter((leaf) => !leaf.isNullable && reachesAll(leaf, leaves, equalities))
    .map(({ name }) => name);
}

function joinedOf(node: Node, scope: Scope, context: LineageContext): Joined | undefined {
  const join = asKind(node, 'JoinExpr');
  if (join === undefined) {
    const leaf = leafOf(asKind(node, 'RangeVar'), scope, context);
    return leaf === undefined ? undefined : { leaves: [leaf], equalities: [] };
  }
  const isLeft = join.jointype === 'JOIN_LEFT';
  if (join.alias !== undefined || join.join_using_alias !== undefined || join.isNatural === true)
    return undefined;
  if ((!isLeft && join.jointype !== 'JOIN_INNER') || join.larg === undefined || join.rarg === undefined)
    return undefined;
  const left = joinedOf(join.larg, scope, context);
  const right = joinedOf(join.rarg, scope, context);
  if (left === undefined || right === undefined || (isLeft && right.leaves.length !== 1)) return undefined;
  const taken = isLeft ? right.leaves.map((leaf): Leaf => asNullable(leaf)) : right.leaves;
  const leaves = [...left.leaves, ...taken];
  const found = [...equalitiesIn(join.quals, leaves, context), ...equalitiesOfUsing(join, left, taken)];
  // What ON of a LEFT JOIN says of the left side alone leaves no row out.
  const holding = isLeft
    ? found.filter(([one, other]) => taken.includes(one.leaf) !== taken.includes(other.leaf))
    : found;
  return { leaves, equalities: [...left.equalities, ...right.equalities, ...holding] };
}

const asNullable = (leaf: Leaf): Leaf => ({ ...leaf, isNullable: true });

/** A table by its own name. */
export function leafOf(
  range: NodeOf<'RangeVar'> | undefined,
  scope: Scope,
  context: LineageContext,
): Leaf | undefined {
  if (range?.relname === undefined || (range.alias?.colnames ?? []).length > 0) return undefined;
  const { schemaname: schema, relname: name, catalogname: database, alias, inh } = range;
  if (schema === undefined && findTable(scope, name) !== undefined) return undefined;
  const found = findRelation({ database, schema, name }, context.query);
  const relation = found?.relation;
  if (relation === undefined || found?.temporary !== undefined || relation.open === true) return undefined;
  if (relation.kind !== 'table' && relation.kind !== 'partitioned-table') return undefined;
  const isShared = inh === true && relation.kind === 'table' && relation.children.length > 0;
  return { name: alias?.aliasname ?? name, relation, isNullable: false, isShared };
}

function equalitiesOfUsing(
  { usingClause }: NodeOf<'JoinExpr'>,
  left: Joined,
  right: readonly Leaf[],
): readonly Equality[] {
  return (stringsOf(usingClause) ?? []).flatMap((column) => {
    const sides = [left.leaves, right].map((leaves) => leaves.filter((leaf) => hasColumn(leaf, column)));
    const [one, other] = sides.map((side) => (side.length === 1 ? side[0] : undefined));
    return one === undefined || other === undefined
      ? []
      : equal({ leaf: one, column }, { leaf: other, column });
  });
}

function equalitiesIn(
  condition: Node | undefined,
  leaves: readonly Leaf[],
  context: LineageContext,
): readonly Equality[] {
  return conjuncts(condition).flatMap((node) => {
    const comparison = asKind(node, 'A_Expr');
    if (comparison?.kind !== 'AEXPR_OP') return [];
    if (nameInCatalog(stringsOf(comparison.name), 'operator', context) !== '=') return [];
    const one = columnOf(comparison.lexpr, leaves);
    const other = columnOf(comparison.rexpr, leaves);
    return one === undefined || other === undefined ? [] : equal(one, other);
  });
}

/** Of one type, so that it is the equality of the index. */
function equal(one: Column, other: Column): readonly Equality[] {
  const [first, second] = [one, other].map(({ leaf, column }) => typeOf(leaf, column));
  return first !== undefined && first === second ? [[one, other]] : [];
}

const typeOf = ({ relation }: Leaf, column: string): number | undefined =>
  relation.columns.find(({ name }) => name === column)?.typeOid;

const hasColumn = (leaf: Leaf, column: string): boolean => typeOf(leaf, column) !== undefined;

export function columnOf(node: Node | undefined, leaves: readonly Leaf[]): Column | undefined {
  const parts = stringsOf(asKind(node, 'ColumnRef')?.fields);
  const column = parts?.at(-1);
  if (parts === undefined || column === undefined || parts.length > 2) return undefined;
  const named = leaves.filter(
    (leaf) => hasColumn(leaf, column) && (parts.length === 1 || leaf.name === parts[0]),
  );
  return named.length === 1 ? { leaf: named[0]!, column } : undefined;
}

function reachesAll(base: Leaf, leaves: readonly Leaf[], equalities: readonly Equality[]): boolean {
  const reached = new Set([base.name]);
  const pending = [base];
  for (let leaf = pending.pop(); leaf !== undefined; leaf = pending.pop()) {
    for (const other of leaves) {
      if (reached.has(other.name) || !refers(leaf, other, equalities)) continue;
      reached.add(other.name);
      pending.push(other);
    }
  }
  return reached.size === leaves.length;
}

/** A whole foreign key of the one is equal to what it points at in the other. */
function refers(from: Leaf, to: Leaf, equalities: readonly Equality[]): boolean {
  if (to.isShared) return false;
  const areEqual = (column: string, referenced: string): boolean =>
    equalities.some(
      ([one, other]) =>
        (is(one, from, column) && is(other, to, referenced)) ||
        (is(other, from, column) && is(one, to, referenced)),
    );
  return (from.relation.foreignKeys ?? []).some(
    ({ relationOid, columns, referenced }) =>
      relationOid === to.relation.oid &&
      columns.length > 0 &&
      columns.length === referenced.length &&
      columns.every((column, at) => areEqual(column, referenced[at]!)),
  );
}

const is = ({ leaf, column }: Column, other: Leaf, name: string): boolean =>
  leaf.name === other.name && column === name;
