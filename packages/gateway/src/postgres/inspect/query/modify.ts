/** INSERT, UPDATE and DELETE (analyze.c). What a write fires is told to the context. */
import type { CatalogRelation } from '../../catalog/catalog.ts';
import { asKind } from '../parse/tree.ts';
import type { Node, NodeOf } from '../parse/tree.ts';
import { analyzeExpression } from './expression.ts';
import type { QueryContext, Write } from './context.ts';
import { UnreadableStatement } from './demands.ts';
import { analyzeFrom } from './from-clause.ts';
import { findRelation, writtenAs } from './names.ts';
import type { FoundRelation } from './names.ts';
import { analyzeQueryNode } from './query-node.ts';
import { baseOfView, contextOfBase, includeRead, itemOfRelation } from './range-items.ts';
import { emptyScope, readIn, readWholeRow } from './scope.ts';
import type { Output, RangeItem, Scope } from './scope.ts';
import { analyzeTargets } from './select.ts';
import { useTypeOid } from './types.ts';
import { analyzeWith } from './with-clause.ts';

type Verb = Write['verb'];

/** What a statement writes into. */
export interface Target {
  readonly found: FoundRelation;
  readonly item: RangeItem;
  readonly inherits: boolean;
}

/** WITH queries are no targets, whatever they are called. */
export function targetOf(range: NodeOf<'RangeVar'> | undefined, context: QueryContext): Target {
  const { catalogname: database, schemaname: schema, relname: name = '', alias, inh } = range ?? {};
  const found = findRelation({ database, schema, name }, context);
  if (found === undefined) context.demands.unknownName('relation', writtenAs({ schema, name }));
  const inherits = inh === true;
  const item = itemOfRelation(found ?? {}, alias?.aliasname ?? name, context, {
    alias,
    inherits,
    isFree: found === undefined,
    ...(alias === undefined && { schema: found?.relation?.schema ?? 'pg_temp' }),
  });
  return { found: found ?? {}, item, inherits };
}

/** Demands a write and tells what it fires; of a view, also of the relation that is really written. */
export function write(
  target: Target,
  verb: Verb,
  columns: readonly string[] | '*',
  context: QueryContext,
  defaulted?: readonly string[],
): void {
  const { relation, temporary } = target.found;
  if (temporary !== undefined) {
    const use = context.demands.relation(verb, temporary, context);
    use.addAll();
  }
  if (relation === undefined) return;
  const values: Write = { relation, verb, columns, ...(defaulted !== undefined && { defaulted }) };
  writeRelation(values, target.inherits, context);
}

function writeRelation(values: Write, inherits: boolean, context: QueryContext): void {
  const { relation, verb, columns } = values;
  const use = context.demands.relation(verb, relation, context);
  // New rows go to partitions, never to tables that merely inherit.
  use.inherited ||= inherits && (verb !== 'insert' || relation.kind === 'partitioned-table');
  if (columns === '*') use.addAll();
  else for (const column of columns) use.add(column);
  for (const { name, typeOid } of relation.columns) {
    const isGiven = columns === '*' || columns.includes(name);
    // The checks of a domain look at the value that a column gets without being given one, too.
    const isChecked = verb === 'insert' && context.catalog.typeByOid(typeOid)?.kind === 'domain';
    if (isGiven || isChecked) useTypeOid(typeOid, context);
  }
  context.onWrite(values, context);
  // Policies and a view's own conditions are looked at by writes as well.
  includeRead(relation, context);
  const base = baseOfView(relation, context);
  if (base === undefined) return;
  const through: Write = { relation: base, verb, columns: verb === 'delete' ? [] : '*' };
  writeRelation(through, true, contextOfBase(relation, context));
}

