/** Where sealed blocks come to rest: one file per segment of the journal, blocks one after another as they were sealed. */

import { dirname, join } from 'node:path';
import { blockBytes, blockFilePath, decodeBlockHeader } from 'countersign-verify';
import { readWhole, type FileLayer } from '../journal/file-layer.ts';

const BLOCK_MAGIC = 'CSVB';

interface OpenFile {
  readonly path: string;
  readonly handle: number;
  end: number;
}

export class BlockFiles {
  readonly #layer: FileLayer;
  readonly #directory: string;
  #file: OpenFile | undefined;
  /** Blocks to be written: views of what the caller holds, until `write`. */
  #waiting: Buffer[] = [];
  #isUnsynced = false;

  constructor(layer: FileLayer, vaultDirectory: string) {
    this.#layer = layer;
    this.#directory = vaultDirectory;
  }

  /** Puts a block behind the others of its segment. `integratedJseq`: what the last checkpoint covers. */
  append(segment: number, block: Buffer, integratedJseq: number): void {
    const { header } = decodeBlockHeader(block);
    const path = join(this.#directory, blockFilePath(header, segment));
    if (this.#file?.path !== path) {
      this.sync();
      this.close();
      this.#file = this.#open(path, integratedJseq);
    }
    this.#waiting.push(block);
  }

  /** Writes what was appended; the blocks are not looked at any more. */
  write(): void {
    const file = this.#file;
    if (file === undefined || this.#waiting.length === 0) return;
    const bytes = Buffer.concat(this.#waiting);
    this.#layer.write(file.handle, bytes, bytes.length, file.end);
    file.end += bytes.length;
    this.#waiting = [];
    this.#isUnsynced = true;
  }

  /** Makes what was appended durable. */
  sync(): void {
    this.write();
    if (this.#file === undefined || !this.#isUnsynced) return;
    this.#layer.sync(this.#file.handle);
    this.#isUnsynced = false;
  }

  close(): void {
    if (this.#file !== undefined) this.#layer.close(this.#file.handle);
    this.#file = undefined;
    this.#waiting = [];
    this.#isUnsynced = false;
  }

  /** Opens a file behind its last block that a checkpoint covers: what follows was cut off by a crash and comes again. */
  #open(path: string, integratedJseq: number): OpenFile {
    const present = readWhole(this.#layer, path);
    if (present === undefined) this.#layer.makeDirectory(dirname(path));
    const end = coveredEnd(present ?? Buffer.alloc(0), integratedJseq);
    const handle = this.#layer.open(path, 'create');
    this.#layer.syncDirectory(dirname(path));
    if (present !== undefined && present.length > end) this.#layer.truncate(handle, end);
    return { path, handle, end };
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
