/**
 * C2SP tlog-tiles (https://c2sp.org/tlog-tiles): how a log lies in files. Tiles have height 8: a tile of level L
 * holds up to 256 hashes of subtrees of 256^L leaves; an entry bundle holds up to 256 leaves.
 */

import { FormatError } from './errors.ts';
import { Frontier, HASH_BYTES, hashChildren, type HashReader, type TreeNode } from './merkle.ts';

export const TILE_HEIGHT = 8;
export const TILE_WIDTH = 256;
/** A bundle's length prefix has two bytes. */
export const MAX_ENTRY_BYTES = 65_535;

/** Index in groups of three digits, all but the last with an `x`: 1234067 → `x001/x234/067`. */
export function encodeTileIndex(index: number): string {
  if (!Number.isSafeInteger(index) || index < 0) throw new FormatError('a tile index is not an integer');
  let path = String(index % 1000).padStart(3, '0');
  for (let rest = Math.floor(index / 1000); rest > 0; rest = Math.floor(rest / 1000)) {
    path = `x${String(rest % 1000).padStart(3, '0')}/${path}`;
  }
  return path;
}

function withWidth(path: string, width: number): string {
  if (!Number.isInteger(width) || width < 1 || width > TILE_WIDTH)
    throw new FormatError('a tile width is out of range');
  return width === TILE_WIDTH ? path : `${path}.p/${width}`;
}

/** `tile/<L>/<N>[.p/<W>]`. A width of 256 (default) is a full tile. */
export function tilePath(level: number, index: number, width: number = TILE_WIDTH): string {
  if (!Number.isInteger(level) || level < 0 || level > 63)
    throw new FormatError('a tile level is out of range');
  return withWidth(`tile/${level}/${encodeTileIndex(index)}`, width);
}

/** `tile/entries/<N>[.p/<W>]`. */
export function entriesPath(index: number, width: number = TILE_WIDTH): string {
  return withWidth(`tile/entries/${encodeTileIndex(index)}`, width);
}

/** How many hashes tile (level, index) has in a tree of `size` leaves: 0 (does not exist) to 256. */
export function tileWidth(level: number, index: number, size: number): number {
  const hashes = Math.floor(size / TILE_WIDTH ** level);
  return Math.max(0, Math.min(TILE_WIDTH, hashes - index * TILE_WIDTH));
}

/** The number of tile levels of a tree (0 for an empty one). */
export function tileLevels(size: number): number {
  let levels = 0;
  for (let hashes = size; hashes > 0; hashes = Math.floor(hashes / TILE_WIDTH)) levels++;
  return levels;
}

export function encodeEntryBundle(entries: readonly Uint8Array[]): Buffer {
  if (entries.length > TILE_WIDTH) throw new FormatError('a bundle holds at most 256 entries');
  let length = 0;
  for (const entry of entries) {
    if (entry.length > MAX_ENTRY_BYTES) throw new FormatError('an entry is longer than 65535 bytes');
    length += 2 + entry.length;
  }
  const bundle = Buffer.allocUnsafe(length);
  let at = 0;
  for (const entry of entries) {
    at = bundle.writeUInt16BE(entry.length, at);
    bundle.set(entry, at);
    at += entry.length;
  }
  return bundle;
}

/** The entries of a bundle, as views of it. Throws `FormatError` when lengths do not add up. */
export function decodeEntryBundle(bundle: Uint8Array): Buffer[] {
  const bytes = Buffer.from(bundle.buffer, bundle.byteOffset, bundle.byteLength);
  const entries: Buffer[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (at + 2 > bytes.length) throw new FormatError('a bundle ends inside a length');
    const length = bytes.readUInt16BE(at);
    at += 2;
    if (at + length > bytes.length) throw new FormatError('a bundle ends inside an entry');
    entries.push(bytes.subarray(at, at + length));
    at += length;
    if (entries.length > TILE_WIDTH) throw new FormatError('a bundle holds more than 256 entries');
  }
  return entries;
}

/** The hashes of a tile, as views of it. */
export function decodeTile(tile: Uint8Array): Buffer[] {
  if (tile.length === 0 || tile.length % HASH_BYTES !== 0 || tile.length > TILE_WIDTH * HASH_BYTES) {
    throw new FormatError('a tile does not hold 1 to 256 hashes');
  }
  const bytes = Buffer.from(tile.buffer, tile.byteOffset, tile.byteLength);
  const hashes: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += HASH_BYTES) hashes.push(bytes.subarray(at, at + HASH_BYTES));
  return hashes;
}

