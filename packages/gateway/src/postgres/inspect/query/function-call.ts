/** FuncCall: every routine that the name may mean, whatever the types of the arguments. */
import type { CatalogRoutine } from '../../catalog/catalog.ts';
import { asKind, stringsOf } from '../parse/tree.ts';
import type { Node, NodeOf } from '../parse/tree.ts';
import { reachOfRoutine } from '../routines/classify-routine.ts';
import { SEQUENCE_ROUTINES } from '../routines/reaching-routines.ts';
import { reachOfCall } from '../routines/routine-call.ts';
import type { QueryContext } from './context.ts';
import { itemNamedBy, wholeRowOf } from './column-reference.ts';
import { UnreadableStatement } from './demands.ts';
import { analyzeExpression, analyzeExpressions, analyzeSortList, analyzeWindow } from './expression.ts';
import { findRelation, findRoutines, findType, readQualifiedName } from './names.ts';
import { readEachColumn, readIn } from './scope.ts';
import type { Scope } from './scope.ts';
import { useNamedType } from './types.ts';

export function analyzeFunctionCall(
  call: NodeOf<'FuncCall'>,
  scope: Scope | undefined,
  context: QueryContext,
): void {
  const parts = stringsOf(call.funcname);
  if (parts === undefined || parts.length === 0) throw new UnreadableStatement('unknown-expression');
  const args = call.args ?? [];
  const isProjection =
    useRoutines(parts, call, context) === 'none' && readProjection(parts, args, scope, context);
  if (!isProjection) analyzeExpressions(args, scope, context);
  analyzeSortList(call.agg_order, scope, context);
  analyzeExpression(call.agg_filter, scope, context);
  if (call.over !== undefined) analyzeWindow(call.over, scope, context);
}

/** @returns `none` when no routine has that name and it is not a type's either. */
function useRoutines(
  parts: readonly string[],
  call: NodeOf<'FuncCall'>,
  context: QueryContext,
): 'some' | 'none' {
  const args = call.args ?? [];
  const candidates = findRoutines(parts, context);
  // WITHIN GROUP: what is sorted by are arguments too.
  const count = args.length + (call.agg_within_group === true ? (call.agg_order?.length ?? 0) : 0);
  for (const routine of fitting(candidates, count)) useRoutine(routine, args, context);
  // A function with one argument that is named like a type is a cast.
  if (args.length === 1 && findsType(parts, candidates.length, context)) {
    useNamedType(parts, context);
    return 'some';
  }
  return candidates.length > 0 ? 'some' : 'none';
}

function findsType(parts: readonly string[], candidates: number, context: QueryContext): boolean {
  if (candidates > 0 && context.catalog.schemasWith('type', parts.at(-1)!).length === 0) return false;
  return findType(parts, context) !== undefined;
}

/** Those that take so many arguments. Should none, the server will say so; until then all of the name count. */
export function fitting(
  candidates: readonly CatalogRoutine[],
  count: number | undefined,
): readonly CatalogRoutine[] {
  if (count === undefined) return candidates;
  const found = candidates.filter(({ argumentTypes: { length }, defaults, variadic, open }) => {
    if (open === true) return true;
    const least = length - defaults - (variadic ? 1 : 0);
    return count >= least && (variadic || count <= length);
  });
  return found.length > 0 ? found : candidates;
}

function useRoutine(routine: CatalogRoutine, args: readonly Node[], context: QueryContext): void {
  const { demands, via } = context;
  const reach = reachOfRoutine(routine);
  switch (reach) {
    case 'harmless':
      demands.usesCatalog = true;
      return;
    case 'sequence':
      useSequence(routine, args, context);
      return;
    case 'setting':
    case 'rewrite': {
      const judged = reachOfCall(routine.name, args.map(constantText), context.depth > 0);
      if (routine.name === 'set_config') {
        demands.writes = true;
        context.onSetConfig?.();
      }
      if (judged !== 'harmless') demands.reachingRoutine(routine, judged, via);
      return;
    }
    default:
      demands.reachingRoutine(routine, reach, via);
  }
}

