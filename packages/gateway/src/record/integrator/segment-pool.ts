import { join } from 'node:path';
import type { FileLayer } from '../journal/file-layer.ts';
import { isSpareFileName, parseSegmentFileName } from '../journal/segment.ts';

const SPARES = 2;

/** Segments that are not needed any more become spares; when there is none, one is prepared in advance. */
export class SegmentPool {
  readonly #layer: FileLayer;
  readonly #directory: string;
  readonly #segmentBytes: number;

  constructor(layer: FileLayer, directory: string, segmentBytes: number) {
    this.#layer = layer;
    this.#directory = directory;
    this.#segmentBytes = segmentBytes;
  }

  /** `oldest`: the lowest number that is still needed. A rename that a crash undoes is simply done again. */
  tidy(oldest: number, wantSpare: boolean): void {
    const names = this.#layer.list(this.#directory);
    let spares = names.filter(isSpareFileName).length;
    for (const name of names) {
      const number = parseSegmentFileName(name);
      if (number === undefined || number >= oldest) continue;
      const path = join(this.#directory, name);
      if (spares < SPARES) {
        this.#layer.rename(path, join(this.#directory, `spare-${number}.seg`));
        spares++;
      } else {
        this.#layer.remove(path);
      }
    }
    if (wantSpare && spares === 0) this.#prepare(oldest);
  }

  /** A file of zeros under a name that nobody takes, until it is whole and synced. */
  #prepare(number: number): void {
    const temporary = join(this.#directory, 'preparing.tmp');
    const handle = this.#layer.open(temporary, 'create');
    try {
      this.#layer.allocate(handle, 0, this.#segmentBytes);
      this.#layer.sync(handle);
    } finally {
      this.#layer.close(handle);
    }
    this.#layer.rename(temporary, join(this.#directory, `spare-${number}.seg`));
    this.#layer.syncDirectory(this.#directory);
  }
}
