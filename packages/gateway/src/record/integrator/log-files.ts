/**
 * The files of the log, written so that a reader never sees a checkpoint whose tiles are missing:
 * (1) tiles and bundles, each written aside, synced and renamed, (2) their directories synced, (3) the checkpoint
 * replaced and its directory synced. A crash before (3) leaves files that the next run writes again, byte for byte the
 * same; a full tile that is there already is compared and never replaced.
 */

import { dirname, join } from 'node:path';
import { entriesPath, tilePath, TILE_WIDTH, type Tile } from 'countersign-verify';
import { CountersignError } from '../../errors.ts';
import { readWhole, replaceFile, type FileLayer } from '../journal/file-layer.ts';

export class LogFiles {
  readonly #layer: FileLayer;
  readonly #directory: string;
  readonly #dirty = new Set<string>();
  readonly #known = new Set<string>();
  /** Partial files of the checkpoint before and of the one being written. */
  #oldPartials: string[] = [];
  #partials: string[] = [];

  constructor(layer: FileLayer, directory: string) {
    this.#layer = layer;
    this.#directory = directory;
  }

  writeTile(tile: Tile): void {
    this.#write(tilePath(tile.level, tile.index, tile.width), tile.bytes, tile.width === TILE_WIDTH);
  }

  writeEntries(index: number, width: number, bundle: Buffer): void {
    this.#write(entriesPath(index, width), bundle, width === TILE_WIDTH);
  }

  readTile(level: number, index: number, width: number): Buffer {
    return this.#read(tilePath(level, index, width));
  }

  readEntries(index: number, width: number): Buffer {
    return this.#read(entriesPath(index, width));
  }

  readCheckpoint(): string | undefined {
    return this.readText('checkpoint');
  }

  /** A file beside the checkpoint; undefined when it does not exist. */
  readText(name: string): string | undefined {
    return readWhole(this.#layer, join(this.#directory, name))?.toString('utf8');
  }

  /** Replaces such a file, durably. */
  replace(name: string, text: string): void {
    replaceFile(this.#layer, join(this.#directory, name), Buffer.from(text));
    this.#layer.syncDirectory(this.#directory);
  }

  /** Makes names of tiles and bundles durable. */
  syncTiles(): void {
    for (const directory of this.#dirty) this.#layer.syncDirectory(directory);
    this.#dirty.clear();
  }

  writeCheckpoint(text: string): void {
    replaceFile(this.#layer, join(this.#directory, 'checkpoint'), Buffer.from(text));
    this.#layer.syncDirectory(this.#directory);
    // Readers that hold the checkpoint before still find its partial files; those before that are gone.
    for (const path of this.#oldPartials) {
      if (!this.#partials.includes(path)) this.#removePartial(path);
    }
    this.#oldPartials = this.#partials;
    this.#partials = [];
  }

  /**
   * Makes names beside the checkpoint durable. A run that failed or was killed behind its rename left one that everybody sees and that
   * a power cut may still take back; no segment of the journal may be given away for it.
   */
  syncNames(): void {
    this.#layer.syncDirectory(this.#directory);
  }

  /** `log.vkey`, for people and tools; it is not to be trusted just because it lies here. */
  writeKey(text: string): void {
    const path = join(this.#directory, 'log.vkey');
    if (readWhole(this.#layer, path)?.toString('utf8') === text) return;
    this.#layer.makeDirectory(this.#directory);
    replaceFile(this.#layer, path, Buffer.from(text));
    this.#layer.syncDirectory(this.#directory);
  }

  #removePartial(path: string): void {
    this.#layer.remove(path);
    const directory = dirname(path);
    try {
      if (this.#layer.list(directory).length === 0) {
        this.#layer.remove(directory);
        this.#known.delete(directory);
      }
    } catch {
      // An empty directory that stays does no harm.
    }
  }

  #read(path: string): Buffer {
    const bytes = readWhole(this.#layer, join(this.#directory, path));
    if (bytes === undefined)
      throw new CountersignError('CS_RECORD_CORRUPT', { detail: `${path} is missing`, fatal: true });
    return bytes;
  }

  #write(path: string, bytes: Buffer, isFull: boolean): void {
    const absolute = join(this.#directory, path);
    const directory = dirname(absolute);
    if (!this.#known.has(directory)) {
      this.#layer.makeDirectory(directory);
      this.#known.add(directory);
    }
    if (isFull) {
      const present = readWhole(this.#layer, absolute);
      if (present?.equals(bytes) === true) {
        // Its bytes were synced before it got its name; a run that was killed may not have synced the name.
        this.#dirty.add(directory);
        return;
      }
      if (present !== undefined) {
        throw new CountersignError('CS_RECORD_CORRUPT', {
          detail: `${path} differs from the journal`,
          fatal: true,
        });
      }
    } else {
      this.#partials.push(absolute);
    }
    replaceFile(this.#layer, absolute, bytes);
    this.#dirty.add(directory);
  }
}
