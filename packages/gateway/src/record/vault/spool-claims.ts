/**
 * Values in the vault that no leaf on disk names yet. A value is finished before the intent that names it is written; when that
 * intent is refused, or a crash comes in between, nothing would ever lead to the value again. So that it does not lie there for
 * ever, an empty file `<id>.<digest>.claim` stands beside it until a leaf with its digest is on disk.
 */

import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { AsyncFileLayer } from '../journal/async-file-layer.ts';
import { SEGMENT_HEADER_BYTES, segmentFileName } from '../journal/segment.ts';
import type { SegmentMark } from '../journal/journal.ts';
import type { Appended } from '../recorder.ts';

const CLAIM = /^([0-9a-f-]{36})\.([A-Za-z0-9_-]{43})\.claim$/;

export function claimPath(path: string, digest: string): string {
  return `${path}.${digest}.claim`;
}

/** What this process has finished and no leaf is known to name. Used on the data thread. */
export class SpoolClaims {
  readonly #files: AsyncFileLayer;
  /** By id of the object. */
  readonly #claims = new Map<string, { readonly path: string; isNamed: boolean }>();

  constructor(files: AsyncFileLayer) {
    this.#files = files;
  }

  add(id: string, path: string): void {
    this.#claims.set(id, { path, isNamed: false });
  }

  /** A leaf names the value. The claim goes when it is on disk; a leaf that is refused comes to the disk later. */
  name(id: string, leaf: Appended): void {
    const claim = this.#claims.get(id);
    if (claim === undefined) return;
    claim.isNamed = true;
    leaf.onDurable((error) => {
      if (error !== undefined) return;
      this.#claims.delete(id);
      void this.#removeClaim(claim.path);
    });
  }

  async #removeClaim(path: string): Promise<void> {
    try {
      await this.#files.remove(path);
    } catch {
      // One that stays is looked at, and removed, by the next start.
    }
  }

  /** Gives the claim up when no leaf names the value: its owner takes the value away. Gives the path of the claim. */
  release(id: string): string | undefined {
    const claim = this.#claims.get(id);
    if (claim === undefined || claim.isNamed) return undefined;
    this.#claims.delete(id);
    return claim.path;
  }
}

/** What a run before left. */
export interface LeftClaim {
  readonly path: string;
  /** Of the value. */
  readonly object: string;
  /** Whether a leaf that is on disk names it. */
  readonly isOnRecord: boolean;
}

export interface RecordPlaces {
  readonly vaultDirectory: string;
  readonly logDirectory: string;
  readonly journalDirectory: string;
  /** What counts of the journal's segments. */
  readonly marks: readonly SegmentMark[];
}

/**
 * Claims of runs that have ended, each held against the leaves. Reads every leaf when there are any, which is after a crash at
 * a bad moment only.
 */
export async function leftClaims(files: AsyncFileLayer, places: RecordPlaces): Promise<readonly LeftClaim[]> {
  const root = join(places.vaultDirectory, 'spool');
  const claims = (await files.listAll(root)).flatMap((name) => {
    const [, id, digest] = CLAIM.exec(basename(name)) ?? [];
    if (id === undefined || digest === undefined) return [];
    return [{ path: join(root, name), object: join(root, dirname(name), id), digest }];
  });
  if (claims.length === 0) return [];
  const found = digestsOnRecord(places, new Set(claims.map(({ digest }) => digest)));
  return claims.map(({ path, object, digest }) => ({ path, object, isOnRecord: found.has(digest) }));
}

function digestsOnRecord(places: RecordPlaces, wanted: ReadonlySet<string>): ReadonlySet<string> {
  const found = new Set<string>();
  const search = (bytes: Buffer): void => {
    for (const digest of wanted)
      if (!found.has(digest) && bytes.includes(digest, 0, 'latin1')) found.add(digest);
  };
  for (const { segment, end } of places.marks) {
    const bytes = readFileSync(join(places.journalDirectory, segmentFileName(segment)));
    search(bytes.subarray(SEGMENT_HEADER_BYTES, end));
  }
  const entries = join(places.logDirectory, 'tile', 'entries');
  for (const entry of readEntriesBelow(entries)) search(readFileSync(entry));
  return found;
}

function readEntriesBelow(directory: string): readonly string[] {
  try {
    return readdirSync(directory, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
