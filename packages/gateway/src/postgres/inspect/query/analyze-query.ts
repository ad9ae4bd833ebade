/** The door to this room: what the analysis of statements uses of the analysis of queries. */
export { CATALOG_NAMES, contextWithin } from './context.ts';
export type { QueryContext, Write } from './context.ts';
export { BY_CALLER, Demands, UnreadableStatement } from './demands.ts';
export type { Authority, ColumnUse, Found, UnknownName } from './demands.ts';
export { analyzeExpression, analyzeExpressions } from './expression.ts';
export { constantText, fitting, useRoutineNamed } from './function-call.ts';
export {
  findRelation,
  findRoutines,
  findType,
  readQualifiedName,
  refuseIfHidden,
  useOperator,
} from './names.ts';
export type { FoundRelation, WrittenName } from './names.ts';
export { analyzeQueryNode } from './query-node.ts';
export { baseOfView, contextOfBase, includeRead, itemOfRelation } from './range-items.ts';
export {
  foundInExpression,
  foundInPolicy,
  foundWithin,
  parseCatalogText,
  parseExpressionText,
  relationScope,
} from './catalog-texts.ts';
export { columnNameOf, noteSubLinkName } from './output-names.ts';
export { emptyScope, isSystemColumn } from './scope.ts';
export type { Output, RangeItem, Scope } from './scope.ts';
export { spendWork, withinWork } from './work.ts';
export { useNamedType, useTypeName, useTypeOid } from './types.ts';
