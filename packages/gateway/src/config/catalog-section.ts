import { z } from 'zod';

import type { SectionProblem } from './problem.ts';
import { duration, NAME } from './schema-parts.ts';

/** `targets.<t>.catalog`: how the gateway learns what statements mean in the target (docs/catalog.md). */
export interface CatalogConfig {
  /** Key into the target's `logins`: who reads the catalog. Absent: the first of them. */
  readonly login?: string;
  /** How old a catalog snapshot may be that decides over a statement, ms. */
  readonly pollMs: number;
}

/** Where the section is absent. */
export const DEFAULT_CATALOG: CatalogConfig = { pollMs: 2_000 };

export const catalogSection = z
  .strictObject({
    login: z
      .string()
      .regex(NAME)
      .optional()
      .describe('Name of the login that reads the catalog of the target. Default: the first of logins.'),
    poll: duration(
      '2s',
      'How old a snapshot of the catalog may be that decides over a statement: for so long a change that was not made through the gateway may stay unseen.',
      { min: 100, max: 60_000 },
    ),
  })
  .describe('How the gateway learns what statements mean in the target.');

export function assembleCatalog({ login, poll }: z.infer<typeof catalogSection>): CatalogConfig {
  return { ...(login === undefined ? {} : { login }), pollMs: poll };
}

interface TargetShape {
  readonly name: string;
  readonly logins: Readonly<Record<string, unknown>>;
  readonly catalog?: CatalogConfig;
}

/** What the schema cannot see: a login that is not there, or none at all. */
export function checkCatalog(targets: readonly TargetShape[]): readonly SectionProblem[] {
  return targets.flatMap(({ name, logins, catalog }): readonly SectionProblem[] => {
    const login = catalog?.login;
    if (login === undefined || Object.hasOwn(logins, login)) return [];
    const path = ['targets', name, 'catalog', 'login'];
    return [{ severity: 'error', path, message: `${name} has no such login` }];
  });
}
