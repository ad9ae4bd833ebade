/**
 * A consistent copy of the record of a gateway that may go on running. The checkpoint that is read first is what the copy holds: all
 * that it covers was durable before it, tiles and sealed blocks only grow, and what came later is left out.
 *
 * A backup is a directory of its own, complete by itself; files that did not change are links to the backup before. It has its name
 * and its manifest only when everything is on disk and was verified: what is cut off is `<name>.partial`.
 */

import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  directorySource,
  encodeEntryBundle,
  parseCheckpoint,
  parseProof,
  readBundle,
  readTile,
  TILE_WIDTH,
  verifyLog,
  type Checkpoint,
  type LogSource,
  type NoteVerifier,
  type VerifyReport,
} from 'countersign-verify';
import { CountersignError } from '../../errors.ts';
import { syncDirectory } from '../vault/gateway-key.ts';
import { BackupWriter, type EarlierBackup } from './backup-writer.ts';
import { copyAll, copyVault, isErasing, isSameVault, listBlocks } from './copy-vault.ts';
import { logPaths } from './log-paths.ts';
import { MANIFEST, newManifest, readManifest, unusable, type BackupManifest } from './manifest.ts';

const PARTIAL = '.partial';
const NAME = /^backup-\d{8}T\d{6}\.\d{3}Z$/;
/** Verdicts of a log that is worth keeping as it is. */
const SOUND: ReadonlySet<string> = new Set(['VERIFIED', 'VERIFIED-WITH-GAPS', 'DISPOSED', 'UNWITNESSED']);

export interface CreateBackupOptions {
  readonly stateDirectory: string;
  /** Holds one directory per backup. */
  readonly destination: string;
  /** Of the log. Default: `log.vkey` beside it. */
  readonly key?: NoteVerifier | undefined;
  /** The caller holds the lock of the state directory: no gateway runs. */
  readonly isStopped: boolean;
  /** Puts the backup on record, before anything is copied. */
  readonly record?: ((size: number, root: string) => Promise<void>) | undefined;
}

export interface CreatedBackup {
  readonly directory: string;
  readonly manifest: BackupManifest;
  /** Files that are links to the backup before. */
  readonly linked: number;
}

/** How often it begins again because contents were erased meanwhile. */
const MAX_TRIES = 5;

/**
 * Throws `CS_LOG_UNREADABLE`, `CS_RECORD_CORRUPT` when what would be kept does not verify, `CS_INPUT_UNUSABLE` when erasures do not let it
 * come to an end, and errors of the system.
 */
export async function createBackup(options: CreateBackupOptions): Promise<CreatedBackup> {
  for (let attempt = 1; attempt <= MAX_TRIES; attempt++) {
    const backup = await tryBackup(options, attempt === MAX_TRIES);
    if (backup !== undefined) return backup;
  }
  throw unusable('contents were erased while they were copied', 'Try again when the erasures are over.');
}

/** Undefined when contents were erased meanwhile. `isLast`: a key that is missing is lost, not being erased. */
async function tryBackup(options: CreateBackupOptions, isLast: boolean): Promise<CreatedBackup | undefined> {
  const { destination, isStopped, stateDirectory } = options;
  await mkdir(destination, { recursive: true, mode: 0o700 });
  const earlier = await prepare(destination);
  const at = new Date().toISOString();
  const directory = join(destination, `backup-${at.replaceAll(/[-:]/g, '')}`);
  const partial = directory + PARTIAL;
  const source = directorySource(join(stateDirectory, 'log'));
  // The older of the two first: it must not be ahead of the checkpoint that the copy holds.
  const witnessed = await source.read('checkpoint.witnessed');
  const text = await source.read('checkpoint');
  if (text === undefined)
    throw new CountersignError('CS_LOG_UNREADABLE', { detail: 'there is no checkpoint' });
  const checkpoint = parseCheckpoint(text.toString('utf8'));
  const { origin, size } = checkpoint;
  const root = checkpoint.root.toString('base64');
  await options.record?.(size, root);
  const blocks = await listBlocks(stateDirectory);
  await mkdir(partial, { mode: 0o700 });
  try {
    const writer = new BackupWriter(partial, earlier);
    await copyLog(source, checkpoint, writer);
    await writer.put('log/checkpoint', text);
    if (witnessed !== undefined) await writer.put('log/checkpoint.witnessed', witnessed);
    await copyBeside(stateDirectory, size, writer);
    const hasKeys = await copyVault(stateDirectory, await lastJseq(source, size), writer);
    const isTorn =
      !isStopped &&
      ((!hasKeys && !isLast) ||
        !(await isSameVault(stateDirectory, blocks)) ||
        (options.record !== undefined && (await isErasing(source, size))));
    if (isTorn) {
      await rm(partial, { recursive: true, force: true });
      return undefined;
    }
    if (isStopped) await copyAll(stateDirectory, 'journal', writer);
    await copyAll(stateDirectory, 'keys', writer, (name) => name === 'announced.json');
    await copyAll(stateDirectory, 'export', writer, (name) => name.endsWith('.cursor'));
    // Or a restore would give every owner its budgets again.
    await copyAll(stateDirectory, 'masking', writer, (name) => name === 'probes');
    await writer.sync();
    const { verdict } = await assertSound(partial, options.key);
    const { files } = writer;
    const manifest = newManifest({ origin, size, root, at, isStopped, verdict, files });
    await finish(partial, directory, manifest);
    return { directory, manifest, linked: writer.linked };
  } catch (error) {
    await rm(partial, { recursive: true, force: true });
    throw error;
  }
}

