import { z } from 'zod';

import type { ControlServices } from './control-services.ts';

/** The checkpoint that a backup is about to hold. */
export const backupRequestSchema = z.strictObject({
  size: z.int().min(0),
  root: z.string().regex(/^[A-Za-z0-9+/]{43}=$/),
});

/** Puts a backup on record; it is durable when this resolves. Throws `CS_RECORD_*`. */
export async function recordBackup(
  { root, size }: z.infer<typeof backupRequestSchema>,
  services: ControlServices,
): Promise<{ readonly recorded: true }> {
  await services.recorder.append({ type: 'backup.created', size, root }, [], { control: true }).durable();
  return { recorded: true };
}
