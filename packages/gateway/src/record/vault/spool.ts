/**
 * Values too large to hold: sealed chunk by chunk on their way to a file of the vault, and read back from there. The
 * file is `spool/<class>/<period>/<id>`; it has a data key of its own, wrapped as all data keys are.
 *
 * Order: (1) the wrapped keys are durable, (2) chunks are written to `<id>.part`, (3) that is synced, (4) the claim to it is
 * durable (`spool-claims.ts`), (5) it gets its name, and the name is synced, (6) only then `finish` gives the commitment, (7) when
 * a leaf that names it is on disk, the claim goes. What a crash leaves unfinished, or finished and unnamed, the next start
 * removes (`removeUnfinishedSpools`, `settleClaims`).
 *
 * Nothing here blocks the data thread: files are touched by the runtime's own threads.
 */

import { createHash, randomBytes, type Hash } from 'node:crypto';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  decodeSpoolHeader,
  encodeSpoolHeader,
  openSpoolChunk,
  SALT_BYTES,
  sealSpoolChunkParts,
  SPOOL_CHUNK_BYTES,
  SPOOL_PREFIX_BYTES,
  spoolPath,
  TAG_BYTES,
  wrappedKeyPath,
  type SpoolHeader,
} from 'countersign-verify';
import { CountersignError } from '../../errors.ts';
import type { Clock } from '../clock.ts';
import { syncUpTo, type AsyncFile, type AsyncFileLayer } from '../journal/async-file-layer.ts';
import { randomPooled, uuidv7 } from '../random.ts';
import { recordError } from '../record-error.ts';
import type { Commitment, Spool } from '../recorder.ts';
import { wrappedKeyFiles } from './data-key-files.ts';
import type { Sealing } from './sealing.ts';
import { claimPath, leftClaims, type RecordPlaces, type SpoolClaims } from './spool-claims.ts';

export interface SpoolOptions {
  readonly sealing: Sealing;
  readonly retentionClass: string;
  readonly clock: Clock;
  /** Asked before so many bytes are written; throws when there is no room for them. */
  readonly admit: (bytes: number) => void;
  readonly files: AsyncFileLayer;
  readonly claims: SpoolClaims;
}

const UNFINISHED = '.part';

interface SpoolParts {
  readonly vaultDirectory: string;
  readonly path: string;
  readonly id: string;
  readonly dataKey: Buffer;
  readonly aad: Buffer;
  readonly noncePrefix: Buffer;
  /** Files of the wrapped key. */
  readonly keyFiles: readonly string[];
  readonly admit: (bytes: number) => void;
  readonly files: AsyncFileLayer;
  readonly claims: SpoolClaims;
}

class VaultSpool implements Spool {
  readonly #parts: SpoolParts;
  readonly #file: AsyncFile;
  readonly #dataKey: Buffer;
  readonly #aad: Buffer;
  readonly #noncePrefix: Buffer;
  readonly #salt = randomPooled(SALT_BYTES);
  readonly #hash: Hash;
  /** Plaintext that does not fill a chunk yet. */
  readonly #chunk = Buffer.allocUnsafe(SPOOL_CHUNK_BYTES);
  #chunkBytes = 0;
  #chunks = 0;
  #offset: number;
  /** Path of the claim, from when it may be there. */
  #claim: string | undefined;
  #isFinished = false;
  #isClosed = false;

