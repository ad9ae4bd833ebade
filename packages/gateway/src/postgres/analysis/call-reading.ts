import type { Access, RoutineAccess } from '../../policy/access.ts';
import type { Catalog, CatalogRoutine } from '../catalog/catalog.ts';
import { reachOfRoutine } from '../inspect/routines/classify-routine.ts';
import type { StatementReading } from './reading.ts';

const known = new WeakMap<Catalog, Map<number, StatementReading>>();

/** More than pg_catalog has; a caller can name any number. */
const MAX_KNOWN = 10_000;

/** FunctionCall names a routine by its OID: what that demands, besides leave to use the message at all. */
export function readCall(oid: number, catalog: Catalog): StatementReading {
  let ofCatalog = known.get(catalog);
  if (ofCatalog === undefined) known.set(catalog, (ofCatalog = new Map()));
  let reading = ofCatalog.get(oid);
  if (reading === undefined) {
    reading = makeReading(oid, catalog.routineByOid(oid));
    if (ofCatalog.size >= MAX_KNOWN) ofCatalog.clear();
    ofCatalog.set(oid, reading);
  }
  return reading;
}

function makeReading(oid: number, routine: CatalogRoutine | undefined): StatementReading {
  const demands: Access[] = [{ kind: 'special', verb: 'function-call-message' }];
  const reach = routine === undefined ? undefined : reachOfRoutine(routine);
  if (routine !== undefined && reach !== undefined && reach !== 'harmless') {
    // Its arguments come as values that are not looked into: what depends on them is taken for the worst.
    const needsArguments = reach === 'sequence' || reach === 'setting' || reach === 'rewrite';
    const reached: RoutineAccess['class'] = needsArguments ? 'dynamic-sql' : reach;
    demands.push({
      kind: 'routine',
      verb: 'execute',
      schema: routine.schema,
      name: routine.name,
      class: reached,
    });
  }
  const isHarmless = reach === 'harmless';
  return {
    meaning: {
      kind: 'call',
      effect: isHarmless ? 'read' : 'write',
      statements: 1,
      demands,
      reaches: [],
      unknownNames: routine === undefined ? [{ kind: 'routine', written: String(oid) }] : [],
      usesSearchPath: false,
      usesCatalog: true,
      changes: isHarmless ? [] : [{ kind: 'anything' }],
    },
    settings: [],
  };
}
