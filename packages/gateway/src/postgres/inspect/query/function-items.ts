/** Functions, XMLTABLE and JSON_TABLE in FROM. */
import type { CatalogRoutine } from '../../catalog/catalog.ts';
import { asKind, stringsOf } from '../parse/tree.ts';
import type { Node, NodeOf } from '../parse/tree.ts';
import type { QueryContext } from './context.ts';
import { UnreadableStatement } from './demands.ts';
import { analyzeExpression } from './expression.ts';
import { analyzeJsonBehavior, analyzeJsonValue, analyzePassing } from './json-expressions.ts';
import { findRoutines } from './names.ts';
import { columnNameOf } from './output-names.ts';
import { renamed } from './range-items.ts';
import type { RangeItem, Scope } from './scope.ts';
import { useTypeName } from './types.ts';

interface Columns {
  readonly columns: readonly string[];
  /** What the function returns is not certain: there may be other columns. */
  readonly isOpen: boolean;
}

export function itemOfFunctions(
  range: NodeOf<'RangeFunction'>,
  scope: Scope,
  context: QueryContext,
): RangeItem {
  const { alias, functions = [], coldeflist } = range;
  const parts = functions.map((entry) => {
    const [call, definitions] = asKind(entry, 'List')?.items ?? [];
    if (call === undefined) throw new UnreadableStatement('unknown-expression');
    analyzeExpression(call, scope, context);
    const own = asKind(definitions, 'List')?.items ?? (functions.length === 1 ? coldeflist : undefined);
    return own === undefined
      ? columnsOfFunction(call, functions.length === 1 ? alias : undefined, context)
      : definedColumns(own, context);
  });
  const columns = parts.flatMap((part) => part.columns);
  if (range.ordinality === true) columns.push('ordinality');
  const isOpen = parts.some((part) => part.isOpen);
  return itemOf(alias, { columns, isOpen }, functionName(functions));
}

/** Without an alias, a function in FROM goes by its own name. */
function functionName(functions: readonly Node[]): string | undefined {
  const call = asKind(functions[0], 'List')?.items?.[0];
  return call === undefined ? undefined : columnNameOf(call);
}

function definedColumns(definitions: readonly Node[], context: QueryContext): Columns {
  const columns = definitions.map((definition) => {
    const column = asKind(definition, 'ColumnDef');
    useTypeName(column?.typeName, context);
    return column?.colname ?? '';
  });
  return { columns, isOpen: false };
}

function columnsOfFunction(call: Node, alias: NodeOf<'Alias'> | undefined, context: QueryContext): Columns {
  const parts = stringsOf(asKind(call, 'FuncCall')?.funcname);
  const routines = parts === undefined || parts.length === 0 ? [] : findRoutines(parts, context);
  const composite = compositeColumns(routines, context);
  if (composite !== undefined) return { columns: composite, isOpen: false };
  // A single named output would name the column, and what returns `record` or `anyelement` may have any: so there may be others, unless the
  // alias names the one that there is.
  const isNamed = (alias?.colnames?.length ?? 0) > 0;
  const isOpen =
    !isNamed || !routines.every((routine) => isScalar(routine, context)) || routines.length === 0;
  return { columns: [alias?.aliasname ?? columnNameOf(call)], isOpen };
}

/** If every overload returns the same row type. */
function compositeColumns(
  routines: readonly CatalogRoutine[],
  { catalog }: QueryContext,
): readonly string[] | undefined {
  const [first, ...others] = routines;
  if (first === undefined || others.some(({ returnTypeOid }) => returnTypeOid !== first.returnTypeOid))
    return undefined;
  const type = catalog.typeByOid(first.returnTypeOid);
  const relation = type?.relationOid === undefined ? undefined : catalog.relationByOid(type.relationOid);
  if (relation === undefined || relation.open === true) return undefined;
  return relation.columns.map(({ name }) => name);
}

function isScalar({ returnTypeOid, open }: CatalogRoutine, { catalog }: QueryContext): boolean {
  const kind = catalog.typeByOid(returnTypeOid)?.kind;
  return open !== true && (kind === 'base' || kind === 'enum' || kind === 'range' || kind === 'multirange');
}

function itemOf(alias: NodeOf<'Alias'> | undefined, { columns, isOpen }: Columns, name?: string): RangeItem {
  const called = alias?.aliasname ?? name;
  return {
    name: called,
    columns: renamed(
      columns.map((column) => ({ name: column })),
      alias,
    ),
    isOpen,
    sources: [],
    isRelation: false,
    columnsVisible: true,
    nameVisible: called !== undefined,
  };
}

export function itemOfXmlTable(
  table: NodeOf<'RangeTableFunc'>,
  scope: Scope,
  context: QueryContext,
): RangeItem {
  analyzeExpression(table.docexpr, scope, context);
  analyzeExpression(table.rowexpr, scope, context);
  for (const namespace of table.namespaces ?? [])
    analyzeExpression(asKind(namespace, 'ResTarget')?.val, scope, context);
  const columns = (table.columns ?? []).map((node) => {
    const column = asKind(node, 'RangeTableFuncCol')!;
    useTypeName(column.typeName, context);
    analyzeExpression(column.colexpr, scope, context);
    analyzeExpression(column.coldefexpr, scope, context);
    return column.colname ?? '';
  });
  return itemOf(table.alias, { columns, isOpen: false }, 'xmltable');
}

export function itemOfJsonTable(table: NodeOf<'JsonTable'>, scope: Scope, context: QueryContext): RangeItem {
  analyzeJsonValue(table.context_item, scope, context);
  analyzePassing(table.passing, scope, context);
  analyzeJsonBehavior(table.on_error, scope, context);
  analyzeExpression(table.pathspec?.string, scope, context);
  const columns = jsonTableColumns(table.columns, scope, context);
  return itemOf(table.alias, { columns, isOpen: false }, 'json_table');
}

function jsonTableColumns(
  nodes: readonly Node[] | undefined,
  scope: Scope,
  context: QueryContext,
): readonly string[] {
  const columns: string[] = [];
  for (const node of nodes ?? []) {
    const column = asKind(node, 'JsonTableColumn');
    if (column === undefined) throw new UnreadableStatement('unknown-expression');
    useTypeName(column.typeName, context);
    analyzeExpression(column.pathspec?.string, scope, context);
    analyzeJsonBehavior(column.on_empty, scope, context);
    analyzeJsonBehavior(column.on_error, scope, context);
    if (column.name !== undefined) columns.push(column.name);
    columns.push(...jsonTableColumns(column.columns, scope, context));
  }
  return columns;
}
