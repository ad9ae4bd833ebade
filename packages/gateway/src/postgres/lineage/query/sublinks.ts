/** Subqueries in expressions. */
import { noteSubLinkName } from '../../inspect/query/analyze-query.ts';
import { stringsOf } from '../../inspect/parse/tree.ts';
import type { NodeOf } from '../../inspect/parse/tree.ts';
import type { LineageContext, QueryColumns, Value } from '../port.ts';
import { UnknownLineage } from '../port.ts';
import { NULL_VALUE, freeOf, isRegulated, rowOf, unknownOf } from '../value.ts';
import { arrayTypeOf } from './array-types.ts';
import { BOOLEAN_TYPE, computed, lineageOfExpression, mayBeArray } from './expression.ts';
import { operate } from './operators.ts';
import { lineageOfQuery } from './query-node.ts';
import { restOf } from './scope.ts';
import type { Scope } from './scope.ts';

/** @throws UnknownLineage for a kind of subquery that is not known. */
export function valueOfSubLink(
  link: NodeOf<'SubLink'>,
  scope: Scope | undefined,
  context: LineageContext,
): Value {
  const { subselect, subLinkType, testexpr, operName } = link;
  if (subselect === undefined) throw new UnknownLineage('SubLink');
  const tested = testexpr === undefined ? undefined : lineageOfExpression(testexpr, scope, context);
  const query = lineageOfQuery(subselect, scope, context);
  switch (subLinkType) {
    // What its conditions tell was told.
    case 'EXISTS_SUBLINK':
      return freeOf(BOOLEAN_TYPE);
    case 'EXPR_SUBLINK':
      if (query.columns[0] !== undefined) noteSubLinkName(link, query.columns[0].name);
      return { ...valueOfQuery(query), origin: undefined };
    case 'ARRAY_SUBLINK':
      return arrayOfQuery(query, context);
    case 'ANY_SUBLINK':
    case 'ALL_SUBLINK': {
      if (tested === undefined) throw new UnknownLineage('SubLink');
      const parts = operName === undefined ? ['='] : stringsOf(operName);
      if (parts === undefined) throw new UnknownLineage('SubLink');
      return operate(parts, tested, valueOfQuery(query), context);
    }
    default:
      throw new UnknownLineage('SubLink');
  }
}

/** A row of it: the only column as it is, several as a row. */
function valueOfQuery(query: QueryColumns): Value {
  if (query.isOpen) return unknownOf(restOf(query));
  const [first, ...others] = query.columns;
  if (first === undefined) return NULL_VALUE;
  return others.length === 0 ? first.value : rowOf(query.columns);
}

function arrayOfQuery(query: QueryColumns, context: LineageContext): Value {
  const { catalog, collector } = context;
  const value = computed(valueOfQuery(query));
  // Of rows that are arrays of different sizes it cannot be made.
  if (isRegulated(value) && mayBeArray(value, context)) collector.oracle('fallible', value.sources);
  const { typeOid } = value;
  return { ...value, typeOid: typeOid === undefined ? undefined : arrayTypeOf(typeOid, catalog) };
}
