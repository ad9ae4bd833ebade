/**
 * How a new segment gets its file. The integrator's thread tidies the same directory at the same time (`integrator/segment-pool.ts`).
 * They keep out of each other's way by names: this thread alone makes and removes the file of the newest number, the other one touches
 * only numbers below all that are in use; of spares, this one takes and that one puts.
 */

import { join } from 'node:path';
import type { FileLayer } from './file-layer.ts';
import { isSpareFileName, segmentFileName } from './segment.ts';

/** An open file under the number's name, durably, with `capacity` bytes that need no more room. After an error there is none. */
export function openSegmentFile(
  layer: FileLayer,
  directory: string,
  number: number,
  capacity: number,
): number {
  const path = join(directory, segmentFileName(number));
  const spare = layer.list(directory).find(isSpareFileName);
  if (spare !== undefined && !layer.exists(path)) layer.rename(join(directory, spare), path);
  const handle = layer.open(path, 'create');
  try {
    const size = layer.size(handle);
    if (size < capacity) {
      layer.allocate(handle, size, capacity);
      // Wholly on disk, so that overwriting it changes no metadata.
      layer.sync(handle);
    }
    layer.syncDirectory(directory);
    return handle;
  } catch (error) {
    dropSegmentFile(layer, directory, number, handle);
    throw error;
  }
}

/** The next attempt takes another file: this one may lie on what is broken. */
export function dropSegmentFile(layer: FileLayer, directory: string, number: number, handle: number): void {
  layer.close(handle);
  layer.remove(join(directory, segmentFileName(number)));
}
