/** Rebuilds the tree from the leaves and compares every tile and the root with what the log publishes. */

import { FormatError } from './errors.ts';
import type { Findings } from './findings.ts';
import { readTile } from './log-reader.ts';
import { SourceError, type LogSource } from './log-source.ts';
import { hashLeaf } from './merkle.ts';
import { TileBuilder, tilePath, type Tile } from './tiles.ts';

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
  readonly #findings: Findings;
  readonly #builder: TileBuilder;
  /** Full tiles that were completed and not compared yet: at most one per level and bundle. */
  #pending: Tile[] = [];

  constructor(source: LogSource, findings: Findings) {
    this.#source = source;
    this.#findings = findings;
    this.#builder = new TileBuilder((tile) => this.#pending.push(tile));
  }

  get size(): number {
    return this.#builder.size;
  }

  append(leaf: Uint8Array): void {
    this.#builder.append(hashLeaf(leaf));
  }

  root(): Buffer {
    return this.#builder.root();
  }

  /** Compares the full tiles completed so far with the published ones. */
  async compare(): Promise<void> {
    const tiles = this.#pending;
    this.#pending = [];
    for (const tile of tiles) await this.#compareTile(tile);
  }

  /** After the last leaf: compares the right edge. */
  async finish(): Promise<void> {
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
