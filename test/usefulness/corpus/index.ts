/** The whole corpus. */
import type { Case } from '../case.ts';
import { EXPORTS, LISTS } from './lists.ts';
import { INSTEAD, REFUSED } from './refused.ts';
import { REPORTS } from './reports.ts';
import { BUSINESS_INTELLIGENCE, MAPPERS } from './tools.ts';
import { OTHER_WRITES, SESSIONS, WRITES } from './work.ts';

export const CASES: readonly Case[] = [
  ...REPORTS,
  ...LISTS,
  ...EXPORTS,
  ...MAPPERS,
  ...BUSINESS_INTELLIGENCE,
  ...SESSIONS,
  ...WRITES,
  ...OTHER_WRITES,
  ...REFUSED,
  ...INSTEAD,
];
