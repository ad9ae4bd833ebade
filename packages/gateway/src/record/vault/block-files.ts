/** Where sealed blocks come to rest: one file per segment of the journal and retention class, blocks one after another as they were sealed. */

import { dirname, join } from 'node:path';
import { blockBytes, blockFilePath, decodeBlockHeader } from 'countersign-verify';
import { readWhole, type FileLayer } from '../journal/file-layer.ts';

const BLOCK_MAGIC = 'CSVB';

interface OpenFile {
  readonly handle: number;
  end: number;
  /** Blocks to be written: views of what the caller holds, until `write`. */
  waiting: Buffer[];
  isUnsynced: boolean;
}

export class BlockFiles {
  readonly #layer: FileLayer;
  readonly #directory: string;
  /** Files of one segment, by path: one for each retention class and period in it. */
  readonly #files = new Map<string, OpenFile>();
  #segment = -1;

  constructor(layer: FileLayer, vaultDirectory: string) {
    this.#layer = layer;
    this.#directory = vaultDirectory;
  }

  /** Puts a block behind the others of its segment and class. `integratedJseq`: what the last checkpoint covers. */
  append(segment: number, block: Buffer, integratedJseq: number): void {
    if (segment !== this.#segment) {
      this.sync();
      this.close();
      this.#segment = segment;
    }
    const { header } = decodeBlockHeader(block);
    const path = join(this.#directory, blockFilePath(header, segment));
    let file = this.#files.get(path);
    if (file === undefined) this.#files.set(path, (file = this.#open(path, integratedJseq)));
    file.waiting.push(block);
  }

  /** Writes what was appended; the blocks are not looked at any more. */
  write(): void {
    for (const file of this.#files.values()) {
      if (file.waiting.length === 0) continue;
      const bytes = Buffer.concat(file.waiting);
      this.#layer.write(file.handle, bytes, bytes.length, file.end);
      file.end += bytes.length;
      file.waiting = [];
      file.isUnsynced = true;
    }
  }

  /** Makes what was appended durable. */
  sync(): void {
    this.write();
    for (const file of this.#files.values()) {
      if (!file.isUnsynced) continue;
      this.#layer.sync(file.handle);
      file.isUnsynced = false;
    }
  }

  close(): void {
    for (const file of this.#files.values()) this.#layer.close(file.handle);
    this.#files.clear();
    this.#segment = -1;
  }

  /** Opens a file behind its last block that a checkpoint covers: what follows was cut off by a crash and comes again. */
  #open(path: string, integratedJseq: number): OpenFile {
    const present = readWhole(this.#layer, path);
    if (present === undefined) this.#layer.makeDirectory(dirname(path));
    const end = coveredEnd(present ?? Buffer.alloc(0), integratedJseq);
    const handle = this.#layer.open(path, 'create');
    this.#layer.syncDirectory(dirname(path));
    if (present !== undefined && present.length > end) this.#layer.truncate(handle, end);
    return { handle, end, waiting: [], isUnsynced: false };
  }
}

/**
 * Where the last covered block ends. What is damaged before it stays where it is: it is not for a restart to cut off contents
 * that leaves commit to, and whoever checks the vault must find the damage.
 */
function coveredEnd(bytes: Buffer, integratedJseq: number): number {
  let end = 0;
  for (let at = 0; at >= 0 && at < bytes.length;) {
    const length = coveredBytes(bytes.subarray(at), integratedJseq);
    if (length === undefined) {
      at = bytes.indexOf(BLOCK_MAGIC, at + 1);
    } else {
      at += length;
      end = at;
    }
  }
  return end;
}

/** Length of the block that starts `bytes`, if it is whole and covered. */
function coveredBytes(bytes: Buffer, integratedJseq: number): number | undefined {
  try {
    const length = blockBytes(bytes);
    const isCovered = decodeBlockHeader(bytes).header.firstJseq <= integratedJseq;
    return isCovered && length <= bytes.length ? length : undefined;
  } catch {
    return undefined;
  }
}
