import { protocolViolation } from '../wire/violation.ts';
import type { ColumnMasks, CopyMask } from './copy-mask.ts';
import { Remainder } from './copy-mask.ts';

const SIGNATURE = Buffer.from('PGCOPY\n\xff\r\n\0', 'latin1');
/** Signature, flags, length of the extension. */
const HEADER_BYTES = 19;
/** The number of fields that ends the data. */
const TRAILER = -1;

/** The data of a COPY in format `binary`: a header, tuples, a trailer. */
export class CopyBinaryMask implements CopyMask {
  readonly #masks: ColumnMasks;
  readonly #rest: Remainder;
  #isStarted = false;
  #isOver = false;

  constructor(masks: ColumnMasks, maxRowBytes: number) {
    this.#masks = masks;
    this.#rest = new Remainder(maxRowBytes);
  }

  take(data: Buffer): Buffer {
    const bytes = this.#rest.join(data);
    const output: Buffer[] = [];
    let at = 0;
    for (let end = this.#partEnd(bytes, at); end > at; end = this.#partEnd(bytes, at)) {
      this.#part(bytes.subarray(at, end), output);
      at = end;
    }
    if (at < bytes.length) this.#rest.keep(Buffer.from(bytes.subarray(at)));
    return Buffer.concat(output);
  }

  /** Where the header, tuple or trailer at `at` ends; -1: not all of it is there. */
  #partEnd(bytes: Buffer, at: number): number {
    if (this.#isOver && bytes.length > at) throw protocolViolation('COPY: data behind its end');
    if (!this.#isStarted) {
      if (bytes.length < at + HEADER_BYTES) return -1;
      const end = at + HEADER_BYTES + bytes.readUInt32BE(at + HEADER_BYTES - 4);
      return end > bytes.length ? this.#wants(end - at) : end;
    }
    if (bytes.length < at + 2) return -1;
    let end = at + 2;
    for (let left = bytes.readInt16BE(at); left > 0; left--) {
      if (bytes.length < end + 4) return -1;
      end += 4 + Math.max(0, bytes.readInt32BE(end));
      if (end > bytes.length) return this.#wants(end - at);
    }
    return end;
  }

  #wants(length: number): number {
    this.#rest.assertFits(length);
    return -1;
  }

  #part(part: Buffer, output: Buffer[]): void {
    if (!this.#isStarted) {
      if (!part.subarray(0, SIGNATURE.length).equals(SIGNATURE))
        throw protocolViolation('COPY: no signature');
      // Flags and an extension that nobody knows could change what follows.
      if (part.readUInt32BE(SIGNATURE.length) !== 0) throw protocolViolation('COPY: unknown flags');
      this.#isStarted = true;
      output.push(Buffer.from(part));
      return;
    }
    const count = part.readInt16BE(0);
    this.#isOver = count === TRAILER;
    if (!this.#isOver && count !== this.#masks.length)
      throw protocolViolation('COPY: another number of fields');
    output.push(Buffer.from(part.subarray(0, 2)));
    let at = 2;
    for (const mask of this.#isOver ? [] : this.#masks) {
      const end = at + 4 + Math.max(0, part.readInt32BE(at));
      output.push(this.#field(part, at, end, mask));
      at = end;
    }
  }

  #field(part: Buffer, at: number, end: number, mask: ColumnMasks[number]): Buffer {
    const isNull = part.readInt32BE(at) < 0;
    const masked = isNull ? undefined : mask?.apply(part, at + 4, end);
    if (masked === undefined) return part.subarray(at, end);
    const length = Buffer.allocUnsafe(4);
    length.writeInt32BE(masked === null ? -1 : masked.length);
    return masked === null ? length : Buffer.concat([length, masked]);
  }
}
