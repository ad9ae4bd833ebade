/** Opens the contents of a vault directory with the custodian's private key. Layout and bytes: `vault-format.ts`. */

import { createHash, type KeyObject } from 'node:crypto';
import { access, open, readdir, readFile, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { FormatError } from './errors.ts';
import { decodeWrappedKeyHeader, rawX25519PublicKey, unwrapDataKey } from './key-wrap.ts';
import { SourceError } from './log-source.ts';
import { decodeSpoolHeader, openSpoolChunk } from './spool-format.ts';
import {
  blockBytes,
  decodeBlockHeader,
  openBlock,
  spoolPath,
  TAG_BYTES,
  wrappedKeyPath,
  type BlockHeader,
  type VaultEntry,
  type VaultScope,
} from './vault-format.ts';

/** Longest header of a block: 56 fixed bytes and two names of at most 255. */
const MAX_HEADER_BYTES = 56 + 2 * 256;
const SPOOL_HEADER_BYTES = 40 + 32;

export interface BlockPlace {
  readonly file: string;
  readonly offset: number;
  readonly bytes: number;
}

async function listFiles(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(
    (error: unknown) => {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw new SourceError('the vault cannot be read', { cause: error });
    },
  );
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.blk'))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

async function readAt(handle: FileHandle, offset: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  let read = 0;
  while (read < length) {
    const { bytesRead } = await handle.read(bytes, read, length - read, offset + read);
    if (bytesRead === 0) break;
    read += bytesRead;
  }
  return bytes.subarray(0, read);
}

/** What was listed and is gone was erased meanwhile. */
async function openIfThere(file: string): Promise<FileHandle | undefined> {
  try {
    return await open(file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new SourceError('a file of the vault cannot be read', { cause: error });
  }
}

/**
 * Every block's header and place, file by file; no key is needed. A last block that is not whole is ignored: it is being
 * written, or was when a crash came. What a log commits to and is not found is for the caller to report.
 */
export async function* iterateBlocks(
  vaultDirectory: string,
): AsyncGenerator<{ readonly header: BlockHeader; readonly place: BlockPlace }> {
  for (const file of await listFiles(join(vaultDirectory, 'blocks'))) {
    const handle = await openIfThere(file);
    if (handle === undefined) continue;
    try {
      const { size } = await handle.stat();
      for (let offset = 0; offset < size;) {
        const start = await readAt(handle, offset, MAX_HEADER_BYTES);
        if (start[0] === 0) break;
        const bytes = blockBytes(start);
        if (offset + bytes > size) break;
        yield { header: decodeBlockHeader(start).header, place: { file, offset, bytes } };
        offset += bytes;
      }
    } finally {
      await handle.close();
    }
  }
}

export class VaultReader {
  readonly #directory: string;
  readonly #privateKey: KeyObject;
  readonly #recipient: 'custodian' | 'gateway';
  readonly #dataKeys = new Map<string, Buffer>();

  /** `privateKey`: the X25519 key of the recipient whose wrapped keys are used. */
  constructor(directory: string, privateKey: KeyObject, recipient: 'custodian' | 'gateway' = 'custodian') {
    this.#directory = directory;
    this.#privateKey = privateKey;
    this.#recipient = recipient;
  }

  /** See {@link iterateBlocks}. */
  blocks(): ReturnType<typeof iterateBlocks> {
    return iterateBlocks(this.#directory);
  }

  async readBlock(place: BlockPlace): Promise<readonly VaultEntry[]> {
    const handle = await open(place.file, 'r');
    try {
      const block = await readAt(handle, place.offset, place.bytes);
      const { header } = decodeBlockHeader(block);
      return openBlock(block, await this.#dataKey(header, header.keyId)).entries;
    } finally {
      await handle.close();
    }
  }

  /** The bytes of a spooled object, in order. */
  async *readSpool(scope: VaultScope, id: string): AsyncGenerator<Buffer> {
    const path = await this.#findSpool(scope, id);
    const handle = await open(path, 'r').catch((error: unknown) => {
      throw new SourceError('a spooled object cannot be read', { cause: error });
    });
    try {
      const { size } = await handle.stat();
      const { header, headerBytes } = decodeSpoolHeader(await readAt(handle, 0, SPOOL_HEADER_BYTES));
      const aad = await readAt(handle, 0, headerBytes);
      const dataKey = await this.#dataKey(header, header.keyId);
      const step = header.chunkBytes + TAG_BYTES;
      for (let offset = headerBytes, index = 0, isLast = false; !isLast; offset += step, index++) {
        const sealed = await readAt(handle, offset, Math.min(step, size - offset));
        isLast = offset + sealed.length >= size;
        yield openSpoolChunk({ aad, noncePrefix: header.noncePrefix, index, isLast }, dataKey, sealed);
      }
    } finally {
      await handle.close();
    }
  }

  /** A value that was still coming when its month ended lies under that month, its entry under the next. */
  async #findSpool(scope: VaultScope, id: string): Promise<string> {
    const here = join(this.#directory, spoolPath(scope, id));
    const periods = await readdir(join(this.#directory, 'spool', scope.retentionClass)).catch(() => []);
    const places = [scope.period, ...periods.filter((period) => /^[0-9]{4}-[0-9]{2}$/.test(period)).sort()];
    for (const period of places) {
      const path = join(this.#directory, spoolPath({ retentionClass: scope.retentionClass, period }, id));
      if (
        await access(path).then(
          () => true,
          () => false,
        )
      )
        return path;
    }
    return here;
  }

  /** SHA-256(salt ‖ bytes) of an entry of a block of this scope, base64url. */
  async commitmentOf(entry: VaultEntry, scope: VaultScope): Promise<string> {
    const digest = createHash('sha256').update(entry.salt);
    if (entry.bytes !== undefined) digest.update(entry.bytes);
    if (entry.spool !== undefined) {
      for await (const chunk of this.readSpool(scope, entry.spool)) digest.update(chunk);
    }
    return digest.digest('base64url');
  }

  async #dataKey(scope: VaultScope, keyId: Buffer): Promise<Buffer> {
    const id = keyId.toString('hex');
    const known = this.#dataKeys.get(id);
    if (known !== undefined) return known;
    const path = wrappedKeyPath(scope, keyId, this.#recipient);
    const wrapped = await readFile(join(this.#directory, path)).catch((error: unknown) => {
      throw new SourceError(`the vault key ${id} cannot be read`, { cause: error });
    });
    const { recipient } = decodeWrappedKeyHeader(wrapped);
    // That the reader holds another key says nothing against the vault.
    if (!rawX25519PublicKey(this.#privateKey).equals(recipient))
      throw new SourceError(`the vault key ${id} is wrapped to another key than the one given`);
    const unwrapped = unwrapDataKey(wrapped, this.#privateKey);
    if (!unwrapped.keyId.equals(keyId)) throw new FormatError('a wrapped key is not the one its name says');
    this.#dataKeys.set(id, unwrapped.dataKey);
    return unwrapped.dataKey;
  }
}
