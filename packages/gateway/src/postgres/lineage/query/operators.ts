/** A_Expr: operators of every kind of syntax. */
import { asKind, stringsOf } from '../../inspect/parse/tree.ts';
import type { Node, NodeOf } from '../../inspect/parse/tree.ts';
import type { Behaviour, Fixed, LineageContext, Value } from '../port.ts';
import { UnknownLineage } from '../port.ts';
import {
  NULL_VALUE,
  computedText,
  constantOf,
  derivedOf,
  eitherOf,
  formOf,
  freeOf,
  isRegulated,
  isTooLarge,
  unknownOf,
} from '../value.ts';
import { elementsOfLiteral } from './array-literal.ts';
import { compareEqual, compareOtherwise, sourcesOf } from './comparison.ts';
import { nameInCatalog } from './conjuncts.ts';
import { BOOLEAN_TYPE, computed, lineageOfExpression, valuesOf } from './expression.ts';
import type { Scope } from './scope.ts';

/** @throws UnknownLineage for a kind of operator that is not known. */
export function valueOfOperators(node: Node, scope: Scope | undefined, context: LineageContext): Value {
  const expression = asKind(node, 'A_Expr')!;
  const { kind, lexpr, rexpr } = expression;
  const left = lexpr === undefined ? undefined : lineageOfExpression(lexpr, scope, context);
  if (asksForDefault(expression, context)) return freeOf(BOOLEAN_TYPE);
  switch (kind) {
    case 'AEXPR_OP':
    case 'AEXPR_LIKE':
    case 'AEXPR_ILIKE':
    case 'AEXPR_SIMILAR':
    case 'AEXPR_DISTINCT':
    case 'AEXPR_NOT_DISTINCT':
      return operate(partsOfName(expression), left, rightOf(rexpr, scope, context), context);
    case 'AEXPR_OP_ANY':
    case 'AEXPR_OP_ALL':
      return operate(partsOfName(expression), left, elementsOf(rexpr, scope, context), context);
    case 'AEXPR_IN':
      return inList(partsOfName(expression), left!, rexpr, scope, context);
    case 'AEXPR_NULLIF':
      operate(partsOfName(expression), left, rightOf(rexpr, scope, context), context);
      return computed(left ?? NULL_VALUE);
    case 'AEXPR_BETWEEN':
    case 'AEXPR_NOT_BETWEEN':
    case 'AEXPR_BETWEEN_SYM':
    case 'AEXPR_NOT_BETWEEN_SYM': {
      const bounds = valuesOf(asKind(rexpr, 'List')?.items, scope, context);
      return eitherOf(bounds.map((bound) => operate(['>='], left, bound, context)));
    }
    default:
      throw new UnknownLineage('A_Expr');
  }
}

/** `pg_get_expr(c.relpartbound, c.oid) = 'DEFAULT'`, by which psql's `\d` orders partitions: a bound with a value in it never is that. */
function asksForDefault({ kind, name, lexpr, rexpr }: NodeOf<'A_Expr'>, context: LineageContext): boolean {
  if (kind !== 'AEXPR_OP' || asKind(rexpr, 'A_Const')?.sval?.sval !== 'DEFAULT') return false;
  const call = asKind(lexpr, 'FuncCall');
  const [schema, routine] = stringsOf(call?.funcname) ?? [];
  const [bound] = call?.args ?? [];
  if (schema !== 'pg_catalog' || routine !== 'pg_get_expr') return false;
  if (stringsOf(asKind(bound, 'ColumnRef')?.fields)?.at(-1) !== 'relpartbound') return false;
  return nameInCatalog(stringsOf(name), 'operator', context) === '=';
}

function partsOfName({ name }: NodeOf<'A_Expr'>): readonly string[] {
  const parts = stringsOf(name);
  if (parts === undefined || parts.length === 0) throw new UnknownLineage('A_Expr');
  return parts;
}

function rightOf(node: Node | undefined, scope: Scope | undefined, context: LineageContext): Value {
  if (node === undefined) throw new UnknownLineage('A_Expr');
  return lineageOfExpression(node, scope, context);
}

