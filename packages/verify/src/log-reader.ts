/** Reads checkpoints, tiles, bundles and leaves of a log, and makes proofs from them. */

import { parseCheckpoint, type Checkpoint } from './checkpoint.ts';
import { FormatError } from './errors.ts';
import { SourceError, type LogSource } from './log-source.ts';
import { HASH_BYTES, proveConsistency, proveInclusion } from './merkle.ts';
import {
  decodeEntryBundle,
  entriesPath,
  hashReaderFromTiles,
  TILE_WIDTH,
  tilePath,
  tileWidth,
} from './tiles.ts';

/** A file that the checkpoint says exists is not there. */
export class MissingFileError extends SourceError {
  readonly path: string;

  constructor(path: string) {
    super(`${path} is missing`);
    this.name = 'MissingFileError';
    this.path = path;
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function decodeText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (error) {
    throw new FormatError('not UTF-8', { cause: error });
  }
}

/** The current checkpoint, decoded; no signature is verified. Throws `MissingFileError`, `FormatError`. */
export async function readCheckpoint(source: LogSource): Promise<Checkpoint> {
  const bytes = await source.read('checkpoint');
  if (bytes === undefined) throw new MissingFileError('checkpoint');
  return parseCheckpoint(decodeText(bytes));
}

/**
 * Reads the tile or bundle whose width in a tree of `size` is `width`. A log that grows replaces partial files by
 * wider ones: then the full file, or the one of the current checkpoint, has the same bytes in front.
 */
async function readWidest(
  source: LogSource,
  path: (width: number) => string,
  width: number,
  widthAt: (size: number) => number,
): Promise<{ readonly bytes: Buffer; readonly width: number }> {
  const exact = await source.read(path(width));
  if (exact !== undefined) return { bytes: exact, width };
  if (width === TILE_WIDTH) throw new MissingFileError(path(width));
  for (let attempt = 0; attempt < 5; attempt++) {
    const full = await source.read(path(TILE_WIDTH));
    if (full !== undefined) return { bytes: full, width: TILE_WIDTH };
    const newer = widthAt((await readCheckpoint(source)).size);
    if (newer <= width) break;
    const wider = await source.read(path(newer));
    if (wider !== undefined) return { bytes: wider, width: newer };
  }
  throw new MissingFileError(path(width));
}

/** The first `width` hashes of tile (level, index) of a tree of at least `size` leaves. */
export async function readTile(
  source: LogSource,
  level: number,
  index: number,
  width: number,
): Promise<Buffer> {
  const { bytes, width: present } = await readWidest(
    source,
    (w) => tilePath(level, index, w),
    width,
    (size) => tileWidth(level, index, size),
  );
  if (bytes.length !== present * HASH_BYTES) {
    throw new FormatError(`${tilePath(level, index, present)} has the wrong length`);
  }
  return bytes.subarray(0, width * HASH_BYTES);
}

/** The first `width` leaves of bundle `index`. */
export async function readBundle(source: LogSource, index: number, width: number): Promise<Buffer[]> {
  const { bytes, width: present } = await readWidest(
    source,
    (w) => entriesPath(index, w),
    width,
    (size) => tileWidth(0, index, size),
  );
  const entries = decodeEntryBundle(bytes);
  if (entries.length !== present)
    throw new FormatError(`${entriesPath(index, present)} does not hold ${present} leaves`);
  return entries.slice(0, width);
}

export interface IndexedLeaf {
  readonly index: number;
  /** A view of a bundle: copy it to keep it long. */
  readonly bytes: Buffer;
}

/** Leaves [from, to) in log order. `size` is that of the checkpoint they are read under. Verifies nothing. */
export async function* iterateLeaves(
  source: LogSource,
  range: { readonly size: number; readonly from?: number; readonly to?: number },
): AsyncGenerator<IndexedLeaf> {
  const to = Math.min(range.to ?? range.size, range.size);
  let index = range.from ?? 0;
  while (index < to) {
    const bundle = Math.floor(index / TILE_WIDTH);
    const leaves = await readBundle(source, bundle, tileWidth(0, bundle, range.size));
    for (let i = index - bundle * TILE_WIDTH; i < leaves.length && index < to; i++) {
      yield { index, bytes: leaves[i]! };
      index++;
    }
  }
}

function hashReader(source: LogSource, size: number): ReturnType<typeof hashReaderFromTiles> {
  return hashReaderFromTiles(size, async (level, index, width) => readTile(source, level, index, width));
}

/** The hashes that prove leaf `index` in the tree of `size` leaves. */
export async function inclusionProof(source: LogSource, index: number, size: number): Promise<Buffer[]> {
  return proveInclusion(index, size, hashReader(source, size));
}

/** The hashes that prove that the tree of `first` leaves is a prefix of the one of `second`. */
export async function consistencyProof(source: LogSource, first: number, second: number): Promise<Buffer[]> {
  return proveConsistency(first, second, hashReader(source, second));
}
