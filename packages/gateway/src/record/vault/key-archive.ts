/**
 * Data keys on their way to the custodian and back: wrapped, so that only the custodian's private key opens them. An archive is a
 * directory with the same layout as the vault's keys and a list of them, `archive.json`. The gateway's own copies never go there.
 */

import { hash, type KeyObject } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename } from 'node:fs/promises';
import { dirname, join, sep } from 'node:path';
import {
  decodeWrappedKeyHeader,
  FormatError,
  unwrapDataKey,
  wrapDataKey,
  wrappedKeyPath,
} from 'countersign-verify';
import { vaultKeyFingerprint } from '../keys.ts';
import { syncDirectory } from './gateway-key.ts';

export const ARCHIVE_LIST = 'archive.json';
const SUFFIX = '.custodian';

export interface KeyFilter {
  readonly retentionClass?: string | undefined;
  readonly period?: string | undefined;
}

/** Data keys of one class and period that are wrapped to one custodian. */
export interface KeyGroup {
  readonly retentionClass: string;
  readonly period: string;
  /** Fingerprint of the custodian. */
  readonly custodian: string;
  readonly files: readonly KeyFile[];
}

export interface KeyFile {
  /** Relative to the vault, `/` between. */
  readonly path: string;
  readonly bytes: Buffer;
}

/** A file whose name and header do not agree is not taken: `FormatError`. */
async function readKeyFile(
  directory: string,
  name: string,
): Promise<KeyFile & { readonly custodian: string }> {
  const bytes = await readFile(join(directory, 'keys', name));
  const header = decodeWrappedKeyHeader(bytes);
  const path = `keys/${name.split(sep).join('/')}`;
  if (wrappedKeyPath(header, header.keyId, 'custodian') !== path)
    throw new FormatError(`${path} holds another key than its name says`);
  return { path, bytes, custodian: hash('sha256', header.recipient, 'base64url') };
}

/** The custodian's copies in a vault or an archive, by class, period and custodian, in the order of their names. */
export async function listKeys(directory: string, filter: KeyFilter = {}): Promise<KeyGroup[]> {
  const names = await readdir(join(directory, 'keys'), { recursive: true }).catch((): string[] => []);
  const groups = new Map<string, { custodian: string; files: KeyFile[]; place: readonly string[] }>();
  for (const name of names.filter((each) => each.endsWith(SUFFIX)).toSorted()) {
    const place = name.split(sep);
    if (filter.retentionClass !== undefined && place[0] !== filter.retentionClass) continue;
    if (filter.period !== undefined && place[1] !== filter.period) continue;
    const { custodian, ...file } = await readKeyFile(directory, name);
    const id = [place[0], place[1], custodian].join('/');
    const group = groups.get(id) ?? { custodian, files: [], place };
    group.files.push(file);
    groups.set(id, group);
  }
  return Array.from(groups.values(), ({ custodian, files, place }) => ({
    retentionClass: place[0]!,
    period: place[1]!,
    custodian,
    files,
  }));
}

/** What an archive lists of a group; its digest stands in `key.archived`. */
function describe({ custodian, files, period, retentionClass }: KeyGroup): object {
  return {
    class: retentionClass,
    period,
    custodian,
    files: files.map(({ bytes, path }) => ({ path, sha256: hash('sha256', bytes, 'hex') })),
  };
}

/** base64url SHA-256 of a group's part of the list. */
export function groupDigest(group: KeyGroup): string {
  return hash('sha256', JSON.stringify(describe(group)), 'base64url');
}

/** Writes an archive into a new or empty directory. The caller has recorded it. The list comes last: without it there is none. */
export async function writeArchive(directory: string, groups: readonly KeyGroup[]): Promise<void> {
  for (const { files } of groups) {
    for (const { bytes, path } of files) await putFile(join(directory, path), bytes, 'wx');
  }
  await writeList(directory, groups);
}

async function writeList(directory: string, groups: readonly KeyGroup[]): Promise<void> {
  const list = { format: 'countersign key archive', version: 1, groups: groups.map(describe) };
  await replace(join(directory, ARCHIVE_LIST), Buffer.from(`${JSON.stringify(list, undefined, 1)}\n`));
}

