/** MERGE (parse_merge.c). */
import { asKind } from '../../inspect/parse/tree.ts';
import type { NodeOf } from '../../inspect/parse/tree.ts';
import type { LineageContext, QueryColumns } from '../port.ts';
import { UnknownLineage } from '../port.ts';
import { derivedOf } from '../value.ts';
import { conditionOf } from './conditions.ts';
import { lineageOfExpression } from './expression.ts';
import { addFrom } from './from-clause.ts';
import { assignedBy, lineageOfReturning, targetOf, tellSubscripts, write } from './modify.ts';
import type { Given, Target } from './modify.ts';
import { emptyScope } from './scope.ts';
import type { Item, Scope } from './scope.ts';
import { addWith } from './with-clause.ts';

export function lineageOfMerge(
  merge: NodeOf<'MergeStmt'>,
  around: Scope | undefined,
  context: LineageContext,
): QueryColumns {
  const scope = emptyScope(around);
  addWith(merge.withClause, scope, context);
  const target = targetOf(merge.relation, context);
  if (merge.sourceRelation === undefined) throw new UnknownLineage('MergeStmt');
  addFrom([merge.sourceRelation], scope, context);
  const source = scope.items;
  const both: Scope = { ...scope, items: [target.item, ...source] };
  conditionOf(merge.joinCondition, both, context);
  const given: Given[] = [];
  for (const node of merge.mergeWhenClauses ?? []) {
    const clause = asKind(node, 'MergeWhenClause');
    if (clause === undefined) throw new UnknownLineage('MergeWhenClause');
    const visible: Scope = { ...scope, items: visibleItems(clause, target.item, source) };
    given.push(...tellClause(clause, target, visible, context));
  }
  return lineageOfReturning(merge.returningClause, scope, target, given, context);
}

/** A row that was not matched is there on one side only. */
function visibleItems(
  { matchKind }: NodeOf<'MergeWhenClause'>,
  target: Item,
  source: readonly Item[],
): Item[] {
  switch (matchKind) {
    case 'MERGE_WHEN_MATCHED':
      return [target, ...source];
    case 'MERGE_WHEN_NOT_MATCHED_BY_SOURCE':
      return [target];
    case 'MERGE_WHEN_NOT_MATCHED_BY_TARGET':
      return [...source];
    default:
      throw new UnknownLineage('MergeWhenClause');
  }
}

/** @returns what is written. */
function tellClause(
  clause: NodeOf<'MergeWhenClause'>,
  target: Target,
  scope: Scope,
  context: LineageContext,
): readonly Given[] {
  conditionOf(clause.condition, scope, context);
  switch (clause.commandType) {
    case 'CMD_UPDATE': {
      const given = assignedBy(clause.targetList, scope, context);
      write(target, 'update', given, context);
      return [given];
    }
    case 'CMD_INSERT': {
      tellSubscripts(clause.targetList, scope, context);
      const given = insertedBy(clause, target, scope, context);
      write(target, 'insert', given, context);
      return [given];
    }
    case 'CMD_DELETE':
    case 'CMD_NOTHING':
      return [];
    default:
      throw new UnknownLineage('MergeWhenClause');
  }
}

function insertedBy(
  { values, targetList }: NodeOf<'MergeWhenClause'>,
  { found: { relation } }: Target,
  scope: Scope,
  context: LineageContext,
): Given {
  const given: Given = new Map();
  for (const [index, node] of (values ?? []).entries()) {
    const isDefault = asKind(node, 'SetToDefault') !== undefined;
    const value = isDefault ? undefined : lineageOfExpression(node, scope, context);
    const listed = asKind(targetList?.[index], 'ResTarget')?.name;
    const isKnown = targetList !== undefined || (relation !== undefined && relation.open !== true);
    const name = (isKnown ? (listed ?? relation?.columns[index]?.name) : undefined) ?? '*';
    const before = given.get(name);
    given.set(name, before === undefined || value === undefined ? value : derivedOf([before, value]));
  }
  return given;
}
