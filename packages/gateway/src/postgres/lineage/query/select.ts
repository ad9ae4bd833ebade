/** SELECT and VALUES (analyze.c, parse_clause.c). */
import { columnNameOf, spendWork } from '../../inspect/query/analyze-query.ts';
import { asKind, stringOf } from '../../inspect/parse/tree.ts';
import type { Node, NodeOf } from '../../inspect/parse/tree.ts';
import type { Source } from '../../../masking/lineage.ts';
import type { LineageContext, NamedValue, QueryColumns, Value } from '../port.ts';
import { UnknownLineage } from '../port.ts';
import { eitherOf, unionOf, unknownOf } from '../value.ts';
import { isColumnOf, isStar } from './column-reference.ts';
import { sourcesOf, tellControl } from './comparison.ts';
import { conditionOf } from './conditions.ts';
import { lineageOfExpression } from './expression.ts';
import { addFrom } from './from-clause.ts';
import { countedBy } from './group-size.ts';
import { decidedByKeys, isOrderedByKeys } from './key-groups.ts';
import { tellWindow } from './ordering.ts';
import { emptyScope, itemOfColumns, resolveHere, restOf } from './scope.ts';
import type { Scope } from './scope.ts';
import { isSetOperation, lineageOfSetOperation } from './set-operations.ts';
import { starColumns, starFields } from './stars.ts';
import { addWith } from './with-clause.ts';

export type Select = NodeOf<'SelectStmt'>;

/** @param onFirst of a set operation: called with the columns of its first part before the others are followed. */
export function lineageOfSelect(
  select: Select,
  around: Scope | undefined,
  context: LineageContext,
  onFirst?: (first: QueryColumns) => void,
): QueryColumns {
  const scope = emptyScope(around);
  addWith(select.withClause, scope, context);
  if (isSetOperation(select)) return lineageOfSetOperation(select, scope, context, onFirst);
  if (select.valuesLists !== undefined) return lineageOfValues(select, scope, context);
  addFrom(select.fromClause, scope, context);
  scope.counted = countedBy(select, scope, context);
  const output = lineageOfTargets(select.targetList, scope, context);
  conditionOf(select.whereClause, scope, context);
  tellGroups(select, scope, output, context);
  conditionOf(select.havingClause, scope, context);
  for (const window of select.windowClause ?? []) tellWindow(asKind(window, 'WindowDef')!, scope, context);
  tellDistinct(select, scope, output, context);
  tellSorting(select, scope, output, context);
  return output;
}

function lineageOfValues(select: Select, scope: Scope, context: LineageContext): QueryColumns {
  const rows = (select.valuesLists ?? []).map((node) => {
    const row = asKind(node, 'List')?.items;
    if (row === undefined) throw new UnknownLineage('VALUES');
    return row.flatMap(
      (each) => starFields(each, scope, context) ?? [lineageOfExpression(each, scope, context)],
    );
  });
  spendWork(rows.length);
  const width = rows[0]?.length ?? 0;
  // Where stars are not known in their width, rows differ: then each may be any.
  const isOpen = rows.some((row) => row.length !== width);
  const columns = Array.from({ length: width }, (_, index) => ({
    name: `column${String(index + 1)}`,
    value: eitherOf(rows.map((row) => row[index]).filter((value) => value !== undefined)),
  }));
  const output: QueryColumns = isOpen
    ? { columns: [], isOpen, rest: unionOf(rows.flat().map(({ sources }) => sources)) }
    : { columns, isOpen };
  tellSorting(select, { ...scope, items: [itemOfColumns(output, undefined)] }, output, context);
  return output;
}

/** A list of output columns: SELECT's or RETURNING's. */
export function lineageOfTargets(
  nodes: readonly Node[] | undefined,
  scope: Scope,
  context: LineageContext,
): QueryColumns {
  const columns: NamedValue[] = [];
  const rest: QueryColumns[] = [];
  for (const node of nodes ?? []) {
    const target = asKind(node, 'ResTarget');
    if (target?.val === undefined) throw new UnknownLineage('ResTarget');
    const star = starColumns(target.val, scope, context);
    if (star === undefined) {
      const value = lineageOfExpression(target.val, scope, context);
      columns.push({ name: target.name ?? columnNameOf(target.val), value });
    } else {
      spendWork(star.columns.length);
      for (const column of star.columns) columns.push(column);
      if (star.isOpen) rest.push(star);
    }
  }
  spendWork(columns.length);
  if (rest.length === 0) return { columns, isOpen: false };
  return { columns, isOpen: true, rest: unionOf(rest.map((open) => restOf(open))) };
}

/** GROUP BY: what is alike comes together. */
function tellGroups(select: Select, scope: Scope, output: QueryColumns, context: LineageContext): void {
  const { counted } = scope;
  const entries = (select.groupClause ?? []).map((node) => entryAt(node, select) ?? node);
  // A whole row is sorted by all of its columns.
  const hasSets = entries.some(
    (node) => asKind(node, 'GroupingSet') !== undefined || isStar(asKind(node, 'ColumnRef')?.fields?.at(-1)),
  );
  const isDecided = decidedByKeys(hasSets ? [] : entries, select.fromClause, scope, context);
  for (const [index, node] of (select.groupClause ?? []).entries()) {
    if (isDecided(entries[index]!)) continue;
    const values = groupedBy(node, scope, output, context);
    const isCounted =
      counted?.isAll === true || (counted !== undefined && isColumnOf(node, counted.items, scope));
    if (!isCounted) context.collector.oracle('group', sourcesOf(values));
  }
}

