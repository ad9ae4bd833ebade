/** FROM, USING of DELETE, the source of MERGE: which values a query sees (parse_clause.c). */
import { findRelation, spendWork } from '../../inspect/query/analyze-query.ts';
import { asKind, kindOf, stringsOf } from '../../inspect/parse/tree.ts';
import type { Node, NodeOf } from '../../inspect/parse/tree.ts';
import type { LineageContext, NamedValue, Value } from '../port.ts';
import { UnknownLineage } from '../port.ts';
import { eitherOf, isRegulated, unionOf } from '../value.ts';
import { unknownValue } from './column-reference.ts';
import { compareEqual, tellControl } from './comparison.ts';
import { conditionOf } from './conditions.ts';
import { valuesOf } from './expression.ts';
import { itemOfFunctions } from './function-items.ts';
import { lineageOfQuery } from './query-node.ts';
import { itemOfRelation } from './relation-values.ts';
import { findTable, itemOfColumns, renamed, resolveIn, rowOfItem, scopeWith } from './scope.ts';
import type { Item, Scope } from './scope.ts';
import { itemOfJsonTable, itemOfXmlTable } from './table-items.ts';

/** An entry of FROM with everything in it; `top` is the one that stands for all. */
interface FromEntry {
  readonly items: readonly Item[];
  readonly top: Item;
}

/** Adds the items of a FROM list to the scope, each seeing, if it is LATERAL, those before it. */
export function addFrom(nodes: readonly Node[] | undefined, scope: Scope, context: LineageContext): void {
  const before: Item[] = [];
  for (const node of nodes ?? []) before.push(...fromEntry(node, scope, before, context).items);
  scope.items.push(...before);
}

function fromEntry(node: Node, scope: Scope, lateral: readonly Item[], context: LineageContext): FromEntry {
  const join = asKind(node, 'JoinExpr');
  if (join !== undefined) return joinEntry(join, scope, lateral, context);
  const top = simpleItem(node, scope, lateral, context);
  return { items: [top], top };
}

function simpleItem(node: Node, scope: Scope, lateral: readonly Item[], context: LineageContext): Item {
  spendWork(1);
  switch (kindOf(node)) {
    case 'RangeVar':
      return itemOfRangeVar(asKind(node, 'RangeVar')!, scope, context);
    case 'RangeSubselect': {
      const { subquery, alias, lateral: isLateral } = asKind(node, 'RangeSubselect')!;
      if (subquery === undefined) throw new UnknownLineage('RangeSubselect');
      const around = scopeWith(scope, isLateral === true ? lateral : []);
      return itemOfColumns(lineageOfQuery(subquery, around, context), alias?.aliasname, namesOf(alias));
    }
    // Functions see what is before them also without the word LATERAL.
    case 'RangeFunction':
      return itemOfFunctions(asKind(node, 'RangeFunction')!, scopeWith(scope, lateral), context);
    case 'RangeTableFunc':
      return itemOfXmlTable(asKind(node, 'RangeTableFunc')!, scopeWith(scope, lateral), context);
    case 'JsonTable':
      return itemOfJsonTable(asKind(node, 'JsonTable')!, scopeWith(scope, lateral), context);
    case 'RangeTableSample': {
      const { relation, args, repeatable } = asKind(node, 'RangeTableSample')!;
      if (relation === undefined) throw new UnknownLineage('RangeTableSample');
      const given = [...(args ?? []), ...(repeatable === undefined ? [] : [repeatable])];
      for (const value of valuesOf(given, scopeWith(scope, lateral), context)) tellControl(value, context);
      return simpleItem(relation, scope, lateral, context);
    }
    default:
      throw new UnknownLineage(kindOf(node));
  }
}

/** The column names of an alias. */
export const namesOf = (alias: NodeOf<'Alias'> | undefined): readonly string[] =>
  stringsOf(alias?.colnames) ?? [];

function itemOfRangeVar(range: NodeOf<'RangeVar'>, scope: Scope, context: LineageContext): Item {
  const { catalogname: database, schemaname: schema, relname = '', alias } = range;
  const name = alias?.aliasname ?? relname;
  const table = schema === undefined ? findTable(scope, relname) : undefined;
  if (table !== undefined) return itemOfColumns(table.columns(), name, namesOf(alias));
  const found = findRelation({ database, schema, name: relname }, context.query);
  if (found === undefined) {
    const rest = unknownValue(context).sources;
    return itemOfColumns({ columns: [], isOpen: true, rest }, name, namesOf(alias));
  }
  const options = {
    inherits: range.inh === true,
    names: namesOf(alias),
    ...(alias === undefined && { schema: found.relation?.schema ?? 'pg_temp' }),
  };
  return itemOfRelation(found, name, options, context);
}