/** Removes what earlier runs left unfinished, and gives the newest whole backup. */
async function prepare(destination: string): Promise<EarlierBackup | undefined> {
  const names = (await readdir(destination)).toSorted();
  for (const name of names) {
    if (name.endsWith(PARTIAL) && NAME.test(name.slice(0, -PARTIAL.length)))
      await rm(join(destination, name), { recursive: true, force: true });
  }
  for (const name of names.filter((each) => NAME.test(each)).toReversed()) {
    const directory = join(destination, name);
    const manifest = await readManifest(directory).catch(() => undefined);
    if (manifest !== undefined) return { directory, manifest };
  }
  return undefined;
}

/** Tiles and bundles of just this size: partial ones are cut to it when the log has grown. */
async function copyLog(source: LogSource, { size }: Checkpoint, writer: BackupWriter): Promise<void> {
  for (const { index, kind, level, path, width } of logPaths(size)) {
    const place = `log/${path}`;
    if (width === TILE_WIDTH && (await writer.keep(place))) continue;
    const bytes =
      kind === 'tile'
        ? await readTile(source, level, index, width)
        : encodeEntryBundle(await readBundle(source, index, width));
    await writer.put(place, bytes);
  }
}

/** What stands beside the tree: keys, changes of key, time stamps of what the copy covers. */
async function copyBeside(stateDirectory: string, size: number, writer: BackupWriter): Promise<void> {
  await copyAll(stateDirectory, 'log', writer, (name) => name === 'log.vkey');
  await copyAll(stateDirectory, 'log/rotation', writer, (_name, bytes) => {
    return parseProof(bytes.toString('utf8')).checkpoint.size <= size;
  });
  await copyAll(stateDirectory, 'log/timestamps', writer, (name) => Number.parseInt(name, 10) <= size);
}

async function lastJseq(source: LogSource, size: number): Promise<number> {
  if (size === 0) return -1;
  const index = Math.floor((size - 1) / TILE_WIDTH);
  const leaves = await readBundle(source, index, size - index * TILE_WIDTH);
  return (JSON.parse(leaves.at(-1)!.toString('utf8')) as { readonly jseq: number }).jseq;
}

/** Verifies the log below a directory, without asking who witnessed it. Throws `CS_RECORD_CORRUPT` when it is not sound. */
export async function assertSound(directory: string, key: NoteVerifier | undefined): Promise<VerifyReport> {
  const report = await verifyLog(directorySource(join(directory, 'log')), {
    requireWitnesses: 0,
    ...(key !== undefined && { key }),
  });
  if (SOUND.has(report.verdict)) return report;
  const codes = new Set(report.findings.map(({ code }) => code));
  throw new CountersignError('CS_RECORD_CORRUPT', {
    detail: `the log in it verifies as ${report.verdict} (${[...codes].join(', ')})`,
    hint: 'countersign log verify says more.',
  });
}

/** Order: manifest written and synced, its name synced, the backup gets its name, that is synced. */
async function finish(partial: string, directory: string, manifest: BackupManifest): Promise<void> {
  const handle = await open(join(partial, MANIFEST), 'wx', 0o600);
  try {
    await handle.writeFile(`${JSON.stringify(manifest, undefined, 1)}\n`);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await syncDirectory(partial);
  await rename(partial, directory);
  await syncDirectory(join(directory, '..'));
}

/** The newest whole backup below a destination, or the destination itself where it is one. Throws `CS_INPUT_UNUSABLE`. */
export async function findBackup(place: string): Promise<EarlierBackup> {
  const own = await readManifest(place);
  if (own !== undefined) return { directory: place, manifest: own };
  const names = await readdir(place).catch((): string[] => []);
  for (const name of names
    .filter((each) => NAME.test(each))
    .toSorted()
    .toReversed()) {
    const manifest = await readManifest(join(place, name));
    if (manifest !== undefined) return { directory: join(place, name), manifest };
  }
  throw unusable(
    'there is no backup, or only one that was cut off',
    'Name a directory that countersign backup made.',
  );
}
