/** SELECT, VALUES and set operations (analyze.c, parse_clause.c). */
import { asKind, stringOf } from '../parse/tree.ts';
import type { Node, NodeOf } from '../parse/tree.ts';
import { itemOf } from './column-reference.ts';
import type { QueryContext } from './context.ts';
import { UnreadableStatement } from './demands.ts';
import { analyzeExpression, analyzeRow, analyzeWindow, useSortOperator } from './expression.ts';
import { analyzeFrom, itemOfOutput } from './from-clause.ts';
import { columnNameOf } from './output-names.ts';
import { emptyScope, readColumn, readEachColumn, readHere } from './scope.ts';
import type { Output, RangeItem, Scope } from './scope.ts';
import { analyzeWith } from './with-clause.ts';

type Select = NodeOf<'SelectStmt'>;

/**
 * @param around the scope of the query around it.
 * @param onFirst of a set operation: called with the output of its first part before the others are analysed.
 */
export function analyzeSelect(
  select: Select,
  around: Scope | undefined,
  context: QueryContext,
  onFirst?: (output: Output) => void,
): Output {
  const scope = emptyScope(around);
  analyzeWith(select.withClause, scope, context);
  if (isSetOperation(select)) return analyzeSetOperation(select, scope, context, onFirst);
  if (select.valuesLists !== undefined) return analyzeValues(select, scope, context);
  analyzeFrom(select.fromClause, scope, context);
  const output = analyzeTargets(select.targetList, scope, context);
  analyzeExpression(select.whereClause, scope, context);
  for (const node of select.groupClause ?? []) analyzeGroup(node, scope, output, context);
  analyzeExpression(select.havingClause, scope, context);
  for (const window of select.windowClause ?? []) analyzeWindow(asKind(window, 'WindowDef')!, scope, context);
  // DISTINCT without ON is a list with one empty node.
  for (const node of select.distinctClause ?? []) {
    if (Object.keys(node).length > 0) analyzeOutputName(node, scope, output, context);
  }
  analyzeOrder(select, scope, output, context);
  lockItems(select.lockingClause, scope);
  return { ...output, items: scope.items };
}

const isSetOperation = ({ op }: Select): boolean => op !== undefined && op !== 'SETOP_NONE';

/** Chains of UNION lean to the left: the parts are collected, not recursed into. */
function analyzeSetOperation(
  select: Select,
  scope: Scope,
  context: QueryContext,
  onFirst: ((output: Output) => void) | undefined,
): Output {
  const parts: Select[] = [];
  let left = select;
  do {
    parts.push(left.rarg!);
    left = left.larg!;
  } while (isSetOperation(left) && isBare(left));
  const first = analyzeSelect(left, scope, context, onFirst);
  onFirst?.(first);
  for (const part of parts.toReversed()) analyzeSelect(part, scope, context);
  // ORDER BY sees the columns of the result and nothing else of this level.
  const result = itemOfOutput({ ...first, items: [] }, undefined, undefined);
  const sortScope: Scope = { ...scope, items: [result] };
  analyzeOrder(select, sortScope, first, context);
  if (select.lockingClause !== undefined) throw new UnreadableStatement('unknown-expression');
  return { columns: first.columns, isOpen: first.isOpen, items: [] };
}

/** A set operation without clauses of its own: brackets around it change nothing. */
function isBare(select: Select): boolean {
  const { withClause, sortClause, limitCount, limitOffset, lockingClause } = select;
  return [withClause, sortClause, limitCount, limitOffset, lockingClause].every(
    (clause) => clause === undefined,
  );
}

function analyzeValues(select: Select, scope: Scope, context: QueryContext): Output {
  let isOpen = false;
  for (const node of select.valuesLists ?? []) {
    const row = asKind(node, 'List')?.items;
    if (row === undefined) throw new UnreadableStatement('unknown-expression');
    // How many columns stars and rows become is not counted here.
    if (analyzeRow(row, scope, context) || row.some(endsInStar)) isOpen = true;
  }
  const width = asKind(select.valuesLists?.[0], 'List')?.items?.length ?? 0;
  const columns = Array.from({ length: width }, (_, index) => `column${String(index + 1)}`);
  const output: Output = { columns, isOpen, items: [] };
  const result = itemOfOutput(output, undefined, undefined);
  analyzeOrder(select, { ...scope, items: [result] }, output, context);
  if (select.lockingClause !== undefined) throw new UnreadableStatement('unknown-expression');
  return output;
}

