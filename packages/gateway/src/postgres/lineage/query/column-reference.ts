/** ColumnRef and A_Indirection: columns, whole rows, and the dots that are function calls (parse_expr.c, parse_func.c). */
import { findRoutines, findType } from '../../inspect/query/analyze-query.ts';
import { asKind, stringOf } from '../../inspect/parse/tree.ts';
import type { Node, NodeOf } from '../../inspect/parse/tree.ts';
import type { LineageContext, RoutineCall, Value } from '../port.ts';
import { UnknownLineage } from '../port.ts';
import { derivedOf, eitherOf, unknownOf } from '../value.ts';
import { tellControl } from './comparison.ts';
import { lineageOfExpression } from './expression.ts';
import { findItem, resolveColumn, resolveIn, rowOfItem } from './scope.ts';
import type { Item, Scope } from './scope.ts';

export const isStar = (node: Node | undefined): boolean => asKind(node, 'A_Star') !== undefined;

/** The names of a reference, the star left out. */
export function partsOf(fields: readonly Node[] | undefined): readonly string[] {
  const parts: string[] = [];
  for (const field of fields ?? []) {
    const part = stringOf(field);
    if (part !== undefined) parts.push(part);
    else if (!isStar(field)) throw new UnknownLineage('ColumnRef');
  }
  return parts;
}

/** The item that one to three parts name: `t`, `schema.t`, `database.schema.t`. */
export function itemOf(parts: readonly string[], scope: Scope | undefined): Item | undefined {
  if (parts.length === 0 || parts.length > 3) return undefined;
  return findItem(scope, parts.at(-1)!, parts.at(-2));
}

/** It is read, whatever becomes of it. */
export function touched(value: Value, context: LineageContext): Value {
  context.collector.touch(value.sources);
  return value;
}

/** Of something that has no such name: it may be newer than what we know. */
export function unknownValue(context: LineageContext): Value {
  return unknownOf([context.collector.source({ kind: 'unknown', object: 'a name that is not known' })]);
}

export function valueOfColumnRef(
  ref: NodeOf<'ColumnRef'>,
  scope: Scope | undefined,
  context: LineageContext,
): Value {
  return touched(referred(ref, scope, context), context);
}

function referred(ref: NodeOf<'ColumnRef'>, scope: Scope | undefined, context: LineageContext): Value {
  const parts = partsOf(ref.fields);
  if (isStar(ref.fields?.at(-1))) {
    // As the argument of a function, `t.*` is the whole row.
    const item = itemOf(parts, scope);
    return item === undefined ? unknownValue(context) : rowOfItem(item);
  }
  return parts.length === 1 ? bareName(parts[0]!, scope, context) : qualified(parts, scope, context);
}

/** A column of any level comes before a table of any level, and both before a parameter. */
function bareName(name: string, scope: Scope | undefined, context: LineageContext): Value {
  const { certainty, values } = resolveColumn(scope, name);
  if (certainty === 'found') return eitherOf(values);
  const item = findItem(scope, name);
  const row = item === undefined ? parameterNamed([name], context) : rowOfItem(item);
  const all = row === undefined ? values : [...values, row];
  return all.length === 0 ? unknownValue(context) : eitherOf(all);
}

function qualified(parts: readonly string[], scope: Scope | undefined, context: LineageContext): Value {
  const item = itemOf(parts.slice(0, -1), scope);
  const field = parts.at(-1)!;
  if (item === undefined) return parameterNamed(parts, context) ?? unknownValue(context);
  const { certainty, values } = resolveIn(item, field);
  if (certainty === 'found') return eitherOf(values);
  const called = attributeRoutine(field, rowOfItem(item), context);
  const all = called === undefined ? values : [...values, called];
  return all.length === 0 ? unknownValue(context) : eitherOf(all);
}

/** `p`, `f.p`, `p.field` and `f.p.field` in the body of the SQL function f. */
function parameterNamed(parts: readonly string[], { inlined }: LineageContext): Value | undefined {
  if (inlined === undefined) return undefined;
  const rest = parts.length > 1 && parts[0] === inlined.name ? parts.slice(1) : parts;
  const index = inlined.names.indexOf(rest[0]!);
  const value = inlined.values[index];
  if (index === -1 || value === undefined || rest.length > 2) return undefined;
  return rest.length === 1 ? value : fieldOf(value, rest[1]!);
}

/** A dot after a value may call a function of that name with the value, or cast the value to a type. */
function attributeRoutine(name: string, value: Value, context: LineageContext): Value | undefined {
  if (findRoutines([name], context.query).length > 0)
    return context.routines.routineOf(plainCall([name], [value]), context);
  return findType([name], context.query) === undefined ? undefined : derivedOf([value]);
}

/** A call of which nothing is special. */
export const plainCall = (parts: readonly string[], values: readonly Value[]): RoutineCall => ({
  parts,
  arguments: values,
  constants: values.map(() => undefined),
  isStar: false,
  isDistinct: false,
  isVariadic: false,
  isWithinGroup: false,
  isWindow: false,
  showsGroup: false,
  isInFrom: false,
});

/** A field of a row whose fields are not known carries what the row does. */
function fieldOf(value: Value, name: string): Value {
  const named = value.fields?.filter((field) => field.name === name) ?? [];
  return named.length > 0 ? eitherOf(named.map((field) => field.value)) : derivedOf([value]);
}

/** `(t).f`, `(f(x)).g`, `a[1]`. */
export function valueOfIndirection(
  { arg, indirection }: NodeOf<'A_Indirection'>,
  scope: Scope | undefined,
  context: LineageContext,
): Value {
  if (arg === undefined) throw new UnknownLineage('A_Indirection');
  let value = lineageOfExpression(arg, scope, context);
  for (const step of indirection ?? []) value = takeStep(value, step, scope, context);
  return value;
}

function takeStep(value: Value, step: Node, scope: Scope | undefined, context: LineageContext): Value {
  if (isStar(step)) return value;
  const field = stringOf(step);
  if (field !== undefined) {
    if (value.fields?.some(({ name }) => name === field) === true) return fieldOf(value, field);
    const called = attributeRoutine(field, value, context);
    return called === undefined ? derivedOf([value]) : eitherOf([derivedOf([value]), called]);
  }
  const index = asKind(step, 'A_Indices');
  if (index === undefined) throw new UnknownLineage('A_Indirection');
  for (const bound of [index.lidx, index.uidx]) {
    if (bound !== undefined) tellControl(lineageOfExpression(bound, scope, context), context);
  }
  return derivedOf([value]);
}

/** Whether an expression is nothing but a column of one of these items of the very level. */
export function isColumnOf(node: Node, items: readonly Item[], scope: Scope): boolean {
  const ref = asKind(node, 'ColumnRef');
  if (ref === undefined || isStar(ref.fields?.at(-1))) return false;
  const parts = partsOf(ref.fields);
  const level: Scope = { ...scope, parent: undefined };
  const name = parts.at(-1)!;
  if (parts.length > 1) {
    const item = itemOf(parts.slice(0, -1), level);
    return item !== undefined && items.includes(item) && resolveIn(item, name).certainty === 'found';
  }
  if (resolveColumn(level, name).certainty !== 'found') return false;
  // Joins have the columns of their sides: none of the others may have one of that name.
  const having = scope.items.filter((item) => item.nameVisible && resolveIn(item, name).certainty !== 'none');
  return having.every(
    (item) => items.includes(item) || (scope.counted?.isAll === true && item.name === undefined),
  );
}
