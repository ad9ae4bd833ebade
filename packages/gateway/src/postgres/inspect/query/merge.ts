/** MERGE (parse_merge.c). */
import { asKind } from '../parse/tree.ts';
import type { NodeOf } from '../parse/tree.ts';
import type { QueryContext } from './context.ts';
import { UnreadableStatement } from './demands.ts';
import { analyzeExpression, analyzeExpressions } from './expression.ts';
import { analyzeFrom } from './from-clause.ts';
import { analyzeAssignments, analyzeReturning, insertedColumns, targetOf, write } from './modify.ts';
import type { Target } from './modify.ts';
import { emptyScope } from './scope.ts';
import type { Output, RangeItem, Scope } from './scope.ts';
import { analyzeWith } from './with-clause.ts';

export function analyzeMerge(
  merge: NodeOf<'MergeStmt'>,
  around: Scope | undefined,
  context: QueryContext,
): Output {
  const scope = emptyScope(around);
  analyzeWith(merge.withClause, scope, context);
  const target = targetOf(merge.relation, context);
  // Which clause a row comes to shows whether the target has it, whatever the clauses do.
  for (const each of target.item.sources) each.touch();
  if (merge.sourceRelation === undefined) throw new UnreadableStatement('unknown-expression');
  analyzeFrom([merge.sourceRelation], scope, context);
  const source = scope.items;
  const both: Scope = { ...scope, items: [target.item, ...source] };
  analyzeExpression(merge.joinCondition, both, context);
  for (const node of merge.mergeWhenClauses ?? []) {
    const clause = asKind(node, 'MergeWhenClause');
    if (clause === undefined) throw new UnreadableStatement('unknown-expression');
    analyzeClause(clause, target, { ...scope, items: visibleItems(clause, target.item, source) }, context);
  }
  return analyzeReturning(merge.returningClause, both, target, context);
}

/** A row that was not matched is there on one side only. */
function visibleItems(
  { matchKind }: NodeOf<'MergeWhenClause'>,
  target: RangeItem,
  source: readonly RangeItem[],
): RangeItem[] {
  switch (matchKind) {
    case 'MERGE_WHEN_MATCHED':
      return [target, ...source];
    case 'MERGE_WHEN_NOT_MATCHED_BY_SOURCE':
      return [target];
    case 'MERGE_WHEN_NOT_MATCHED_BY_TARGET':
      return [...source];
    default:
      throw new UnreadableStatement('unknown-expression');
  }
}

function analyzeClause(
  clause: NodeOf<'MergeWhenClause'>,
  target: Target,
  scope: Scope,
  context: QueryContext,
): void {
  analyzeExpression(clause.condition, scope, context);
  switch (clause.commandType) {
    case 'CMD_UPDATE':
      analyzeAssignments(clause.targetList, target, scope, context);
      return;
    case 'CMD_INSERT':
      // In VALUES of MERGE, DEFAULT may stand anywhere: which columns are meant is left open.
      write(
        target,
        'insert',
        insertedColumns(clause.targetList, clause.values?.length ?? 0, target, context),
        context,
      );
      analyzeExpressions(clause.values, scope, context);
      return;
    case 'CMD_DELETE':
      write(target, 'delete', [], context);
      return;
    case 'CMD_NOTHING':
      return;
    default:
      throw new UnreadableStatement('unknown-expression');
  }
}
