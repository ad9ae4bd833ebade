/** Operators: which compare, which order, and which only compute. */
import type { OracleReason } from '../../../masking/lineage.ts';
import type { Catalog, CatalogOperator } from '../../catalog/catalog.ts';
import { reachOfRoutine } from '../../inspect/routines/classify-routine.ts';
import type { Behaviour, LineageContext, Value } from '../port.ts';
import { UNKNOWN_TYPE, isRegulated } from '../value.ts';
import { INT4, INT8, JSONB, JSON_TYPE, NUMERIC, TEXT } from './built-ins.ts';
import { isTextType } from './casts.ts';

const EQUALITY: ReadonlySet<string> = new Set(['=', '<>', '!=', '*=', '*<>']);

const REASONS: ReadonlyMap<string, OracleReason> = new Map(
  (
    [
      ['range', '< <= > >= *< *<= *> *>= ~<~ ~<=~ ~>~ ~>=~ <<| |>> &< &> -|- <-> <#> <^ >^ ## <=>'],
      ['pattern', '~~ !~~ ~~* !~~* ~ !~ ~* !~* ^@ @@ @@@ @> <@ && ? ?| ?& @? %> <% %>> <<% ~~~ ~=~ ~<> !!'],
    ] as const
  ).flatMap(([reason, names]) => names.split(' ').map((name) => [name, reason] as const)),
);

const INTEGERS: ReadonlySet<number> = new Set([21, INT4, INT8]);
const FLOATS: ReadonlySet<number> = new Set([700, 701]);
const BYTEA = 17;

const FALLIBLE: Behaviour = { kind: 'oracle', reason: 'fallible' };
const part = (typeOid?: number): Behaviour => ({ kind: 'total', typeOid, form: 'part' });

export function operatorOf(
  parts: readonly string[],
  left: Value | undefined,
  right: Value,
  context: LineageContext,
): Behaviour {
  const name = parts.at(-1) ?? '';
  const own = ownOperators(parts, left, right, context);
  const [first] = own;
  if (first !== undefined)
    return ofExtension(own, name, context.catalog) ?? { kind: 'unknown', object: `${first.schema}.${name}` };
  if (EQUALITY.has(name)) return { kind: 'equality' };
  const computed =
    left === undefined ? prefixOf(name, right) : computedOf(name, left, right, context.catalog);
  if (computed !== undefined) return computed;
  const reason = REASONS.get(name);
  return reason === undefined ? FALLIBLE : { kind: 'oracle', reason };
}

/** Those that someone made and that may be meant: by name along the path, unless the types of both sides are known and others. */
function ownOperators(
  parts: readonly string[],
  left: Value | undefined,
  right: Value,
  { catalog, names }: LineageContext,
): readonly CatalogOperator[] {
  const name = parts.at(-1) ?? '';
  const schema = parts.at(-2);
  const schemas = catalog.schemasWith('operator', name).filter((one) => one !== 'pg_catalog');
  if (schemas.length === 0 && schema !== 'pg_catalog' && schema !== undefined) return [];
  const places =
    schema === undefined
      ? schemas.filter((one) => names.searchPath === undefined || names.searchPath.includes(one))
      : [schema].filter((one) => one !== 'pg_catalog');
  const builtIn =
    schema === undefined || schema === 'pg_catalog' ? catalog.operators('pg_catalog', name) : [];
  const all = [...places.flatMap((one) => catalog.operators(one, name)), ...builtIn];
  return all.filter((operator) => {
    const isServers = operator.schema === 'pg_catalog' && operator.routineOid < FIRST_OWN_OID;
    return !isServers && mayTake(operator.leftTypeOid, left) && mayTake(operator.rightTypeOid, right);
  });
}

const FIRST_OWN_OID = 16_384;
/** anyelement and its kin; any own type may be reached by a cast, so only types of the server are told apart. */
const POLYMORPHIC: ReadonlySet<number> = new Set([
  2283, 2277, 2776, 3500, 3831, 5077, 5078, 5079, 5080, 4537, 4538, 2276, 2249,
]);

function mayTake(typeOid: number, value: Value | undefined): boolean {
  if (value === undefined) return typeOid === 0;
  if (typeOid === 0) return false;
  const known = value.typeOid;
  if (known === undefined || known === UNKNOWN_TYPE || known >= FIRST_OWN_OID) return true;
  return typeOid === known || POLYMORPHIC.has(typeOid);
}

/** Operators of extensions that only compute mean what the server's of that name mean. */
function ofExtension(own: readonly CatalogOperator[], name: string, catalog: Catalog): Behaviour | undefined {
  const isKnown = own.every(({ routineOid }) => {
    const routine = catalog.routineByOid(routineOid);
    return routine?.extension !== undefined && reachOfRoutine(routine) === 'harmless';
  });
  if (!isKnown) return undefined;
  if (EQUALITY.has(name)) return { kind: 'equality' };
  const reason = REASONS.get(name);
  return reason === undefined ? FALLIBLE : { kind: 'oracle', reason };
}