function analyzeOrder(select: Select, scope: Scope, output: Output, context: QueryContext): void {
  for (const node of select.sortClause ?? []) {
    const sort = asKind(node, 'SortBy');
    if (sort === undefined) throw new UnreadableStatement('unknown-expression');
    useSortOperator(sort, context);
    analyzeOutputName(sort.node!, scope, output, context);
  }
  analyzeExpression(select.limitCount, scope, context);
  analyzeExpression(select.limitOffset, scope, context);
}

/** The name of an entry, if it is nothing else. */
function bareName(node: Node): string | undefined {
  const fields = asKind(node, 'ColumnRef')?.fields;
  return fields?.length === 1 ? stringOf(fields[0]) : undefined;
}

/** ORDER BY and DISTINCT ON: a bare name is an output column first. What that reads has been read. */
function analyzeOutputName(node: Node, scope: Scope, output: Output, context: QueryContext): void {
  const name = bareName(node);
  if (name !== undefined && isOutputName(name, scope, output)) return;
  analyzeExpression(node, scope, context);
}

/** Where the output may have columns of any name, one that nothing else has is one of those. */
function isOutputName(name: string, scope: Scope, output: Output): boolean {
  return output.columns.includes(name) || (output.isOpen && readColumn(scope, name) === 'none');
}

/** GROUP BY: a bare name is a column of FROM first, then an output column. */
function analyzeGroup(node: Node, scope: Scope, output: Output, context: QueryContext): void {
  const set = asKind(node, 'GroupingSet');
  if (set !== undefined) {
    for (const member of set.content ?? []) analyzeGroup(member, scope, output, context);
    return;
  }
  const name = bareName(node);
  if (name !== undefined && isOutputName(name, scope, output)) {
    // `maybe` has read what could be meant.
    readHere(scope, name);
    return;
  }
  analyzeExpression(node, scope, context);
}

/** A list of output columns: SELECT's or RETURNING's. */
export function analyzeTargets(
  nodes: readonly Node[] | undefined,
  scope: Scope,
  context: QueryContext,
): Output {
  const columns: string[] = [];
  let isOpen = false;
  for (const node of nodes ?? []) {
    const target = asKind(node, 'ResTarget');
    if (target?.val === undefined) throw new UnreadableStatement('unknown-expression');
    const items = starItems(target.val, scope, context);
    if (items !== undefined) {
      for (const item of items) {
        readEachColumn(item);
        context.demands.spendColumns(item.columns.length);
        for (const { name } of item.columns) columns.push(name);
        isOpen ||= item.isOpen;
      }
      continue;
    }
    analyzeExpression(target.val, scope, context);
    if (endsInStar(target.val)) isOpen = true;
    else columns.push(target.name ?? columnNameOf(target.val));
  }
  return { columns, isOpen, items: [] };
}

/** What `*` or `t.*` stands for. Undefined: the target is something else. */
function starItems(value: Node, scope: Scope, context: QueryContext): readonly RangeItem[] | undefined {
  const fields = asKind(value, 'ColumnRef')?.fields ?? [];
  if (asKind(fields.at(-1), 'A_Star') === undefined) return undefined;
  if (fields.length === 1) return scope.items.filter(({ columnsVisible }) => columnsVisible);
  const parts = fields.slice(0, -1).map((field) => stringOf(field) ?? '');
  const item = itemOf(parts, scope);
  if (item !== undefined) return [item];
  context.demands.unknownName('relation', parts.join('.'));
  return [itemOfOutput({ columns: [], isOpen: true, items: [] }, undefined, undefined)];
}

const endsInStar = (value: Node): boolean =>
  asKind(asKind(value, 'A_Indirection')?.indirection?.at(-1), 'A_Star') !== undefined;

/** FOR UPDATE, FOR SHARE …: without names, everything in FROM, subqueries included. */
function lockItems(clauses: readonly Node[] | undefined, scope: Scope): void {
  for (const node of clauses ?? []) {
    const clause = asKind(node, 'LockingClause');
    if (clause === undefined) throw new UnreadableStatement('unknown-expression');
    const names = clause.lockedRels?.map((relation) => asKind(relation, 'RangeVar')?.relname);
    for (const item of scope.items) {
      if (names === undefined || (item.name !== undefined && names.includes(item.name))) item.lock?.();
    }
  }
}
