import { entriesPath, TILE_WIDTH, tilePath } from 'countersign-verify';

/** A file of a log. `width` below 256: the first so many of what the log has there now. */
export interface LogPath {
  readonly path: string;
  readonly kind: 'tile' | 'entries';
  readonly level: number;
  readonly index: number;
  readonly width: number;
}

/** The tiles and bundles that a tree of `size` leaves consists of. */
export function* logPaths(size: number): Generator<LogPath> {
  for (let level = 0, count = size; count > 0; level++, count = Math.floor(count / TILE_WIDTH)) {
    for (let index = 0; index * TILE_WIDTH < count; index++) {
      const width = Math.min(TILE_WIDTH, count - index * TILE_WIDTH);
      yield { path: tilePath(level, index, width), kind: 'tile', level, index, width };
      if (level === 0) yield { path: entriesPath(index, width), kind: 'entries', level, index, width };
    }
  }
}
