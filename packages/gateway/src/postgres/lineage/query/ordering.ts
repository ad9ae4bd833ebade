/** Orders and windows: where a row comes tells how its values compare. */
import { asKind } from '../../inspect/parse/tree.ts';
import type { Node, NodeOf } from '../../inspect/parse/tree.ts';
import type { LineageContext } from '../port.ts';
import { UnknownLineage } from '../port.ts';
import { sourcesOf, tellControl } from './comparison.ts';
import { lineageOfExpression, valuesOf } from './expression.ts';
import type { Scope } from './scope.ts';

/** ORDER BY of an aggregate or a window: expressions only, no names of the output. */
export function tellOrder(
  nodes: readonly Node[] | undefined,
  scope: Scope | undefined,
  context: LineageContext,
): void {
  for (const node of nodes ?? []) {
    const sorted = asKind(node, 'SortBy')?.node;
    if (sorted === undefined) throw new UnknownLineage('SortBy');
    context.collector.oracle('order', lineageOfExpression(sorted, scope, context).sources);
  }
}

/** PARTITION BY, ORDER BY and the frame. */
export function tellWindow(
  window: NodeOf<'WindowDef'>,
  scope: Scope | undefined,
  context: LineageContext,
): void {
  context.collector.oracle('group', sourcesOf(valuesOf(window.partitionClause, scope, context)));
  tellOrder(window.orderClause, scope, context);
  for (const offset of [window.startOffset, window.endOffset]) {
    if (offset !== undefined) tellControl(lineageOfExpression(offset, scope, context), context);
  }
}
