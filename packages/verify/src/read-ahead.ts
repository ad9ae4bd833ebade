/** The bundles of a log in order, read a few ahead of where they are used: neither disk nor network is waited for one by one. */

import { readBundle } from './log-reader.ts';
import type { LogSource } from './log-source.ts';
import { TILE_WIDTH, tileWidth } from './tiles.ts';

/** Bundles under way. A bundle of large leaves has 16 MiB, so this is also a bound of memory. */
const AHEAD = 4;

/** The leaves of each bundle of a tree of `size`; views that are good until the next one. Throws what `readBundle` throws, in order. */
export async function* readBundlesAhead(source: LogSource, size: number): AsyncGenerator<readonly Buffer[]> {
  const bundles = Math.ceil(size / TILE_WIDTH);
  const underWay: Promise<Buffer[]>[] = [];
  let next = 0;
  for (let bundle = 0; bundle < bundles; bundle++) {
    for (; next < bundles && underWay.length < AHEAD; next++) {
      const read = readBundle(source, next, tileWidth(0, next, size));
      // One that fails is heard of when it is its turn, which does not come if an earlier one fails.
      read.catch(() => undefined);
      underWay.push(read);
    }
    yield await underWay.shift()!;
  }
}
