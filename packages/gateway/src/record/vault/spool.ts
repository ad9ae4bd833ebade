/**
 * Values too large to hold: sealed chunk by chunk on their way to a file of the vault, and read back from there. The
 * file is `spool/<class>/<period>/<id>`; it has a data key of its own, wrapped as all data keys are.
 *
 * Order: (1) the wrapped keys are durable, (2) chunks are written to `<id>.part`, (3) that is synced, gets its name, and
 * the name is synced, (4) only then `finish` gives the commitment. What a crash leaves unfinished the next start removes
 * (`removeUnfinishedSpools`); a finished object that no leaf came to name stays, sealed as all others.
 *
 * Nothing here blocks the data thread: files are touched by the runtime's own threads.
 */

import { createHash, randomBytes, type Hash, type KeyObject } from 'node:crypto';
import { mkdir, open, readdir, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  decodeSpoolHeader,
  encodeSpoolHeader,
  openSpoolChunk,
  periodOf,
  rawX25519PublicKey,
  SALT_BYTES,
  sealSpoolChunkParts,
  SPOOL_CHUNK_BYTES,
  SPOOL_PREFIX_BYTES,
  spoolPath,
  TAG_BYTES,
  wrappedKeyPath,
} from 'countersign-verify';
import { CountersignError } from '../../errors.ts';
import type { Clock } from '../clock.ts';
import type { FaultGate } from '../journal/faulty-file-layer.ts';
import { randomPooled, uuidv7 } from '../random.ts';
import type { Commitment, Spool } from '../recorder.ts';
import { wrappedKeyFiles } from './data-key-files.ts';
import type { GatewayVaultKey } from './gateway-key.ts';

export interface SpoolOptions {
  readonly retentionClass: string;
  readonly clock: Clock;
  readonly custodian: KeyObject;
  readonly gatewayKey: GatewayVaultKey;
  /** Asked before so many bytes are written; throws when there is no room for them. */
  readonly admit: (bytes: number) => void;
  readonly gate: FaultGate;
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
  readonly gate: FaultGate;
}

class VaultSpool implements Spool {
  readonly #parts: SpoolParts;
  readonly #file: FileHandle;
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
  #isFinished = false;
  #isClosed = false;

  constructor(file: FileHandle, parts: SpoolParts) {
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
    const { gate, id, path, vaultDirectory } = this.#parts;
    await this.#flush(true);
    await gate('sync', path);
    await this.#file.datasync();
    await gate('rename', path);
    await rename(path + UNFINISHED, path);
    await syncNames(vaultDirectory, dirname(path), gate);
    this.#isFinished = true;
    return { digest: this.#hash.digest('base64url'), salt: this.#salt, spool: id };
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
        for (let done = 0; done < length;) {
          const { bytesRead } = await this.#file.read(sealed, done, length - done, position + done);
          if (bytesRead === 0)
            throw new CountersignError('CS_RECORD_FAILED', { detail: 'a spooled object is cut short' });
          done += bytesRead;
        }
        position += length;
        yield openSpoolChunk(this.#place(index, isLast), this.#dataKey, sealed);
      }
    } finally {
      await this.#close();
    }
  }

