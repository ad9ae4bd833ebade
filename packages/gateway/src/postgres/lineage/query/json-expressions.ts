/**
 * The SQL/JSON constructors and query functions (16 to 18). Building JSON of values cannot fail; taking it apart can, by its text, unless the path is a plain one and
 * errors are null.
 */
import { constantText } from '../../inspect/query/analyze-query.ts';
import { asKind, kindOf, stringsOf } from '../../inspect/parse/tree.ts';
import type { Node, NodeOf } from '../../inspect/parse/tree.ts';
import type { LineageContext, Value } from '../port.ts';
import { UnknownLineage } from '../port.ts';
import { derivedOf, freeOf, isRegulated } from '../value.ts';
import { compareOtherwise, sourcesOf, tellControl } from './comparison.ts';
import { conditionOf } from './conditions.ts';
import { BOOLEAN_TYPE, derivedFrom, lineageOfExpression, valuesOf } from './expression.ts';
import { tellOrder, tellWindow } from './ordering.ts';
import { lineageOfQuery } from './query-node.ts';
import type { Scope } from './scope.ts';

type Reader = (node: Node, scope: Scope | undefined, context: LineageContext) => Value;

const READERS: Readonly<Record<string, Reader>> = {
  JsonArgument: (node, scope, context) => jsonValue(asKind(node, 'JsonArgument')!.val, scope, context),
  JsonArrayAgg: aggregated,
  JsonArrayConstructor: (node, scope, context) => {
    const { exprs, output } = asKind(node, 'JsonArrayConstructor')!;
    return returned(derivedOf(valuesOf(exprs, scope, context)), output, context);
  },
  JsonArrayQueryConstructor: (node, scope, context) => {
    const { query, output } = asKind(node, 'JsonArrayQueryConstructor')!;
    if (query === undefined) throw new UnknownLineage('JsonArrayQueryConstructor');
    const { columns } = lineageOfQuery(query, scope, context);
    return returned(derivedOf(columns.map(({ value }) => value)), output, context);
  },
  JsonFuncExpr: (node, scope, context) => queried(asKind(node, 'JsonFuncExpr')!, scope, context),
  JsonIsPredicate: (node, scope, context) => {
    const { expr } = asKind(node, 'JsonIsPredicate')!;
    const value = derivedFrom([expr], scope, context);
    compareOtherwise('pattern', [value], context);
    return context.isCatalogText ? value : freeOf(BOOLEAN_TYPE);
  },
  JsonKeyValue: pairOf,
  JsonObjectAgg: aggregated,
  JsonObjectConstructor: (node, scope, context) => {
    const { exprs, output } = asKind(node, 'JsonObjectConstructor')!;
    return returned(derivedOf(valuesOf(exprs, scope, context)), output, context);
  },
  JsonParseExpr: (node, scope, context) => {
    const { expr, output } = asKind(node, 'JsonParseExpr')!;
    const value = derivedOf([jsonValue(expr, scope, context)]);
    context.collector.oracle('fallible', value.sources);
    return returned(value, output, context);
  },
  JsonScalarExpr: (node, scope, context) => {
    const { expr, output } = asKind(node, 'JsonScalarExpr')!;
    return returned(derivedFrom([expr], scope, context), output, context);
  },
  JsonSerializeExpr: (node, scope, context) => {
    const { expr, output } = asKind(node, 'JsonSerializeExpr')!;
    return returned(derivedOf([jsonValue(expr, scope, context)]), output, context);
  },
  JsonValueExpr: (node, scope, context) => jsonValue(asKind(node, 'JsonValueExpr'), scope, context),
};

export const JSON_EXPRESSIONS: ReadonlySet<string> = new Set(Object.keys(READERS));

/** @throws UnknownLineage for what is not known. */
export function valueOfJson(node: Node, scope: Scope | undefined, context: LineageContext): Value {
  const read = READERS[kindOf(node)];
  if (read === undefined) throw new UnknownLineage(kindOf(node));
  return read(node, scope, context);
}

