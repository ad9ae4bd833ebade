/** FROM, USING of DELETE, the source of MERGE: which items a query sees (parse_clause.c). */
import { asKind, kindOf, stringsOf } from '../parse/tree.ts';
import type { Node, NodeOf } from '../parse/tree.ts';
import type { QueryContext } from './context.ts';
import { UnreadableStatement } from './demands.ts';
import { analyzeExpression, analyzeExpressions } from './expression.ts';
import { useRoutineNamed } from './function-call.ts';
import { itemOfFunctions, itemOfJsonTable, itemOfXmlTable } from './function-items.ts';
import { findRelation, useOperator, writtenAs } from './names.ts';
import { analyzeQueryNode } from './query-node.ts';
import { itemOfRelation, renamed } from './range-items.ts';
import { findTable, readIn, readWholeRow, scopeWith } from './scope.ts';
import type { Output, RangeItem, Scope, SourceColumn } from './scope.ts';

/** An entry of FROM with everything in it; `top` is the one that stands for all. */
interface FromEntry {
  readonly items: readonly RangeItem[];
  readonly top: RangeItem;
}

/** Adds the items of a FROM list to the scope, each seeing, if it is LATERAL, those before it. */
export function analyzeFrom(nodes: readonly Node[] | undefined, scope: Scope, context: QueryContext): void {
  const before: RangeItem[] = [];
  for (const node of nodes ?? []) before.push(...fromEntry(node, scope, before, context).items);
  scope.items.push(...before);
}

function fromEntry(
  node: Node,
  scope: Scope,
  lateral: readonly RangeItem[],
  context: QueryContext,
): FromEntry {
  const join = asKind(node, 'JoinExpr');
  if (join !== undefined) return joinEntry(join, scope, lateral, context);
  const top = simpleItem(node, scope, lateral, context);
  return { items: [top], top };
}

function simpleItem(
  node: Node,
  scope: Scope,
  lateral: readonly RangeItem[],
  context: QueryContext,
): RangeItem {
  switch (kindOf(node)) {
    case 'RangeVar':
      return itemOfRangeVar(asKind(node, 'RangeVar')!, scope, context);
    case 'RangeSubselect': {
      const { subquery, alias, lateral: isLateral } = asKind(node, 'RangeSubselect')!;
      const around = scopeWith(scope, isLateral === true ? lateral : []);
      return itemOfOutput(analyzeQueryNode(subquery!, around, context), alias?.aliasname, alias);
    }
    // Functions see what is before them also without the word LATERAL.
    case 'RangeFunction':
      return itemOfFunctions(asKind(node, 'RangeFunction')!, scopeWith(scope, lateral), context);
    case 'RangeTableFunc':
      return itemOfXmlTable(asKind(node, 'RangeTableFunc')!, scopeWith(scope, lateral), context);
    case 'JsonTable':
      return itemOfJsonTable(asKind(node, 'JsonTable')!, scopeWith(scope, lateral), context);
    case 'RangeTableSample': {
      const sample = asKind(node, 'RangeTableSample')!;
      const item = simpleItem(sample.relation!, scope, lateral, context);
      useRoutineNamed(stringsOf(sample.method) ?? [], undefined, context);
      analyzeExpressions(sample.args, scopeWith(scope, lateral), context);
      analyzeExpression(sample.repeatable, scopeWith(scope, lateral), context);
      return item;
    }
    default:
      throw new UnreadableStatement('unknown-expression');
  }
}

function itemOfRangeVar(range: NodeOf<'RangeVar'>, scope: Scope, context: QueryContext): RangeItem {
  const { catalogname: database, schemaname: schema, relname = '', alias } = range;
  const name = alias?.aliasname ?? relname;
  const table = schema === undefined ? findTable(scope, relname) : undefined;
  if (table !== undefined) return itemOfOutput({ ...table.output(), items: [] }, name, alias);
  const found = findRelation({ database, schema, name: relname }, context);
  if (found === undefined) {
    context.demands.unknownName('relation', writtenAs({ schema, name: relname }));
    return itemOfOutput({ columns: [], isOpen: true, items: [] }, name, alias);
  }
  const item = itemOfRelation(found, name, context, {
    alias,
    inherits: range.inh === true,
    ...(alias === undefined && { schema: found.relation?.schema ?? 'pg_temp' }),
  });
  // To stand in FROM is to be read, if only for how many rows there are.
  for (const source of item.sources) source.touch();
  return item;
}