/** nextval('s') and its kin use the sequence as a statement that named it would; a name that is put together could be any. */
function useSequence(routine: CatalogRoutine, args: readonly Node[], context: QueryContext): void {
  const verbs = SEQUENCE_ROUTINES.get(routine.name) ?? [];
  // lastval(): of the sequence that this session used last, by a statement that was judged.
  if (args.length === 0) return;
  const { demands } = context;
  if (verbs.includes('update')) demands.writes = true;
  const text = constantText(args[0]);
  if (text === undefined) {
    demands.reachingRoutine(routine, 'dynamic-sql', context.via);
    return;
  }
  const found = sequenceNamed(text, context);
  if (found === undefined) demands.unknownName('relation', text);
  for (const verb of verbs) {
    if (found?.relation !== undefined) demands.relation(verb, found.relation, context);
    if (found?.temporary !== undefined) demands.relation(verb, found.temporary, context);
  }
}

function sequenceNamed(text: string, context: QueryContext): ReturnType<typeof findRelation> {
  if (/^\d+$/u.test(text)) {
    const relation = context.catalog.relationByOid(Number(text));
    return relation === undefined ? undefined : { relation };
  }
  const parts = readQualifiedName(text);
  if (parts === undefined || parts.length > 3) return undefined;
  return findRelation({ database: parts.at(-3), schema: parts.at(-2), name: parts.at(-1)! }, context);
}

/** Types whose cast leaves the text of a constant what it is. */
const TEXT_TYPES: ReadonlySet<string> = new Set([
  'text',
  'name',
  'varchar',
  'bpchar',
  'cstring',
  'regclass',
  'oid',
]);

/** The text of a string constant, or the digits of an integer, if the expression is one. */
export function constantText(node: Node | undefined): string | undefined {
  const cast = asKind(node, 'TypeCast');
  if (cast !== undefined) {
    const type = cast.typeName?.names?.map((name) => asKind(name, 'String')?.sval) ?? [];
    const isBuiltIn = type.length === 1 || (type.length === 2 && type[0] === 'pg_catalog');
    const plain = isBuiltIn && TEXT_TYPES.has(type.at(-1) ?? '') && cast.typeName?.arrayBounds === undefined;
    return plain ? constantText(cast.arg) : undefined;
  }
  const named = asKind(node, 'NamedArgExpr');
  if (named !== undefined) return undefined;
  const constant = asKind(node, 'A_Const');
  if (constant === undefined || constant.isnull === true) return undefined;
  if (constant.sval !== undefined) return constant.sval.sval ?? '';
  if (constant.ival !== undefined) return String(constant.ival.ival ?? 0);
  return undefined;
}

/** `f(t)` without a function f is the column f of t. @returns whether it was the field of a row that we know. */
function readProjection(
  parts: readonly string[],
  args: readonly Node[],
  scope: Scope | undefined,
  context: QueryContext,
): boolean {
  const written = parts.join('.');
  if (args.length !== 1 || parts.length !== 1) {
    context.demands.unknownName('routine', written);
    return false;
  }
  const row = wholeRowOf(args[0], scope);
  if (row !== undefined && readIn(row, written) !== 'none') {
    readEachColumn(row);
    return true;
  }
  // Or it may be a column of something whose columns are not known: then both are read.
  const maybe = itemNamedBy(args[0], scope);
  if (maybe !== undefined && readIn(maybe, written) !== 'none') {
    readEachColumn(maybe);
    return false;
  }
  // A field of some other composite value is read with the value; a missing function is the server's error then. But what is unknown could be
  // a function that is newer than the snapshot.
  context.demands.unknownName('routine', written);
  return false;
}

/** For what names a routine without calling it here: CALL, CREATE TRIGGER, operators of ORDER BY … USING. */
export function useRoutineNamed(
  parts: readonly string[],
  count: number | undefined,
  context: QueryContext,
): void {
  const candidates = fitting(findRoutines(parts, context), count);
  if (candidates.length === 0) context.demands.unknownName('routine', parts.join('.'));
  for (const routine of candidates) context.demands.routine(routine, context.via);
}
