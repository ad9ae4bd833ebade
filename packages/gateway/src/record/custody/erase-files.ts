/**
 * Takes contents out of the vault. Everything here may be repeated: whoever was cut off starts again from the leaf
 * `erasure.started` and comes to the same end.
 *
 * A whole period: (1) every wrapped data key is overwritten, synced and removed, and the directory synced: from here on nothing of it
 * opens, also not what the journal's reused segments or the medium still hold; (2) blocks and spooled objects are removed.
 *
 * Single contents, file by file: (1) spooled objects that go, with their keys; (2) a new data key, durable; (3) the file without
 * the entries, sealed anew, written aside, synced, renamed into place, the name synced; (4) when no file uses them any more, the old
 * data keys as above.
 */

import { randomBytes, type KeyObject } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import {
  blockBytes,
  DATA_KEY_BYTES,
  DATA_KEY_ID_BYTES,
  decodeBlockHeader,
  decodeSpoolHeader,
  FormatError,
  openBlock,
  sealBlock,
  spoolPath,
  unwrapDataKey,
  vaultEntryBytes,
  wrappedKeyPath,
  writeVaultEntry,
  type BlockHeader,
  type VaultEntry,
  type VaultScope,
} from 'countersign-verify';
import { wrappedKeyFiles, type KeyRecipients } from '../vault/data-key-files.ts';
import { destroyFile, syncDirectory } from '../vault/gateway-key.ts';
import { readBlockFiles } from './block-index.ts';
import type { ErasureTarget } from './scan-protocol.ts';

export interface EraseOptions {
  readonly vaultDirectory: string;
  /** Tests only: called before each step; throwing is a crash at that point. */
  readonly onStep?: ((step: string) => void) | undefined;
}

/** What opens data keys. */
export interface DataKeySource {
  /** Those that are wrapped to the gateway. */
  readonly gatewayKey: KeyObject;
  /** Those that the custodian opened for this erasure, by key id in hex. */
  readonly unlocked: ReadonlyMap<string, Buffer>;
}

export interface RewriteOptions extends EraseOptions {
  readonly keys: DataKeySource;
  /** Data keys of other periods are wrapped to the custodian only. */
  readonly currentPeriod: string;
  readonly recipients: KeyRecipients;
  /** A data key was made and is durable; resolves when that is recorded. */
  readonly onDataKey: (scope: VaultScope, keyId: string) => Promise<void>;
}

export interface Erased {
  /** Contents and data keys that are no more. */
  readonly contents: number;
  readonly keys: number;
}

const PERIOD = /^[0-9]{4}-(0[1-9]|1[0-2])$/;
const RECIPIENTS = ['custodian', 'gateway'] as const;

async function namesIn(directory: string): Promise<string[]> {
  return (await readdir(directory).catch(() => [])).toSorted((a, b) => a.localeCompare(b, 'en'));
}

/** Destroys a class and period. `contents`: how many there were, which is known from before the first key went. */
export async function erasePeriod(
  scope: VaultScope,
  contents: number,
  { onStep, vaultDirectory }: EraseOptions,
): Promise<Erased> {
  const place = (part: string): string => join(vaultDirectory, part, scope.retentionClass, scope.period);
  const names = await namesIn(place('keys'));
  for (const name of names) {
    onStep?.('destroy-key');
    await destroyFile(join(place('keys'), name));
  }
  if (names.length > 0) await syncDirectory(place('keys'));
  for (const part of ['blocks', 'spool', 'keys']) {
    for (const name of await namesIn(place(part))) {
      onStep?.(`remove-${part}`);
      await rm(join(place(part), name), { force: true });
    }
    await removeEmpty(place(part));
  }
  const keyIds = new Set(names.map((name) => name.split('.')[0]));
  return { contents, keys: keyIds.size };
}

async function removeEmpty(directory: string): Promise<void> {
  try {
    await rmdir(directory);
    await syncDirectory(dirname(directory));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'ENOTEMPTY') throw error;
  }
}

/** A block file, and the data keys of its blocks in hex. */
interface KeyedFile extends VaultScope {
  /** Relative to the vault. */
  readonly file: string;
  readonly keys: readonly string[];
}

/** The data keys of these files that do not open what they should: of an earlier period, revoked, or lent and wrong. */
export async function sealedKeys(
  vaultDirectory: string,
  files: readonly KeyedFile[],
  source: DataKeySource,
): Promise<string[]> {
  const sealed: string[] = [];
  for (const file of files) {
    const blocks = [...splitBlocks(await readFile(join(vaultDirectory, file.file)))];
    for (const keyId of file.keys) {
      const dataKey = await openDataKey(vaultDirectory, file, keyId, source);
      const sample = blocks.find(({ header }) => header.keyId.toString('hex') === keyId);
      if (dataKey === undefined || (sample !== undefined && !doesOpen(sample.block, dataKey)))
        sealed.push(keyId);
      dataKey?.fill(0);
    }
  }
  return sealed;
}

