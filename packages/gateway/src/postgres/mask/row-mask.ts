import { protocolViolation } from '../wire/violation.ts';
import type { ColumnMask } from './column-mask.ts';
import type { OutputSlab } from './output-slab.ts';

/** Where the first field's length word is: behind type, length and number of fields. */
const FIRST_FIELD = 7;
/** What stands for the length of NULL. */
const NULL_LENGTH = -1;
/** Shorter spans are copied byte by byte: a call costs more. */
const SHORT_SPAN = 32;

/** Rebuilds the DataRows of one result. Only rows in which something was replaced are written anew. */
export class RowMask {
  readonly #masks: readonly (ColumnMask | undefined)[];
  readonly #last: number;
  readonly #hasCount: boolean;
  /** Of the row under way, by column: what takes the place of its value, and where its length word is. */
  readonly #replacements: (Buffer | null | undefined)[];
  readonly #offsets: number[];

  /** @param hasCount false: nobody said how many fields there are; then none of them may have a mask. */
  constructor(masks: readonly (ColumnMask | undefined)[], hasCount = true) {
    this.#masks = masks;
    this.#hasCount = hasCount;
    this.#last = masks.findLastIndex((mask) => mask !== undefined);
    this.#replacements = masks.map(() => undefined);
    this.#offsets = masks.map(() => 0);
  }

  /** Nothing is masked in these rows. */
  get isFree(): boolean {
    return this.#last < 0;
  }

  /** A row of an answer in which nothing is masked. @throws CountersignError CS_PROTOCOL_VIOLATION when it is not one of that answer */
  assertFree(fields: number): void {
    if (this.#hasCount && fields !== this.#masks.length) throw ANOTHER_NUMBER();
  }

  /**
   * Writes the row to the slab, which then ends with it. False: nothing of it had to be replaced, and nothing was written.
   * @throws CountersignError CS_PROTOCOL_VIOLATION when it is not a row of so many fields.
   */
  write(buffer: Buffer, start: number, end: number, slab: OutputSlab): boolean {
    const grown = this.#replace(buffer, start, end);
    if (grown === undefined) return false;
    const length = end - start + grown;
    slab.reserve(length);
    const from = slab.at;
    slab.at = this.#copy(buffer, start, end, slab.buffer, from);
    slab.buffer.writeInt32BE(length - 1, from + 1);
    return true;
  }

  /** By how many bytes the row grows; undefined: it stays as it is. */
  #replace(buffer: Buffer, start: number, end: number): number | undefined {
    const masks = this.#masks;
    const count = end - start < FIRST_FIELD ? -1 : (buffer[start + 5]! << 8) | buffer[start + 6]!;
    if (count !== masks.length) throw ANOTHER_NUMBER();
    let at = start + FIRST_FIELD;
    let grown = 0;
    let isChanged = false;
    for (let index = 0; index < count; index++) {
      if (at + 4 > end) throw protocolViolation('DataRow: too short');
      const length = readInt32(buffer, at);
      if (length < NULL_LENGTH) throw protocolViolation('DataRow: negative length');
      const mask = masks[index];
      if (mask !== undefined) {
        const stop = at + 4 + Math.max(0, length);
        if (stop > end) throw protocolViolation('DataRow: too short');
        const masked = length < 0 ? undefined : mask.apply(buffer, at + 4, stop);
        this.#offsets[index] = at;
        this.#replacements[index] = masked;
        if (masked !== undefined) {
          isChanged = true;
          grown += (masked?.length ?? 0) - length;
        }
      }
      at += length < 0 ? 4 : 4 + length;
    }
    if (at !== end) throw protocolViolation('DataRow: of another length than its fields');
    return isChanged ? grown : undefined;
  }

  /** Where the row ends in `output`. */
  #copy(buffer: Buffer, start: number, end: number, output: Buffer, to: number): number {
    let from = start;
    let at = to;
    for (let index = 0; index <= this.#last; index++) {
      const replacement = this.#replacements[index];
      if (replacement === undefined) continue;
      const offset = this.#offsets[index]!;
      const length = replacement === null ? -1 : replacement.length;
      at = copySpan(buffer, from, offset, output, at);
      writeInt32(output, at, length);
      at += 4;
      if (replacement !== null) at = copySpan(replacement, 0, length, output, at);
      from = offset + 4 + readInt32(buffer, offset);
      this.#replacements[index] = undefined;
    }
    return copySpan(buffer, from, end, output, at);
  }
}

const ANOTHER_NUMBER = (): Error => protocolViolation('DataRow: another number of fields than described');

function copySpan(buffer: Buffer, start: number, end: number, output: Buffer, to: number): number {
  const length = end - start;
  if (length > SHORT_SPAN) buffer.copy(output, to, start, end);
  else for (let index = 0; index < length; index++) output[to + index] = buffer[start + index]!;
  return to + length;
}

function readInt32(buffer: Buffer, at: number): number {
  return (buffer[at]! << 24) | (buffer[at + 1]! << 16) | (buffer[at + 2]! << 8) | buffer[at + 3]!;
}

function writeInt32(buffer: Buffer, at: number, value: number): void {
  buffer[at] = value >>> 24;
  buffer[at + 1] = value >>> 16;
  buffer[at + 2] = value >>> 8;
  buffer[at + 3] = value;
}
