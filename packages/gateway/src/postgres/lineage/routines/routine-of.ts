/** A call: what its result carries, and what else it tells or moves. */
import type { Source } from '../../../masking/lineage.ts';
import type { CatalogRoutine } from '../../catalog/catalog.ts';
import { findRoutines, findType, fitting } from '../../inspect/query/analyze-query.ts';
import { reachOfRoutine } from '../../inspect/routines/classify-routine.ts';
import { reachOfCall } from '../../inspect/routines/routine-call.ts';
import type { Fixed, LineageContext, RoutineCall, Value } from '../port.ts';
import {
  UNKNOWN_TYPE,
  computedText,
  derivedOf,
  eitherOf,
  formOf,
  freeOf,
  isRegulated,
  isTooLarge,
  unionOf,
  unknownOf,
} from '../value.ts';
import {
  BOOL,
  FREE,
  PLACES,
  POOLING,
  SHOWING,
  SHOWING_BOUNDS,
  SINKS,
  TOTAL,
  reasonOf,
  showsCounters,
} from './built-ins.ts';
import type { Condition, TotalRule } from './built-ins.ts';
import { castOf, isTextType } from './casts.ts';
import { opaqueOf, ownRoutineOf } from './own-routines.ts';

export function routineOf(call: RoutineCall, context: LineageContext): Value {
  const found = findRoutines(call.parts, context.query);
  const cast = castLike(call, found, context);
  if (cast !== undefined) return cast;
  const candidates = fittingTypes(fitting(found, call.arguments.length), call);
  if (candidates.length === 0) return unknownName(call, context);
  const own = candidates.filter((routine) => !isBuiltIn(routine));
  const values = own.map(
    (routine) => extensionOf(routine, call, context) ?? ownRoutineOf(routine, call, context),
  );
  const builtIn = candidates.filter((routine) => isBuiltIn(routine));
  if (builtIn.length > 0) values.push(builtInOf(builtIn, call, context));
  return values.length === 1 ? values[0]! : eitherOf(values);
}

const FIRST_OWN_OID = 16_384;

const isBuiltIn = ({ oid, schema }: CatalogRoutine): boolean =>
  oid < FIRST_OWN_OID && schema === 'pg_catalog';

/** `text(x)`: a routine with one argument that is named like a type. */
function castLike(
  { parts, arguments: given, isStar }: RoutineCall,
  found: readonly CatalogRoutine[],
  context: LineageContext,
): Value | undefined {
  const [value] = given;
  if (found.length > 0 || value === undefined || given.length !== 1 || isStar) return undefined;
  const type = findType(parts, context.query);
  return type === undefined || type === 'temporary' ? undefined : castOf(value, type.oid, context);
}

/** Not in the catalog: the server will refuse it, or it is newer than what we know. */
function unknownName({ parts, arguments: given }: RoutineCall, { collector }: LineageContext): Value {
  for (const { sources } of given) collector.oracle('opaque', sources);
  const source = collector.source({ kind: 'unknown', object: parts.join('.') });
  return unknownOf(unionOf([[source], ...given.map(({ sources }) => sources)]));
}

/** Own routines whose argument types cannot be meant are left out where all types are known; the server's are judged by name. */
function fittingTypes(candidates: readonly CatalogRoutine[], call: RoutineCall): readonly CatalogRoutine[] {
  if (call.argumentNames?.some((name) => name !== undefined) === true) return candidates;
  if (!candidates.some((routine) => isBuiltIn(routine))) return candidates;
  const types = call.arguments.map(({ typeOid }) => typeOid);
  if (types.some((type) => type === undefined || type === UNKNOWN_TYPE || type >= FIRST_OWN_OID))
    return candidates;
  const isExact = (routine: CatalogRoutine): boolean =>
    routine.argumentTypes.length === types.length &&
    routine.argumentTypes.every((type, at) => type === types[at]);
  // An exact match wins wherever the path finds it first; only where the server's is exact and no own one is are the own ones out.
  const exact = candidates.filter((routine) => isExact(routine));
  const serversOnly = exact.length > 0 && exact.every((routine) => isBuiltIn(routine));
  return serversOnly ? candidates.filter((routine) => isBuiltIn(routine)) : candidates;
}