function doesOpen(block: Buffer, dataKey: Buffer): boolean {
  try {
    openBlock(block, dataKey);
    return true;
  } catch (error) {
    if (error instanceof FormatError) return false;
    throw error;
  }
}

/** Contents cannot be taken out without the custodian: `erase unlock`, then the same request again. */
export class SealedKeyError extends FormatError {}

async function openDataKey(
  vaultDirectory: string,
  scope: VaultScope,
  keyId: string,
  { gatewayKey, unlocked }: DataKeySource,
): Promise<Buffer | undefined> {
  // Its own first: what is lent may be anything.
  const path = join(vaultDirectory, wrappedKeyPath(scope, Buffer.from(keyId, 'hex'), 'gateway'));
  try {
    return unwrapDataKey(await readFile(path), gatewayKey).dataKey;
  } catch (error) {
    if (!(error instanceof FormatError) && (error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const given = unlocked.get(keyId);
  // A copy: whoever uses a data key wipes it.
  return given === undefined ? undefined : Buffer.from(given);
}

/** What is taken out, by journal and leaf. */
type Targets = ReadonlyMap<string, ReadonlyMap<number, ReadonlySet<string>>>;

function indexTargets(targets: readonly ErasureTarget[]): Targets {
  const byJournal = new Map<string, Map<number, ReadonlySet<string>>>();
  for (const { fields, journal, jseq } of targets) {
    const own = byJournal.get(journal) ?? new Map<number, ReadonlySet<string>>();
    own.set(jseq, new Set(fields));
    byJournal.set(journal, own);
  }
  return byJournal;
}

/** Rewrites the files without the targets and destroys their data keys (`keys`, hex). */
export async function rewriteFiles(
  files: readonly string[],
  targets: readonly ErasureTarget[],
  keys: readonly string[],
  options: RewriteOptions,
): Promise<Erased> {
  const index = indexTargets(targets);
  const doomed = new Set(keys);
  let contents = 0;
  for (const file of files) contents += await new FileRewriter(file, index, doomed, options).run();
  const destroyed = await destroyUnused(doomed, options);
  return { contents, keys: destroyed };
}

/** One file on its way from its old data keys to a new one. */
class FileRewriter {
  readonly #path: string;
  readonly #targets: Targets;
  readonly #doomed: ReadonlySet<string>;
  readonly #options: RewriteOptions;
  readonly #dataKeys = new Map<string, Buffer>();
  #erased = 0;

  constructor(file: string, targets: Targets, doomed: ReadonlySet<string>, options: RewriteOptions) {
    this.#path = join(options.vaultDirectory, file);
    this.#targets = targets;
    this.#doomed = doomed;
    this.#options = options;
  }

  /** Gives the number of contents that were taken out. */
  async run(): Promise<number> {
    const bytes = await readFile(this.#path).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return Buffer.alloc(0);
      throw error;
    });
    const blocks = [...splitBlocks(bytes)];
    // Rewritten already, before a crash: its blocks have a key that stays.
    if (!blocks.some(({ header }) => this.#doomed.has(header.keyId.toString('hex')))) return 0;
    const scope = blocks[0]!.header;
    const keyId = randomBytes(DATA_KEY_ID_BYTES);
    const dataKey = randomBytes(DATA_KEY_BYTES);
    try {
      const parts: Buffer[] = [];
      for (const { block, header } of blocks) {
        const kept = await this.#keep(await this.#open(header, block), header);
        if (kept.length > 0) parts.push(reseal(header, kept, keyId, dataKey));
      }
      if (parts.length > 0) await this.#writeKey(scope, keyId, dataKey);
      await this.#replace(Buffer.concat(parts));
    } finally {
      dataKey.fill(0);
      for (const old of this.#dataKeys.values()) old.fill(0);
    }
    return this.#erased;
  }

  async #open(header: BlockHeader, block: Buffer): Promise<readonly VaultEntry[]> {
    const id = header.keyId.toString('hex');
    let dataKey = this.#dataKeys.get(id);
    if (dataKey === undefined) {
      const { keys, vaultDirectory } = this.#options;
      dataKey = await openDataKey(vaultDirectory, header, id, keys);
      if (dataKey === undefined) throw new SealedKeyError(`the data key ${id} does not open`);
      this.#dataKeys.set(id, dataKey);
    }
    return openBlock(block, dataKey).entries;
  }

  /** The entries that stay. Spooled objects of the others go first: afterwards nothing would name them. */
  async #keep(entries: readonly VaultEntry[], header: BlockHeader): Promise<VaultEntry[]> {
    const kept: VaultEntry[] = [];
    const own = this.#targets.get(header.journal);
    for (const entry of entries) {
      if (own?.get(entry.jseq)?.has(entry.field) !== true) {
        kept.push(entry);
        continue;
      }
      this.#erased++;
      if (entry.spool !== undefined) await this.#destroySpool(header, entry.spool);
    }
    return kept;
  }

  async #destroySpool(scope: VaultScope, id: string): Promise<void> {
    const { onStep, vaultDirectory } = this.#options;
    // A value that was still coming when its month ended lies under that month, its entry under the next.
    const periods = await namesIn(join(vaultDirectory, 'spool', scope.retentionClass));
    const paths = [scope.period, ...periods.filter((period) => PERIOD.test(period))].map((period) =>
      join(vaultDirectory, spoolPath({ retentionClass: scope.retentionClass, period }, id)),
    );
    for (const path of new Set(paths)) await this.#destroySpoolAt(path, onStep);
  }

  async #destroySpoolAt(path: string, onStep: EraseOptions['onStep']): Promise<void> {
    const { vaultDirectory } = this.#options;
    const start = await readStart(path);
    if (start === undefined) return;
    const { header } = decodeSpoolHeader(start);
    for (const recipient of RECIPIENTS) {
      onStep?.('destroy-spool-key');
      const key = join(vaultDirectory, wrappedKeyPath(header, header.keyId, recipient));
      await destroyFile(key);
      await syncDirectory(dirname(key));
    }
    onStep?.('remove-spool');
    await rm(path, { force: true });
    await syncDirectory(dirname(path));
  }

  async #writeKey(scope: VaultScope, keyId: Buffer, dataKey: Buffer): Promise<void> {
    const { currentPeriod, onDataKey, onStep, recipients, vaultDirectory } = this.#options;
    onStep?.('write-key');
    const { period, retentionClass } = scope;
    const wrapped = wrappedKeyFiles(vaultDirectory, { period, retentionClass, keyId }, dataKey, recipients);
    for (const { path, wrapped: bytes } of wrapped) {
      // What only the custodian could open stays so.
      if (period === currentPeriod || path.endsWith('.custodian')) await writeDurably(path, bytes);
    }
    await syncDirectory(dirname(wrapped[0]!.path));
    await onDataKey(scope, keyId.toString('hex'));
  }

  async #replace(bytes: Buffer): Promise<void> {
    const { onStep } = this.#options;
    onStep?.('write-blocks');
    if (bytes.length === 0) {
      await rm(this.#path, { force: true });
    } else {
      // Not `.blk`: what a crash leaves is no block file.
      const aside = join(dirname(this.#path), `${basename(this.#path)}.rewritten`);
      await rm(aside, { force: true });
      await writeDurably(aside, bytes);
      onStep?.('rename-blocks');
      await rename(aside, this.#path);
    }
    onStep?.('sync-blocks');
    await syncDirectory(dirname(this.#path));
  }
}

async function readStart(path: string): Promise<Buffer | undefined> {
  try {
    const handle = await open(path, 'r');
    try {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(256), 0, 256, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

async function writeDurably(path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const handle = await open(path, 'wx', 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function* splitBlocks(bytes: Buffer): Generator<{ readonly header: BlockHeader; readonly block: Buffer }> {
  for (let at = 0; at < bytes.length;) {
    const rest = bytes.subarray(at);
    const length = blockBytes(rest);
    if (length > rest.length) throw new FormatError('a sealed block is cut short');
    yield { header: decodeBlockHeader(rest).header, block: rest.subarray(0, length) };
    at += length;
  }
}

const bytesOf = ({ bytes, spool }: VaultEntry): Buffer => bytes ?? Buffer.from(spool!, 'latin1');

function reseal(header: BlockHeader, entries: readonly VaultEntry[], keyId: Buffer, dataKey: Buffer): Buffer {
  const length = entries.reduce((sum, entry) => sum + vaultEntryBytes(entry.field, bytesOf(entry).length), 0);
  const plaintext = Buffer.alloc(length);
  let at = 0;
  for (const entry of entries) {
    at = writeVaultEntry(plaintext, at, {
      relativeJseq: entry.jseq - header.firstJseq,
      field: entry.field,
      salt: entry.salt,
      bytes: bytesOf(entry),
      isSpool: entry.spool !== undefined,
    });
  }
  const { firstJseq, journal, period, retentionClass } = header;
  const sealed = sealBlock(
    { firstJseq, journal, period, retentionClass, keyId, count: entries.length },
    dataKey,
    plaintext,
  );
  plaintext.fill(0);
  return sealed;
}

/** Destroys those of the keys that no block uses any more. */
async function destroyUnused(
  keys: ReadonlySet<string>,
  { onStep, vaultDirectory }: EraseOptions,
): Promise<number> {
  const used = new Set((await readBlockFiles(vaultDirectory)).flatMap((file) => file.keys));
  const root = join(vaultDirectory, 'keys');
  const found = (await readdir(root, { recursive: true }).catch(() => [])).filter((name) => {
    const id = basename(name).split('.')[0]!;
    return keys.has(id) && !used.has(id);
  });
  const directories = new Set<string>();
  for (const name of found) {
    onStep?.('destroy-key');
    await destroyFile(join(root, name));
    directories.add(dirname(join(root, name)));
  }
  for (const directory of directories) await syncDirectory(directory);
  return [...keys].filter((id) => !used.has(id)).length;
}
