/** Functions in FROM. */
import type { CatalogRoutine, CatalogType } from '../../catalog/catalog.ts';
import { columnNameOf, findRoutines, fitting, spendWork } from '../../inspect/query/analyze-query.ts';
import { asKind, stringsOf } from '../../inspect/parse/tree.ts';
import type { Node, NodeOf } from '../../inspect/parse/tree.ts';
import type { LineageContext, NamedValue, Value } from '../port.ts';
import { UnknownLineage } from '../port.ts';
import { FREE_VALUE, derivedOf, eitherOf, isRegulated } from '../value.ts';
import { EventList } from './event-list.ts';
import { lineageOfExpression } from './expression.ts';
import { valueInFrom } from './function-call.ts';
import { renamed } from './scope.ts';
import type { Item, Scope } from './scope.ts';

interface Columns {
  readonly columns: readonly NamedValue[];
  /** What columns of other names may carry. Undefined: there are none. */
  readonly other?: Value | undefined;
  readonly hasWidth: boolean;
}

export function itemOfFunctions(range: NodeOf<'RangeFunction'>, scope: Scope, context: LineageContext): Item {
  const { alias, functions = [], coldeflist } = range;
  const isOnly = functions.length === 1;
  const parts = functions.map((entry) => {
    const [call, definitions] = asKind(entry, 'List')?.items ?? [];
    if (call === undefined) throw new UnknownLineage('RangeFunction');
    const value = valueInFrom(call, scope, context);
    const own = asKind(definitions, 'List')?.items ?? (isOnly ? coldeflist : undefined);
    if (own !== undefined && own.length > 0) return definedColumns(own, value);
    return columnsOfFunction(call, value, isOnly ? alias : undefined, scope, context);
  });
  const columns = parts.flatMap((part) => part.columns);
  if (range.ordinality === true) columns.push({ name: 'ordinality', value: FREE_VALUE });
  spendWork(columns.length);
  const others = parts.map(({ other }) => other).filter((other) => other !== undefined);
  const other = others.length === 0 ? undefined : eitherOf(others);
  const hasWidth = parts.every((part) => part.hasWidth);
  const names = stringsOf(alias?.colnames) ?? [];
  const first = asKind(functions[0], 'List')?.items?.[0];
  // Without an alias, a function in FROM goes by its own name.
  const name = alias?.aliasname ?? (first === undefined ? undefined : columnNameOf(first));
  return {
    name,
    columns: renamed(columns, names, hasWidth ? undefined : anyOf(columns, other)),
    other: other === undefined ? undefined : () => other,
    hasWidth,
    isRelation: false,
    columnsVisible: true,
    nameVisible: name !== undefined,
  };
}

const anyOf = (columns: readonly NamedValue[], other: Value | undefined): Value | undefined =>
  other === undefined ? undefined : derivedOf([...columns.map(({ value }) => value), other]);

/** `AS t (a int, b text)`: field by field where the fields are known. */
function definedColumns(definitions: readonly Node[], value: Value): Columns {
  const { fields } = value;
  const columns = definitions.map((definition, index) => ({
    name: asKind(definition, 'ColumnDef')?.colname ?? '',
    value: fields?.length === definitions.length ? fields[index]!.value : derivedOf([value]),
  }));
  return { columns, hasWidth: true };
}

function columnsOfFunction(
  node: Node,
  value: Value,
  alias: NodeOf<'Alias'> | undefined,
  scope: Scope,
  context: LineageContext,
): Columns {
  if (value.fields !== undefined) return { columns: value.fields, hasWidth: true };
  const carried = isRegulated(value) ? derivedOf([value]) : FREE_VALUE;
  const call = asKind(node, 'FuncCall');
  const named = alias?.aliasname ?? columnNameOf(node);
  // CURRENT_DATE and its kin.
  if (call === undefined) return { columns: [{ name: named, value: carried }], hasWidth: true };
  const unnested = unnestedNames(call, named, scope, context);
  if (unnested !== undefined)
    return { columns: unnested.map((name) => ({ name, value: carried })), hasWidth: true };
  const found = findRoutines(stringsOf(call.funcname) ?? [], context.query);
  const all = fitting(found, call.args?.length ?? 0).map((routine) => namesOfResult(routine, named, context));
  const [names, ...others] = all;
  const isKnown = names !== undefined && others.every((other) => other?.join('\0') === names.join('\0'));
  if (!isKnown) return { columns: [], other: carried, hasWidth: false };
  return { columns: names.map((name) => ({ name, value: carried })), hasWidth: true };
}

/**
 * What the columns of a function's rows are called. An only column that the function itself names is called so whatever the alias says.
 *
 * @returns undefined: not known.
 */
function namesOfResult(
  { outputNames: own = [], returnTypeOid, open }: CatalogRoutine,
  named: string,
  context: LineageContext,
): readonly string[] | undefined {
  if (open === true || own.includes('')) return undefined;
  if (returnTypeOid === RECORD_TYPE) return own.length === 0 ? undefined : own;
  const result = context.catalog.typeByOid(returnTypeOid);
  return result === undefined ? undefined : namesOfType(result, own.length === 1 ? own[0]! : named, context);
}

const RECORD_TYPE = 2249;

/** Of a row type its columns, of any other type one. */
function namesOfType(
  type: CatalogType,
  named: string,
  { catalog }: LineageContext,
): readonly string[] | undefined {
  if (type.kind === 'pseudo' || type.kind === 'domain' || type.open === true) return undefined;
  if (type.kind !== 'composite') return [named];
  const relation = type.relationOid === undefined ? undefined : catalog.relationByOid(type.relationOid);
  return relation === undefined || relation.open === true
    ? undefined
    : relation.columns.map(({ name }) => name);
}

/** `unnest(a, b)` gives elements, or the columns of them, of each array. @returns undefined: it is not that, or not known. */
function unnestedNames(
  call: NodeOf<'FuncCall'>,
  named: string,
  scope: Scope,
  context: LineageContext,
): readonly string[] | undefined {
  const { catalog } = context;
  const parts = stringsOf(call.funcname) ?? [];
  if (parts.at(-1) !== 'unnest' || catalog.schemasWith('routine', 'unnest').length > 0) return undefined;
  // What the arguments tell was told where the call was read.
  const within: LineageContext = { ...context, collector: new EventList() };
  const names = (call.args ?? []).map((argument) => {
    const { typeOid } = lineageOfExpression(argument, scope, within);
    const element = typeOid === undefined ? undefined : catalog.typeByOid(typeOid)?.arrayOf;
    const type = element === undefined ? undefined : catalog.typeByOid(element);
    return type === undefined ? undefined : namesOfType(type, named, context);
  });
  return names.includes(undefined) ? undefined : names.flatMap((each) => each ?? []);
}
