/** ColumnRef and A_Indirection: columns, whole rows, and the dots that are function calls (parse_expr.c, parse_func.c). */
import { asKind, stringOf } from '../parse/tree.ts';
import type { Node, NodeOf } from '../parse/tree.ts';
import type { QueryContext } from './context.ts';
import { analyzeExpression } from './expression.ts';
import { findRoutines, findType } from './names.ts';
import { columnsNamed, findItem, readColumn, readEachColumn, readIn, readWholeRow } from './scope.ts';
import type { RangeItem, Scope } from './scope.ts';
import { UnreadableStatement } from './demands.ts';
import { useNamedType } from './types.ts';

const isStar = (node: Node | undefined): boolean => asKind(node, 'A_Star') !== undefined;

/** @returns the item whose whole row the reference means, for the field or star that may follow. */
function partsOf(fields: readonly Node[] | undefined): { parts: readonly string[]; star: boolean } {
  const parts: string[] = [];
  for (const field of fields ?? []) {
    const part = stringOf(field);
    if (part !== undefined) parts.push(part);
    else if (!isStar(field)) throw new UnreadableStatement('unknown-expression');
  }
  return { parts, star: isStar(fields?.at(-1)) };
}

/** The item that one to three parts name: `t`, `schema.t`, `database.schema.t`. */
export function itemOf(parts: readonly string[], scope: Scope | undefined): RangeItem | undefined {
  if (parts.length === 0 || parts.length > 3) return undefined;
  return findItem(scope, parts.at(-1)!, parts.at(-2));
}

export function analyzeColumnRef(
  ref: NodeOf<'ColumnRef'>,
  scope: Scope | undefined,
  context: QueryContext,
): void {
  const { parts, star } = partsOf(ref.fields);
  if (star) {
    // As the argument of a function, `t.*` is the whole row; where it is expanded, `select-list.ts` reads it.
    const item = itemOf(parts, scope);
    if (item === undefined) context.demands.unknownName('relation', parts.join('.'));
    else readWholeRow(item);
    return;
  }
  if (parts.length === 1) readBareName(parts[0]!, scope, context);
  else readQualified(parts, scope, context);
}

/** `t.*` where it is expanded: each column that there is now. @returns whether the node is that. */
export function readStar(node: Node, scope: Scope | undefined): boolean {
  const ref = asKind(node, 'ColumnRef');
  if (ref === undefined || !isStar(ref.fields?.at(-1))) return false;
  const item = itemOf(partsOf(ref.fields).parts, scope);
  if (item === undefined) return false;
  readEachColumn(item);
  return true;
}

/** A column of any level comes before a table of any level. */
function readBareName(name: string, scope: Scope | undefined, context: QueryContext): void {
  const certainty = readColumn(scope, name);
  if (certainty === 'found') return;
  const item = findItem(scope, name);
  if (item !== undefined) readWholeRow(item);
  else if (certainty === 'none') context.demands.unknownName('column', name);
}

function readQualified(parts: readonly string[], scope: Scope | undefined, context: QueryContext): void {
  const item = itemOf(parts.slice(0, -1), scope);
  if (item === undefined) context.demands.unknownName('relation', parts.slice(0, -1).join('.'));
  else readField(item, parts.at(-1)!, context);
}

/** `t.f`: the column f, or else the function f of the whole row. */
function readField(item: RangeItem, field: string, context: QueryContext): void {
  const certainty = readIn(item, field);
  if (certainty === 'found') return;
  if (demandAttributeRoutine(field, context)) readWholeRow(item);
  else if (certainty === 'none') context.demands.unknownName('column', `${item.name ?? ''}.${field}`);
}

/** A dot after a value may call a function of that name with the value, or cast the value to a type. @returns whether there is one. */
function demandAttributeRoutine(name: string, context: QueryContext): boolean {
  const candidates = findRoutines([name], context);
  for (const routine of candidates) {
    if (routine.argumentTypes.length > 0) context.demands.routine(routine, context.via);
  }
  if (candidates.length === 0 && findType([name], context) === undefined) return false;
  if (findType([name], context) !== undefined) useNamedType([name], context);
  return true;
}

/** `(t).f`, `(f(x)).g`, `a[1]`, `(t).*`. */
export function analyzeIndirection(
  { arg, indirection }: NodeOf<'A_Indirection'>,
  scope: Scope | undefined,
  context: QueryContext,
): void {
  const steps = [...(indirection ?? [])];
  const row = wholeRowOf(arg, scope);
  if (row !== undefined && steps.length > 0 && !isIndex(steps[0]!)) {
    const step = steps.shift()!;
    const field = stringOf(step);
    // The server asks for the right to read the whole row before it takes the field out of it.
    readEachColumn(row);
    if (field !== undefined) readField(row, field, context);
  } else analyzeExpression(arg, scope, context);
  for (const step of steps) analyzeStep(step, scope, context);
}

function analyzeStep(step: Node, scope: Scope | undefined, context: QueryContext): void {
  const index = asKind(step, 'A_Indices');
  if (index !== undefined) {
    analyzeExpression(index.lidx, scope, context);
    analyzeExpression(index.uidx, scope, context);
    return;
  }
  const field = stringOf(step);
  // What type the value has is not known here: it may have the field, or the field is a function.
  if (field !== undefined) demandAttributeRoutine(field, context);
  else if (!isStar(step)) throw new UnreadableStatement('unknown-expression');
}

const isIndex = (node: Node): boolean => asKind(node, 'A_Indices') !== undefined;

/** The item whose whole row an expression is, if it is nothing but its name. */
export function wholeRowOf(node: Node | undefined, scope: Scope | undefined): RangeItem | undefined {
  const item = itemNamedBy(node, scope);
  if (item === undefined) return undefined;
  return isColumn(partsOf(asKind(node, 'ColumnRef')?.fields).parts, scope) ? undefined : item;
}

/** The item that has the name which an expression is; a column of that name may be meant instead. */
export function itemNamedBy(node: Node | undefined, scope: Scope | undefined): RangeItem | undefined {
  const ref = asKind(node, 'ColumnRef');
  if (ref === undefined) return undefined;
  const { parts, star } = partsOf(ref.fields);
  return star ? undefined : itemOf(parts, scope);
}

/** Whether something else could be meant: a column comes first. Nothing is read. */
function isColumn(parts: readonly string[], scope: Scope | undefined): boolean {
  if (parts.length > 1) {
    const table = itemOf(parts.slice(0, -1), scope);
    return table !== undefined;
  }
  const name = parts[0]!;
  for (let level = scope; level !== undefined; level = level.parent) {
    for (const item of level.items) {
      if (!item.columnsVisible) continue;
      if (item.isOpen || columnsNamed(item, name).length > 0) return true;
    }
  }
  return false;
}