/** Of extensions that only compute: they see nothing but their arguments. */
function extensionOf(
  routine: CatalogRoutine,
  call: RoutineCall,
  { collector }: LineageContext,
): Value | undefined {
  if (routine.extension === undefined || reachOfRoutine(routine) !== 'harmless') return undefined;
  if (!EXTENSION_TOTAL.has(routine.name)) {
    for (const { sources } of call.arguments) collector.oracle(reasonOf(routine.name), sources);
  }
  return derivedOf(call.arguments, routine.returnsSet ? undefined : routine.returnTypeOid);
}

const EXTENSION_TOTAL: ReadonlySet<string> = new Set(
  'unaccent digest hmac soundex metaphone similarity word_similarity strict_word_similarity show_trgm'.split(
    ' ',
  ),
);

function builtInOf(candidates: readonly CatalogRoutine[], call: RoutineCall, context: LineageContext): Value {
  const [routine] = candidates;
  const { name } = routine!;
  const regulated = call.arguments.some((value) => isRegulated(value));
  const shown = shownBy(routine!, call, context);
  if (shown.length > 0) {
    for (const { sources } of call.arguments) context.collector.oracle('opaque', sources);
    return unknownOf(unionOf([shown, ...call.arguments.map(({ sources }) => sources)]));
  }
  const typeOid = typeOf(candidates, call);
  if (!regulated) return unregulatedOf(candidates, call, typeOid);
  const sink = SINKS.get(name);
  if (sink !== undefined) {
    const sources = unionOf(call.arguments.map((value) => value.sources));
    context.collector.flow({ sources, how: 'derived', to: { kind: 'sink', what: sink } });
    return derivedOf(call.arguments, typeOid);
  }
  if (FREE.has(name)) {
    tellCounted(name, call, context);
    return freeOf(typeOid);
  }
  if (PLACES.has(name)) return placeOf(call, typeOid, context);
  const rule = TOTAL.get(name);
  const isTotal =
    rule !== undefined && call.arguments.every((value, at) => !isRegulated(value) || mayStand(rule, at));
  if (isTotal && holds(rule.only, call, context)) {
    const value = grown(name, totalOf(name, rule, call, typeOid, context), call);
    if (isTooLarge(value)) context.collector.oracle('fallible', value.sources);
    return value;
  }
  const reason = reasonOf(name);
  for (const { sources } of call.arguments) context.collector.oracle(reason, sources);
  // What a comparison tells was told. In the text of a view it is not: there nobody chose it.
  const isJudged = (reason === 'pattern' || reason === 'range') && typeOid === BOOL && !context.isCatalogText;
  return isJudged ? freeOf(typeOid) : derivedOf(call.arguments, typeOid);
}

/** Of those that can make a text longer, by how many times. */
function grown(name: string, value: Value, { constants }: RoutineCall): Value {
  if (!isRegulated(value)) return value;
  const { size = 1 } = value;
  if (name === 'replace') return { ...value, size: size * Math.max(1, constants[2]?.length ?? 1000) };
  if (name === 'format') return { ...value, size: size * Math.max(1, constants[0]?.split('%').length ?? 1) };
  return DOUBLING.has(name) ? { ...value, size: size * 2 } : value;
}

/** Quotes and backslashes are written twice. */
const DOUBLING: ReadonlySet<string> = new Set(
  'quote_literal quote_nullable quote_ident encode to_json to_jsonb row_to_json array_to_json json_build_object json_build_array jsonb_build_object jsonb_build_array json_agg jsonb_agg json_object_agg jsonb_object_agg'.split(
    ' ',
  ),
);

/** How many values there are is free, and how many different ones of a column. Of anything else it would tell whether a chosen value, or a part, is among them. */
function tellCounted(name: string, call: RoutineCall, { collector }: LineageContext): void {
  if (name === 'pg_typeof' || name === 'pg_collation_for' || name === 'grouping') return;
  for (const { sources, form, fixed, isOther, fields } of call.arguments) {
    if (sources.every(({ kind }) => kind === 'unknown')) continue;
    if (form === 'part' && fields === undefined) collector.oracle('control', sources);
    if (!call.isDistinct || call.showsGroup) continue;
    const isColumn = form !== 'part' && fixed === undefined && !isOther;
    if (!isColumn) collector.oracle('group', sources);
  }
}

