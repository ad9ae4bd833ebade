/** Contents behind leaves, opened with the gateway's key. The caller records the reading first (decision 17). */

import type { KeyObject } from 'node:crypto';
import { open, readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import {
  blockBytes,
  decodeBlockHeader,
  FormatError,
  openBlock,
  unwrapDataKey,
  wrappedKeyPath,
  type BlockHeader,
  type VaultEntry,
} from 'countersign-verify';

/** `bytes` is absent for a value that was spooled (`spool` names the object). */
export type VaultPayload = VaultEntry;

export interface ReadPayloadsOptions {
  readonly vaultDirectory: string;
  /** X25519 private key. */
  readonly gatewayKey: KeyObject;
  readonly journal: string;
  /** jseq, both included. */
  readonly from: number;
  readonly to: number;
}

const MAX_CACHED_KEYS = 64;

/** Enough for the header of a block: 58 fixed bytes and two names of at most 255. */
const MAX_HEADER_BYTES = 58 + 2 * 255;

/** Block files of one segment of the journal: one for each class. */
interface SegmentFiles {
  readonly segment: number;
  readonly paths: string[];
}

async function segmentFiles(vaultDirectory: string): Promise<SegmentFiles[]> {
  const root = join(vaultDirectory, 'blocks');
  const names = await readdir(root, { recursive: true }).catch((): string[] => []);
  const segments = new Map<number, SegmentFiles>();
  for (const name of names.filter((each) => each.endsWith('.blk'))) {
    const segment = Number.parseInt(basename(name), 10);
    const files = segments.get(segment) ?? { segment, paths: [] };
    files.paths.push(join(root, name));
    segments.set(segment, files);
  }
  return [...segments.values()].toSorted((a, b) => a.segment - b.segment);
}

/** Undefined for what was erased since it was listed. */
async function ignoreMissing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** First leaf with contents in these files; Infinity when there is none yet. Throws `FormatError`. */
async function firstJseqOf({ paths }: SegmentFiles): Promise<number> {
  let first = Infinity;
  for (const path of paths) {
    const handle = await ignoreMissing(open(path, 'r'));
    if (handle === undefined) continue;
    try {
      const start = Buffer.alloc(MAX_HEADER_BYTES);
      const { bytesRead } = await handle.read(start, 0, start.length, 0);
      if (bytesRead > 0)
        first = Math.min(first, decodeBlockHeader(start.subarray(0, bytesRead)).header.firstJseq);
    } finally {
      await handle.close();
    }
  }
  return first;
}

/**
 * The segments that can hold contents of the leaves. Later ones hold later leaves, so it is found by halving where to begin: a few
 * headers are read, not a vault of years. Where a header does not decode, every one is looked at.
 */
async function blockFiles({ from, to, vaultDirectory }: ReadPayloadsOptions): Promise<SegmentFiles[]> {
  const segments = await segmentFiles(vaultDirectory);
  try {
    let start = 0;
    for (let end = segments.length; end - start > 1;) {
      const middle = (start + end) >> 1;
      if ((await firstJseqOf(segments[middle]!)) <= from) start = middle;
      else end = middle;
    }
    const found: SegmentFiles[] = [];
    for (const files of segments.slice(start)) {
      const first = await firstJseqOf(files);
      if (first > to && first !== Infinity) break;
      found.push(files);
    }
    return found;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return segments;
  }
}

/** Entries in the order of their leaves. A block whose key the gateway does not hold (an earlier period) is left out. */
export async function* readPayloads(options: ReadPayloadsOptions): AsyncIterable<VaultPayload> {
  const keys = new Map<string, Buffer | undefined>();
  const keyOf = async (header: BlockHeader): Promise<Buffer | undefined> => {
    const id = header.keyId.toString('hex');
    if (!keys.has(id)) {
      if (keys.size >= MAX_CACHED_KEYS) keys.clear();
      keys.set(id, await unwrap(options, header));
    }
    return keys.get(id);
  };
  for (const { paths } of await blockFiles(options)) {
    const blocks: FoundBlock[] = [];
    for (const path of paths) {
      const bytes = await ignoreMissing(readFile(path));
      if (bytes !== undefined) blocks.push(...blocksIn(bytes, options));
    }
    // Blocks of one group commit, one for each class, begin at the same leaf; only together are they in order.
    const commits = Map.groupBy(blocks, ({ header }) => header.firstJseq);
    for (const [, commit] of [...commits].toSorted(([a], [b]) => a - b)) {
      const entries: VaultEntry[] = [];
      for (const { block, header } of commit) {
        const key = await keyOf(header);
        if (key !== undefined) entries.push(...openBlock(block, key).entries);
      }
      for (const entry of entries.toSorted((a, b) => a.jseq - b.jseq))
        if (entry.jseq >= options.from && entry.jseq <= options.to) yield entry;
    }
  }
}

interface FoundBlock {
  readonly header: BlockHeader;
  readonly block: Buffer;
}

/** Blocks of one file that may have contents of the leaves. */
function blocksIn(bytes: Buffer, { from, journal, to }: ReadPayloadsOptions): FoundBlock[] {
  const found: FoundBlock[] = [];
  for (let at = 0; at < bytes.length;) {
    const rest = bytes.subarray(at);
    const length = blockBytes(rest);
    if (length > rest.length) break;
    at += length;
    const { header } = decodeBlockHeader(rest);
    if (header.journal !== journal || header.firstJseq > to) continue;
    // A block counts from its first leaf and does not say its last: one that may reach into the range is opened.
    if (mayReach(bytes, at, header, from)) found.push({ header, block: rest.subarray(0, length) });
  }
  return found;
}

/** False when the block behind this one begins at or before `from`: then this one ends before it. */
function mayReach(bytes: Buffer, next: number, header: BlockHeader, from: number): boolean {
  if (header.firstJseq >= from || next >= bytes.length) return true;
  return decodeBlockHeader(bytes.subarray(next)).header.firstJseq > from;
}

async function unwrap(options: ReadPayloadsOptions, header: BlockHeader): Promise<Buffer | undefined> {
  try {
    const wrapped = await readFile(
      join(options.vaultDirectory, wrappedKeyPath(header, header.keyId, 'gateway')),
    );
    return unwrapDataKey(wrapped, options.gatewayKey).dataKey;
  } catch {
    return undefined;
  }
}
