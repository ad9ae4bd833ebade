/** INSERT, UPDATE and DELETE (analyze.c): which value goes to which column, and what their conditions and RETURNING show. */
import type { CatalogRelation } from '../../catalog/catalog.ts';
import { findRelation, spendWork } from '../../inspect/query/analyze-query.ts';
import type { FoundRelation } from '../../inspect/query/analyze-query.ts';
import { asKind } from '../../inspect/parse/tree.ts';
import type { Node, NodeOf } from '../../inspect/parse/tree.ts';
import type { LineageContext, QueryColumns, Value } from '../port.ts';
import { UnknownLineage } from '../port.ts';
import { FREE_VALUE, NULL_VALUE, derivedOf, eitherOf, unionOf, unknownOf } from '../value.ts';
import { tellControl } from './comparison.ts';
import { conditionOf } from './conditions.ts';
import { lineageOfExpression } from './expression.ts';
import { addFrom, namesOf } from './from-clause.ts';
import { lineageOfQuery } from './query-node.ts';
import { itemOfRelation } from './relation-values.ts';
import { emptyScope, restOf } from './scope.ts';
import type { Item, Scope } from './scope.ts';
import { lineageOfTargets } from './select.ts';
import { addWith } from './with-clause.ts';

/** What a statement writes into. */
export interface Target {
  readonly found: FoundRelation;
  readonly item: Item;
}

/** WITH queries are no targets, whatever they are called. */
export function targetOf(range: NodeOf<'RangeVar'> | undefined, context: LineageContext): Target {
  const { catalogname: database, schemaname: schema, relname: name = '', alias, inh } = range ?? {};
  const found = findRelation({ database, schema, name }, context.query);
  if (found === undefined) throw new UnknownLineage('a relation that is not known');
  const item = itemOfRelation(
    found,
    alias?.aliasname ?? name,
    {
      inherits: inh === true,
      names: namesOf(alias),
      ...(alias === undefined && { schema: found.relation?.schema ?? 'pg_temp' }),
    },
    context,
  );
  return { found, item };
}

/** Values by column; undefined: DEFAULT. `*`: which column gets it is not known. */
export type Given = Map<string, Value | undefined>;

/** Before the place of a column, from 0, whose name only the session knows: of a temporary relation that is not in the catalog. No name begins so. */
const PLACE = '\0';

const isAnywhere = (name: string): boolean => name === '*' || name.startsWith(PLACE);

const anywhereIn = (given: Given): readonly Value[] =>
  [...given].flatMap(([name, value]) => (isAnywhere(name) && value !== undefined ? [value] : []));

/** What fails because a value is there already tells that it is. */
export function write(
  { found: { relation, temporary } }: Target,
  verb: 'insert' | 'update',
  given: Given,
  context: LineageContext,
): void {
  spendWork(given.size);
  for (const [name, value] of given) {
    const isPlaced = name.startsWith(PLACE);
    const column = isPlaced ? '*' : name;
    const position = isPlaced ? Number(name.slice(PLACE.length)) : undefined;
    context.routines.assign({ relation, temporary, column, position, value, verb }, context);
  }
  context.routines.unique(relation, withoutDefaults(given), '*', context);
}

export function withoutDefaults(given: Given): ReadonlyMap<string, Value> {
  const values = new Map<string, Value>();
  for (const [column, value] of given) if (value !== undefined) values.set(column, value);
  return values;
}

export function lineageOfInsert(
  insert: NodeOf<'InsertStmt'>,
  around: Scope | undefined,
  context: LineageContext,
): QueryColumns {
  const scope = emptyScope(around);
  addWith(insert.withClause, scope, context);
  const target = targetOf(insert.relation, context);
  const source = insert.selectStmt;
  const query: QueryColumns =
    source === undefined ? { columns: [], isOpen: false } : lineageOfQuery(source, scope, context);
  const given = givenBy(insert.cols, query, source, target.found.relation);
  const inside: Scope = { ...scope, items: [target.item] };
  tellSubscripts(insert.cols, inside, context);
  write(target, 'insert', given, context);
  const updated = tellConflict(insert.onConflictClause, target, given, inside, context);
  return lineageOfReturning(insert.returningClause, emptied(scope), target, [given, ...updated], context);
}

/** RETURNING of INSERT sees the target and nothing else of this level. */
const emptied = (scope: Scope): Scope => ({ ...scope, items: [] });

