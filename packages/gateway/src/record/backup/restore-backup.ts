/**
 * A backup becomes a state directory: every file is compared with the manifest, the log is verified, and only then the directory
 * gets its name. What is cut off is `<state>.restoring`, and nothing starts with it.
 *
 * The backup of a gateway that ran ends somewhere: what was written after it is not in it, and whoever goes on writing from there
 * forks the log. So the directory says that it was restored, and a gateway with this log does not start with it.
 */

import { hash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, rmdir } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type { NoteVerifier } from 'countersign-verify';
import { CountersignError } from '../../errors.ts';
import { readWhole, type FileLayer } from '../journal/file-layer.ts';
import { syncDirectory } from '../vault/gateway-key.ts';
import { assertSound, findBackup } from './create-backup.ts';
import { unusable, type BackupManifest } from './manifest.ts';

/** In the state directory, while it is to be settled how the log goes on. */
const RESTORED = 'restored.json';
const UNFINISHED = '.restoring';

export interface RestoreOptions {
  /** A backup, or the directory of several: the newest is taken. */
  readonly backup: string;
  /** Missing, or empty. */
  readonly stateDirectory: string;
  readonly key?: NoteVerifier | undefined;
}

export interface RestoredBackup {
  readonly manifest: BackupManifest;
  readonly verdict: string;
}

/** Throws `CS_INPUT_UNUSABLE`, `CS_FILE_EXISTS`, `CS_RECORD_CORRUPT`; then nothing was put in place. */
export async function restoreBackup(options: RestoreOptions): Promise<RestoredBackup> {
  const stateDirectory = resolve(options.stateDirectory);
  await assertEmpty(stateDirectory);
  const { directory, manifest } = await findBackup(options.backup);
  const unfinished = stateDirectory + UNFINISHED;
  await rm(unfinished, { recursive: true, force: true });
  try {
    await copyFiles(directory, unfinished, manifest);
    const report = await assertSound(unfinished, options.key);
    if (report.size !== manifest.size || report.root !== manifest.root || report.origin !== manifest.origin)
      throw unusable('the log in the backup is not the one of its manifest');
    if (!manifest.isStopped) await markRestored(unfinished, manifest);
    await rmdir(stateDirectory).catch(() => undefined);
    await rename(unfinished, stateDirectory);
    await syncDirectory(dirname(stateDirectory));
    return { manifest, verdict: report.verdict };
  } catch (error) {
    await rm(unfinished, { recursive: true, force: true });
    throw error;
  }
}

async function assertEmpty(directory: string): Promise<void> {
  const names = await readdir(directory).catch((): string[] => []);
  if (names.length === 0) return;
  throw new CountersignError('CS_FILE_EXISTS', {
    detail: directory,
    hint: 'A backup is restored into a directory that is missing or empty.',
  });
}

async function copyFiles(from: string, to: string, manifest: BackupManifest): Promise<void> {
  const directories = new Set<string>([to]);
  await mkdir(to, { recursive: true, mode: 0o700 });
  for (const { bytes: length, path, sha256 } of manifest.files) {
    const bytes = await readFile(join(from, path)).catch(() => undefined);
    if (bytes === undefined) throw unusable(`the backup lacks ${path}`);
    if (bytes.length !== length || hash('sha256', bytes, 'hex') !== sha256)
      throw unusable(`${path} in the backup is not what its manifest says`);
    const file = join(to, path);
    for (let at = dirname(file); !directories.has(at); at = dirname(at)) directories.add(at);
    await mkdir(dirname(file), { recursive: true, mode: 0o700 });
    await writeSynced(file, bytes);
  }
  for (const directory of directories) await syncDirectory(directory);
}

async function markRestored(directory: string, manifest: BackupManifest): Promise<void> {
  const { at, origin, root, size } = manifest;
  const mark = { origin, size, root, backupAt: at, restoredAt: new Date().toISOString() };
  await writeSynced(join(directory, RESTORED), Buffer.from(`${JSON.stringify(mark)}\n`));
  await syncDirectory(directory);
}

async function writeSynced(file: string, bytes: Buffer): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/**
 * For the start: throws `CS_LOG_ROLLED_BACK` when this state directory was restored from the backup of a running gateway and the
 * log of `origin` would go on from there. A new log (`countersign log succeed`) may.
 */
export function assertNotRestored(layer: FileLayer, stateDirectory: string, origin: string): void {
  const bytes = readWhole(layer, join(stateDirectory, RESTORED));
  if (bytes === undefined) return;
  let mark: { readonly origin?: string; readonly size?: number; readonly backupAt?: string } = {};
  try {
    mark = JSON.parse(bytes.toString('utf8')) as typeof mark;
  } catch {
    // Then it is not known of which log; to be on the safe side, of this one.
  }
  if (mark.origin !== undefined && mark.origin !== origin) return;
  throw new CountersignError('CS_LOG_ROLLED_BACK', {
    detail: `the state directory was restored from a backup of ${mark.size ?? 'unknown'} leaves, made ${mark.backupAt ?? 'at an unknown time'}`,
    hint: 'What was written after it would be forked: countersign log recover takes it from a mirror, countersign log succeed begins a new log (docs/witness.md).',
    fatal: true,
  });
}

/** The leaves after the backup were brought back: the log goes on where it was. */
export async function settleRestored(stateDirectory: string): Promise<void> {
  await rm(join(stateDirectory, RESTORED), { force: true });
  await syncDirectory(stateDirectory);
}
