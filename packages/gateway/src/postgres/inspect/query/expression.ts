/** Expressions: every node that the grammar can put there is handled or refused, none is passed over. */
import { asKind, kindOf, stringsOf } from '../parse/tree.ts';
import type { Node, NodeKind, NodeOf } from '../parse/tree.ts';
import { analyzeColumnRef, analyzeIndirection, readStar } from './column-reference.ts';
import type { QueryContext } from './context.ts';
import { UnreadableStatement } from './demands.ts';
import { analyzeFunctionCall } from './function-call.ts';
import { JSON_EXPRESSIONS, analyzeJsonExpression } from './json-expressions.ts';
import { useOperator } from './names.ts';
import { noteSubLinkName } from './output-names.ts';
import { analyzeQueryNode } from './query-node.ts';
import type { Scope } from './scope.ts';
import { useTypeName } from './types.ts';

/** Nodes of which nothing matters but the expressions in these fields. */
const PLAIN: { readonly [K in NodeKind]?: readonly (keyof NodeOf<K>)[] } = {
  A_ArrayExpr: ['elements'],
  A_Const: [],
  BoolExpr: ['args'],
  BooleanTest: ['arg'],
  CaseWhen: ['expr', 'result'],
  CoalesceExpr: ['args'],
  CollateClause: ['arg'],
  CurrentOfExpr: [],
  GroupingFunc: ['args'],
  GroupingSet: ['content'],
  List: ['items'],
  MergeSupportFunc: [],
  MinMaxExpr: ['args'],
  MultiAssignRef: ['source'],
  NamedArgExpr: ['arg'],
  NullTest: ['arg'],
  ParamRef: [],
  ResTarget: ['val'],
  SQLValueFunction: [],
  SetToDefault: [],
  XmlExpr: ['named_args', 'args'],
};

const plainFields: ReadonlyMap<string, readonly string[]> = new Map(Object.entries(PLAIN));

/** Kinds of node that `analyzeExpression` takes. For the test that holds them against the grammar. */
export const EXPRESSION_KINDS: readonly string[] = [
  ...plainFields.keys(),
  ...JSON_EXPRESSIONS,
  'A_Expr',
  'A_Indirection',
  'CaseExpr',
  'ColumnRef',
  'FuncCall',
  'RowExpr',
  'SubLink',
  'TypeCast',
  'XmlSerialize',
];

export function analyzeExpressions(
  nodes: readonly Node[] | undefined,
  scope: Scope | undefined,
  context: QueryContext,
): void {
  for (const node of nodes ?? []) analyzeExpression(node, scope, context);
}

/**
 * Adds what an expression reads and runs to the context's demands.
 *
 * @throws UnreadableStatement for a node that is not known.
 */
export function analyzeExpression(
  node: Node | undefined,
  scope: Scope | undefined,
  context: QueryContext,
): void {
  if (node === undefined) return;
  context.demands.hasExpressions = true;
  const kind = kindOf(node);
  const fields = plainFields.get(kind);
  if (fields !== undefined) analyzeFields(node, kind, fields, scope, context);
  else analyzeByKind(kind, node, scope, context);
}

function analyzeFields(
  node: Node,
  kind: string,
  names: readonly string[],
  scope: Scope | undefined,
  context: QueryContext,
): void {
  const fields = (
    node as unknown as Readonly<Record<string, Readonly<Record<string, Node | readonly Node[] | undefined>>>>
  )[kind]!;
  for (const name of names) {
    const field = fields[name];
    if (Array.isArray(field)) analyzeExpressions(field as readonly Node[], scope, context);
    else analyzeExpression(field as Node | undefined, scope, context);
  }
}

function analyzeByKind(kind: string, node: Node, scope: Scope | undefined, context: QueryContext): void {
  switch (kind) {
    case 'ColumnRef':
      return analyzeColumnRef(asKind(node, 'ColumnRef')!, scope, context);
    case 'A_Expr':
      return analyzeOperators(node, scope, context);
    case 'FuncCall':
      return analyzeFunctionCall(asKind(node, 'FuncCall')!, scope, context);
    case 'A_Indirection':
      return analyzeIndirection(asKind(node, 'A_Indirection')!, scope, context);
    case 'TypeCast': {
      const { arg, typeName } = asKind(node, 'TypeCast')!;
      useTypeName(typeName, context);
      return analyzeExpression(arg, scope, context);
    }
    case 'RowExpr':
      analyzeRow(asKind(node, 'RowExpr')!.args, scope, context);
      return undefined;
    case 'SubLink':
      return analyzeSubLink(asKind(node, 'SubLink')!, scope, context);
    case 'CaseExpr':
      return analyzeCase(asKind(node, 'CaseExpr')!, scope, context);
    case 'XmlSerialize': {
      const { expr, typeName } = asKind(node, 'XmlSerialize')!;
      useTypeName(typeName, context);
      return analyzeExpression(expr, scope, context);
    }
    default:
      if (!JSON_EXPRESSIONS.has(kind)) throw new UnreadableStatement('unknown-expression');
      return analyzeJsonExpression(node, scope, context);
  }
}

