/** Rebuilds the tree from the leaves and compares every tile and the root with what the log publishes. */

import { FormatError } from './errors.ts';
import type { Findings } from './findings.ts';
import { readTile } from './log-reader.ts';
import { SourceError, type LogSource } from './log-source.ts';
import { Frontier, HASH_BYTES, hashLeaf, treeRoot } from './merkle.ts';
import { hashReaderFromTiles, TileBuilder, tilePath, tileWidth, type Tile } from './tiles.ts';

/** Sizes of the tree, counted back from the newest leaf, whose roots can be told without a look into the tiles. */
const REMEMBERED_SIZES = 1 << 14;
/** The tree's right edge is kept at every so many leaves, the hashes of all leaves between. */
const EDGE_EVERY = 16;

/** Reports what went wrong with a file of the log: not there or not readable, or not of its format. */
export function reportFileError(findings: Findings, error: unknown, index?: number): void {
  if (error instanceof SourceError) {
    findings.report('file-unreadable', 'CANNOT-VERIFY', error.message, index);
  } else if (error instanceof FormatError) {
    findings.report('file-malformed', 'ALTERED', error.message, index);
  } else {
    throw error;
  }
}

export class TreeChecks {
  readonly #source: LogSource;
  readonly #publishedSize: number;
  readonly #findings: Findings;
  readonly #builder: TileBuilder;
  /** Hashes of the newest leaves, by index modulo {@link REMEMBERED_SIZES}. */
  readonly #leafHashes = Buffer.alloc(REMEMBERED_SIZES * HASH_BYTES);
  /** Complete subtrees that the tree had at sizes that are multiples of {@link EDGE_EVERY}. */
  readonly #edges: (readonly Buffer[])[] = [];
  /** Full tiles that were completed and not compared yet: at most one per level and bundle. */
  #pending: Tile[] = [];
  /** Comparisons that were begun, of one bundle. */
  #underWay: Promise<void>[] = [];

  /** `publishedSize`: that of the checkpoint whose tiles are there. */
  constructor(source: LogSource, findings: Findings, publishedSize: number) {
    this.#publishedSize = publishedSize;
    this.#source = source;
    this.#findings = findings;
    this.#builder = new TileBuilder((tile) => this.#pending.push(tile));
  }

  get size(): number {
    return this.#builder.size;
  }

  append(leaf: Uint8Array): void {
    const { size } = this;
    if (size % EDGE_EVERY === 0)
      this.#edges[(size % REMEMBERED_SIZES) / EDGE_EVERY] = this.#builder.frontier.slice();
    const leafHash = hashLeaf(leaf);
    this.#leafHashes.set(leafHash, (size % REMEMBERED_SIZES) * HASH_BYTES);
    this.#builder.append(leafHash);
  }

  root(): Buffer {
    return this.#builder.root();
  }

  /** Whether the root at `size` is at hand. */
  remembers(size: number): boolean {
    return this.size - size < REMEMBERED_SIZES - EDGE_EVERY;
  }

  /** The root that the tree had at `size`; from the published tiles, which are compared elsewhere, when that was long ago. */
  async rootAt(size: number): Promise<Buffer> {
    if (size > this.size) throw new RangeError('the tree has not had that size yet');
    if (this.remembers(size)) return this.#rootFromEdge(size);
    const read = (level: number, index: number): Promise<Buffer> =>
      readTile(this.#source, level, index, tileWidth(level, index, this.#publishedSize));
    return treeRoot(size, hashReaderFromTiles(size, read));
  }

  #rootFromEdge(size: number): Buffer {
    if (size === this.size) return this.root();
    const edge = size - (size % EDGE_EVERY);
    const frontier = Frontier.resume(edge, this.#edges[(edge % REMEMBERED_SIZES) / EDGE_EVERY]!);
    for (let index = edge; index < size; index++) {
      const at = (index % REMEMBERED_SIZES) * HASH_BYTES;
      frontier.append(Buffer.from(this.#leafHashes.subarray(at, at + HASH_BYTES)));
    }
    return frontier.root();
  }

  /** Begins to compare the full tiles completed so far with the published ones, and waits for those that were begun before. */
  async compare(): Promise<void> {
    const begun = this.#underWay;
    this.#underWay = this.#pending.map((tile) => this.#compareTile(tile));
    this.#pending = [];
    await Promise.all(begun);
  }

  /** After the last leaf: compares the right edge. */
  async finish(): Promise<void> {
    await this.compare();
    await this.compare();
    for (const tile of this.#builder.partials()) await this.#compareTile(tile);
  }

  async #compareTile(tile: Tile): Promise<void> {
    try {
      const published = await readTile(this.#source, tile.level, tile.index, tile.width);
      if (published.equals(tile.bytes)) return;
      const path = tilePath(tile.level, tile.index, tile.width);
      this.#findings.report('tile-mismatch', 'ALTERED', `${path} does not fit the leaves`);
    } catch (error) {
      reportFileError(this.#findings, error);
    }
  }
}
