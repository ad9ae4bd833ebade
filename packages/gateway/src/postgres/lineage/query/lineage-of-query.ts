/** The door to this room: what follows values through queries and expressions. */
import type { CatalogRelation } from '../../catalog/catalog.ts';
import type { LineageContext, LineageScope, QueryColumns, QueryLineage } from '../port.ts';
import { lineageOfExpression } from './expression.ts';
import { lineageOfQuery } from './query-node.ts';
import { columnsOfRelation, itemOfRelation } from './relation-values.ts';
import { emptyScope } from './scope.ts';

export { conditionOf } from './conditions.ts';
export { compareEqual } from './comparison.ts';
export { lineageOfExpression } from './expression.ts';
export { lineageOfQuery } from './query-node.ts';

/** A scope in which relations are known by names: of the expressions of an index, a check, a policy. */
export function scopeOf(
  relations: readonly (readonly [name: string, relation: CatalogRelation])[],
  context: LineageContext,
): LineageScope {
  const scope = emptyScope();
  for (const [name, relation] of relations) {
    scope.items.push(itemOfRelation({ relation }, name, { inherits: true }, context));
  }
  return scope;
}

/** Each column of a relation with what it carries as it is read. */
export const columnsOf = (relation: CatalogRelation, context: LineageContext): QueryColumns =>
  columnsOfRelation(relation, true, context);

export const queryLineage: QueryLineage = { lineageOfQuery, lineageOfExpression, scopeOf, columnsOf };
