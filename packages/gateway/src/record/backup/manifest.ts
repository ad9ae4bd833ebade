/** What a backup holds, and what it deliberately does not: `manifest.json`, the last file that is written. */

import { readFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { CountersignError } from '../../errors.ts';

export const MANIFEST = 'manifest.json';
const FORMAT = 'countersign backup';

export interface BackupFile {
  /** Relative to the state directory, `/` between. */
  readonly path: string;
  readonly bytes: number;
  /** Hex. */
  readonly sha256: string;
}

export interface BackupManifest {
  readonly format: typeof FORMAT;
  readonly version: 1;
  readonly origin: string;
  /** Of the checkpoint that it holds. */
  readonly size: number;
  /** base64. */
  readonly root: string;
  /** When it was begun, RFC 3339. */
  readonly at: string;
  /** No gateway worked in the state directory: the journal is in it, and nothing was written after. */
  readonly isStopped: boolean;
  readonly verdict: string;
  readonly leftOut: readonly string[];
  readonly files: readonly BackupFile[];
}

/** Secrets, and what only the machine itself can use. */
export const LEFT_OUT: readonly string[] = [
  'keys/identity.key: a restored gateway makes another one; short-lived tokens end',
  'vault/gateway-*.key and vault/keys/**/*.gateway: a backup opens nothing; the custodian can open all of it',
  'control.sock, lock',
];

export function newManifest(parts: Omit<BackupManifest, 'format' | 'version' | 'leftOut'>): BackupManifest {
  const journal = parts.isStopped
    ? []
    : ['journal: the newest leaves, up to a second, are not in the log yet'];
  return { format: FORMAT, version: 1, leftOut: [...LEFT_OUT, ...journal], ...parts };
}

/** Undefined where there is none: no backup, or one that was cut off. Throws `CS_INPUT_UNUSABLE` for one that cannot be read. */
export async function readManifest(directory: string): Promise<BackupManifest | undefined> {
  let text: string;
  try {
    text = await readFile(join(directory, MANIFEST), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unusable(`${MANIFEST} cannot be read`);
  }
  const manifest = parse(text);
  if (manifest === undefined) throw unusable(`${MANIFEST} is not one of a backup that this version knows`);
  return manifest;
}

function parse(text: string): BackupManifest | undefined {
  try {
    const value = JSON.parse(text) as BackupManifest;
    const isKnown = value.format === FORMAT && value.version === 1;
    return isKnown && value.files.every(({ path }) => isInside(path)) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** A path of a backup leads nowhere but into the parts of a state directory that backups have. */
function isInside(path: string): boolean {
  return posix.normalize(path) === path && /^(log|vault|journal|keys|export)\/[^\0]+$/.test(path);
}

export function unusable(detail: string, hint?: string): CountersignError {
  return new CountersignError('CS_INPUT_UNUSABLE', hint === undefined ? { detail } : { detail, hint });
}
