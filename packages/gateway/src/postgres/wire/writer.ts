import { protocolViolation } from './violation.ts';

const FIRST_BYTES = 128;

/** Builds one message: fields in order, then `finish()`, which fills in the length word. Not for the hot path. */
export class MessageWriter {
  #buffer = Buffer.allocUnsafe(FIRST_BYTES);
  #length = 0;
  readonly #lengthAt: number;

  /** @param type the type byte; absent for the messages of the start-up phase, which have none. */
  constructor(type?: number) {
    if (type !== undefined) this.uint8(type);
    this.#lengthAt = this.#length;
    this.uint32(0);
  }

  uint8(value: number): this {
    const at = this.#reserve(1);
    this.#buffer[at] = value;
    return this;
  }

  int16(value: number): this {
    const at = this.#reserve(2);
    this.#buffer.writeInt16BE(value, at);
    return this;
  }

  uint16(value: number): this {
    const at = this.#reserve(2);
    this.#buffer.writeUInt16BE(value, at);
    return this;
  }

  int32(value: number): this {
    const at = this.#reserve(4);
    this.#buffer.writeInt32BE(value, at);
    return this;
  }

  uint32(value: number): this {
    const at = this.#reserve(4);
    this.#buffer.writeUInt32BE(value, at);
    return this;
  }

  /** A count and that many 16-bit numbers. */
  uint16s(values: readonly number[]): this {
    this.uint16(values.length);
    for (const value of values) this.uint16(value);
    return this;
  }

  bytes(value: Uint8Array): this {
    const at = this.#reserve(value.length);
    this.#buffer.set(value, at);
    return this;
  }

  /** UTF-8 and a NUL. @throws CS_PROTOCOL_VIOLATION if it holds a NUL, which would end it early and start another field. */
  string(value: string | Uint8Array): this {
    const bytes = typeof value === 'string' ? Buffer.from(value, 'utf8') : value;
    if (bytes.includes(0)) throw protocolViolation('NUL in a string');
    return this.bytes(bytes).uint8(0);
  }

  /** A 32-bit length and the bytes; -1 alone for null. */
  nullableBytes(value: Uint8Array | null): this {
    if (value === null) return this.int32(-1);
    return this.int32(value.length).bytes(value);
  }

  finish(): Buffer {
    this.#buffer.writeUInt32BE(this.#length - this.#lengthAt, this.#lengthAt);
    return this.#buffer.subarray(0, this.#length);
  }

  #reserve(bytes: number): number {
    const at = this.#length;
    const needed = at + bytes;
    if (needed > this.#buffer.length) {
      const grown = Buffer.allocUnsafe(Math.max(needed, 2 * this.#buffer.length));
      this.#buffer.copy(grown, 0, 0, at);
      this.#buffer = grown;
    }
    this.#length = needed;
    return at;
  }
}

/** A message that is a header and nothing else. */
export function encodeEmpty(type: number): Buffer {
  return Buffer.from([type, 0, 0, 0, 4]);
}
