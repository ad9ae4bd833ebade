/** Functions in FROM. */
import type { CatalogRoutine } from '../../catalog/catalog.ts';
import { columnNameOf, findRoutines, fitting, spendWork } from '../../inspect/query/analyze-query.ts';
import { asKind, stringsOf } from '../../inspect/parse/tree.ts';
import type { Node, NodeOf } from '../../inspect/parse/tree.ts';
import type { LineageContext, NamedValue, Value } from '../port.ts';
import { UnknownLineage } from '../port.ts';
import { FREE_VALUE, derivedOf, eitherOf, isRegulated } from '../value.ts';
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
    return columnsOfFunction(call, value, isOnly ? alias : undefined, context);
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
  call: Node,
  value: Value,
  alias: NodeOf<'Alias'> | undefined,
  context: LineageContext,
): Columns {
  if (value.fields !== undefined) return { columns: value.fields, hasWidth: true };
  const parts = stringsOf(asKind(call, 'FuncCall')?.funcname) ?? [];
  const found = parts.length === 0 ? [] : findRoutines(parts, context.query);
  const routines = fitting(found, asKind(call, 'FuncCall')?.args?.length ?? 0);
  const composite = compositeColumns(routines, context);
  const carried = isRegulated(value) ? derivedOf([value]) : FREE_VALUE;
  if (composite !== undefined)
    return { columns: composite.map((name) => ({ name, value: carried })), hasWidth: true };
  const columns = [{ name: alias?.aliasname ?? columnNameOf(call), value: carried }];
  const isScalar =
    parts.length === 0 || (routines.length > 0 && routines.every((one) => isScalarOf(one, context)));
  // Without names of an alias, an only column may be called as the function's own text says.
  return { columns: isScalar ? columns : [], other: carried, hasWidth: isScalar };
}

/** If every overload returns the same row type. */
function compositeColumns(
  routines: readonly CatalogRoutine[],
  { catalog }: LineageContext,
): readonly string[] | undefined {
  const [first, ...others] = routines;
  if (first === undefined || others.some(({ returnTypeOid }) => returnTypeOid !== first.returnTypeOid))
    return undefined;
  const type = catalog.typeByOid(first.returnTypeOid);
  const relation = type?.relationOid === undefined ? undefined : catalog.relationByOid(type.relationOid);
  if (relation === undefined || relation.open === true) return undefined;
  return relation.columns.map(({ name }) => name);
}

/** anyelement and anycompatible: what comes out of an array, a row perhaps. */
function isScalarOf({ returnTypeOid, open }: CatalogRoutine, { catalog }: LineageContext): boolean {
  const kind = catalog.typeByOid(returnTypeOid)?.kind;
  return open !== true && (kind === 'base' || kind === 'enum' || kind === 'range' || kind === 'multirange');
}