/** What an operator makes of its operands; what it tells is told. */
export function operate(
  parts: readonly string[],
  left: Value | undefined,
  right: Value,
  context: LineageContext,
): Value {
  const operands = left === undefined ? [right] : [left, right];
  const behaviour = context.routines.operatorOf(parts, left, right, context);
  switch (behaviour.kind) {
    case 'total': {
      const value = totalOf(parts, operands, behaviour);
      if (isTooLarge(value)) context.collector.oracle('fallible', value.sources);
      return value;
    }
    case 'equality':
      if (left === undefined) throw new UnknownLineage('A_Expr');
      compareEqual(left, right, context);
      return told(operands, context);
    case 'oracle':
      compareOtherwise(behaviour.reason, operands, context);
      // What can fail gives a value otherwise.
      return behaviour.reason === 'fallible' || behaviour.reason === 'opaque'
        ? derivedOf(operands)
        : told(operands, context);
    default: {
      const sources = sourcesOf(operands);
      context.collector.oracle('opaque', sources);
      const unknown = context.collector.source({ kind: 'unknown', object: behaviour.object });
      return unknownOf([...sources, unknown]);
    }
  }
}

/** The result of a comparison is free, as what it tells was told; in a catalog's text, where some of it is not, it is not. */
const told = (operands: readonly Value[], { isCatalogText }: LineageContext): Value =>
  isCatalogText ? derivedOf(operands, BOOLEAN_TYPE) : freeOf(BOOLEAN_TYPE);

function totalOf(
  parts: readonly string[],
  operands: readonly Value[],
  { form, typeOid }: Extract<Behaviour, { kind: 'total' }>,
): Value {
  if (!operands.some((operand) => isRegulated(operand))) return unregulated(parts, operands, typeOid);
  const worst = formOf(operands);
  // Put together with something else it is no column's value any more.
  const same = worst === 'column' ? 'whole' : worst;
  return derivedOf(operands, typeOid, form === 'same' || same === 'part' ? same : form);
}

/** Constants put together are one constant: the caller's choice still. */
function unregulated(
  parts: readonly string[],
  operands: readonly Value[],
  typeOid: number | undefined,
): Value {
  if (operands.some(({ isOther }) => isOther)) return freeOf(typeOid);
  const fixed = operands.map((operand) => operand.fixed);
  if (fixed.every((one) => one === undefined)) return { ...NULL_VALUE, typeOid };
  if (fixed.some((one) => one !== undefined && one.parameters.length > 0)) return freeOf(typeOid);
  const texts = fixed.map((one) => one?.constants ?? []);
  const [only] = texts[0] ?? [];
  if (texts.length === 1 && only !== undefined && parts.at(-1) === '-')
    return constantOf(`-${only}`, typeOid);
  return constantOf(computedText([parts, ...texts]), typeOid);
}

function inList(
  parts: readonly string[],
  left: Value,
  right: Node | undefined,
  scope: Scope | undefined,
  context: LineageContext,
): Value {
  const elements = valuesOf(asKind(right, 'List')?.items, scope, context);
  const isPlain = left.fields === undefined && elements.every(({ fields }) => fields === undefined);
  if (isPlain) return operate(parts, left, eitherOf(elements), context);
  return eitherOf(elements.map((element) => operate(parts, left, element, context)));
}

/** The elements of an array, as ANY and ALL compare them. */
function elementsOf(node: Node | undefined, scope: Scope | undefined, context: LineageContext): Value {
  const value = rightOf(node, scope, context);
  if (value.fixed === undefined || isListed(node)) return value;
  return { ...value, fixed: spread(value.fixed) };
}

/** ARRAY[…]: each element is one already. */
function isListed(node: Node | undefined): boolean {
  const cast = asKind(node, 'TypeCast');
  if (cast !== undefined) return isListed(cast.arg);
  return asKind(node, 'A_ArrayExpr') !== undefined;
}

const spread = ({ constants, parameters }: Fixed): Fixed => ({
  constants: constants.flatMap((text) => elementsOfLiteral(text)),
  parameters,
  arrays: parameters,
});