  async abort(): Promise<void> {
    await this.#close();
    if (this.#isFinished) return;
    const { keyFiles, path } = this.#parts;
    for (const file of [path + UNFINISHED, path, ...keyFiles]) await rm(file, { force: true });
  }

  #place(index: number, isLast: boolean): Parameters<typeof sealSpoolChunkParts>[0] {
    return { aad: this.#aad, noncePrefix: this.#noncePrefix, index, isLast };
  }

  async #flush(isLast: boolean): Promise<void> {
    const plaintext = this.#chunk.subarray(0, this.#chunkBytes);
    const parts = sealSpoolChunkParts(this.#place(this.#chunks, isLast), this.#dataKey, plaintext);
    this.#parts.admit(plaintext.length + TAG_BYTES);
    await this.#parts.gate('write', this.#parts.path);
    for (const part of parts) {
      for (let done = 0; done < part.length;) {
        const { bytesWritten } = await this.#file.write(part, done, part.length - done, this.#offset + done);
        done += bytesWritten;
      }
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

/** Errors of the system become the codes that a refusal needs. */
function recordError(error: unknown): CountersignError {
  const { code } = error as NodeJS.ErrnoException;
  return new CountersignError(code === 'ENOSPC' ? 'CS_RECORD_FULL' : 'CS_RECORD_FAILED', {
    ...(code === undefined ? {} : { detail: code }),
    cause: error,
  });
}

async function guard<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    throw error instanceof CountersignError ? error : recordError(error);
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

/** Makes the names in `directory`, and its own and its parents' up to the vault, durable. */
async function syncNames(vaultDirectory: string, directory: string, gate: FaultGate): Promise<void> {
  for (let path = directory; path.length >= vaultDirectory.length; path = dirname(path)) {
    await gate('sync', path);
    const handle = await open(path, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }
}

async function writeKeys(
  vaultDirectory: string,
  files: ReturnType<typeof wrappedKeyFiles>,
  gate: FaultGate,
): Promise<void> {
  for (const { path, wrapped } of files) {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await gate('write', path);
    const handle = await open(path, 'wx', 0o600);
    try {
      await handle.writeFile(wrapped);
      await gate('sync', path);
      await handle.datasync();
    } finally {
      await handle.close();
    }
  }
  await syncNames(vaultDirectory, dirname(files[0]!.path), gate);
}

export async function openVaultSpool(vaultDirectory: string, options: SpoolOptions): Promise<Spool> {
  const { admit, gate } = options;
  const atUs = options.clock.atUs();
  const scope = { retentionClass: options.retentionClass, period: periodOf(atUs) };
  const id = uuidv7(Math.floor(atUs / 1000));
  const path = join(vaultDirectory, spoolPath(scope, id));
  const dataKey = randomBytes(32);
  const keyId = randomBytes(16);
  const noncePrefix = randomBytes(SPOOL_PREFIX_BYTES);
  const keys = wrappedKeyFiles(vaultDirectory, { ...scope, keyId }, dataKey, {
    custodian: rawX25519PublicKey(options.custodian),
    gateway: options.gatewayKey.publicKey,
  });
  const keyFiles = keys.map((file) => file.path);
  let file: FileHandle | undefined;
  try {
    await writeKeys(vaultDirectory, keys, gate);
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const aad = encodeSpoolHeader({ ...scope, keyId, noncePrefix, chunkBytes: SPOOL_CHUNK_BYTES });
    await gate('write', path);
    file = await open(path + UNFINISHED, 'wx+', 0o600);
    await file.write(aad, 0, aad.length, 0);
    const parts = { vaultDirectory, path, id, dataKey, aad, noncePrefix, keyFiles, admit, gate };
    return guarded(new VaultSpool(file, parts));
  } catch (error) {
    await file?.close().catch(() => undefined);
    for (const left of [path + UNFINISHED, ...keyFiles])
      await rm(left, { force: true }).catch(() => undefined);
    throw recordError(error);
  }
}

/** Removes what a crash left of values that were being spooled, with their keys. No leaf names them. */
export async function removeUnfinishedSpools(vaultDirectory: string): Promise<void> {
  const root = join(vaultDirectory, 'spool');
  const names = await readdir(root, { recursive: true }).catch((): string[] => []);
  for (const name of names.filter((each) => each.endsWith(UNFINISHED))) {
    const path = join(root, name);
    try {
      const handle = await open(path, 'r');
      const start = Buffer.alloc(256);
      try {
        await handle.read(start, 0, start.length, 0);
      } finally {
        await handle.close();
      }
      const { header } = decodeSpoolHeader(start);
      for (const recipient of ['custodian', 'gateway'] as const) {
        await rm(join(vaultDirectory, wrappedKeyPath(header, header.keyId, recipient)), { force: true });
      }
    } catch {
      // Its header was not written yet: its key opens nothing.
    }
    await rm(path, { force: true });
  }
}
