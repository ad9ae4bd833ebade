/** COPY … TO STDOUT: the data is put together to whole rows, and each row is written anew. */
import { CountersignError } from '../../errors.ts';
import type { ColumnMask } from './column-mask.ts';

/** Masks the data of one COPY. Data that makes no whole row yet is kept. */
export interface CopyMask {
  /** @returns the whole rows that are known with it, masked. @throws CountersignError CS_MASK_ROW_TOO_LONG, CS_PROTOCOL_VIOLATION */
  take(data: Buffer): Buffer;
}

export type ColumnMasks = readonly (ColumnMask | undefined)[];

/** Nothing is told of data that cannot be read. */
export const WITHHOLD_ALL: CopyMask = { take: () => EMPTY };

const EMPTY = Buffer.alloc(0);

/** What came and is not a whole row. Pieces are joined once for each row, however many there are. */
export class Remainder {
  readonly #maxBytes: number;
  #pieces: Buffer[] = [];
  #bytes = 0;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  /** Keeps a part of a row. @throws CountersignError CS_MASK_ROW_TOO_LONG */
  keep(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#bytes += piece.length;
    this.assertFits(0);
    this.#pieces.push(piece);
  }

  assertFits(more: number): void {
    if (this.#bytes + more > this.#maxBytes) {
      throw new CountersignError('CS_MASK_ROW_TOO_LONG', { detail: `The limit is ${this.#maxBytes} bytes.` });
    }
  }

  /** Everything that was kept, with `piece` behind it. */
  join(piece: Buffer): Buffer {
    if (this.#bytes === 0) return piece;
    const joined = Buffer.concat([...this.#pieces, piece]);
    this.#pieces = [];
    this.#bytes = 0;
    return joined;
  }
}
