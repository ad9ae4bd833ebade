/** XMLTABLE and JSON_TABLE in FROM. How many rows they give, and whether they fail, depends on the document. */
import { asKind } from '../../inspect/parse/tree.ts';
import type { Node, NodeOf } from '../../inspect/parse/tree.ts';
import type { LineageContext, Value } from '../port.ts';
import { UnknownLineage } from '../port.ts';
import { FREE_VALUE, derivedOf, freeOf } from '../value.ts';
import { sourcesOf } from './comparison.ts';
import { derivedFrom, lineageOfExpression, valuesOf } from './expression.ts';
import { namesOf } from './from-clause.ts';
import { behaviorNodes } from './json-expressions.ts';
import { itemOfColumns } from './scope.ts';
import type { Item, Scope } from './scope.ts';

export function itemOfXmlTable(table: NodeOf<'RangeTableFunc'>, scope: Scope, context: LineageContext): Item {
  const spaces = (table.namespaces ?? []).map((space) => asKind(space, 'ResTarget')?.val);
  const document = derivedFrom([table.docexpr, table.rowexpr, ...spaces], scope, context);
  const columns = (table.columns ?? []).map((node) => {
    const column = asKind(node, 'RangeTableFuncCol');
    if (column === undefined) throw new UnknownLineage('RangeTableFuncCol');
    const own = derivedFrom([column.colexpr, column.coldefexpr], scope, context);
    context.collector.oracle('fallible', own.sources);
    const value = column.for_ordinality === true ? freeOf(undefined) : derivedOf([document, own]);
    return { name: column.colname ?? '', value };
  });
  context.collector.oracle('fallible', document.sources);
  return itemOfColumns(
    { columns, isOpen: false },
    table.alias?.aliasname ?? 'xmltable',
    namesOf(table.alias),
  );
}

export function itemOfJsonTable(table: NodeOf<'JsonTable'>, scope: Scope, context: LineageContext): Item {
  const passed = (table.passing ?? []).map((node) => asKind(node, 'JsonArgument')?.val?.raw_expr);
  const document = derivedFrom([table.context_item?.raw_expr], scope, context);
  const besides = derivedFrom(
    [...passed, table.pathspec?.string, ...behaviorNodes(table.on_error)],
    scope,
    context,
  );
  const columns = jsonColumns(table.columns, derivedOf([document, besides]), scope, context);
  context.collector.oracle('fallible', sourcesOf([document, besides]));
  return itemOfColumns(
    { columns, isOpen: false },
    table.alias?.aliasname ?? 'json_table',
    namesOf(table.alias),
  );
}

function jsonColumns(
  nodes: readonly Node[] | undefined,
  document: Value,
  scope: Scope,
  context: LineageContext,
): { readonly name: string; readonly value: Value }[] {
  const columns: { name: string; value: Value }[] = [];
  for (const node of nodes ?? []) {
    const column = asKind(node, 'JsonTableColumn');
    if (column === undefined) throw new UnknownLineage('JsonTableColumn');
    const path = column.pathspec?.string;
    if (path !== undefined) lineageOfExpression(path, scope, context);
    const defaults = valuesOf(
      [...behaviorNodes(column.on_empty), ...behaviorNodes(column.on_error)],
      scope,
      context,
    );
    const isCounter = column.coltype === 'JTC_FOR_ORDINALITY';
    const value = isCounter ? FREE_VALUE : derivedOf([document, ...defaults]);
    if (column.name !== undefined) columns.push({ name: column.name, value });
    columns.push(...jsonColumns(column.columns, document, scope, context));
  }
  return columns;
}
