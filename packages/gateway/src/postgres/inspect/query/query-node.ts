/** SELECT, VALUES, INSERT, UPDATE, DELETE and MERGE wherever they stand: as statements, subqueries, WITH queries. */
import { kindOf, asKind } from '../parse/tree.ts';
import type { Node } from '../parse/tree.ts';
import type { QueryContext } from './context.ts';
import { UnreadableStatement } from './demands.ts';
import { analyzeMerge } from './merge.ts';
import { analyzeDelete, analyzeInsert, analyzeUpdate } from './modify.ts';
import type { Output, Scope } from './scope.ts';
import { analyzeSelect } from './select.ts';

/** @param around the scope of the query around it, which it sees. */
export function analyzeQueryNode(node: Node, around: Scope | undefined, context: QueryContext): Output {
  switch (kindOf(node)) {
    case 'SelectStmt':
      return analyzeSelect(asKind(node, 'SelectStmt')!, around, context);
    case 'InsertStmt':
      return analyzeInsert(asKind(node, 'InsertStmt')!, around, context);
    case 'UpdateStmt':
      return analyzeUpdate(asKind(node, 'UpdateStmt')!, around, context);
    case 'DeleteStmt':
      return analyzeDelete(asKind(node, 'DeleteStmt')!, around, context);
    case 'MergeStmt':
      return analyzeMerge(asKind(node, 'MergeStmt')!, around, context);
    default:
      throw new UnreadableStatement('unknown-expression');
  }
}