function joinEntry(
  join: NodeOf<'JoinExpr'>,
  scope: Scope,
  lateral: readonly Item[],
  context: LineageContext,
): FromEntry {
  if (join.larg === undefined || join.rarg === undefined) throw new UnknownLineage('JoinExpr');
  const left = fromEntry(join.larg, scope, lateral, context);
  const right = fromEntry(join.rarg, scope, [...lateral, ...left.items], context);
  const inside = [...left.items, ...right.items];
  const merged = mergedColumns(join, left.top, right.top, context);
  // ON sees the two sides and what is around the query, not what stands before in FROM.
  conditionOf(join.quals, scopeWith(scope, inside), context);
  spendWork(left.top.columns.length + right.top.columns.length);
  const top = joinItem(join, left.top, right.top, merged);
  for (const item of inside) {
    item.columnsVisible = false;
    if (join.alias !== undefined) item.nameVisible = false;
  }
  const using = join.join_using_alias?.aliasname;
  const items = using === undefined ? [...inside, top] : [...inside, usingItem(using, merged), top];
  return { items, top };
}

/** Of USING and NATURAL: compared, and then one. */
function mergedColumns(
  join: NodeOf<'JoinExpr'>,
  left: Item,
  right: Item,
  context: LineageContext,
): readonly NamedValue[] {
  const isNatural = join.isNatural === true;
  // Any column may have its like on the other side.
  if (isNatural && (left.other !== undefined || right.other !== undefined)) compareOpen(left, right, context);
  const names = isNatural ? commonNames(left, right) : (stringsOf(join.usingClause) ?? []);
  return names.map((name) => {
    const [one, other] = [valueIn(left, name, context), valueIn(right, name, context)];
    compareEqual(one, other, context);
    return { name, value: mergedValue(join.jointype, one, other) };
  });
}

function commonNames(left: Item, right: Item): readonly string[] {
  const names = new Set(right.columns.map(({ name }) => name));
  return left.columns.map(({ name }) => name).filter((name) => names.has(name));
}

function valueIn(item: Item, name: string, context: LineageContext): Value {
  const { values } = resolveIn(item, name);
  const value = values.length === 0 ? unknownValue(context) : eitherOf(values);
  context.collector.touch(value.sources);
  return value;
}

/** Which columns are compared is not known: everything is, with something else. */
function compareOpen(left: Item, right: Item, context: LineageContext): void {
  const sources = [left, right].map((item) => rowOfItem(item).sources);
  context.collector.oracle('comparison', unionOf(sources));
}

/** The server takes the one that cannot be missing; what it was equal to was told. */
function mergedValue(type: NodeOf<'JoinExpr'>['jointype'], left: Value, right: Value): Value {
  if (type === 'JOIN_FULL') return { ...eitherOf([left, right]), origin: undefined };
  const [taken, equal] = type === 'JOIN_RIGHT' ? [right, left] : [left, right];
  if (!isRegulated(equal)) return taken;
  // Of one class on both sides, it is that one; else it carries both.
  const classes = new Set(
    [...taken.sources, ...equal.sources].map((each) => (each.kind === 'column' ? each.class : '')),
  );
  if (isRegulated(taken) && classes.size === 1 && !classes.has('')) return taken;
  return { ...taken, sources: unionOf([taken.sources, equal.sources]), how: 'derived', form: 'part' };
}

function joinItem(join: NodeOf<'JoinExpr'>, left: Item, right: Item, merged: readonly NamedValue[]): Item {
  const isMerged = new Set(merged.map(({ name }) => name));
  const rest = ({ columns }: Item): readonly NamedValue[] =>
    columns.filter(({ name }) => !isMerged.has(name));
  const columns = [...merged, ...rest(left), ...rest(right)];
  const others = [left, right].map((item) => item.other).filter((other) => other !== undefined);
  const other = others.length === 0 ? undefined : (name: string) => eitherOf(others.map((of) => of(name)));
  const hasWidth = [left, right].every((item) => item.other === undefined || item.hasWidth === true);
  const isShifted = other !== undefined && !hasWidth;
  return {
    name: join.alias?.aliasname,
    columns: renamed(columns, namesOf(join.alias), isShifted ? anyOf(columns, other) : undefined),
    other,
    hasWidth,
    isRelation: false,
    columnsVisible: true,
    nameVisible: join.alias !== undefined,
  };
}

/** Where it is not known how many columns stand before, any may be meant. */
const anyOf = (columns: readonly NamedValue[], other: (name: string) => Value): Value => ({
  ...eitherOf([...columns.map(({ value }) => value), other('*')]),
  how: 'derived',
  form: 'part',
});

/** `JOIN … USING (…) AS x`: x has the merged columns only. */
const usingItem = (name: string, columns: readonly NamedValue[]): Item => ({
  name,
  columns,
  isRelation: false,
  columnsVisible: false,
  nameVisible: true,
});
