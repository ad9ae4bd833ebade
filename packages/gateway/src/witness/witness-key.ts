import { createPrivateKey, generateKeyPairSync } from 'node:crypto';

import { createCosigner, createSigner, formatSignerKey, parseSignerKey } from 'countersign-verify';
import type { Cosigner } from 'countersign-verify';

import type { Secrets } from '../config/config.ts';
import { CountersignError } from '../errors.ts';
import type { WitnessKeyConfig } from './witness-config.ts';

/** A new key of a witness. */
export interface NewWitnessKey {
  readonly cosigner: Cosigner;
  /** `PRIVATE+KEY+<name>+…` as other witnesses and Go's note package keep a key. A secret. */
  readonly text: string;
}

export function generateWitnessKey(name: string): NewWitnessKey {
  const signer = createSigner(name, generateKeyPairSync('ed25519').privateKey);
  return { cosigner: createCosigner(signer), text: `${formatSignerKey(signer)}\n` };
}

/**
 * Reads the witness's keys: each in the note format, whose name must be the configured one, or PKCS#8 PEM. Throws
 * `CS_SECRET_UNAVAILABLE`, and `CS_CONFIG_INVALID` when two entries are one key: what a witness signs does not name it.
 */
export async function loadCosigners(
  keys: readonly WitnessKeyConfig[],
  secrets: Secrets,
): Promise<readonly [Cosigner, ...Cosigner[]]> {
  const cosigners: Cosigner[] = [];
  for (const [index, { key, name }] of keys.entries()) {
    const cosigner = parseWitnessKey((await secrets.read(key)).toString('utf8'), name, index);
    if (cosigners.some((other) => other.publicKey.equals(cosigner.publicKey))) {
      throw new CountersignError('CS_CONFIG_INVALID', {
        detail: `keys[${index}] is a key that is there before`,
      });
    }
    cosigners.push(cosigner);
  }
  const [first, ...rest] = cosigners;
  if (first === undefined) throw new CountersignError('CS_CONFIG_INVALID', { detail: 'keys is empty' });
  return [first, ...rest];
}

function parseWitnessKey(text: string, name: string, index: number): Cosigner {
  try {
    const trimmed = text.trim();
    const signer = trimmed.startsWith('PRIVATE+KEY+')
      ? parseSignerKey(trimmed)
      : createSigner(name, createPrivateKey(trimmed));
    if (signer.name === name) return createCosigner(signer);
  } catch {
    // The reason could quote the key.
  }
  throw new CountersignError('CS_SECRET_UNAVAILABLE', {
    detail: `keys[${index}].key is not an Ed25519 key of the name that stands there`,
  });
}
