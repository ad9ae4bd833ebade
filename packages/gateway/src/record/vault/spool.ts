/**
 * Values too large to hold: sealed chunk by chunk on their way to a file of the vault, and read back from there. The
 * file is `spool/<class>/<period>/<id>`; it has a data key of its own, wrapped as all data keys are.
 *
 * Order: (1) the wrapped keys are durable, (2) chunks are written, (3) the file and its name are synced, (4) only then
 * `finish` gives the commitment. A crash before (4) leaves a file that no leaf names.
 */

import { createHash, randomBytes, type Hash, type KeyObject } from 'node:crypto';
import { mkdir, open, rm, type FileHandle } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  encodeSpoolHeader,
  openSpoolChunk,
  periodOf,
  rawX25519PublicKey,
  SALT_BYTES,
  sealSpoolChunk,
  SPOOL_CHUNK_BYTES,
  SPOOL_PREFIX_BYTES,
  spoolPath,
  TAG_BYTES,
} from 'countersign-verify';
import { CountersignError } from '../../errors.ts';
import type { Clock } from '../clock.ts';
import { realFileLayer } from '../journal/file-layer.ts';
import { randomPooled, uuidv7 } from '../random.ts';
import type { Commitment, Spool } from '../recorder.ts';
import { writeDataKey } from './data-key-files.ts';
import type { GatewayVaultKey } from './gateway-key.ts';

export interface SpoolOptions {
  readonly retentionClass: string;
  readonly clock: Clock;
  readonly custodian: KeyObject;
  readonly gatewayKey: GatewayVaultKey;
}

class VaultSpool implements Spool {
  readonly #path: string;
  readonly #id: string;
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

  constructor(
    file: FileHandle,
    parts: { path: string; id: string; dataKey: Buffer; aad: Buffer; noncePrefix: Buffer },
  ) {
    this.#file = file;
    this.#path = parts.path;
    this.#id = parts.id;
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
    await this.#flush(true);
    await this.#file.sync();
    realFileLayer.syncDirectory(dirname(this.#path));
    this.#isFinished = true;
    return { digest: this.#hash.digest('base64url'), salt: this.#salt, spool: this.#id };
  }

  async *read(): AsyncIterable<Uint8Array> {
    if (!this.#isFinished)
      throw new CountersignError('CS_INTERNAL', { detail: 'a spool is read before it is finished' });
    try {
      let position = this.#aad.length;
      for (let index = 0; index < this.#chunks; index++) {
        const isLast = index === this.#chunks - 1;
        const length = Math.min(SPOOL_CHUNK_BYTES + TAG_BYTES, this.#offset - position);
        const sealed = Buffer.allocUnsafe(length);
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
    if (!this.#isFinished) await rm(this.#path, { force: true });
  }

  #place(index: number, isLast: boolean): Parameters<typeof sealSpoolChunk>[0] {
    return { aad: this.#aad, noncePrefix: this.#noncePrefix, index, isLast };
  }

  async #flush(isLast: boolean): Promise<void> {
    const plaintext = this.#chunk.subarray(0, this.#chunkBytes);
    const sealed = sealSpoolChunk(this.#place(this.#chunks, isLast), this.#dataKey, plaintext);
    for (let done = 0; done < sealed.length;) {
      const { bytesWritten } = await this.#file.write(
        sealed,
        done,
        sealed.length - done,
        this.#offset + done,
      );
      done += bytesWritten;
    }
    this.#offset += sealed.length;
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

function guarded(spool: Spool): Spool {
  return {
    write: (chunk) => guard(spool.write(chunk)),
    finish: () => guard(spool.finish()),
    read: () => spool.read(),
    abort: () => guard(spool.abort()),
  };
}

export async function openVaultSpool(vaultDirectory: string, options: SpoolOptions): Promise<Spool> {
  const atUs = options.clock.atUs();
  const scope = { retentionClass: options.retentionClass, period: periodOf(atUs) };
  const id = uuidv7(Math.floor(atUs / 1000));
  const path = join(vaultDirectory, spoolPath(scope, id));
  const dataKey = randomBytes(32);
  const keyId = randomBytes(16);
  const noncePrefix = randomBytes(SPOOL_PREFIX_BYTES);
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    writeDataKey(realFileLayer, vaultDirectory, { ...scope, keyId }, dataKey, {
      custodian: rawX25519PublicKey(options.custodian),
      gateway: options.gatewayKey.publicKey,
    });
    const file = await open(path, 'wx+', 0o600);
    const aad = encodeSpoolHeader({ ...scope, keyId, noncePrefix, chunkBytes: SPOOL_CHUNK_BYTES });
    await file.write(aad, 0, aad.length, 0);
    return guarded(new VaultSpool(file, { path, id, dataKey, aad, noncePrefix }));
  } catch (error) {
    throw recordError(error);
  }
}
