/** Expressions: what the value of each carries. Every node that the grammar can put there is handled, or the lineage is unknown. */
import { constantText, findType } from '../../inspect/query/analyze-query.ts';
import { asKind, kindOf, stringsOf } from '../../inspect/parse/tree.ts';
import type { Node, NodeOf } from '../../inspect/parse/tree.ts';
import type { LineageContext, LineageScope, Value } from '../port.ts';
import { UnknownLineage } from '../port.ts';
import {
  FREE_VALUE,
  NULL_VALUE,
  UNKNOWN_TYPE,
  constantOf,
  derivedOf,
  eitherOf,
  freeOf,
  isRegulated,
  parameterOf,
  rowOf,
} from '../value.ts';
import { TEXT_TYPE, arrayTypeOf } from './array-types.ts';
import { valueOfColumnRef, valueOfIndirection } from './column-reference.ts';
import { conditionOf, nullTestOf } from './conditions.ts';
import { valueOfCall } from './function-call.ts';
import { JSON_EXPRESSIONS, valueOfJson } from './json-expressions.ts';
import { valueOfOperators } from './operators.ts';
import { compareEqual } from './comparison.ts';
import { asScope } from './scope.ts';
import type { Scope } from './scope.ts';
import { starFields } from './stars.ts';
import { valueOfSubLink } from './sublinks.ts';
import { valueOfXml } from './xml-expressions.ts';

export const BOOLEAN_TYPE = 16;

type Reader = (node: Node, scope: Scope | undefined, context: LineageContext) => Value;

/** Nodes whose value is none of the caller's and carries nothing. */
const FREE_KINDS: readonly string[] = [
  'CurrentOfExpr',
  'GroupingFunc',
  'MergeSupportFunc',
  'SQLValueFunction',
];

const READERS: Readonly<Record<string, Reader>> = {
  A_ArrayExpr: (node, scope, context) => arrayOf(asKind(node, 'A_ArrayExpr')!.elements, scope, context),
  A_Const: (node, _, context) => constantValue(asKind(node, 'A_Const')!, context),
  A_Expr: valueOfOperators,
  A_Indirection: (node, scope, context) => valueOfIndirection(asKind(node, 'A_Indirection')!, scope, context),
  BoolExpr: (node, scope, context) => {
    conditionOf(node, scope, context);
    return freeOf(BOOLEAN_TYPE);
  },
  BooleanTest: (node, scope, context) => {
    conditionOf(asKind(node, 'BooleanTest')!.arg, scope, context);
    return freeOf(BOOLEAN_TYPE);
  },
  CaseExpr: (node, scope, context) => caseOf(asKind(node, 'CaseExpr')!, scope, context),
  CoalesceExpr: (node, scope, context) =>
    computed(eitherOf(valuesOf(asKind(node, 'CoalesceExpr')!.args, scope, context))),
  CollateClause: (node, scope, context) => ({
    ...lineageOfExpression(asKind(node, 'CollateClause')!.arg!, scope, context),
    origin: undefined,
  }),
  ColumnRef: (node, scope, context) => valueOfColumnRef(asKind(node, 'ColumnRef')!, scope, context),
  FuncCall: (node, scope, context) => valueOfCall(asKind(node, 'FuncCall')!, scope, context),
  List: (node, scope, context) => eitherOf(valuesOf(asKind(node, 'List')!.items, scope, context)),
  MinMaxExpr: (node, scope, context) => {
    const value = eitherOf(valuesOf(asKind(node, 'MinMaxExpr')!.args, scope, context));
    // Which of them is greater is a matter of order.
    return isRegulated(value) ? { ...computed(value), form: 'part' } : computed(value);
  },
  NamedArgExpr: (node, scope, context) =>
    lineageOfExpression(asKind(node, 'NamedArgExpr')!.arg!, scope, context),
  NullTest: (node, scope, context) => nullTestOf(asKind(node, 'NullTest')!.arg, scope, context),
  ParamRef: (node, _, context) => parameterValue(asKind(node, 'ParamRef')!.number ?? 0, context),
  RowExpr: (node, scope, context) => rowValue(asKind(node, 'RowExpr')!.args, scope, context),
  SetToDefault: () => NULL_VALUE,
  SubLink: (node, scope, context) => valueOfSubLink(asKind(node, 'SubLink')!, scope, context),
  TypeCast: (node, scope, context) => castValue(asKind(node, 'TypeCast')!, scope, context),
  XmlExpr: valueOfXml,
  XmlSerialize: valueOfXml,
};

/** Kinds of node that `lineageOfExpression` takes. For the test that holds them against those of the analysis. */
export const LINEAGE_KINDS: readonly string[] = [...Object.keys(READERS), ...FREE_KINDS, ...JSON_EXPRESSIONS];

const readers: ReadonlyMap<string, Reader> = new Map(Object.entries(READERS));
const freeKinds: ReadonlySet<string> = new Set(FREE_KINDS);

/** @throws UnknownLineage for a node that is not known. */
export function lineageOfExpression(
  node: Node,
  scope: LineageScope | undefined,
  context: LineageContext,
): Value {
  const kind = kindOf(node);
  const read = readers.get(kind);
  if (read !== undefined) return read(node, asScope(scope), context);
  if (JSON_EXPRESSIONS.has(kind)) return valueOfJson(node, asScope(scope), context);
  if (freeKinds.has(kind)) return FREE_VALUE;
  throw new UnknownLineage(kind);
}

