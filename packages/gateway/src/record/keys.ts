/** Keys of the record: the log's signing key and the X25519 keys of the vault. */

import { createPrivateKey, createPublicKey, generateKeyPairSync, hash, type KeyObject } from 'node:crypto';
import {
  createSigner,
  parseSignerKey,
  rawX25519PublicKey,
  x25519PublicKey,
  type NoteSigner,
} from 'countersign-verify';
import { CountersignError } from '../errors.ts';

/** Reads the log's key: PKCS#8 PEM, or the note format `PRIVATE+KEY+<name>+…` whose name must be `origin`. */
export function parseSigningKey(text: string, origin: string, what = 'log.signingKey'): NoteSigner {
  try {
    const trimmed = text.trim();
    const signer = trimmed.startsWith('PRIVATE+KEY+')
      ? parseSignerKey(trimmed)
      : createSigner(origin, createPrivateKey(trimmed));
    if (signer.name === origin) return signer;
  } catch {
    // The reason could quote the key.
  }
  throw new CountersignError('CS_SECRET_UNAVAILABLE', {
    detail: `${what} is not an Ed25519 key of this origin`,
  });
}

/** A new Ed25519 key for a log, as PKCS#8 PEM. */
export function generateSigningKey(): string {
  return generateKeyPairSync('ed25519').privateKey.export({ format: 'pem', type: 'pkcs8' }) as string;
}

export interface VaultKeyPair {
  /** PKCS#8 PEM. */
  readonly privateKey: string;
  /** SPKI PEM. */
  readonly publicKey: string;
}

/** A new X25519 key pair for a custodian. */
export function generateVaultKeyPair(): VaultKeyPair {
  const pair = generateKeyPairSync('x25519');
  return {
    privateKey: pair.privateKey.export({ format: 'pem', type: 'pkcs8' }) as string,
    publicKey: pair.publicKey.export({ format: 'pem', type: 'spki' }) as string,
  };
}

/** A custodian's public key: SPKI PEM, or 32 bytes in base64url or base64. */
export function parseVaultPublicKey(text: string): KeyObject {
  const trimmed = text.trim();
  try {
    const key = trimmed.startsWith('-----')
      ? createPublicKey(trimmed)
      : x25519PublicKey(Buffer.from(trimmed, 'base64'));
    if (key.asymmetricKeyType === 'x25519') return key;
  } catch {
    // Reported below.
  }
  throw new CountersignError('CS_SECRET_UNAVAILABLE', {
    detail: 'vault.custodianKey is not an X25519 public key',
  });
}

/** base64url SHA-256 of the raw 32 bytes. */
export function vaultKeyFingerprint(key: KeyObject): string {
  return hash('sha256', rawX25519PublicKey(key), 'base64url');
}
