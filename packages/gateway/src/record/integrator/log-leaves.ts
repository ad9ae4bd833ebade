import { join } from 'node:path';
import { decodeEntryBundle, entriesPath, TILE_WIDTH, tileWidth } from 'countersign-verify';
import { CountersignError } from '../../errors.ts';
import { readWhole, type FileLayer } from '../journal/file-layer.ts';

/** The leaves of a log of this size, in order, from its bundles. Throws `CS_RECORD_CORRUPT` when one is missing. */
export function* logLeaves(layer: FileLayer, logDirectory: string, size: number): Iterable<Buffer> {
  for (let index = 0; index * TILE_WIDTH < size; index++) {
    const width = tileWidth(0, index, size);
    const path = entriesPath(index, width);
    const bundle = readWhole(layer, join(logDirectory, path));
    if (bundle === undefined)
      throw new CountersignError('CS_RECORD_CORRUPT', { detail: `${path} is missing`, fatal: true });
    yield* decodeEntryBundle(bundle).slice(0, width);
  }
}
