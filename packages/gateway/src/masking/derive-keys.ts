import { hkdfSync } from 'node:crypto';

import { CountersignError } from '../errors.ts';
import type { MaskingKeys } from './keys.ts';

/** What one key of AES-256 has: what is derived can be no stronger than what it is derived from. */
export const MIN_SECRET_BYTES = 32;

/**
 * The keys of masking, by HKDF-SHA-256 with a label for each use, so that none tells anything of another.
 *
 * @param secret content of `masking.key`, at least 32 bytes: any bytes, base64 and hex texts as they are. Throws `CS_CONFIG_INVALID` when it is shorter.
 */
export function deriveMaskingKeys(secret: Buffer): MaskingKeys {
  if (secret.length < MIN_SECRET_BYTES) {
    throw new CountersignError('CS_CONFIG_INVALID', {
      detail: `masking.key: has fewer than ${MIN_SECRET_BYTES} bytes`,
      hint: 'Make one, for example: openssl rand -base64 48.',
    });
  }
  return {
    token: derive(secret, 'token', 64),
    fpe: derive(secret, 'fpe', 32),
    redaction: derive(secret, 'redaction', 32),
    probe: derive(secret, 'probe', 32),
  };
}

function derive(secret: Buffer, use: string, length: number): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `countersign masking ${use} v1`, length));
}
