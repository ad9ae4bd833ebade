import type { Access, RoutineAccess } from '../../policy/access.ts';
import type { Catalog, CatalogRoutine } from '../catalog/catalog.ts';
import { reachOfRoutine } from '../inspect/routines/classify-routine.ts';
import type { SessionNames } from '../inspect/meaning.ts';
import { lineageOfCall } from '../lineage/lineage-of-call.ts';
import { combineReadings } from './combine-readings.ts';
import { readStatement } from './read-statement.ts';
import type { StatementReading } from './reading.ts';

/** Types and routines with a lower OID came with the server. */
export const FIRST_OWN_OID = 16_384;

const calls = new WeakMap<Catalog, Map<number, StatementReading>>();
const maskedCalls = new WeakMap<Catalog, Map<number, StatementReading>>();
const types = new WeakMap<Catalog, Map<number, StatementReading>>();

/** More than pg_catalog has; a caller can name any number. */
const MAX_KNOWN = 10_000;

/**
 * FunctionCall names a routine by its OID: what that demands, besides leave to use the message at all.
 *
 * @param isMasked something is classified in the target: with the lineage of its result.
 */
export function readCall(oid: number, catalog: Catalog, isMasked = false): StatementReading {
  if (isMasked)
    return remembered(maskedCalls, oid, catalog, () => withLineage(readCall(oid, catalog), oid, catalog));
  return remembered(calls, oid, catalog, () => {
    const routine = catalog.routineByOid(oid);
    const own = (routine?.argumentTypes ?? []).filter((type) => type >= FIRST_OWN_OID);
    return own.reduce(
      (reading, type) => combineReadings(reading, readType(type, catalog, NO_NAMES)),
      makeReading(oid, routine),
    );
  });
}

/**
 * A value of a type that is not the server's own: its input routines and the checks of its domains run when it comes in, though no text names the type. Read
 * as the cast that would run the same.
 */
export function readType(oid: number, catalog: Catalog, names: SessionNames): StatementReading {
  return remembered(types, oid, catalog, () => {
    const type = catalog.typeByOid(oid);
    if (type === undefined)
      return {
        meaning: { ...NOTHING, unknownNames: [{ kind: 'type', written: String(oid) }] },
        settings: [],
      };
    return readStatement(
      Buffer.from(`SELECT NULL::${quoted(type.schema)}.${quoted(type.name)}`),
      catalog,
      names,
    );
  });
}

/** Everything in these readings is qualified. */
const NO_NAMES: SessionNames = { searchPath: undefined, temporary: new Set() };

const NOTHING: StatementReading['meaning'] = {
  kind: 'select',
  effect: 'read',
  statements: 1,
  demands: [],
  reaches: [],
  unknownNames: [],
  usesSearchPath: false,
  usesCatalog: true,
  changes: [],
};

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

function remembered(
  known: WeakMap<Catalog, Map<number, StatementReading>>,
  oid: number,
  catalog: Catalog,
  make: () => StatementReading,
): StatementReading {
  let ofCatalog = known.get(catalog);
  if (ofCatalog === undefined) known.set(catalog, (ofCatalog = new Map()));
  let reading = ofCatalog.get(oid);
  if (reading === undefined) {
    reading = make();
    if (ofCatalog.size >= MAX_KNOWN) ofCatalog.clear();
    ofCatalog.set(oid, reading);
  }
  return reading;
}

function withLineage(reading: StatementReading, oid: number, catalog: Catalog): StatementReading {
  return { ...reading, lineage: lineageOfCall(catalog.routineByOid(oid)) };
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
      // A number says nothing of where it could be: never let through.
      unknownNames: routine === undefined ? [{ kind: 'type', written: String(oid) }] : [],
      usesSearchPath: false,
      usesCatalog: true,
      changes: isHarmless ? [] : [{ kind: 'anything' }],
    },
    settings: [],
  };
}