/** Of a subquery or a WITH query: its columns were read in it. */
export function itemOfOutput(
  output: Output,
  name: string | undefined,
  alias: NodeOf<'Alias'> | undefined,
): RangeItem {
  const columns = output.columns.map((column) => ({ name: column }));
  return {
    name,
    columns: renamed(columns, alias),
    isOpen: output.isOpen,
    sources: [],
    isRelation: false,
    lock: () => {
      for (const item of output.items) item.lock?.();
    },
    columnsVisible: true,
    nameVisible: name !== undefined,
  };
}

function joinEntry(
  join: NodeOf<'JoinExpr'>,
  scope: Scope,
  lateral: readonly RangeItem[],
  context: QueryContext,
): FromEntry {
  const left = fromEntry(join.larg!, scope, lateral, context);
  const right = fromEntry(join.rarg!, scope, [...lateral, ...left.items], context);
  const inside = [...left.items, ...right.items];
  const merged = mergedColumns(join, left.top, right.top, context);
  if (merged.length > 0) useOperator(['='], context);
  // ON sees the two sides and what is around the query, not what stands before in FROM.
  analyzeExpression(join.quals, scopeWith(scope, inside), context);
  context.demands.spendColumns(left.top.columns.length + right.top.columns.length);
  const top = joinItem(join, left.top, right.top, merged);
  for (const item of inside) {
    item.columnsVisible = false;
    if (join.alias !== undefined) item.nameVisible = false;
  }
  const using = join.join_using_alias?.aliasname;
  const items = using === undefined ? [...inside, top] : [...inside, usingItem(using, merged), top];
  return { items, top };
}

/** Of USING and NATURAL: read on both sides to be compared. */
function mergedColumns(
  join: NodeOf<'JoinExpr'>,
  left: RangeItem,
  right: RangeItem,
  context: QueryContext,
): readonly string[] {
  const names = join.isNatural === true ? commonColumns(left, right) : (stringsOf(join.usingClause) ?? []);
  for (const name of names) {
    for (const side of [left, right]) {
      if (readIn(side, name) === 'none') context.demands.unknownName('column', name);
    }
  }
  return names;
}

function commonColumns(left: RangeItem, right: RangeItem): readonly string[] {
  if (left.isOpen || right.isOpen) {
    // Any column may have its like on the other side.
    readWholeRow(left);
    readWholeRow(right);
  }
  const names = new Set(right.columns.map(({ name }) => name));
  return left.columns.map(({ name }) => name).filter((name) => names.has(name));
}

function joinItem(
  join: NodeOf<'JoinExpr'>,
  left: RangeItem,
  right: RangeItem,
  merged: readonly string[],
): RangeItem {
  const isMerged = new Set(merged);
  const rest = ({ columns }: RangeItem): readonly SourceColumn[] =>
    columns.filter(({ name }) => !isMerged.has(name));
  const columns: readonly SourceColumn[] = [
    ...merged.map((name) => ({ name })),
    ...rest(left),
    ...rest(right),
  ];
  return {
    name: join.alias?.aliasname,
    columns: renamed(columns, join.alias),
    isOpen: left.isOpen || right.isOpen,
    sources: [...left.sources, ...right.sources],
    isRelation: false,
    columnsVisible: true,
    nameVisible: join.alias !== undefined,
  };
}

/** `JOIN … USING (…) AS x`: x has the merged columns only. */
function usingItem(name: string, merged: readonly string[]): RangeItem {
  return {
    name,
    columns: merged.map((column) => ({ name: column })),
    isOpen: false,
    sources: [],
    isRelation: false,
    columnsVisible: false,
    nameVisible: true,
  };
}
