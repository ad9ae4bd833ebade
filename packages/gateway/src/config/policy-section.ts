import { z } from 'zod';

import { name } from './schema-parts.ts';

/** The `policies` key: where the Cedar policies are (docs/policy.md). The gateway reads them; this only says where. */

export interface PoliciesConfig {
  /** Folder of `*.cedar`. Absolute. */
  readonly directory: string;
}

export const policiesSection = z
  .string()
  .min(1)
  .max(4_096)
  .describe(
    'Folder of Cedar policies (*.cedar), relative to this file. Absent, or without a policy: every command is refused.',
  );

/** Of a principal. Most principals are in a few groups; a list of hundreds is a mistake. */
export const MAX_GROUPS = 64;

export const groupsSection = z
  .array(name('A group.'))
  .max(MAX_GROUPS)
  .default([])
  .describe('Groups that it is in, for policies to speak of.');

/** @param resolvePath makes a path absolute, as seen from the folder of the configuration file. */
export function assemblePolicies(directory: string, resolvePath: (path: string) => string): PoliciesConfig {
  return { directory: resolvePath(directory) };
}
