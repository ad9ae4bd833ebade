/**
 * Wrapped data keys of the vault: a data key sealed to the X25519 public key of a recipient, in the manner of HPKE
 * (RFC 9180 base mode with HKDF-SHA256 and AES-256-GCM), with our own labels. Big-endian, ASCII.
 *
 *   0  4  magic "CSVK"
 *   4  1  version, 1
 *   5 16  id of the data key
 *  21  7  period "YYYY-MM"
 *  28  1  length of the retention class, then the class
 *     32  recipient's X25519 public key        ── up to here: the AAD, and part of the HKDF info
 *     32  ephemeral X25519 public key
 *     48  AES-256-GCM of the data key (32 bytes) and its tag (16)
 *
 * key ‖ nonce = HKDF-SHA256(ikm = X25519(ephemeral, recipient), salt = ephemeral ‖ recipient,
 *                           info = "countersign vault key v1" ‖ AAD, 44 bytes); the key is used once.
 */

import {
  createCipheriv,
  createDecipheriv,
  createPrivateKey,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
} from 'node:crypto';
import { FormatError } from './errors.ts';
import {
  assertScope,
  DATA_KEY_BYTES,
  DATA_KEY_ID_BYTES,
  NONCE_BYTES,
  TAG_BYTES,
  type VaultScope,
} from './vault-format.ts';

const MAGIC = 'CSVK';
const VERSION = 1;
const INFO = Buffer.from('countersign vault key v1');
const KEY_BYTES = 32;
const SPKI_PREFIX = Buffer.from('302a300506032b656e032100', 'hex');
const PKCS8_PREFIX = Buffer.from('302e020100300506032b656e04220420', 'hex');

export interface WrappedKeyHeader extends VaultScope {
  readonly keyId: Buffer;
  /** Raw X25519 public key of whom it is wrapped to. */
  readonly recipient: Buffer;
}

/** A raw X25519 public key (32 bytes). */
export function x25519PublicKey(raw: Uint8Array): KeyObject {
  if (raw.length !== KEY_BYTES) throw new FormatError('an X25519 public key has 32 bytes');
  return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: 'der', type: 'spki' });
}

/** A raw X25519 private key (32 bytes). */
export function x25519PrivateKey(raw: Uint8Array): KeyObject {
  if (raw.length !== KEY_BYTES) throw new FormatError('an X25519 private key has 32 bytes');
  return createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, raw]), format: 'der', type: 'pkcs8' });
}

/** The 32 bytes of the public half of an X25519 key. */
export function rawX25519PublicKey(key: KeyObject): Buffer {
  if (key.asymmetricKeyType !== 'x25519') throw new FormatError('not an X25519 key');
  const publicKey = key.type === 'private' ? createPublicKey(key) : key;
  return Buffer.from(publicKey.export({ format: 'der', type: 'spki' }).subarray(SPKI_PREFIX.length));
}

function encodeHeader(header: WrappedKeyHeader): Buffer {
  assertScope(header);
  if (header.keyId.length !== DATA_KEY_ID_BYTES) throw new FormatError('a data key id has 16 bytes');
  const fixed = Buffer.alloc(29);
  fixed.write(MAGIC, 0, 'latin1');
  fixed[4] = VERSION;
  fixed.set(header.keyId, 5);
  fixed.write(header.period, 21, 'latin1');
  fixed[28] = header.retentionClass.length;
  return Buffer.concat([fixed, Buffer.from(header.retentionClass, 'latin1'), header.recipient]);
}

function deriveKey(
  own: KeyObject,
  peer: KeyObject,
  ephemeral: Buffer,
  aad: Buffer,
  recipient: Buffer,
): Buffer {
  const shared = diffieHellman({ privateKey: own, publicKey: peer });
  const salt = Buffer.concat([ephemeral, recipient]);
  return Buffer.from(hkdfSync('sha256', shared, salt, Buffer.concat([INFO, aad]), KEY_BYTES + NONCE_BYTES));
}

/** Wraps a data key. `ephemeral` is for test vectors only; by default a fresh key pair is made. */
export function wrapDataKey(
  scope: VaultScope & { readonly keyId: Buffer },
  dataKey: Uint8Array,
  recipient: KeyObject,
  ephemeral: KeyObject = generateKeyPairSync('x25519').privateKey,
): Buffer {
  if (dataKey.length !== DATA_KEY_BYTES) throw new FormatError('a data key has 32 bytes');
  const recipientRaw = rawX25519PublicKey(recipient);
  const ephemeralRaw = rawX25519PublicKey(ephemeral);
  const aad = encodeHeader({ ...scope, recipient: recipientRaw });
  const okm = deriveKey(ephemeral, x25519PublicKey(recipientRaw), ephemeralRaw, aad, recipientRaw);
  const cipher = createCipheriv('aes-256-gcm', okm.subarray(0, KEY_BYTES), okm.subarray(KEY_BYTES));
  cipher.setAAD(aad);
  const ciphertext = Buffer.concat([cipher.update(dataKey), cipher.final(), cipher.getAuthTag()]);
  return Buffer.concat([aad, ephemeralRaw, ciphertext]);
}

export function decodeWrappedKeyHeader(wrapped: Buffer): WrappedKeyHeader {
  if (wrapped.length < 29 || wrapped.toString('latin1', 0, 4) !== MAGIC)
    throw new FormatError('not a wrapped key');
  if (wrapped[4] !== VERSION) throw new FormatError('the version of a wrapped key is not known');
  const classEnd = 29 + wrapped[28]!;
  if (wrapped.length !== classEnd + 2 * KEY_BYTES + DATA_KEY_BYTES + TAG_BYTES) {
    throw new FormatError('a wrapped key has the wrong length');
  }
  const header: WrappedKeyHeader = {
    keyId: wrapped.subarray(5, 21),
    period: wrapped.toString('latin1', 21, 28),
    retentionClass: wrapped.toString('latin1', 29, classEnd),
    recipient: wrapped.subarray(classEnd, classEnd + KEY_BYTES),
  };
  assertScope(header);
  return header;
}

export interface UnwrappedKey extends WrappedKeyHeader {
  readonly dataKey: Buffer;
}

/** Opens a wrapped key. Throws `FormatError` when it is for another recipient or was altered. */
export function unwrapDataKey(wrapped: Buffer, privateKey: KeyObject): UnwrappedKey {
  const header = decodeWrappedKeyHeader(wrapped);
  if (!rawX25519PublicKey(privateKey).equals(header.recipient)) {
    throw new FormatError('the key is wrapped to another recipient');
  }
  const aadEnd = wrapped.length - KEY_BYTES - DATA_KEY_BYTES - TAG_BYTES;
  const aad = wrapped.subarray(0, aadEnd);
  const ephemeral = wrapped.subarray(aadEnd, aadEnd + KEY_BYTES);
  const ciphertext = wrapped.subarray(aadEnd + KEY_BYTES);
  try {
    const okm = deriveKey(privateKey, x25519PublicKey(ephemeral), ephemeral, aad, header.recipient);
    const decipher = createDecipheriv('aes-256-gcm', okm.subarray(0, KEY_BYTES), okm.subarray(KEY_BYTES), {
      authTagLength: TAG_BYTES,
    });
    decipher.setAAD(aad);
    decipher.setAuthTag(ciphertext.subarray(DATA_KEY_BYTES));
    const dataKey = Buffer.concat([
      decipher.update(ciphertext.subarray(0, DATA_KEY_BYTES)),
      decipher.final(),
    ]);
    return { ...header, dataKey };
  } catch (error) {
    throw new FormatError('a wrapped key does not open with this key', { cause: error });
  }
}
