import { constants } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

import { CountersignError } from '../errors.ts';
import type { SecretRef, Secrets } from './config.ts';

/** Keys, certificates and passwords are small; a reference to something large is a mistake. */
const MAX_SECRET_BYTES = 1_048_576;

/**
 * Secrets from the environment of the process and from files. Nothing else in the gateway reads one.
 *
 * A secret's bytes come without one trailing line break, and are read anew at every call, so a rotated file counts at once.
 * Throws `CS_SECRET_UNAVAILABLE`, which names the reference and never the content.
 */
export function createSecrets(environment: NodeJS.ProcessEnv = process.env): Secrets {
  return {
    read: async (reference) => {
      const bytes =
        reference.kind === 'env' ? readVariable(reference, environment) : await readSecretFile(reference);
      const trimmed = withoutLineBreak(bytes);
      if (trimmed.length === 0) throw unavailable(reference, 'is empty');
      return trimmed;
    },
  };
}

/** `env:NAME` or `file:PATH`, as configuration writes it. */
export function formatSecretRef(reference: SecretRef): string {
  return `${reference.kind}:${reference.name}`;
}

function readVariable(reference: SecretRef, environment: NodeJS.ProcessEnv): Buffer {
  const value = environment[reference.name];
  if (value === undefined) throw unavailable(reference, 'is not set');
  return Buffer.from(value, 'utf8');
}

async function readSecretFile(reference: SecretRef): Promise<Buffer> {
  let handle: FileHandle | undefined;
  try {
    // O_NONBLOCK: a FIFO in the place of a key must not hang the start.
    handle = await open(reference.name, constants.O_RDONLY | constants.O_NONBLOCK);
    const stat = await handle.stat();
    if (!stat.isFile()) throw unavailable(reference, 'is not a file');
    if (stat.size > MAX_SECRET_BYTES) throw unavailable(reference, 'is larger than 1 MiB');
    return await handle.readFile();
  } catch (error) {
    if (error instanceof CountersignError) throw error;
    throw unavailable(reference, `cannot be read: ${(error as NodeJS.ErrnoException).code ?? 'unknown'}`);
  } finally {
    await handle?.close();
  }
}

function unavailable(reference: SecretRef, what: string): CountersignError {
  return new CountersignError('CS_SECRET_UNAVAILABLE', {
    detail: `${formatSecretRef(reference)} ${what}`,
    hint:
      reference.kind === 'env'
        ? 'Set the variable for the gateway process.'
        : 'Check the path and that the gateway may read it.',
  });
}

function withoutLineBreak(bytes: Buffer): Buffer {
  let { length } = bytes;
  if (bytes[length - 1] === 0x0a) length -= 1;
  if (bytes[length - 1] === 0x0d) length -= 1;
  return bytes.subarray(0, length);
}
