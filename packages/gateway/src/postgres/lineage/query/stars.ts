/** `*`, `t.*` and `(expression).*` where they are expanded: each column that there is now. */
import { asKind } from '../../inspect/parse/tree.ts';
import type { Node } from '../../inspect/parse/tree.ts';
import type { LineageContext, QueryColumns, Value } from '../port.ts';
import { unionOf, unknownOf } from '../value.ts';
import { isStar, itemOf, partsOf, unknownValue } from './column-reference.ts';
import { lineageOfExpression } from './expression.ts';
import { restOf } from './scope.ts';
import type { Item, Scope } from './scope.ts';
import { spendWork } from '../../inspect/query/analyze-query.ts';

/** @returns undefined: it is not a star. */
export function starColumns(
  node: Node,
  scope: Scope | undefined,
  context: LineageContext,
): QueryColumns | undefined {
  const ref = asKind(node, 'ColumnRef');
  if (ref !== undefined) {
    if (!isStar(ref.fields?.at(-1))) return undefined;
    const columns = ofItems(itemsOf(partsOf(ref.fields), scope), context);
    context.collector.touch(restOf(columns));
    return columns;
  }
  const indirection = asKind(node, 'A_Indirection');
  if (indirection === undefined || !isStar(indirection.indirection?.at(-1))) return undefined;
  const value = lineageOfExpression(node, scope, context);
  if (value.fields !== undefined) return { columns: value.fields, isOpen: false };
  return { columns: [], isOpen: true, rest: value.sources };
}

/** @returns undefined: there is no such item. */
function itemsOf(parts: readonly string[], scope: Scope | undefined): readonly Item[] | undefined {
  if (parts.length === 0) return scope?.items.filter(({ columnsVisible }) => columnsVisible) ?? [];
  const item = itemOf(parts, scope);
  return item === undefined ? undefined : [item];
}

function ofItems(items: readonly Item[] | undefined, context: LineageContext): QueryColumns {
  if (items === undefined) return { columns: [], isOpen: true, rest: unknownValue(context).sources };
  const columns = items.flatMap((item) => item.columns);
  spendWork(columns.length);
  const open = items.filter(({ other, hasWidth }) => other !== undefined && hasWidth !== true);
  if (open.length === 0) return { columns, isOpen: false };
  return { columns, isOpen: true, rest: unionOf(open.map((item) => item.other!('*').sources)) };
}

/** What a star puts into ROW(…) or a row of VALUES. @returns undefined: it is not a star. */
export function starFields(
  node: Node,
  scope: Scope | undefined,
  context: LineageContext,
): readonly Value[] | undefined {
  const found = starColumns(node, scope, context);
  if (found === undefined) return undefined;
  return found.isOpen ? [unknownOf(restOf(found))] : found.columns.map(({ value }) => value);
}
