/** What calling a routine can reach, by lists (docs/analysis.md). What no list has is never harmless. */
import type { Special } from '../../../policy/access.ts';
import type { CatalogRoutine } from '../../catalog/catalog.ts';
import { COMPUTING_EXTENSIONS, EXTENSION_REACHES } from './extension-routines.ts';
import { HARMLESS_A_TO_I } from './harmless-a-to-i.ts';
import { HARMLESS_J_TO_Z } from './harmless-j-to-z.ts';
import { REACHING_PREFIXES, REACHING_ROUTINES, SEQUENCE_ROUTINES } from './reaching-routines.ts';

/**
 * `harmless`: demands nothing. `own`: demanded by its name. `security-definer` and the other specials: demanded by name, and
 * granted by exact name or by the special. `sequence`, `setting`, `rewrite`: the arguments decide, `routine-call.ts`.
 */
export type RoutineReach = 'harmless' | 'own' | 'sequence' | 'setting' | 'rewrite' | Special;

const BUILT_IN: ReadonlyMap<string, RoutineReach> = (() => {
  const reaches = new Map<string, RoutineReach>();
  for (const text of [HARMLESS_A_TO_I, HARMLESS_J_TO_Z]) {
    for (const name of text.trim().split(/\s+/u)) reaches.set(name, 'harmless');
  }
  for (const [reach, names] of Object.entries(REACHING_ROUTINES)) {
    for (const name of names) reaches.set(name, reach as Special);
  }
  for (const name of SEQUENCE_ROUTINES.keys()) reaches.set(name, 'sequence');
  reaches.set('current_setting', 'setting');
  reaches.set('set_config', 'setting');
  reaches.set('ts_rewrite', 'rewrite');
  return reaches;
})();

/** Of pg_catalog. Undefined: no list has it, so it is demanded by its exact name like an own function. */
export function classifyBuiltIn(name: string): RoutineReach | undefined {
  const listed = BUILT_IN.get(name);
  if (listed !== undefined) return listed;
  for (const [prefix, reach] of REACHING_PREFIXES) {
    if (name.startsWith(prefix)) return reach;
  }
  return undefined;
}

/** Helpers of the views of information_schema: they compute from a row of pg_attribute and pg_type. */
const INFORMATION_SCHEMA_PREFIX = '_pg_';

/** By the name alone, where no catalog entry is at hand. */
export function classifyRoutine(schema: string, name: string): RoutineReach {
  if (schema === 'pg_catalog') return classifyBuiltIn(name) ?? 'own';
  if (schema === 'information_schema' && name.startsWith(INFORMATION_SCHEMA_PREFIX)) return 'harmless';
  return 'own';
}

/** The routines that PostgreSQL itself brings are of these OIDs (FirstNormalObjectId); someone's own may stand in pg_catalog too. */
const FIRST_NORMAL_OID = 16_384;

const LANGUAGES_OF_SUPERUSERS: ReadonlySet<string> = new Set(['c', 'internal']);

/** With what the catalog knows of it: the extension it came with, whether it runs as its owner, whether it is the server's own at all. */
export function reachOfRoutine(routine: CatalogRoutine): RoutineReach {
  if (routine.extension !== undefined) {
    const reach = reachByExtension(routine, routine.extension);
    if (reach !== undefined) return reach;
  }
  if (routine.oid < FIRST_NORMAL_OID) {
    const reach = classifyRoutine(routine.schema, routine.name);
    if (reach !== 'own') return reach;
  } else if (routine.schema === 'pg_catalog') {
    // Put there by a superuser or an extension: what is known to reach does, nothing else is harmless.
    const reach = classifyBuiltIn(routine.name);
    if (reach !== undefined && reach !== 'harmless' && !isJudgedByArguments(reach)) return reach;
  }
  return routine.securityDefiner ? 'security-definer' : 'own';
}

function isJudgedByArguments(reach: RoutineReach): boolean {
  return reach === 'sequence' || reach === 'setting' || reach === 'rewrite';
}

function reachByExtension(routine: CatalogRoutine, extension: string): RoutineReach | undefined {
  for (const [routines, reach] of EXTENSION_REACHES[extension] ?? []) {
    if (routines === '*' || routines.includes(routine.name)) return reach;
  }
  const computes = COMPUTING_EXTENSIONS.has(extension) && LANGUAGES_OF_SUPERUSERS.has(routine.language);
  return computes && !routine.securityDefiner ? 'harmless' : undefined;
}