/** Chains of operators lean to the left, so that side is walked, not recursed into. */
function analyzeOperators(first: Node, scope: Scope | undefined, context: QueryContext): void {
  let node: Node | undefined = first;
  while (node !== undefined) {
    const expression: NodeOf<'A_Expr'> | undefined = asKind(node, 'A_Expr');
    if (expression === undefined) return analyzeExpression(node, scope, context);
    useOperatorsOf(expression, context);
    analyzeExpression(expression.rexpr, scope, context);
    node = expression.lexpr;
  }
  return undefined;
}

/** What BETWEEN compares with: looked up along the path like any operator. */
const BETWEEN_OPERATORS: readonly string[] = ['>=', '<='];
const NOT_BETWEEN_OPERATORS: readonly string[] = ['<', '>'];

function useOperatorsOf({ kind, name }: NodeOf<'A_Expr'>, context: QueryContext): void {
  switch (kind) {
    case 'AEXPR_BETWEEN':
    case 'AEXPR_BETWEEN_SYM':
      for (const operator of BETWEEN_OPERATORS) useOperator([operator], context);
      return;
    case 'AEXPR_NOT_BETWEEN':
    case 'AEXPR_NOT_BETWEEN_SYM':
      for (const operator of NOT_BETWEEN_OPERATORS) useOperator([operator], context);
      return;
    case 'AEXPR_OP':
    case 'AEXPR_OP_ANY':
    case 'AEXPR_OP_ALL':
    case 'AEXPR_DISTINCT':
    case 'AEXPR_NOT_DISTINCT':
    case 'AEXPR_NULLIF':
    case 'AEXPR_IN':
    case 'AEXPR_LIKE':
    case 'AEXPR_ILIKE':
    case 'AEXPR_SIMILAR':
      useNamedOperator(name, context);
      return;
    default:
      throw new UnreadableStatement('unknown-expression');
  }
}

function useNamedOperator(name: readonly Node[] | undefined, context: QueryContext): void {
  const parts = stringsOf(name);
  if (parts === undefined || parts.length === 0) throw new UnreadableStatement('unknown-expression');
  useOperator(parts, context);
}

function analyzeSubLink(link: NodeOf<'SubLink'>, scope: Scope | undefined, context: QueryContext): void {
  analyzeExpression(link.testexpr, scope, context);
  if (link.operName !== undefined) useNamedOperator(link.operName, context);
  else if (link.subLinkType === 'ANY_SUBLINK') useOperator(['='], context);
  const output = analyzeQueryNode(link.subselect!, scope, context);
  const [name] = output.columns;
  if (name !== undefined) noteSubLinkName(link, name);
}

function analyzeCase(
  { arg, args, defresult }: NodeOf<'CaseExpr'>,
  scope: Scope | undefined,
  context: QueryContext,
): void {
  // CASE x WHEN y compares with the `=` that the path finds.
  if (arg !== undefined) useOperator(['='], context);
  analyzeExpression(arg, scope, context);
  analyzeExpressions(args, scope, context);
  analyzeExpression(defresult, scope, context);
}

/** In ROW(…) and VALUES a star is expanded. @returns whether there was one. */
export function analyzeRow(
  nodes: readonly Node[] | undefined,
  scope: Scope | undefined,
  context: QueryContext,
): boolean {
  let hasStar = false;
  for (const node of nodes ?? []) {
    if (readStar(node, scope)) hasStar = true;
    else analyzeExpression(node, scope, context);
  }
  return hasStar;
}

/** ORDER BY inside of an aggregate or window: expressions only, no names of the output. */
export function analyzeSortList(
  nodes: readonly Node[] | undefined,
  scope: Scope | undefined,
  context: QueryContext,
): void {
  for (const node of nodes ?? []) {
    const sort = asKind(node, 'SortBy');
    if (sort === undefined) throw new UnreadableStatement('unknown-expression');
    useSortOperator(sort, context);
    analyzeExpression(sort.node, scope, context);
  }
}

/** ORDER BY … USING operator. */
export function useSortOperator({ useOp }: NodeOf<'SortBy'>, context: QueryContext): void {
  if (useOp !== undefined) useNamedOperator(useOp, context);
}

export function analyzeWindow(
  window: NodeOf<'WindowDef'>,
  scope: Scope | undefined,
  context: QueryContext,
): void {
  analyzeExpressions(window.partitionClause, scope, context);
  analyzeSortList(window.orderClause, scope, context);
  analyzeExpression(window.startOffset, scope, context);
  analyzeExpression(window.endOffset, scope, context);
}