/** Without a list of columns, the first ones of the relation. */
function givenBy(
  listed: readonly Node[] | undefined,
  query: QueryColumns,
  source: Node | undefined,
  relation: CatalogRelation | undefined,
): Given {
  const names = listed?.map((node) => asKind(node, 'ResTarget')) ?? undefined;
  const isKnown =
    !query.isOpen && (names !== undefined || (relation !== undefined && relation.open !== true));
  if (!query.isOpen && names === undefined && relation === undefined)
    return new Map(
      query.columns.map(({ value }, at) => [`${PLACE}${at}`, isDefaulted(source, at) ? undefined : value]),
    );
  if (!isKnown) {
    const rest = query.columns.length === 0 && !query.isOpen ? undefined : unknownOf(restOf(query));
    const columns = names?.map((target) => target?.name ?? '*') ?? ['*'];
    return new Map(rest === undefined ? [] : columns.map((column) => [column, rest] as const));
  }
  const given: Given = new Map();
  for (const [index, { value }] of query.columns.entries()) {
    const target = names?.[index];
    const name = names === undefined ? relation?.columns[index]?.name : target?.name;
    if (name === undefined) continue;
    const each = isDefaulted(source, index) ? undefined : value;
    // `(a.x, a.y)` are parts of one column.
    const isPart = target?.indirection !== undefined;
    const before = given.get(name);
    const parts = [before, each].filter((part) => part !== undefined);
    given.set(name, isPart && parts.length > 0 ? derivedOf(parts) : each);
  }
  return given;
}

/** DEFAULT in every row of VALUES. */
function isDefaulted(source: Node | undefined, index: number): boolean {
  const rows = asKind(source, 'SelectStmt')?.valuesLists;
  if (rows === undefined) return false;
  return rows.every((row) => isDefault(asKind(row, 'List')?.items?.[index]));
}

const isDefault = (value: Node | undefined): boolean => asKind(value, 'SetToDefault') !== undefined;

/** `column[index]` as a target: where it goes shows by what it fails. */
export function tellSubscripts(
  targets: readonly Node[] | undefined,
  scope: Scope,
  context: LineageContext,
): void {
  for (const node of targets ?? []) {
    for (const step of asKind(node, 'ResTarget')?.indirection ?? []) {
      const index = asKind(step, 'A_Indices');
      for (const bound of [index?.lidx, index?.uidx]) {
        if (bound !== undefined) tellControl(lineageOfExpression(bound, scope, context), context);
      }
    }
  }
}

/** @returns what DO UPDATE assigns. */
function tellConflict(
  clause: NodeOf<'OnConflictClause'> | undefined,
  target: Target,
  given: Given,
  scope: Scope,
  context: LineageContext,
): readonly Given[] {
  if (clause === undefined) return [];
  tellArbiter(clause.infer, target, given, scope, context);
  if (clause.action !== 'ONCONFLICT_UPDATE') return [];
  const inside: Scope = { ...scope, items: [...scope.items, excludedItem(target.item, given)] };
  const updated = assignedBy(clause.targetList, inside, context);
  write(target, 'update', updated, context);
  conditionOf(clause.whereClause, inside, context);
  return [updated];
}

/** `excluded` holds the row that was to be inserted, with its defaults. */
function excludedItem(item: Item, given: Given): Item {
  const anywhere = anywhereIn(given);
  const columns = item.columns.map(({ name }) => {
    const values = [given.get(name), ...anywhere].filter((value) => value !== undefined);
    return { name, value: values.length === 0 ? FREE_VALUE : { ...eitherOf(values), origin: undefined } };
  });
  const rest = unknownOf(unionOf([...given.values()].map((value) => value?.sources ?? [])));
  return {
    name: 'excluded',
    columns,
    other: item.other === undefined ? undefined : () => rest,
    isRelation: true,
    columnsVisible: false,
    nameVisible: true,
  };
}

/** Whether there is such a row shows by what is done. */
function tellArbiter(
  infer: NodeOf<'InferClause'> | undefined,
  { found }: Target,
  given: Given,
  scope: Scope,
  context: LineageContext,
): void {
  const names: string[] = [];
  let isKnown = infer !== undefined && infer.conname === undefined;
  for (const node of infer?.indexElems ?? []) {
    const element = asKind(node, 'IndexElem');
    if (element === undefined) throw new UnknownLineage('IndexElem');
    if (element.name === undefined) isKnown = false;
    else names.push(element.name);
    // What is only named as part of an index is not computed for the answer.
    if (element.expr !== undefined) lineageOfExpression(element.expr, scope, context);
  }
  if (infer?.whereClause !== undefined) lineageOfExpression(infer.whereClause, scope, context);
  context.routines.unique(found.relation, withoutDefaults(given), isKnown ? names : '*', context);
}

/** SET of UPDATE, ON CONFLICT and MERGE. */
export function assignedBy(
  targets: readonly Node[] | undefined,
  scope: Scope,
  context: LineageContext,
): Given {
  tellSubscripts(targets, scope, context);
  const given: Given = new Map();
  let shared: Value | undefined;
  for (const node of targets ?? []) {
    const target = asKind(node, 'ResTarget');
    if (target?.name === undefined || target.val === undefined) throw new UnknownLineage('ResTarget');
    const assignment = asKind(target.val, 'MultiAssignRef');
    let value: Value | undefined;
    if (assignment === undefined) {
      value = isDefault(target.val) ? undefined : lineageOfExpression(target.val, scope, context);
    } else {
      // `(a, b) = (SELECT …)` stands in the tree once per column.
      if (assignment.source === undefined) throw new UnknownLineage('MultiAssignRef');
      if (assignment.colno === 1) shared = lineageOfExpression(assignment.source, scope, context);
      value = fieldAt(shared, (assignment.colno ?? 1) - 1, assignment.ncolumns ?? 1);
    }
    const before = given.get(target.name);
    const isPart = target.indirection !== undefined && value !== undefined;
    given.set(target.name, isPart ? derivedOf(before === undefined ? [value!] : [before, value!]) : value);
  }
  return given;
}

