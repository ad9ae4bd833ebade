import { z } from 'zod';

import { CountersignError } from '../errors.ts';
import { socketPeer } from './control-services.ts';
import type { ControlServices } from './control-services.ts';

/** One request reads so many leaves at most; a caller who wants more asks again, and each time is recorded. */
export const MAX_LEAVES_PER_READ = 1_000;

/** A range of one journal, both ends included. */
export const logReadRequestSchema = z
  .strictObject({ journal: z.string().max(63).optional(), from: z.int().min(0), to: z.int().min(0) })
  .refine(({ from, to }) => to >= from && to - from < MAX_LEAVES_PER_READ);

export type LogReadRequest = z.infer<typeof logReadRequestSchema>;

export interface ReadContent {
  readonly jseq: number;
  readonly field: string;
  /** The salt and bytes of the commitment, base64: what a reader needs to check it. */
  readonly salt: string;
  readonly bytes?: string;
  /** Id in the vault, for a value too large to be answered here. */
  readonly spool?: string;
}

/**
 * Opens sealed contents with the gateway's own key. `log.read` is durable before anything is opened (decision 17), so a
 * reader who is refused, or whose connection breaks, is on the record as well.
 */
export async function readContents(
  request: LogReadRequest,
  services: ControlServices,
): Promise<{ readonly contents: readonly ReadContent[] }> {
  const { recorder } = services;
  const journal = request.journal ?? recorder.journal;
  if (journal !== recorder.journal) {
    throw new CountersignError('CS_REQUEST_INVALID', { detail: 'this gateway has no such journal' });
  }
  const leaf = recorder.append(
    {
      type: 'log.read',
      reader: socketPeer(),
      scope: `${journal}:${request.from}-${request.to}`,
      count: request.to - request.from + 1,
    },
    [],
    { control: true },
  );
  await leaf.durable();
  const contents = await services.readContents(request.from, request.to);
  return { contents };
}
