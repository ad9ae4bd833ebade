/** All attacks, by family. */
import type { Attack, Family } from '../attack.ts';
import { CATALOG } from './catalog.ts';
import { COLUMNS } from './columns.ts';
import { DDL } from './ddl.ts';
import { CODE, FIRED } from './own-code.ts';
import { DYNAMIC, FILES, OBJECTS } from './reaching.ts';
import { MOVED_INSIDE } from './moved-inside.ts';
import { THROUGH_OWN } from './through-own.ts';
import { TYPES } from './types.ts';
import { DIRECT, PARSER, SPELLING } from './names.ts';
import { MOVED } from './moved-names.ts';
import { PREPARED, TRANSACTIONS } from './protocol.ts';
import { COMBINED, SUBQUERIES, WITH } from './queries.ts';
import { COPY, ERRORS, EXPLAIN } from './copying.ts';
import { INHERITANCE, VIEWS } from './relations.ts';
import { SESSION } from './session.ts';

export const FAMILIES: readonly Family[] = [
  DIRECT,
  SPELLING,
  PARSER,
  VIEWS,
  SUBQUERIES,
  WITH,
  COMBINED,
  COLUMNS,
  INHERITANCE,
  COPY,
  EXPLAIN,
  ERRORS,
  PREPARED,
  MOVED,
  TRANSACTIONS,
  FILES,
  DYNAMIC,
  OBJECTS,
  CODE,
  FIRED,
  CATALOG,
  DDL,
  SESSION,
  MOVED_INSIDE,
  TYPES,
  THROUGH_OWN,
];

export const ATTACKS: readonly Attack[] = FAMILIES.flatMap((family) => family.attacks);