export function valuesOf(
  nodes: readonly Node[] | undefined,
  scope: Scope | undefined,
  context: LineageContext,
): readonly Value[] {
  return (nodes ?? []).map((node) => lineageOfExpression(node, scope, context));
}

/** No column as it is any more, whatever it was; what carries nothing stays what it is. */
export function computed(value: Value): Value {
  const plain: Value = { ...value, origin: undefined, fields: undefined };
  if (!isRegulated(value)) return plain;
  return { ...plain, how: 'derived', form: value.form === 'column' ? 'whole' : value.form };
}

const INTEGER = 23;
const LARGE_INTEGER = 20;
const NUMERIC = 1700;

/** Constants of the catalog's own texts are nobody's choice. */
function constantValue(constant: NodeOf<'A_Const'>, context: LineageContext): Value {
  if (constant.isnull === true) return { ...NULL_VALUE, typeOid: UNKNOWN_TYPE };
  const [text, typeOid] = textOf(constant);
  if (context.isCatalogText) return { ...NULL_VALUE, typeOid };
  if (constant.sval !== undefined) context.collector.constant(text);
  return constantOf(text, typeOid);
}

function textOf({ sval, ival, fval, boolval, bsval }: NodeOf<'A_Const'>): readonly [string, number] {
  if (sval !== undefined) return [sval.sval ?? '', UNKNOWN_TYPE];
  if (ival !== undefined) return [String(ival.ival ?? 0), INTEGER];
  if (fval !== undefined) {
    const text = fval.fval ?? '0';
    return [text, /^\d{1,18}$/u.test(text) ? LARGE_INTEGER : NUMERIC];
  }
  if (boolval !== undefined) return [String(boolval.boolval ?? false), BOOLEAN_TYPE];
  if (bsval !== undefined) return [bsval.bsval ?? '', 1560];
  throw new UnknownLineage('A_Const');
}

/** In the body of an SQL function `$n` is its argument. */
function parameterValue(number: number, { inlined }: LineageContext): Value {
  if (inlined === undefined) return parameterOf(number);
  return inlined.values[number - 1] ?? NULL_VALUE;
}

export const mayBeArray = ({ typeOid }: Value, { catalog }: LineageContext): boolean =>
  typeOid !== UNKNOWN_TYPE && (typeOid === undefined || catalog.typeByOid(typeOid)?.arrayOf !== undefined);

function arrayOf(
  elements: readonly Node[] | undefined,
  scope: Scope | undefined,
  context: LineageContext,
): Value {
  const values = valuesOf(elements, scope, context);
  const value = computed(eitherOf(values));
  // Arrays become one of more dimensions, if they are all of one size.
  if (values.length > 1 && values.some((each) => isRegulated(each) && mayBeArray(each, context)))
    context.collector.oracle('fallible', value.sources);
  // Constants without a type are texts.
  const areTexts = values.length > 0 && values.every(({ typeOid }) => typeOid === UNKNOWN_TYPE);
  const element = areTexts ? TEXT_TYPE : value.typeOid;
  return { ...value, typeOid: element === undefined ? undefined : arrayTypeOf(element, context.catalog) };
}

function rowValue(
  nodes: readonly Node[] | undefined,
  scope: Scope | undefined,
  context: LineageContext,
): Value {
  const values = (nodes ?? []).flatMap(
    (node) => starFields(node, scope, context) ?? [lineageOfExpression(node, scope, context)],
  );
  return rowOf(values.map((value, index) => ({ name: `f${String(index + 1)}`, value })));
}

/** What leaves a constant the caller's choice also when it is cast. */
function castValue(
  { arg, typeName }: NodeOf<'TypeCast'>,
  scope: Scope | undefined,
  context: LineageContext,
): Value {
  if (arg === undefined || typeName === undefined) throw new UnknownLineage('TypeCast');
  const value = context.routines.castOf(lineageOfExpression(arg, scope, context), typeName, context);
  if (value.typeOid !== undefined || (typeName.arrayBounds ?? []).length === 0) return value;
  const element = findType(stringsOf(typeName.names) ?? [], context.query);
  if (element === undefined || element === 'temporary') return value;
  return { ...value, typeOid: arrayTypeOf(element.oid, context.catalog) };
}

function caseOf(
  { arg, args, defresult }: NodeOf<'CaseExpr'>,
  scope: Scope | undefined,
  context: LineageContext,
): Value {
  const subject = arg === undefined ? undefined : lineageOfExpression(arg, scope, context);
  const results: Value[] = [];
  for (const node of args ?? []) {
    const when = asKind(node, 'CaseWhen');
    if (when?.expr === undefined || when.result === undefined) throw new UnknownLineage('CaseWhen');
    if (subject === undefined) conditionOf(when.expr, scope, context);
    else compareEqual(subject, lineageOfExpression(when.expr, scope, context), context);
    results.push(lineageOfExpression(when.result, scope, context));
  }
  results.push(defresult === undefined ? NULL_VALUE : lineageOfExpression(defresult, scope, context));
  return computed(eitherOf(results));
}

/** The text of a constant argument, for routines whose result depends on it. */
export const textOfConstant = (node: Node): string | undefined =>
  constantText(asKind(node, 'NamedArgExpr')?.arg ?? node);

/** What a value adds to whatever it is put into. */
export const derivedFrom = (
  nodes: readonly (Node | undefined)[],
  scope: Scope | undefined,
  context: LineageContext,
): Value =>
  derivedOf(
    nodes.filter((node) => node !== undefined).map((node) => lineageOfExpression(node, scope, context)),
  );