export function analyzeInsert(
  insert: NodeOf<'InsertStmt'>,
  around: Scope | undefined,
  context: QueryContext,
): Output {
  const scope = emptyScope(around);
  analyzeWith(insert.withClause, scope, context);
  const target = targetOf(insert.relation, context);
  const width = analyzeSource(insert.selectStmt, scope, context);
  const columns = insertedColumns(insert.cols, width, target, context);
  write(
    target,
    'insert',
    columns,
    context,
    columns === '*' ? undefined : defaultedOf(insert.selectStmt, columns),
  );
  const inside: Scope = { ...scope, items: [target.item] };
  analyzeSubscripts(insert.cols, inside, context);
  analyzeConflict(insert.onConflictClause, target, inside, context);
  return analyzeReturning(insert.returningClause, inside, target, context);
}

const isDefault = (value: Node | undefined): boolean => asKind(value, 'SetToDefault') !== undefined;

/** Columns for which a row of VALUES says DEFAULT. No other source can. */
function defaultedOf(source: Node | undefined, columns: readonly string[]): readonly string[] {
  const found = new Set<string>();
  for (const row of asKind(source, 'SelectStmt')?.valuesLists ?? []) {
    const values = asKind(row, 'List')?.items ?? [];
    for (const [index, value] of values.entries()) {
      const column = columns[index];
      if (column !== undefined && isDefault(value)) found.add(column);
    }
  }
  return [...found];
}

/** @returns how many columns the source gives; undefined: not known; 0: DEFAULT VALUES. */
function analyzeSource(source: Node | undefined, scope: Scope, context: QueryContext): number | undefined {
  if (source === undefined) return 0;
  const { columns, isOpen } = analyzeQueryNode(source, scope, context);
  return isOpen ? undefined : columns.length;
}

/** Without a list of columns, the first ones of the relation. */
export function insertedColumns(
  listed: readonly Node[] | undefined,
  width: number | undefined,
  { found: { relation } }: Target,
  context: QueryContext,
): readonly string[] | '*' {
  if (listed !== undefined) return assignedColumns(listed, relation, context);
  if (width === undefined || relation === undefined || relation.open === true) return width === 0 ? [] : '*';
  return relation.columns.slice(0, width).map(({ name }) => name);
}

/** Names of a list of assignments or insert columns. */
function assignedColumns(
  targets: readonly Node[] | undefined,
  relation: CatalogRelation | undefined,
  { demands }: QueryContext,
): readonly string[] {
  return (targets ?? []).map((node) => {
    const name = asKind(node, 'ResTarget')?.name;
    if (name === undefined) throw new UnreadableStatement('unknown-expression');
    const isKnown =
      relation === undefined || relation.open === true || relation.columns.some((one) => one.name === name);
    if (!isKnown) demands.unknownName('column', name);
    return name;
  });
}

/** `column[index]` and `column.field` as targets. */
function analyzeSubscripts(targets: readonly Node[] | undefined, scope: Scope, context: QueryContext): void {
  for (const node of targets ?? []) {
    for (const step of asKind(node, 'ResTarget')?.indirection ?? []) {
      const index = asKind(step, 'A_Indices');
      analyzeExpression(index?.lidx, scope, context);
      analyzeExpression(index?.uidx, scope, context);
    }
  }
}

function analyzeConflict(
  clause: NodeOf<'OnConflictClause'> | undefined,
  target: Target,
  scope: Scope,
  context: QueryContext,
): void {
  if (clause === undefined) return;
  analyzeArbiter(clause.infer, target.item, scope, context);
  if (clause.action !== 'ONCONFLICT_UPDATE') return;
  // `excluded` holds the row that was to be inserted, with its defaults; the server wants a right to read what is read of it.
  const excluded = itemOfRelation(target.found, 'excluded', context);
  excluded.columnsVisible = false;
  const inside: Scope = { ...scope, items: [...scope.items, excluded] };
  analyzeAssignments(clause.targetList, target, inside, context);
  analyzeExpression(clause.whereClause, inside, context);
}