function prefixOf(name: string, { typeOid = 0 }: Value): Behaviour | undefined {
  const isFraction = typeOid === NUMERIC || FLOATS.has(typeOid);
  switch (name) {
    case '+':
      return part(typeOid === 0 ? undefined : typeOid);
    case '-':
    case '@':
      return isFraction ? part(typeOid) : FALLIBLE;
    case '~':
      return INTEGERS.has(typeOid) ? part(typeOid) : FALLIBLE;
    default:
      return undefined;
  }
}

function computedOf(name: string, left: Value, right: Value, catalog: Catalog): Behaviour | undefined {
  switch (name) {
    case '||':
      return concatenationOf(left, right, catalog);
    case '->':
    case '#>':
      return isRegulated(right) ? { kind: 'oracle', reason: 'control' } : jsonOf(left, left.typeOid);
    case '->>':
    case '#>>':
      return isRegulated(right) ? { kind: 'oracle', reason: 'control' } : jsonOf(left, TEXT);
    case '+':
    case '-':
    case '*':
    case '/':
    case '%':
      return arithmeticOf(name, left, right);
    case '&':
    case '|':
    case '#': {
      const areIntegers = INTEGERS.has(left.typeOid ?? 0) && INTEGERS.has(right.typeOid ?? 0);
      return areIntegers ? part(left.typeOid) : FALLIBLE;
    }
    case '<<':
    case '>>': {
      const areIntegers = INTEGERS.has(left.typeOid ?? 0) && INTEGERS.has(right.typeOid ?? 0);
      return areIntegers ? part(left.typeOid) : { kind: 'oracle', reason: 'range' };
    }
    default:
      return undefined;
  }
}

function jsonOf({ typeOid }: Value, result: number | undefined): Behaviour {
  return typeOid === JSON_TYPE || typeOid === JSONB || typeOid === undefined ? part(result) : FALLIBLE;
}

const isLiteral = ({ typeOid }: Value): boolean => typeOid === UNKNOWN_TYPE;

/** Of text: never fails. Arrays of different dimensions cannot be put together, and JSON has shapes that cannot. */
function concatenationOf(left: Value, right: Value, catalog: Catalog): Behaviour {
  const isText = ({ typeOid }: Value): boolean => isTextType(typeOid, catalog);
  const isArray = ({ typeOid }: Value): boolean =>
    typeOid === undefined || catalog.typeByOid(typeOid)?.arrayOf !== undefined;
  const carrying = [left, right].filter((value) => isRegulated(value));
  if (carrying.every((value) => isText(value) && !isLiteral(value)))
    return { kind: 'total', typeOid: TEXT, form: 'whole' };
  if (isText(left) && !isLiteral(left) && !isArray(right))
    return { kind: 'total', typeOid: TEXT, form: 'whole' };
  if (isText(right) && !isLiteral(right) && !isArray(left))
    return { kind: 'total', typeOid: TEXT, form: 'whole' };
  if (left.typeOid === BYTEA && right.typeOid === BYTEA)
    return { kind: 'total', typeOid: BYTEA, form: 'whole' };
  const [only] = carrying;
  const isElement = carrying.length === 1 && only !== undefined && !isArray(only) && !isLiteral(only);
  const other = only === left ? right : left;
  return isElement && other.typeOid !== undefined && isArray(other) ? part(other.typeOid) : FALLIBLE;
}

/**
 * numeric has no end that a few constants reach. Integers and floating point have: adding to a value, or multiplying it, until it overflows would tell it bit by bit.
 */
function arithmeticOf(name: string, left: Value, right: Value): Behaviour {
  const regulated = [left, right].filter((value) => isRegulated(value));
  const others = [left, right].filter((value) => !isRegulated(value));
  const isNumeric = regulated.every(({ typeOid }) => typeOid === NUMERIC);
  const isModest = others.every((value) => modestNumber(value) !== undefined);
  if (isNumeric && isModest) {
    if (name === '+' || name === '-' || name === '*') return part(NUMERIC);
    const divisor = modestNumber(right);
    return divisor !== undefined && divisor !== 0 ? part(NUMERIC) : FALLIBLE;
  }
  const isFloat = regulated.every(({ typeOid }) => FLOATS.has(typeOid ?? 0));
  if (isFloat && isModest && (name === '+' || name === '-')) return part(701);
  return FALLIBLE;
}

const MODEST = 1e15;
const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)$/u;

/** A constant of a size that reports have. A float makes the whole floating point, and so does not count. */
function modestNumber(value: Value): number | undefined {
  const { fixed, isOther, typeOid } = value;
  if (fixed === undefined || isOther || fixed.parameters.length > 0 || fixed.constants.length !== 1)
    return undefined;
  if (typeOid !== undefined && !INTEGERS.has(typeOid) && typeOid !== NUMERIC && typeOid !== UNKNOWN_TYPE)
    return undefined;
  const [text = ''] = fixed.constants;
  if (text.length > 40 || !NUMBER.test(text)) return undefined;
  const number = Number(text);
  return Math.abs(number) <= MODEST ? number : undefined;
}
