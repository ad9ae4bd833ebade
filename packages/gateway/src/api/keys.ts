import { isAbsolute } from 'node:path';

import { z } from 'zod';

import type { ControlServices } from './control-services.ts';

const directory = z.string().max(4_000).refine(isAbsolute);
const label = z.string().regex(/^[a-z0-9-]{1,32}$/);

/** One act on keys. Directories are absolute, and read or written by the gateway itself. */
export const keyRequestSchema = z.discriminatedUnion('act', [
  z.strictObject({ act: z.literal('rotate'), purpose: z.literal('identity') }),
  z.strictObject({
    act: z.literal('revoke'),
    purpose: z.enum(['log-signing', 'vault-custodian', 'vault-gateway', 'identity']),
    cause: z.enum(['compromised', 'lost', 'retired']),
    /** The key as the record names it; absent: the gateway's own one that is in force, which is replaced. */
    key: z.string().min(1).max(255).optional(),
  }),
  z.strictObject({
    act: z.literal('archive'),
    directory,
    retentionClass: label.optional(),
    period: z
      .string()
      .regex(/^\d{4}-\d{2}$/)
      .optional(),
  }),
  z.strictObject({ act: z.literal('import'), directory }),
]);

export type KeyRequest = z.infer<typeof keyRequestSchema>;

export interface KeyDeskAnswer {
  /** Fingerprints: the key in force now, and the one that is not any more. */
  readonly key?: string;
  readonly revoked?: string;
  /** Data keys that were copied or replaced. */
  readonly count?: number;
}

/** Does what a request asks for, recorded first. */
export interface KeyService {
  handle(request: KeyRequest): Promise<KeyDeskAnswer>;
}

/** Throws `CS_REQUEST_INVALID`, `CS_RECORD_*`. */
export function handleKeys(request: KeyRequest, services: ControlServices): Promise<KeyDeskAnswer> {
  return services.keyService.handle(request);
}