/** The server wants to read what a conflict is looked for in. */
function analyzeArbiter(
  infer: NodeOf<'InferClause'> | undefined,
  item: RangeItem,
  scope: Scope,
  context: QueryContext,
): void {
  if (infer === undefined) return;
  for (const node of infer.indexElems ?? []) {
    const element = asKind(node, 'IndexElem');
    if (element === undefined) throw new UnreadableStatement('unknown-expression');
    if (element.name !== undefined && readIn(item, element.name) === 'none') {
      context.demands.unknownName('column', element.name);
    }
    analyzeExpression(element.expr, scope, context);
  }
  analyzeExpression(infer.whereClause, scope, context);
  // Which columns a constraint has is not in the snapshot.
  if (infer.conname !== undefined) readWholeRow(item);
}

/** SET of UPDATE, ON CONFLICT and MERGE. */
export function analyzeAssignments(
  targets: readonly Node[] | undefined,
  target: Target,
  scope: Scope,
  context: QueryContext,
): void {
  const columns = assignedColumns(targets, target.found.relation, context);
  const defaulted = columns.filter((_, index) => mayBeDefault(asKind(targets?.[index], 'ResTarget')?.val));
  write(target, 'update', columns, context, defaulted);
  analyzeSubscripts(targets, scope, context);
  for (const node of targets ?? []) {
    const value = asKind(node, 'ResTarget')?.val;
    // `(a, b) = (SELECT …)` stands in the tree once per column.
    const shared = asKind(value, 'MultiAssignRef');
    if (shared === undefined || shared.colno === 1) analyzeExpression(value, scope, context);
  }
}

/** `a = DEFAULT`, and `(a, b) = (1, DEFAULT)`, where each of them may be meant. */
function mayBeDefault(value: Node | undefined): boolean {
  const row = asKind(asKind(value, 'MultiAssignRef')?.source, 'RowExpr')?.args;
  return isDefault(value) || row?.some(isDefault) === true;
}

export function analyzeUpdate(
  update: NodeOf<'UpdateStmt'>,
  around: Scope | undefined,
  context: QueryContext,
): Output {
  const scope = emptyScope(around);
  analyzeWith(update.withClause, scope, context);
  const target = targetOf(update.relation, context);
  // Subqueries in FROM do not see the target.
  analyzeFrom(update.fromClause, scope, context);
  const inside: Scope = { ...scope, items: [target.item, ...scope.items] };
  analyzeAssignments(update.targetList, target, inside, context);
  analyzeExpression(update.whereClause, inside, context);
  return analyzeReturning(update.returningClause, inside, target, context);
}

export function analyzeDelete(
  statement: NodeOf<'DeleteStmt'>,
  around: Scope | undefined,
  context: QueryContext,
): Output {
  const scope = emptyScope(around);
  analyzeWith(statement.withClause, scope, context);
  const target = targetOf(statement.relation, context);
  analyzeFrom(statement.usingClause, scope, context);
  const inside: Scope = { ...scope, items: [target.item, ...scope.items] };
  write(target, 'delete', [], context);
  analyzeExpression(statement.whereClause, inside, context);
  return analyzeReturning(statement.returningClause, inside, target, context);
}

const NO_OUTPUT: Output = { columns: [], isOpen: false, items: [] };

/** RETURNING reads; `old` and `new` (18 and later) are the target's rows too. */
export function analyzeReturning(
  clause: NodeOf<'ReturningClause'> | undefined,
  scope: Scope,
  { item }: Target,
  context: QueryContext,
): Output {
  if (clause === undefined) return NO_OUTPUT;
  const names = { RETURNING_OPTION_OLD: 'old', RETURNING_OPTION_NEW: 'new' };
  for (const node of clause.options ?? []) {
    const option = asKind(node, 'ReturningOption');
    if (option?.option === undefined || option.value === undefined)
      throw new UnreadableStatement('unknown-expression');
    names[option.option] = option.value;
  }
  // A relation that is called so comes first.
  const versions: RangeItem[] = [];
  for (const name of Object.values(names)) {
    versions.push({ ...item, name, columnsVisible: false, nameVisible: true });
  }
  return analyzeTargets(clause.exprs, { ...scope, items: [...scope.items, ...versions] }, context);
}
