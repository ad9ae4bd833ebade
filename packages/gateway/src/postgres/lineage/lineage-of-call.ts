import type { Lineage, Source } from '../../masking/lineage.ts';
import type { CatalogRoutine } from '../catalog/catalog.ts';
import { reachOfRoutine } from '../inspect/routines/classify-routine.ts';

/**
 * Of the FunctionCall message: its arguments are the caller's own values, its result is one value.
 *
 * @param routine undefined: there is none of that OID.
 */
export function lineageOfCall(routine: CatalogRoutine | undefined): Lineage {
  const reach = routine === undefined ? undefined : reachOfRoutine(routine);
  const name = routine === undefined ? 'function call' : `${routine.schema}.${routine.name}`;
  // What only computes gives back what it was given.
  const sources: readonly Source[] = reach === 'harmless' ? [] : [{ kind: 'unknown', object: name }];
  const isOwn = reach === 'own' || reach === 'security-definer';
  return {
    statements: [
      {
        outputs: [{ sources, how: sources.length === 0 ? 'direct' : 'derived' }],
        touched: sources,
        probes: [],
        oracles: [],
        flows: isOwn
          ? [{ sources, how: 'derived', to: { kind: 'temporary', relation: '*', column: '*' } }]
          : [],
        writes: [],
        constants: [],
      },
    ],
    isFree: sources.length === 0,
  };
}
