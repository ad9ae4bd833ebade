/** SELECT, VALUES, INSERT, UPDATE, DELETE and MERGE wherever they stand: as statements, subqueries, WITH queries. */
import { asKind, kindOf } from '../../inspect/parse/tree.ts';
import type { Node } from '../../inspect/parse/tree.ts';
import type { LineageContext, LineageScope, QueryColumns } from '../port.ts';
import { UnknownLineage } from '../port.ts';
import { lineageOfMerge } from './merge.ts';
import { lineageOfDelete, lineageOfInsert, lineageOfUpdate } from './modify.ts';
import { asScope } from './scope.ts';
import { lineageOfSelect } from './select.ts';

/**
 * @param around the scope of the query around it, which it sees.
 * @throws UnknownLineage for what is not known.
 */
export function lineageOfQuery(
  node: Node,
  around: LineageScope | undefined,
  context: LineageContext,
): QueryColumns {
  const scope = asScope(around);
  switch (kindOf(node)) {
    case 'SelectStmt':
      return lineageOfSelect(asKind(node, 'SelectStmt')!, scope, context);
    case 'InsertStmt':
      return lineageOfInsert(asKind(node, 'InsertStmt')!, scope, context);
    case 'UpdateStmt':
      return lineageOfUpdate(asKind(node, 'UpdateStmt')!, scope, context);
    case 'DeleteStmt':
      return lineageOfDelete(asKind(node, 'DeleteStmt')!, scope, context);
    case 'MergeStmt':
      return lineageOfMerge(asKind(node, 'MergeStmt')!, scope, context);
    default:
      throw new UnknownLineage(kindOf(node));
  }
}