/** `rank('x') WITHIN GROUP (ORDER BY c)`: where a chosen value stands among the regulated ones. */
function placeOf(call: RoutineCall, typeOid: number | undefined, { collector }: LineageContext): Value {
  const reason = call.isWithinGroup ? 'range' : 'control';
  for (const { sources } of call.arguments) collector.oracle(reason, sources);
  return derivedOf(call.arguments, typeOid);
}

function mayStand({ at }: TotalRule, position: number): boolean {
  return at === 'any' || position === (at === 'first' ? 0 : 1);
}

/** Files, statements of others, queries that are texts: an unknown source. */
function shownBy(
  routine: CatalogRoutine,
  { constants }: RoutineCall,
  { collector, depth }: LineageContext,
): readonly Source[] {
  const reach = reachOfRoutine(routine);
  const judged =
    reach === 'setting' || reach === 'rewrite' ? reachOfCall(routine.name, constants, depth > 0) : reach;
  const isShowing =
    SHOWING_BOUNDS.has(routine.name) ||
    judged === 'own' ||
    judged === 'security-definer' ||
    (SHOWING.has(judged) && !showsCounters(routine.name));
  return isShowing ? [collector.source({ kind: 'unknown', object: `pg_catalog.${routine.name}` })] : [];
}

function typeOf(candidates: readonly CatalogRoutine[], call: RoutineCall): number | undefined {
  // Of what has no type yet, the server makes a text where one is taken.
  const types = call.arguments.map(({ typeOid, fixed, sources }) =>
    typeOid === UNKNOWN_TYPE || (typeOid === undefined && fixed !== undefined && sources.length === 0)
      ? 25
      : typeOid,
  );
  const exact = candidates.find(
    ({ argumentTypes }) =>
      argumentTypes.length === types.length && argumentTypes.every((type, at) => type === types[at]),
  );
  const results = new Set(
    (exact === undefined ? candidates : [exact]).map(({ returnTypeOid }) => returnTypeOid),
  );
  const [only] = results;
  const isKnown = results.size === 1 && only !== undefined && !PSEUDO.has(only);
  return isKnown && !candidates.some(({ returnsSet }) => returnsSet) ? only : undefined;
}

/** any, anyelement, anyarray, record … */
const PSEUDO: ReadonlySet<number> = new Set([
  2276, 2283, 2277, 2776, 3500, 3831, 4537, 4538, 5077, 5078, 5079, 5080, 2249, 2287, 2278,
]);

/** Nothing regulated goes in. What is computed from constants alone is still the caller's choice, one for each such expression. */
function unregulatedOf(
  candidates: readonly CatalogRoutine[],
  call: RoutineCall,
  typeOid: number | undefined,
): Value {
  const free = freeOf(typeOid);
  const isPlain = candidates.every(
    ({ volatility, returnsSet, kind }) => volatility === 'immutable' && !returnsSet && kind === 'function',
  );
  if (!isPlain || call.isStar || call.arguments.length === 0) return free;
  const all: Fixed[] = [];
  for (const { fixed, isOther } of call.arguments) {
    if (isOther) return free;
    if (fixed !== undefined) all.push(fixed);
  }
  if (typeOid === undefined || !isScalar(typeOid)) return free;
  const { name } = candidates[0]!;
  const parameters = all.flatMap((fixed) => fixed.parameters);
  if (parameters.length > 0) {
    // Two parameters, or one and a constant, make more values than are counted.
    const isOne = call.arguments.length === 1 && KEEPING.has(name) && all[0]?.constants.length === 0;
    return isOne ? { ...free, fixed: all[0], isOther: false } : free;
  }
  if (call.arguments.some(({ fixed }) => (fixed?.constants.length ?? 0) > 1)) return free;
  const written = call.arguments.map(({ fixed }) => fixed?.constants[0] ?? null);
  const constants = all.length === 0 ? [] : [computedText([name, ...written])];
  return { ...free, fixed: { constants, parameters: [], arrays: [] }, isOther: false };
}

