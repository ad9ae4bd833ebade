/** All attempts. */
import type { Attempt, Family } from '../attempt.ts';
import { AGGREGATES } from './aggregates.ts';
import { CATALOGS } from './catalogs.ts';
import { ROUTINES } from './code.ts';
import { COLUMNS, RELATIONS } from './columns.ts';
import { DEFINITIONS } from './definitions.ts';
import { ERRORS } from './errors.ts';
import { NUMBERS, STRUCTURES, TEXTS } from './expressions.ts';
import { BUDGETS, CONDITIONS, FAILURES } from './oracles.ts';
import { COPIES, PROTOCOL } from './protocol.ts';
import { DECLASSIFY, SINKS, WRITE_BACK, WRITES } from './sinks.ts';

export const FAMILIES: readonly Family[] = [
  COLUMNS,
  RELATIONS,
  TEXTS,
  NUMBERS,
  STRUCTURES,
  AGGREGATES,
  CONDITIONS,
  FAILURES,
  BUDGETS,
  ERRORS,
  ROUTINES,
  PROTOCOL,
  COPIES,
  CATALOGS,
  SINKS,
  WRITES,
  DECLASSIFY,
  WRITE_BACK,
  DEFINITIONS,
];

export const ATTEMPTS: readonly Attempt[] = FAMILIES.flatMap(({ attempts }) => attempts);

/** Of those that were played: attempts that should have got something where nothing is masked, and did not, or the other way round. */
export function unprovenIn(leaked: ReadonlySet<string>, played: ReadonlySet<string>): readonly string[] {
  return ATTEMPTS.filter(
    ({ id, blocked }) => played.has(id) && leaked.has(id) !== (blocked === undefined),
  ).map(({ id }) => id);
}