/** FORMAT JSON reads the text as JSON. */
function jsonValue(
  value: NodeOf<'JsonValueExpr'> | undefined,
  scope: Scope | undefined,
  context: LineageContext,
): Value {
  const { raw_expr: raw, formatted_expr: formatted, format } = value ?? {};
  const found = derivedFrom([raw, formatted], scope, context);
  const isPlain = format?.format_type === undefined || format.format_type === 'JS_FORMAT_DEFAULT';
  if (!isPlain) context.collector.oracle('fallible', found.sources);
  return found;
}

/** Keys can be null, or there twice. */
function pairOf(node: Node, scope: Scope | undefined, context: LineageContext): Value {
  const { key, value } = asKind(node, 'JsonKeyValue')!;
  const named = derivedFrom([key], scope, context);
  context.collector.oracle('fallible', named.sources);
  return derivedOf([named, jsonValue(value, scope, context)]);
}

function aggregated(node: Node, scope: Scope | undefined, context: LineageContext): Value {
  const pairs = asKind(node, 'JsonObjectAgg');
  const values = asKind(node, 'JsonArrayAgg');
  const found =
    pairs?.arg === undefined
      ? jsonValue(values?.arg, scope, context)
      : pairOf({ JsonKeyValue: pairs.arg }, scope, context);
  const aggregate = pairs ?? values;
  // The field is called `constructor`, which every object has.
  if (aggregate === undefined || !Object.hasOwn(aggregate, 'constructor')) return found;
  const details = aggregate.constructor as unknown as NodeOf<'JsonAggConstructor'>;
  conditionOf(details.agg_filter, scope, context);
  tellOrder(details.agg_order, scope, context);
  if (details.over !== undefined) tellWindow(details.over, scope, context);
  return returned(found, details.output, context);
}

/** Types that take any JSON as it is. */
const TOTAL_TYPES: ReadonlySet<string> = new Set(['text', 'json', 'jsonb']);

/** RETURNING: a type that cannot take every value fails for some. */
function returned(
  value: Value,
  output: NodeOf<'JsonOutput'> | undefined,
  { collector }: LineageContext,
): Value {
  if (!isTotalOutput(output)) collector.oracle('fallible', value.sources);
  return value;
}

function isTotalOutput(output: NodeOf<'JsonOutput'> | undefined): boolean {
  const type = output?.typeName;
  if (type === undefined) return true;
  const parts = stringsOf(type.names) ?? [];
  const isBuiltIn = parts.length === 1 || (parts.length === 2 && parts[0] === 'pg_catalog');
  return isBuiltIn && type.arrayBounds === undefined && TOTAL_TYPES.has(parts.at(-1) ?? '');
}

/** `$`, `$.name`, `$."a b"[0]`: nothing in it takes long, and there is at most one such thing. */
const PLAIN_PATH = /^\s*(?:strict\s+|lax\s+)?\$(?:\.\w+|\."[^"\\]*"|\[\d+\])*\s*$/u;

/** JSON_VALUE, JSON_QUERY and JSON_EXISTS. */
function queried(query: NodeOf<'JsonFuncExpr'>, scope: Scope | undefined, context: LineageContext): Value {
  const document = jsonValue(query.context_item, scope, context);
  const path = query.pathspec;
  for (const node of query.passing ?? []) {
    tellControl(jsonValue(asKind(node, 'JsonArgument')?.val, scope, context), context);
  }
  if (path !== undefined) tellControl(lineageOfExpression(path, scope, context), context);
  const behaviors = [query.on_empty, query.on_error];
  const defaults = valuesOf(
    behaviors.flatMap((behavior) => behaviorNodes(behavior)),
    scope,
    context,
  );
  const value = derivedOf([document, ...defaults]);
  if (!isRegulated(value)) return value;
  const isTotal =
    PLAIN_PATH.test(constantText(path) ?? '') &&
    isTotalOutput(query.output) &&
    behaviors.every((behavior) => behavior?.btype !== 'JSON_BEHAVIOR_ERROR');
  if (!isTotal) context.collector.oracle('fallible', sourcesOf([document, ...defaults]));
  return value;
}

/** ON EMPTY, ON ERROR: DEFAULT has an expression. */
export const behaviorNodes = (behavior: NodeOf<'JsonBehavior'> | undefined): readonly Node[] =>
  behavior?.expr === undefined ? [] : [behavior.expr];
