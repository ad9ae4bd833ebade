import { isUtf8 } from 'node:buffer';
import { HEADER_BYTES } from './framer.ts';
import { protocolViolation } from './violation.ts';

/** A field that lies in a message: `[start, end)` of the message's buffer. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/**
 * A cursor over one message body that checks the remaining length before every read.
 *
 * Every method throws CS_PROTOCOL_VIOLATION when the body is too short or breaks the field's rule.
 */
export class MessageReader {
  readonly #buffer: Buffer;
  readonly #end: number;
  readonly #name: string;
  #offset: number;

  /** `[start, end)` is the message with its header; `name` is the message's name, for the error only. */
  constructor(name: string, buffer: Buffer, start: number, end: number, headerBytes: number = HEADER_BYTES) {
    this.#name = name;
    this.#buffer = buffer;
    this.#offset = start + headerBytes;
    this.#end = end;
    if (end > buffer.length || this.#offset > end) throw this.malformed('too short');
  }

  get offset(): number {
    return this.#offset;
  }

  get remaining(): number {
    return this.#end - this.#offset;
  }

  malformed(rule: string): Error {
    return protocolViolation(`${this.#name}: ${rule}`);
  }

  uint8(): number {
    return this.#buffer[this.#advance(1)]!;
  }

  int16(): number {
    return this.#buffer.readInt16BE(this.#advance(2));
  }

  uint16(): number {
    return this.#buffer.readUInt16BE(this.#advance(2));
  }

  int32(): number {
    return this.#buffer.readInt32BE(this.#advance(4));
  }

  uint32(): number {
    return this.#buffer.readUInt32BE(this.#advance(4));
  }

  /** `count` 16-bit unsigned numbers. */
  uint16s(count: number): readonly number[] {
    if (count * 2 > this.remaining) throw this.malformed('too short');
    return Array.from({ length: count }, () => this.uint16());
  }

  /** `count` 32-bit unsigned numbers. */
  uint32s(count: number): readonly number[] {
    if (count * 4 > this.remaining) throw this.malformed('too short');
    return Array.from({ length: count }, () => this.uint32());
  }

  /** Bytes up to the next NUL, which is skipped. */
  stringRange(): ByteRange {
    const start = this.#offset;
    const end = this.#buffer.indexOf(0, start);
    if (end < 0 || end >= this.#end) throw this.malformed('string without an end');
    this.#offset = end + 1;
    return { start, end };
  }

  /**
   * A string, which has to be UTF-8: the gateway pins client_encoding, and two different byte strings must never
   * look the same to us.
   */
  string(): string {
    const { start, end } = this.stringRange();
    if (start === end) return '';
    const text = this.#buffer.toString('utf8', start, end);
    if (text.includes('\uFFFD') && !isUtf8(this.#buffer.subarray(start, end)))
      throw this.malformed('text is not UTF-8');
    return text;
  }

  /** As `string`, with the replacement character for what is not UTF-8: for texts that are only shown. */
  lenientString(): string {
    const { start, end } = this.stringRange();
    return this.#buffer.toString('utf8', start, end);
  }

  /** `length` bytes. */
  range(length: number): ByteRange {
    const start = this.#advance(length);
    return { start, end: this.#offset };
  }

  /** A 32-bit length and that many bytes; undefined for the null value (-1). */
  nullableRange(): ByteRange | undefined {
    const length = this.int32();
    if (length === -1) return undefined;
    if (length < 0) throw this.malformed('negative length');
    return this.range(length);
  }

  /** A copy of `length` bytes. */
  copy(length: number): Buffer {
    const { start, end } = this.range(length);
    return Buffer.from(this.#buffer.subarray(start, end));
  }

  /** Nothing may follow the last field. */
  finish(): void {
    if (this.#offset !== this.#end) throw this.malformed('bytes after the last field');
  }

  #advance(bytes: number): number {
    const at = this.#offset;
    if (this.#end - at < bytes) throw this.malformed('too short');
    this.#offset = at + bytes;
    return at;
  }
}

/** For the messages that are a header and nothing else. */
export function assertEmptyBody(name: string, start: number, end: number): void {
  if (end - start !== HEADER_BYTES) throw protocolViolation(`${name}: bytes after the last field`);
}
