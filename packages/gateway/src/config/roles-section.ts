import { z } from 'zod';

import type { SectionProblem } from './problem.ts';
import { duration, NAME } from './schema-parts.ts';

/** `targets.<t>.roles`: roles that are made in the target, one per scope of a grant (docs/second-wall.md). */
export interface RolesConfig {
  /** Key into the target's `logins`: who may execute the functions that the setup installed. */
  readonly login: string;
  /** Role that takes over what sessions of `ddl` scopes make. Absent: such a scope gets no role that can make anything. */
  readonly owner?: string;
  /** What the names of the roles begin with. */
  readonly prefix: string;
  /** How long a role stays after its last session, ms. */
  readonly idleMs: number;
}

const DAY = 86_400_000;

/** Names that need no quoting: they become part of the functions that a DBA reviews. */
const PLAIN_NAME = /^[a-z_][a-z0-9_]{0,62}$/;

export const rolesSection = z
  .strictObject({
    login: z
      .string()
      .regex(NAME)
      .describe(
        'Name of the login that may execute the functions of `countersign target setup`, and nothing else.',
      ),
    owner: z
      .string()
      .regex(PLAIN_NAME, { error: 'must be 1 to 63 of a-z, 0-9 and _ and begin with a letter or _' })
      .optional()
      .describe(
        'Role (NOLOGIN) that takes over what sessions under a scope with ddl make. Absent: they can make nothing.',
      ),
    prefix: z
      .string()
      .regex(/^[a-z][a-z0-9_]{0,15}$/, { error: 'must be 1 to 16 of a-z, 0-9 and _ and begin with a letter' })
      .default('cs_')
      .describe('What the names of the roles begin with.'),
    idle: duration('5m', 'How long a role stays in the target after its last session.', { min: 0, max: DAY }),
  })
  .describe('Roles that are made in the target, one per scope of a grant that has no login of its own.');

export function assembleRoles({ login, owner, prefix, idle }: z.infer<typeof rolesSection>): RolesConfig {
  return { login, ...(owner === undefined ? {} : { owner }), prefix, idleMs: idle };
}

interface TargetShape {
  readonly name: string;
  readonly logins: Readonly<Record<string, unknown>>;
  readonly roles?: RolesConfig;
}

interface GrantShape {
  readonly id: string;
  readonly target: string;
  readonly login?: string;
  readonly scope?: { readonly ddl: readonly string[] | 'any' };
}

/** What the schema cannot see: a login that is not there, or is used for something else; scopes that get less than they say. */
export function checkRoles(
  targets: readonly TargetShape[],
  grants: readonly GrantShape[],
): readonly SectionProblem[] {
  return targets.flatMap(({ name, logins, roles }) => {
    if (roles === undefined) return [];
    const problems: SectionProblem[] = [];
    const path = ['targets', name, 'roles'];
    if (!Object.hasOwn(logins, roles.login)) {
      problems.push({ severity: 'error', path: [...path, 'login'], message: `${name} has no such login` });
    }
    for (const [index, grant] of grants.entries()) {
      if (grant.target !== name) continue;
      if (grant.login === roles.login) {
        problems.push({
          severity: 'error',
          path: ['grants', index, 'login'],
          message: 'this login makes the roles of the target: no grant may be it',
          hint: 'leave login out, or name another one',
        });
      }
      if (grant.login === undefined && roles.owner === undefined && wantsDdl(grant)) {
        problems.push({
          severity: 'warning',
          path: ['grants', index, 'scope'],
          message: `${grant.id} may make objects, but ${name} has no roles.owner: its role can make none`,
          hint: 'name a role that takes them over',
        });
      }
    }
    return problems;
  });
}

function wantsDdl({ scope }: GrantShape): boolean {
  return scope !== undefined && (scope.ddl === 'any' || scope.ddl.length > 0);
}