/** Root over 2^k hashes. */
export function foldFull(hashes: readonly Buffer[]): Buffer {
  let row: readonly Buffer[] = hashes;
  while (row.length > 1) {
    const next: Buffer[] = [];
    for (let i = 0; i + 1 < row.length; i += 2) next.push(hashChildren(row[i]!, row[i + 1]!));
    row = next;
  }
  return row[0]!;
}

export interface Tile {
  readonly level: number;
  readonly index: number;
  readonly width: number;
  /** `width` × 32 bytes. */
  readonly bytes: Buffer;
}

/** Reads the hashes of tile (level, index), at least its first `width`. */
export type TileReader = (level: number, index: number, width: number) => Uint8Array | Promise<Uint8Array>;

/** Reads any complete subtree of a tree of `size` leaves through its tiles. */
export function hashReaderFromTiles(size: number, readTile: TileReader): HashReader {
  return async (node: TreeNode): Promise<Buffer> => {
    const level = Math.floor(node.level / TILE_HEIGHT);
    const span = 2 ** (node.level - level * TILE_HEIGHT);
    const first = node.index * span;
    const index = Math.floor(first / TILE_WIDTH);
    const width = tileWidth(level, index, size);
    const tile = decodeTile(await readTile(level, index, width));
    const offset = first - index * TILE_WIDTH;
    const hashes = tile.slice(offset, offset + span);
    if (hashes.length !== span) throw new FormatError('a tile is too short for the tree');
    return foldFull(hashes);
  };
}

/**
 * Collects leaf hashes into tiles. Full tiles are handed to `onFull` as they complete (lower levels first);
 * `partials()` gives the right edge for a checkpoint at the current size.
 */
export class TileBuilder {
  #frontier: Frontier;
  readonly #rows: Buffer[][];
  readonly #onFull: (tile: Tile) => void;

  constructor(onFull: (tile: Tile) => void) {
    this.#frontier = new Frontier();
    this.#rows = [];
    this.#onFull = onFull;
  }

  /** Continues from a tree of `size` leaves, reading its right-edge tiles. */
  static async resume(
    size: number,
    readTile: TileReader,
    onFull: (tile: Tile) => void,
  ): Promise<TileBuilder> {
    const builder = new TileBuilder(onFull);
    for (let level = 0; level < tileLevels(size); level++) {
      const index = Math.floor(Math.floor(size / TILE_WIDTH ** level) / TILE_WIDTH);
      const width = tileWidth(level, index, size);
      const row = width === 0 ? [] : decodeTile(await readTile(level, index, width)).slice(0, width);
      if (row.length !== width) throw new FormatError('a tile is too short for the tree');
      builder.#rows.push(row.map((h) => Buffer.from(h)));
    }
    // The frontier is inside the rows: row L holds what is complete beyond the last full tile of that level.
    const hashes: Buffer[] = [];
    for (const row of builder.#rows.toReversed()) {
      let at = 0;
      for (let span = TILE_WIDTH / 2; span >= 1; span /= 2) {
        if ((row.length & span) === 0) continue;
        hashes.push(foldFull(row.slice(at, at + span)));
        at += span;
      }
    }
    builder.#frontier = Frontier.resume(size, hashes);
    return builder;
  }

  get size(): number {
    return this.#frontier.size;
  }

  root(): Buffer {
    return this.#frontier.root();
  }

  /** Roots of the complete subtrees, largest first, as they are now: a later leaf changes the list. */
  get frontier(): readonly Buffer[] {
    return this.#frontier.hashes;
  }

  append(leafHash: Buffer): void {
    this.#frontier.append(leafHash);
    this.#push(0, leafHash);
  }

  /** The tiles of the right edge that are not full. */
  partials(): Tile[] {
    const tiles: Tile[] = [];
    for (const [level, row] of this.#rows.entries()) {
      if (row.length === 0) continue;
      tiles.push({ level, index: this.#tileIndex(level), width: row.length, bytes: Buffer.concat(row) });
    }
    return tiles;
  }

  #tileIndex(level: number): number {
    return Math.floor(this.size / TILE_WIDTH ** (level + 1));
  }

  #push(level: number, nodeHash: Buffer): void {
    const row = (this.#rows[level] ??= []);
    row.push(nodeHash);
    if (row.length < TILE_WIDTH) return;
    this.#rows[level] = [];
    // The tile that just filled is the one before the one that would be next.
    this.#onFull({ level, index: this.#tileIndex(level) - 1, width: TILE_WIDTH, bytes: Buffer.concat(row) });
    // The frontier has hashed this subtree already.
    this.#push(level + 1, this.#frontier.closedRoot((level + 1) * TILE_HEIGHT));
  }
}