/** The keys of an archive, checked against its list. Throws `FormatError`. */
export async function readArchive(directory: string): Promise<KeyGroup[]> {
  const text = await readFile(join(directory, ARCHIVE_LIST), 'utf8').catch(() => undefined);
  if (text === undefined)
    throw new FormatError(`there is no ${ARCHIVE_LIST}: not an archive, or not a whole one`);
  const groups = await listKeys(directory);
  const list = JSON.parse(text) as { readonly groups?: unknown };
  if (JSON.stringify(list.groups) !== JSON.stringify(groups.map(describe)))
    throw new FormatError('the archive does not hold the keys that it lists');
  return groups;
}

/**
 * For the custodian: what is wrapped to the old key is wrapped to the new one, each file replaced whole, so that it may be cut off
 * and repeated. `directory` is an archive, or a vault that no gateway works in. Gives the number of keys; others are left alone.
 */
export async function rewrapKeys(
  directory: string,
  oldKey: KeyObject,
  newKey: KeyObject,
): Promise<{ readonly rewrapped: number; readonly others: number }> {
  const old = vaultKeyFingerprint(oldKey);
  let rewrapped = 0;
  let others = 0;
  for (const { custodian, files } of await listKeys(directory)) {
    if (custodian !== old) {
      others += files.length;
      continue;
    }
    for (const { bytes, path } of files) {
      const { dataKey, ...scope } = unwrapDataKey(bytes, oldKey);
      await replace(join(directory, path), wrapDataKey(scope, dataKey, newKey));
      dataKey.fill(0);
      rewrapped++;
    }
  }
  const isArchive = await readFile(join(directory, ARCHIVE_LIST)).then(
    () => true,
    () => false,
  );
  if (isArchive) await writeList(directory, await listKeys(directory));
  return { rewrapped, others };
}

/** What an import would replace: the group as it comes, and the custodians whose copies go. */
export interface KeyImport {
  readonly group: KeyGroup;
  readonly previous: string;
}

/**
 * Compares an archive with the vault. Every key must be there still (one that was erased does not come back), and be wrapped to
 * `custodian`. Keys that are wrapped so already are left out. Throws `FormatError`.
 */
export async function planImport(
  vaultDirectory: string,
  archive: readonly KeyGroup[],
  custodian: KeyObject,
): Promise<KeyImport[]> {
  const fingerprint = vaultKeyFingerprint(custodian);
  const present = new Map<string, string>();
  for (const group of await listKeys(vaultDirectory))
    for (const { path } of group.files) present.set(path, group.custodian);
  const imports = new Map<string, { group: KeyGroup; previous: string; files: KeyFile[] }>();
  for (const group of archive) {
    if (group.custodian !== fingerprint)
      throw new FormatError(
        'the archive holds keys that are wrapped to another custodian than the one in force',
      );
    for (const file of group.files) {
      const previous = present.get(file.path);
      if (previous === undefined)
        throw new FormatError('the archive holds a key that the vault does not have');
      if (previous === fingerprint) continue;
      const id = `${group.retentionClass}/${group.period}/${previous}`;
      const entry = imports.get(id) ?? { group, previous, files: [] };
      entry.files.push(file);
      imports.set(id, entry);
    }
  }
  return Array.from(imports.values(), ({ files, group, previous }) => ({
    group: Object.assign({}, group, { files }),
    previous,
  }));
}

/** Puts an import in place. One that meanwhile was erased stays away. */
export async function applyImport(vaultDirectory: string, { group }: KeyImport): Promise<void> {
  for (const { bytes, path } of group.files) {
    const file = join(vaultDirectory, path);
    const header = decodeWrappedKeyHeader(await readFile(file));
    if (header.keyId.equals(decodeWrappedKeyHeader(bytes).keyId)) await replace(file, bytes);
  }
}

async function replace(path: string, bytes: Buffer): Promise<void> {
  const unfinished = `${path}.tmp`;
  await putFile(unfinished, bytes, 'w');
  await rename(unfinished, path);
  await syncDirectory(dirname(path));
}

async function putFile(path: string, bytes: Buffer, flag: 'w' | 'wx'): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const handle = await open(path, flag, 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}
