/** FuncCall: its arguments are read here, what it makes of them is known to `routines/`. */
import { findRoutines, findType } from '../../inspect/query/analyze-query.ts';
import { asKind, stringsOf } from '../../inspect/parse/tree.ts';
import type { Node, NodeOf } from '../../inspect/parse/tree.ts';
import type { LineageContext, RoutineCall, Value } from '../port.ts';
import { UnknownLineage } from '../port.ts';
import { eitherOf, isRegulated } from '../value.ts';
import { isColumnOf } from './column-reference.ts';
import { conditionOf } from './conditions.ts';
import { lineageOfExpression, textOfConstant, valuesOf } from './expression.ts';
import type { Scope } from './scope.ts';
import { tellOrder, tellWindow } from './ordering.ts';

/** @param isInFrom it gives rows, not a value. */
export function valueOfCall(
  call: NodeOf<'FuncCall'>,
  scope: Scope | undefined,
  context: LineageContext,
  isInFrom = false,
): Value {
  const parts = stringsOf(call.funcname);
  if (parts === undefined || parts.length === 0) throw new UnknownLineage('FuncCall');
  const args = call.args ?? [];
  const values = valuesOf(args, scope, context);
  const field = fieldNamed(parts, values);
  if (field !== undefined && !isRoutine(parts, context)) return field;
  conditionOf(call.agg_filter, scope, context);
  const isWithinGroup = call.agg_within_group === true;
  const sorted = isWithinGroup ? sortedBy(call.agg_order) : [];
  if (!isWithinGroup) tellOrder(call.agg_order, scope, context);
  if (call.over !== undefined) tellWindow(call.over, scope, context);
  const nodes = [...args, ...sorted];
  const called: RoutineCall = {
    parts,
    arguments: [...values, ...valuesOf(sorted, scope, context)],
    argumentNames: nodes.map((node) => asKind(node, 'NamedArgExpr')?.name),
    constants: nodes.map((node) => textOfConstant(node)),
    isStar: call.agg_star === true,
    isDistinct: call.agg_distinct === true,
    isVariadic: call.func_variadic === true,
    isWithinGroup,
    isWindow: call.over !== undefined,
    showsGroup: showsGroup(call, values, scope),
    isInFrom,
  };
  const value = context.routines.routineOf(called, context);
  // A row type may decide that the field is meant after all.
  return field === undefined ? value : eitherOf([value, field]);
}

/** `f(t)` without a function f is the column f of t. */
function fieldNamed(parts: readonly string[], values: readonly Value[]): Value | undefined {
  const [row] = values;
  if (parts.length !== 1 || values.length !== 1 || row?.fields === undefined) return undefined;
  const named = row.fields.filter(({ name }) => name === parts[0]);
  return named.length === 0 ? undefined : eitherOf(named.map(({ value }) => value));
}

const isRoutine = (parts: readonly string[], { query }: LineageContext): boolean =>
  findRoutines(parts, query).length > 0 || findType(parts, query) !== undefined;

function sortedBy(nodes: readonly Node[] | undefined): readonly Node[] {
  return (nodes ?? []).map((node) => {
    const sorted = asKind(node, 'SortBy')?.node;
    if (sorted === undefined) throw new UnknownLineage('SortBy');
    return sorted;
  });
}

/**
 * An aggregate over plain columns of a level whose groups are of the minimum size. Of another level's columns it would be that level's aggregate; of an
 * expression, FILTER or DISTINCT it could be one row that is left.
 */
function showsGroup(
  { args = [], over, agg_filter, agg_distinct, agg_within_group }: NodeOf<'FuncCall'>,
  values: readonly Value[],
  scope: Scope | undefined,
): boolean {
  const counted = scope?.counted;
  if (counted === undefined || over !== undefined || agg_filter !== undefined) return false;
  if (agg_distinct === true || agg_within_group === true) return false;
  return args.every((node, index) => {
    const value = values[index]!;
    return !isRegulated(value) || (value.how === 'direct' && isColumnOf(node, counted.items, scope!));
  });
}

/** The call of a function in FROM, where the item is one. */
export function valueInFrom(node: Node, scope: Scope, context: LineageContext): Value {
  const call = asKind(node, 'FuncCall');
  return call === undefined
    ? lineageOfExpression(node, scope, context)
    : valueOfCall(call, scope, context, true);
}