function fieldAt(row: Value | undefined, index: number, width: number): Value {
  if (row === undefined) return NULL_VALUE;
  const { fields } = row;
  if (fields !== undefined && fields.length === width) return fields[index]!.value;
  return width === 1 && fields === undefined ? row : derivedOf([row]);
}

export function lineageOfUpdate(
  update: NodeOf<'UpdateStmt'>,
  around: Scope | undefined,
  context: LineageContext,
): QueryColumns {
  const scope = emptyScope(around);
  addWith(update.withClause, scope, context);
  const target = targetOf(update.relation, context);
  // Subqueries in FROM do not see the target.
  addFrom(update.fromClause, scope, context);
  const inside: Scope = { ...scope, items: [target.item, ...scope.items] };
  const given = assignedBy(update.targetList, inside, context);
  conditionOf(update.whereClause, inside, context);
  write(target, 'update', given, context);
  return lineageOfReturning(update.returningClause, scope, target, [given], context);
}

export function lineageOfDelete(
  statement: NodeOf<'DeleteStmt'>,
  around: Scope | undefined,
  context: LineageContext,
): QueryColumns {
  const scope = emptyScope(around);
  addWith(statement.withClause, scope, context);
  const target = targetOf(statement.relation, context);
  addFrom(statement.usingClause, scope, context);
  const inside: Scope = { ...scope, items: [target.item, ...scope.items] };
  conditionOf(statement.whereClause, inside, context);
  return lineageOfReturning(statement.returningClause, scope, target, [], context);
}

const NO_COLUMNS: QueryColumns = { columns: [], isOpen: false };

/**
 * `old` and `new` (18 and later) are the target's rows too; without them it is the new ones, which carry what they were given.
 *
 * @param scope what RETURNING sees besides the target.
 */
export function lineageOfReturning(
  clause: NodeOf<'ReturningClause'> | undefined,
  scope: Scope,
  { item }: Target,
  given: readonly Given[],
  context: LineageContext,
): QueryColumns {
  if (clause === undefined) return NO_COLUMNS;
  let [before, after] = ['old', 'new'];
  for (const node of clause.options ?? []) {
    const option = asKind(node, 'ReturningOption');
    if (option?.value === undefined) throw new UnknownLineage('ReturningOption');
    if (option.option === 'RETURNING_OPTION_OLD') before = option.value;
    else if (option.option === 'RETURNING_OPTION_NEW') after = option.value;
    else throw new UnknownLineage('ReturningOption');
  }
  const written = writtenItem(item, given);
  // A relation that is called so comes first.
  const hidden = { columnsVisible: false, nameVisible: true };
  const items = [
    written,
    ...scope.items,
    { ...item, name: before, ...hidden },
    { ...written, name: after, ...hidden },
  ];
  return lineageOfTargets(clause.exprs, { ...scope, items }, context);
}

/** A target after it was written. What a column carries anyway adds nothing. */
function writtenItem(item: Item, given: readonly Given[]): Item {
  const anywhere = given.flatMap((values) => anywhereIn(values));
  const isRenamed = given.length > 0 && item.isRenamed === true;
  const all = given.flatMap((values) => [...values.values()]).filter((value) => value !== undefined);
  const columns = item.columns.map(({ name, value }) => {
    // Under an alias' names it is not known here which column is which.
    const values = isRenamed ? all : [...given.flatMap((each) => each.get(name) ?? []), ...anywhere];
    return { name, value: withGiven(value, values) };
  });
  const { other } = item;
  return {
    ...item,
    columns,
    other:
      other === undefined
        ? undefined
        : (name) =>
            withGiven(
              other(name),
              name === '*' || isRenamed
                ? all
                : given.flatMap((each) => each.get(name) ?? []).concat(anywhere),
            ),
  };
}

function withGiven(value: Value, given: readonly Value[]): Value {
  const known = new Set(value.sources.map((source) => (source.kind === 'column' ? source.class : '')));
  const adding = given.filter(
    ({ sources, how }) =>
      sources.length > 0 &&
      (how !== 'direct' || sources.some((source) => source.kind !== 'column' || !known.has(source.class))),
  );
  if (adding.length === 0) return value;
  const sources = unionOf([value.sources, ...adding.map((each) => each.sources)]);
  return { ...value, sources, how: 'derived', form: 'part' };
}
