/** Contents behind leaves, opened with the gateway's key. The caller records the reading first (decision 17). */

import type { KeyObject } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  blockBytes,
  decodeBlockHeader,
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

async function blockFiles(vaultDirectory: string): Promise<string[]> {
  const root = join(vaultDirectory, 'blocks');
  const names = await readdir(root, { recursive: true }).catch(() => []);
  return names
    .filter((name) => name.endsWith('.blk'))
    .sort()
    .map((name) => join(root, name));
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
  for (const path of await blockFiles(options.vaultDirectory)) {
    const bytes = await readFile(path);
    for (let at = 0; at < bytes.length;) {
      const rest = bytes.subarray(at);
      const length = blockBytes(rest);
      if (length > rest.length) break;
      at += length;
      const { header } = decodeBlockHeader(rest);
      if (header.journal !== options.journal || header.firstJseq > options.to) continue;
      // A block counts from its first leaf and does not say its last: one that may reach into the range is opened.
      if (!mayReach(bytes, at, header, options.from)) continue;
      const key = await keyOf(header);
      if (key === undefined) continue;
      for (const entry of openBlock(rest.subarray(0, length), key).entries) {
        if (entry.jseq >= options.from && entry.jseq <= options.to) yield entry;
      }
    }
  }
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
