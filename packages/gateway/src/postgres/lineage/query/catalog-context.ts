/** The context in which the catalog's own texts are followed. */
import { contextWithin } from '../../inspect/query/analyze-query.ts';
import type { LineageCollector, LineageContext } from '../port.ts';

/** Names mean what they say, constants are the owner's choice, and nothing of the query around is seen. */
export function catalogContext(context: LineageContext, collector: LineageCollector): LineageContext {
  const query = contextWithin(context.query, '');
  return {
    ...context,
    names: query.names,
    query,
    collector,
    isCatalogText: true,
    depth: context.depth + 1,
    inlined: undefined,
  };
}