/** What a number of GROUP BY stands for. @returns undefined: it is no number, or behind a star. */
function entryAt(node: Node, { targetList = [] }: Select): Node | undefined {
  const position = asKind(node, 'A_Const')?.ival?.ival;
  if (position === undefined) return undefined;
  const targets = targetList.slice(0, position).map((target) => asKind(target, 'ResTarget')?.val);
  const hasStar = targets.some((target) => isStar(asKind(target, 'ColumnRef')?.fields?.at(-1)));
  return hasStar || targets.length < position ? undefined : targets.at(-1);
}

/** Of DISTINCT: what the columns carry that no key in the list decides. */
function distinctSources(
  select: Select,
  scope: Scope,
  output: QueryColumns,
  context: LineageContext,
): readonly Source[] {
  if (output.isOpen) return restOf(output);
  const targets = (select.targetList ?? []).map((target) => asKind(target, 'ResTarget')!.val!);
  const isOrdered = isOrderedByKeys(targets, orderedBy(select), select.fromClause, scope, context);
  const isDecided = decidedByKeys(isOrdered ? targets : [], select.fromClause, scope, context);
  const grouping: Value[] = [];
  let at = 0;
  for (const target of targets) {
    const width = starColumns(target, scope, context)?.columns.length ?? 1;
    if (!isDecided(target)) grouping.push(...output.columns.slice(at, at + width).map(({ value }) => value));
    at += width;
  }
  return sourcesOf(grouping);
}

/** Of ORDER BY: a number or a bare name is what the output has there or calls so, before it is a column of FROM. */
function orderedBy(select: Select): readonly Node[] {
  const named = (select.targetList ?? []).map((target) => asKind(target, 'ResTarget'));
  return (select.sortClause ?? []).flatMap((sort) => {
    const node = asKind(sort, 'SortBy')?.node;
    if (node === undefined) return [];
    const name = bareName(node);
    const output = name === undefined ? undefined : named.find((target) => target?.name === name)?.val;
    return [output ?? entryAt(node, select) ?? node];
  });
}

/** A bare name is a column of FROM first, then an output column; a number is the output column there. */
function groupedBy(
  node: Node,
  scope: Scope,
  output: QueryColumns,
  context: LineageContext,
): readonly Value[] {
  const set = asKind(node, 'GroupingSet');
  if (set !== undefined)
    return (set.content ?? []).flatMap((each) => groupedBy(each, scope, output, context));
  const row = asKind(node, 'RowExpr')?.args;
  if (row !== undefined) return row.flatMap((each) => groupedBy(each, scope, output, context));
  const position = columnAt(node, output);
  if (position !== undefined) return [position];
  const name = bareName(node);
  const named = name === undefined ? undefined : columnNamed(name, output);
  if (named === undefined || resolveHere(scope, name!).certainty === 'found')
    return [lineageOfExpression(node, scope, context)];
  return resolveHere(scope, name!).certainty === 'none'
    ? [named]
    : [named, lineageOfExpression(node, scope, context)];
}

/** DISTINCT without ON is a list with one empty node. */
function tellDistinct(select: Select, scope: Scope, output: QueryColumns, context: LineageContext): void {
  for (const node of select.distinctClause ?? []) {
    const isPlain = Object.keys(node).length === 0;
    const sources = isPlain
      ? distinctSources(select, scope, output, context)
      : valueOfSorted(node, scope, output, context).sources;
    if (scope.counted?.isAll !== true) context.collector.oracle('group', sources);
  }
}

/** ORDER BY, LIMIT and OFFSET. */
export function tellSorting(
  select: Select,
  scope: Scope,
  output: QueryColumns,
  context: LineageContext,
): void {
  for (const node of select.sortClause ?? []) {
    const sorted = asKind(node, 'SortBy')?.node;
    if (sorted === undefined) throw new UnknownLineage('SortBy');
    context.collector.oracle('order', valueOfSorted(sorted, scope, output, context).sources);
  }
  for (const limit of [select.limitCount, select.limitOffset]) {
    if (limit !== undefined) tellControl(lineageOfExpression(limit, scope, context), context);
  }
}

/** ORDER BY and DISTINCT ON: a bare name is an output column first, a number the output column there. */
function valueOfSorted(node: Node, scope: Scope, output: QueryColumns, context: LineageContext): Value {
  const position = columnAt(node, output);
  if (position !== undefined) return position;
  const name = bareName(node);
  const named = name === undefined ? undefined : columnNamed(name, output);
  if (named !== undefined) return named;
  const value = lineageOfExpression(node, scope, context);
  // It may be the name of an output column that is not known.
  return name !== undefined && output.isOpen ? eitherOf([value, unknownOf(restOf(output))]) : value;
}

function columnNamed(name: string, { columns }: QueryColumns): Value | undefined {
  const named = columns.filter((column) => column.name === name);
  return named.length === 0 ? undefined : eitherOf(named.map(({ value }) => value));
}

/** Behind a star of unknown width it may be any. */
function columnAt(node: Node, output: QueryColumns): Value | undefined {
  const position = asKind(node, 'A_Const')?.ival?.ival;
  if (position === undefined) return undefined;
  if (output.isOpen) return unknownOf(restOf(output));
  return output.columns[position - 1]?.value;
}

/** The name of an entry, if it is nothing else. */
function bareName(node: Node): string | undefined {
  const fields = asKind(node, 'ColumnRef')?.fields;
  return fields?.length === 1 ? stringOf(fields[0]) : undefined;
}
