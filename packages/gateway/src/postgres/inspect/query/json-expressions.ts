/** The SQL/JSON constructors and query functions (16 to 18). They compute; only their arguments and result types matter. */
import { asKind } from '../parse/tree.ts';
import type { Node, NodeOf } from '../parse/tree.ts';
import type { QueryContext } from './context.ts';
import { UnreadableStatement } from './demands.ts';
import { analyzeExpression, analyzeExpressions, analyzeSortList, analyzeWindow } from './expression.ts';
import { analyzeQueryNode } from './query-node.ts';
import type { Scope } from './scope.ts';
import { useTypeName } from './types.ts';

type JsonValue = NodeOf<'JsonValueExpr'>;

export const JSON_EXPRESSIONS: ReadonlySet<string> = new Set([
  'JsonObjectConstructor',
  'JsonArrayConstructor',
  'JsonArrayQueryConstructor',
  'JsonObjectAgg',
  'JsonArrayAgg',
  'JsonParseExpr',
  'JsonScalarExpr',
  'JsonSerializeExpr',
  'JsonFuncExpr',
  'JsonIsPredicate',
  'JsonValueExpr',
  'JsonKeyValue',
  'JsonArgument',
]);

export function analyzeJsonExpression(node: Node, scope: Scope | undefined, context: QueryContext): void {
  const value = asKind(node, 'JsonValueExpr');
  if (value !== undefined) return analyzeJsonValue(value, scope, context);
  const pair = asKind(node, 'JsonKeyValue');
  if (pair !== undefined) return analyzePair(pair, scope, context);
  const argument = asKind(node, 'JsonArgument');
  if (argument !== undefined) return analyzeJsonValue(argument.val, scope, context);
  const test = asKind(node, 'JsonIsPredicate');
  if (test !== undefined) return analyzeExpression(test.expr, scope, context);
  const query = asKind(node, 'JsonFuncExpr');
  if (query !== undefined) return analyzeJsonQuery(query, scope, context);
  return analyzeConstructor(node, scope, context);
}

function analyzeConstructor(node: Node, scope: Scope | undefined, context: QueryContext): void {
  const list = asKind(node, 'JsonObjectConstructor') ?? asKind(node, 'JsonArrayConstructor');
  if (list !== undefined) {
    useOutput(list.output, context);
    return analyzeExpressions(list.exprs, scope, context);
  }
  const single = asKind(node, 'JsonParseExpr') ?? asKind(node, 'JsonSerializeExpr');
  if (single !== undefined) {
    useOutput(single.output, context);
    return analyzeJsonValue(single.expr, scope, context);
  }
  const scalar = asKind(node, 'JsonScalarExpr');
  if (scalar !== undefined) {
    useOutput(scalar.output, context);
    return analyzeExpression(scalar.expr, scope, context);
  }
  const subquery = asKind(node, 'JsonArrayQueryConstructor');
  if (subquery !== undefined) {
    useOutput(subquery.output, context);
    analyzeQueryNode(subquery.query!, scope, context);
    return undefined;
  }
  return analyzeAggregate(node, scope, context);
}

function analyzeAggregate(node: Node, scope: Scope | undefined, context: QueryContext): void {
  const pairs = asKind(node, 'JsonObjectAgg');
  const values = asKind(node, 'JsonArrayAgg');
  if (pairs?.arg !== undefined) analyzePair(pairs.arg, scope, context);
  else if (values?.arg !== undefined) analyzeJsonValue(values.arg, scope, context);
  else throw new UnreadableStatement('unknown-expression');
  const aggregate = pairs ?? values!;
  // The field is called `constructor`, which every object has.
  if (!Object.hasOwn(aggregate, 'constructor')) return;
  const { output, agg_filter, agg_order, over } =
    aggregate.constructor as unknown as NodeOf<'JsonAggConstructor'>;
  useOutput(output, context);
  analyzeExpression(agg_filter, scope, context);
  analyzeSortList(agg_order, scope, context);
  if (over !== undefined) analyzeWindow(over, scope, context);
}

function analyzeJsonQuery(
  query: NodeOf<'JsonFuncExpr'>,
  scope: Scope | undefined,
  context: QueryContext,
): void {
  analyzeJsonValue(query.context_item, scope, context);
  analyzeExpression(query.pathspec, scope, context);
  analyzePassing(query.passing, scope, context);
  useOutput(query.output, context);
  analyzeJsonBehavior(query.on_empty, scope, context);
  analyzeJsonBehavior(query.on_error, scope, context);
}

function analyzePair(
  { key, value }: NodeOf<'JsonKeyValue'>,
  scope: Scope | undefined,
  context: QueryContext,
): void {
  analyzeExpression(key, scope, context);
  analyzeJsonValue(value, scope, context);
}

export function analyzeJsonValue(
  value: JsonValue | undefined,
  scope: Scope | undefined,
  context: QueryContext,
): void {
  analyzeExpression(value?.raw_expr, scope, context);
  analyzeExpression(value?.formatted_expr, scope, context);
}

export function analyzePassing(
  nodes: readonly Node[] | undefined,
  scope: Scope | undefined,
  context: QueryContext,
): void {
  for (const node of nodes ?? []) analyzeJsonValue(asKind(node, 'JsonArgument')?.val, scope, context);
}

/** ON EMPTY, ON ERROR: DEFAULT has an expression. */
export function analyzeJsonBehavior(
  behavior: NodeOf<'JsonBehavior'> | undefined,
  scope: Scope | undefined,
  context: QueryContext,
): void {
  analyzeExpression(behavior?.expr, scope, context);
}

function useOutput(output: NodeOf<'JsonOutput'> | undefined, context: QueryContext): void {
  useTypeName(output?.typeName, context);
}
