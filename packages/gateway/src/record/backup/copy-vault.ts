/**
 * The vault's part of a backup: ciphertext, and data keys as they are wrapped to the custodian. Erasures take files away and put others
 * in their place while it is copied; then the copy would be neither the vault before nor the vault after, and the caller begins again.
 */

import { readdir, readFile, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import {
  blockBytes,
  checkLeaf,
  decodeBlockHeader,
  iterateLeaves,
  readCheckpoint,
  wrappedKeyPath,
  type LogSource,
} from 'countersign-verify';
import type { BackupWriter } from './backup-writer.ts';

/** How long the log may take to show a leaf that is durable, ms. */
const LOG_DELAY_MS = 10_000;
const POLL_MS = 50;

/** Block files and what they were when they were looked at. */
export type VaultListing = ReadonlyMap<string, number>;

/** Taken before anything is copied. */
export async function listBlocks(stateDirectory: string): Promise<VaultListing> {
  const listing = new Map<string, number>();
  for (const path of await filesBelow(stateDirectory, 'vault/blocks')) {
    if (!path.endsWith('.blk')) continue;
    const found = await stat(join(stateDirectory, path)).catch(() => undefined);
    listing.set(path, found?.ino ?? 0);
  }
  return listing;
}

/** Whether block files are gone, or others are in their place. Traffic only adds to them. */
export async function isSameVault(stateDirectory: string, before: VaultListing): Promise<boolean> {
  const now = await listBlocks(stateDirectory);
  return [...before].every(([path, inode]) => now.get(path) === inode);
}

/** One that is being destroyed is overwritten before it goes. */
function isKey(name: string, bytes: Buffer): boolean {
  return name.endsWith('.custodian') && bytes.some((byte) => byte !== 0);
}

/**
 * Copies what the log up to leaf `jseq` covers; later blocks are left out. True when every block has its data key with it: where one is
 * missing, it was erased meanwhile or is lost.
 */
export async function copyVault(
  stateDirectory: string,
  jseq: number,
  writer: BackupWriter,
): Promise<boolean> {
  await copyAll(stateDirectory, 'vault/keys', writer, isKey);
  await copyAll(stateDirectory, 'vault/spool', writer, (name) => !name.includes('.'));
  let isWhole = true;
  for (const path of await filesBelow(stateDirectory, 'vault/blocks')) {
    const bytes = await readIfThere(join(stateDirectory, path));
    if (!path.endsWith('.blk') || bytes === undefined) continue;
    const { end, keys } = covered(bytes, jseq);
    if (end === 0) continue;
    await writer.put(path, bytes.subarray(0, end));
    isWhole = keys.every((key) => writer.has(key)) && isWhole;
  }
  return isWhole;
}

/** Where the last block ends that the log covers, and the keys up to there. What cannot be read stays in: it is for verification to find. */
function covered(bytes: Buffer, jseq: number): { readonly end: number; readonly keys: readonly string[] } {
  const keys = new Set<string>();
  let at = 0;
  try {
    while (at < bytes.length) {
      const rest = bytes.subarray(at);
      const { header } = decodeBlockHeader(rest);
      const length = blockBytes(rest);
      if (header.firstJseq > jseq || length > rest.length) break;
      keys.add(`vault/${wrappedKeyPath(header, header.keyId, 'custodian')}`);
      at += length;
    }
  } catch {
    at = bytes.length;
  }
  return { end: at, keys: [...keys] };
}

/**
 * Whether the log tells of an erasure behind the first `size` leaves, up to the leaf `backup.created` that followed them: its files may have
 * gone before the copy began, and the copy does not say why.
 */
export async function isErasing(source: LogSource, size: number): Promise<boolean> {
  const until = Date.now() + LOG_DELAY_MS;
  for (let from = size; Date.now() < until;) {
    const now = await readCheckpoint(source);
    for await (const { bytes } of iterateLeaves(source, { size: now.size, from, to: now.size })) {
      const type = checkLeaf(bytes).leaf?.type;
      if (type === 'erasure.started') return true;
      if (type === 'backup.created') return false;
    }
    from = now.size;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  return true;
}

export async function copyAll(
  stateDirectory: string,
  folder: string,
  writer: BackupWriter,
  isWanted: (name: string, bytes: Buffer) => boolean = () => true,
): Promise<void> {
  const isFlat = folder === 'log' || folder === 'keys';
  for (const path of await filesBelow(stateDirectory, folder, !isFlat)) {
    const bytes = await readIfThere(join(stateDirectory, path));
    const name = path.slice(path.lastIndexOf('/') + 1);
    if (bytes !== undefined && isWanted(name, bytes)) await writer.put(path, bytes);
  }
}

/** Paths relative to the state directory, sorted. */
async function filesBelow(stateDirectory: string, folder: string, recursive = true): Promise<string[]> {
  const entries = await readdir(join(stateDirectory, folder), { recursive, withFileTypes: true }).catch(
    () => [],
  );
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(stateDirectory.length + 1))
    .map((path) => path.split(sep).join('/'))
    .toSorted();
}

/** Undefined for what was erased since it was listed. */
async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