/** What they make of one parameter is as good as the parameter. */
const KEEPING: ReadonlySet<string> = new Set(['lower', 'upper', 'btrim', 'text', 'date']);

/** Arrays and what else holds several values are not one choice: `= ANY(f('1,2,3'))`. */
const SCALARS: ReadonlySet<number> = new Set([
  16, 17, 18, 19, 20, 21, 23, 25, 26, 700, 701, 829, 869, 650, 1042, 1043, 1082, 1083, 1114, 1184, 1186, 1266,
  1700, 2950,
]);
const isScalar = (typeOid: number): boolean => SCALARS.has(typeOid);

function holds(condition: Condition | undefined, call: RoutineCall, { catalog }: LineageContext): boolean {
  const { arguments: given, constants } = call;
  const regulated = given.filter((value) => isRegulated(value));
  const types = regulated.map(({ typeOid }) => typeOid);
  switch (condition) {
    case undefined:
      return true;
    case 'integer-second':
      return INTEGERS.has(given[1]?.typeOid ?? 0);
    case 'short-constants':
      return given.every((value, at) => isRegulated(value) || (constants[at]?.length ?? Infinity) <= 1000);
    case 'constant-format':
      return (
        constants[0] !== undefined &&
        !constants[0].includes('*') &&
        !isRegulated(given[0]!) &&
        !call.isVariadic
      );
    case 'utf8':
      return /^utf-?8$/iu.test(constants[1] ?? '');
    case 'fraction':
      return types.every((type) => type !== undefined && FRACTIONS.has(type));
    case 'number':
      return types.every((type) => type !== undefined && (FRACTIONS.has(type) || INTEGERS.has(type)));
    case 'no-array':
      return types.every((type) => type !== undefined && catalog.typeByOid(type)?.arrayOf === undefined);
    case 'plain-number':
      return regulated.every(
        ({ how, typeOid }) =>
          typeOid !== undefined &&
          (INTEGERS.has(typeOid) ||
            typeOid === 701 ||
            typeOid === 700 ||
            (typeOid === 1700 && how === 'direct')),
      );
    default:
      return false;
  }
}

const INTEGERS: ReadonlySet<number> = new Set([20, 21, 23]);
const FRACTIONS: ReadonlySet<number> = new Set([700, 701, 1700]);

function totalOf(
  name: string,
  rule: TotalRule,
  call: RoutineCall,
  typeOid: number | undefined,
  context: LineageContext,
): Value {
  const given = call.arguments;
  if (isPooled(name, call, context)) return freeOf(typeOid ?? rule.returns);
  const [first] = given;
  const isText = first !== undefined && isTextType(first.typeOid, context.catalog);
  if (rule.form === 'same' && first !== undefined && given.length === 1 && isText) {
    return { ...first, how: 'derived', origin: undefined, fields: undefined, typeOid: 25 };
  }
  const others = given.filter((value) => !isRegulated(value));
  const isWhole = rule.form !== 'part' && formOf(given) !== 'part' && others.every(({ isOther }) => !isOther);
  return derivedOf(given, rule.returns ?? typeOid ?? sameType(name, given), isWhole ? 'whole' : 'part');
}

/** Of a column as it is, in a group that shows how many rows it has: a filter or an expression could pick one of them. */
function isPooled(name: string, call: RoutineCall, { rules }: LineageContext): boolean {
  return (
    POOLING.has(name) &&
    rules.aggregates.has(name) &&
    call.showsGroup &&
    !call.isDistinct &&
    !call.isWindow &&
    call.arguments.every(({ how }) => how === 'direct')
  );
}

/** Those whose result has the type of the argument. */
function sameType(name: string, [first]: readonly Value[]): number | undefined {
  return KEEPS_TYPE.has(name) ? first?.typeOid : undefined;
}

const KEEPS_TYPE: ReadonlySet<string> = new Set(
  'min max any_value first_value last_value lag lead nth_value abs round trunc ceil ceiling floor sign bit_and bit_or bit_xor mode'.split(
    ' ',
  ),
);

export { opaqueOf };
