/**
 * A spooled object: one value too large for memory, sealed in chunks (the STREAM construction). Big-endian, ASCII.
 *
 *   0  4  magic "CSVS"
 *   4  1  version, 1
 *   5 16  id of the data key
 *  21  7  nonce prefix, random per object
 *  28  4  chunk size in bytes (of plaintext)
 *  32  7  period "YYYY-MM"
 *  39  1  length of the retention class, then the class       ── up to here: the AAD of every chunk
 *  then   chunks: ciphertext and a tag of 16 bytes each. Every chunk but the last has the full size; the last has 0 to
 *         full size. Nonce = prefix ‖ chunk number (4 bytes) ‖ 1 for the last chunk, else 0.
 *
 * The salt of the object's commitment is in the vault entry that names it.
 */

import { createCipheriv, createDecipheriv } from 'node:crypto';
import { FormatError } from './errors.ts';
import { assertScope, DATA_KEY_ID_BYTES, TAG_BYTES, VAULT_VERSION, type VaultScope } from './vault-format.ts';

export const SPOOL_CHUNK_BYTES = 1_048_576;
export const SPOOL_PREFIX_BYTES = 7;
const MAGIC = 'CSVS';
const FIXED_BYTES = 40;

export interface SpoolHeader extends VaultScope {
  readonly keyId: Buffer;
  readonly noncePrefix: Buffer;
  readonly chunkBytes: number;
}

export function encodeSpoolHeader(header: SpoolHeader): Buffer {
  assertScope(header);
  if (header.keyId.length !== DATA_KEY_ID_BYTES) throw new FormatError('a data key id has 16 bytes');
  if (header.noncePrefix.length !== SPOOL_PREFIX_BYTES) throw new FormatError('a nonce prefix has 7 bytes');
  const bytes = Buffer.alloc(FIXED_BYTES + header.retentionClass.length);
  bytes.write(MAGIC, 0, 'latin1');
  bytes[4] = VAULT_VERSION;
  bytes.set(header.keyId, 5);
  bytes.set(header.noncePrefix, 21);
  bytes.writeUInt32BE(header.chunkBytes, 28);
  bytes.write(header.period, 32, 'latin1');
  bytes[39] = header.retentionClass.length;
  bytes.write(header.retentionClass, FIXED_BYTES, 'latin1');
  return bytes;
}

export function decodeSpoolHeader(bytes: Buffer): {
  readonly header: SpoolHeader;
  readonly headerBytes: number;
} {
  if (bytes.length < FIXED_BYTES || bytes.toString('latin1', 0, 4) !== MAGIC)
    throw new FormatError('not a spooled object');
  if (bytes[4] !== VAULT_VERSION) throw new FormatError('the version of a spooled object is not known');
  const headerBytes = FIXED_BYTES + bytes[39]!;
  if (bytes.length < headerBytes) throw new FormatError('a spooled object is cut short');
  const header: SpoolHeader = {
    keyId: bytes.subarray(5, 21),
    noncePrefix: bytes.subarray(21, 28),
    chunkBytes: bytes.readUInt32BE(28),
    period: bytes.toString('latin1', 32, 39),
    retentionClass: bytes.toString('latin1', FIXED_BYTES, headerBytes),
  };
  assertScope(header);
  if (header.chunkBytes < 1 || header.chunkBytes > 64 * SPOOL_CHUNK_BYTES)
    throw new FormatError('a chunk size is out of range');
  return { header, headerBytes };
}

function chunkNonce(prefix: Buffer, index: number, isLast: boolean): Buffer {
  const nonce = Buffer.alloc(12);
  nonce.set(prefix);
  nonce.writeUInt32BE(index, 7);
  nonce[11] = isLast ? 1 : 0;
  return nonce;
}

export interface SpoolChunkPlace {
  /** As `encodeSpoolHeader` gives it. */
  readonly aad: Buffer;
  readonly noncePrefix: Buffer;
  readonly index: number;
  readonly isLast: boolean;
}

/** Ciphertext and tag of one chunk. */
export function sealSpoolChunk(place: SpoolChunkPlace, dataKey: Uint8Array, chunk: Uint8Array): Buffer {
  return Buffer.concat(sealSpoolChunkParts(place, dataKey, chunk));
}

/** The same as ciphertext and tag, which spares who writes large objects a copy of each chunk. */
export function sealSpoolChunkParts(
  place: SpoolChunkPlace,
  dataKey: Uint8Array,
  chunk: Uint8Array,
): [ciphertext: Buffer, tag: Buffer] {
  const cipher = createCipheriv(
    'aes-256-gcm',
    dataKey,
    chunkNonce(place.noncePrefix, place.index, place.isLast),
  );
  cipher.setAAD(place.aad);
  const ciphertext = cipher.update(chunk);
  cipher.final();
  return [ciphertext, cipher.getAuthTag()];
}

/** Opens one chunk. Throws `FormatError` when it was altered, moved or cut, or the key is another. */
export function openSpoolChunk(place: SpoolChunkPlace, dataKey: Uint8Array, sealed: Buffer): Buffer {
  const length = sealed.length - TAG_BYTES;
  if (length < 0) throw new FormatError('a chunk is cut short');
  const nonce = chunkNonce(place.noncePrefix, place.index, place.isLast);
  const decipher = createDecipheriv('aes-256-gcm', dataKey, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(place.aad);
  decipher.setAuthTag(sealed.subarray(length));
  try {
    const opened = decipher.update(sealed.subarray(0, length));
    // In this mode it adds no bytes: it checks the tag.
    decipher.final();
    return opened;
  } catch (error) {
    throw new FormatError('a chunk does not open with this key', { cause: error });
  }
}