  constructor(file: AsyncFile, parts: SpoolParts) {
    this.#file = file;
    this.#parts = parts;
    this.#dataKey = parts.dataKey;
    this.#aad = parts.aad;
    this.#noncePrefix = parts.noncePrefix;
    this.#offset = parts.aad.length;
    this.#hash = createHash('sha256').update(this.#salt);
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#hash.update(chunk);
    for (let at = 0; at < chunk.length;) {
      // A full chunk is sealed only when more comes: the last one is marked as such.
      if (this.#chunkBytes === SPOOL_CHUNK_BYTES) await this.#flush(false);
      const count = Math.min(chunk.length - at, SPOOL_CHUNK_BYTES - this.#chunkBytes);
      this.#chunk.set(chunk.subarray(at, at + count), this.#chunkBytes);
      this.#chunkBytes += count;
      at += count;
    }
  }

  async finish(): Promise<Commitment> {
    const { claims, files, id, path, vaultDirectory } = this.#parts;
    await this.#flush(true);
    await this.#file.sync();
    const digest = this.#hash.digest('base64url');
    const claim = claimPath(path, digest);
    this.#claim = claim;
    await (await files.create(claim)).close();
    await files.syncDirectory(dirname(path));
    await files.rename(path + UNFINISHED, path);
    await syncUpTo(files, vaultDirectory, dirname(path));
    this.#isFinished = true;
    claims.add(id, claim);
    return { digest, salt: this.#salt, spool: id };
  }

  async *read(): AsyncIterable<Uint8Array> {
    if (!this.#isFinished)
      throw new CountersignError('CS_INTERNAL', { detail: 'a spool is read before it is finished' });
    try {
      let position = this.#aad.length;
      // One for all chunks: what is opened is a copy.
      const scratch = Buffer.allocUnsafeSlow(SPOOL_CHUNK_BYTES + TAG_BYTES);
      for (let index = 0; index < this.#chunks; index++) {
        const isLast = index === this.#chunks - 1;
        const length = Math.min(SPOOL_CHUNK_BYTES + TAG_BYTES, this.#offset - position);
        const sealed = scratch.subarray(0, length);
        if ((await this.#file.read(sealed, length, position)) < length)
          throw new CountersignError('CS_RECORD_FAILED', { detail: 'a spooled object is cut short' });
        position += length;
        yield openSpoolChunk(this.#place(index, isLast), this.#dataKey, sealed);
      }
    } finally {
      await this.#close();
    }
  }

  async abort(): Promise<void> {
    await this.#close();
    const { claims, files, id, keyFiles, path } = this.#parts;
    // What a leaf names, or is about to, stays; so does what a leaf that is on disk named before.
    if (this.#isFinished && claims.release(id) === undefined) return;
    // The claim last: as long as it is there, the next start looks at the value.
    const left = [path + UNFINISHED, path, ...keyFiles];
    for (const file of this.#claim === undefined ? left : [...left, this.#claim]) await files.remove(file);
  }

  #place(index: number, isLast: boolean): Parameters<typeof sealSpoolChunkParts>[0] {
    return { aad: this.#aad, noncePrefix: this.#noncePrefix, index, isLast };
  }

  async #flush(isLast: boolean): Promise<void> {
    const plaintext = this.#chunk.subarray(0, this.#chunkBytes);
    const parts = sealSpoolChunkParts(this.#place(this.#chunks, isLast), this.#dataKey, plaintext);
    this.#parts.admit(plaintext.length + TAG_BYTES);
    for (const part of parts) {
      await this.#file.write(part, this.#offset);
      this.#offset += part.length;
    }
    this.#chunks++;
    this.#chunkBytes = 0;
  }

  async #close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#file.close();
  }
}

async function guard<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw recordError(error);
  }
}

/** What fails is taken away at once: nobody can go on with it. */
function guarded(spool: Spool): Spool {
  const orAbort = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await guard(work);
    } catch (error) {
      await spool.abort().catch(() => undefined);
      throw error;
    }
  };
  return {
    write: (chunk) => orAbort(spool.write(chunk)),
    finish: () => orAbort(spool.finish()),
    read: () => spool.read(),
    abort: () => guard(spool.abort()),
  };
}

async function writeKeys(
  vaultDirectory: string,
  wrappedKeys: ReturnType<typeof wrappedKeyFiles>,
  files: AsyncFileLayer,
): Promise<void> {
  for (const { path, wrapped } of wrappedKeys) {
    await files.makeDirectory(dirname(path));
    const file = await files.create(path);
    try {
      await file.write(wrapped, 0);
      await file.sync();
    } finally {
      await file.close();
    }
  }
  await syncUpTo(files, vaultDirectory, dirname(wrappedKeys[0]!.path));
}

export async function openVaultSpool(vaultDirectory: string, options: SpoolOptions): Promise<Spool> {
  const { admit, claims, files } = options;
  const atUs = options.clock.atUs();
  const { retentionClass, sealing } = options;
  const scope = { retentionClass, period: sealing.period };
  const id = uuidv7(Math.floor(atUs / 1000));
  const path = join(vaultDirectory, spoolPath(scope, id));
  const dataKey = randomBytes(32);
  const keyId = randomBytes(16);
  const noncePrefix = randomBytes(SPOOL_PREFIX_BYTES);
  const keys = wrappedKeyFiles(vaultDirectory, { ...scope, keyId }, dataKey, sealing);
  const keyFiles = keys.map((file) => file.path);
  let file: AsyncFile | undefined;
  try {
    await writeKeys(vaultDirectory, keys, files);
    await files.makeDirectory(dirname(path));
    const aad = encodeSpoolHeader({ ...scope, keyId, noncePrefix, chunkBytes: SPOOL_CHUNK_BYTES });
    file = await files.create(path + UNFINISHED);
    await file.write(aad, 0);
    const parts = { vaultDirectory, path, id, dataKey, aad, noncePrefix, keyFiles, admit, files, claims };
    return guarded(new VaultSpool(file, parts));
  } catch (error) {
    await file?.close().catch(() => undefined);
    for (const left of [path + UNFINISHED, ...keyFiles]) await files.remove(left).catch(() => undefined);
    throw recordError(error);
  }
}

/** Removes what a crash left of values that were being spooled, with their keys. No leaf names them. */
export async function removeUnfinishedSpools(vaultDirectory: string, files: AsyncFileLayer): Promise<void> {
  const root = join(vaultDirectory, 'spool');
  for (const name of await files.listAll(root)) {
    if (name.endsWith(UNFINISHED)) await removeWithKeys(vaultDirectory, join(root, name), files);
  }
}

/** Removes finished values of earlier runs that no leaf names, and the claims to those that one does. */
export async function settleClaims(files: AsyncFileLayer, places: RecordPlaces): Promise<void> {
  for (const { path, object, isOnRecord } of await leftClaims(files, places)) {
    if (!isOnRecord) await removeWithKeys(places.vaultDirectory, object, files);
    await files.remove(path);
  }
}

async function removeWithKeys(vaultDirectory: string, path: string, files: AsyncFileLayer): Promise<void> {
  const header = await readHeader(path);
  // Without a header its key opens nothing.
  for (const recipient of header === undefined ? [] : (['custodian', 'gateway'] as const)) {
    await files.remove(join(vaultDirectory, wrappedKeyPath(header!, header!.keyId, recipient)));
  }
  await files.remove(path);
}

async function readHeader(path: string): Promise<SpoolHeader | undefined> {
  try {
    const handle = await open(path, 'r');
    const start = Buffer.alloc(512);
    try {
      await handle.read(start, 0, start.length, 0);
    } finally {
      await handle.close();
    }
    return decodeSpoolHeader(start).header;
  } catch {
    return undefined;
  }
}
