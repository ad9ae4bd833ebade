/**
 * A strict reader, and as much of a writer as a request needs, of DER (ITU-T X.690): definite and minimal lengths, one
 * byte tags, nothing after the end. What a time-stamp token is made of, and nothing more.
 */

import { FormatError } from './errors.ts';

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
} as const;

/** A tag number of the context, constructed: `[n]`. */
export function contextTag(number: number): number {
  return 0xa0 + number;
}

/** One value. `bytes` is all of it, `content` what follows the length; both are views. */
export interface DerValue {
  readonly tag: number;
  readonly content: Buffer;
  readonly bytes: Buffer;
}

/** Reads the values of a content one after another. Every method throws `FormatError`. */
export class DerReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get isAtEnd(): boolean {
    return this.#at === this.#bytes.length;
  }

  /** The tag of what comes next; undefined at the end. */
  get nextTag(): number | undefined {
    return this.#bytes[this.#at];
  }

  next(): DerValue {
    const start = this.#at;
    const bytes = this.#bytes;
    const tag = bytes[start];
    const first = bytes[start + 1];
    if (tag === undefined || first === undefined) throw new FormatError('a DER value is cut off');
    if ((tag & 0x1f) === 0x1f) throw new FormatError('a DER tag is longer than one byte');
    let length = first;
    let at = start + 2;
    if (first >= 0x80) {
      const count = first - 0x80;
      if (count === 0 || count > 4) throw new FormatError('a DER length is indefinite or too long');
      if (at + count > bytes.length) throw new FormatError('a DER value is cut off');
      length = bytes.readUIntBE(at, count);
      if (length < 0x80 || bytes[at] === 0) throw new FormatError('a DER length is not minimal');
      at += count;
    }
    if (at + length > bytes.length) throw new FormatError('a DER value is cut off');
    this.#at = at + length;
    return { tag, content: bytes.subarray(at, at + length), bytes: bytes.subarray(start, at + length) };
  }

  /** The next value, whose tag must be this one. */
  take(tag: number): DerValue {
    if (this.nextTag !== tag) throw new FormatError('a DER value has another tag than expected');
    return this.next();
  }

  /** The next value if it has this tag. */
  takeIf(tag: number): DerValue | undefined {
    return this.nextTag === tag ? this.next() : undefined;
  }

  /** A reader of the content of the next value. */
  enter(tag: number): DerReader {
    return new DerReader(this.take(tag).content);
  }

  /** All the values that are left. */
  rest(): DerValue[] {
    const values: DerValue[] = [];
    while (!this.isAtEnd) values.push(this.next());
    return values;
  }

  end(): void {
    if (!this.isAtEnd) throw new FormatError('a DER value is followed by something');
  }

  takeOid(): string {
    return oidOf(this.take(TAG.oid));
  }

  /** The magnitude of an integer that is not negative, without leading zeroes. */
  takeInteger(): Buffer {
    const { content } = this.take(TAG.integer);
    if (content.length === 0) throw new FormatError('a DER integer is empty');
    if (content.length > 1 && content[0] === 0 && content[1]! < 0x80)
      throw new FormatError('a DER integer is not minimal');
    if (content[0]! >= 0x80) throw new FormatError('a DER integer is negative');
    return content[0] === 0 && content.length > 1 ? content.subarray(1) : content;
  }

  /** An integer that is small: a version or a status. */
  takeSmallInteger(): number {
    const magnitude = this.takeInteger();
    if (magnitude.length > 4) throw new FormatError('a DER integer is too large');
    return magnitude.readUIntBE(0, magnitude.length);
  }
}

/** The one value that `bytes` is, with nothing behind it, as a reader of its content. */
export function enterDer(bytes: Uint8Array, tag: number): DerReader {
  const reader = new DerReader(bytes);
  const inside = reader.enter(tag);
  reader.end();
  return inside;
}

/** `1.2.840.113549.1.7.2` of a value with an OID's tag. */
export function oidOf({ content, tag }: DerValue): string {
  if (tag !== TAG.oid || content.length === 0 || content.at(-1)! >= 0x80)
    throw new FormatError('not an object identifier');
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of content) {
    if (arc === 0 && byte === 0x80) throw new FormatError('an object identifier is not minimal');
    arc = arc * 128 + (byte & 0x7f);
    if (!Number.isSafeInteger(arc)) throw new FormatError('an object identifier is too long');
    if (byte >= 0x80) continue;
    arcs.push(arc);
    arc = 0;
  }
  const first = Math.min(2, Math.floor(arcs[0]! / 40));
  return [first, arcs[0]! - first * 40, ...arcs.slice(1)].join('.');
}

/** µs since the epoch of a `YYYYMMDDHHMMSS[.f]Z` (RFC 3161 section 2.4.2). Digits beyond µs are cut off. */
export function generalizedTimeUs({ content, tag }: DerValue): number {
  const match = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(?:\.(\d{0,8}[1-9]))?Z$/.exec(
    content.toString('latin1'),
  );
  if (tag !== TAG.generalizedTime || match === null) throw new FormatError('not a time in DER');
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  const ms = Date.UTC(year, month - 1, day, hour, minute, second);
  const date = new Date(ms);
  const isReal = date.getUTCDate() === day && date.getUTCMonth() === month - 1 && hour < 24 && minute < 60;
  if (!isReal || second > 59) throw new FormatError('a time does not exist');
  return ms * 1000 + Number((match[7] ?? '').padEnd(6, '0').slice(0, 6));
}

/** One value from its content. */
export function encodeDer(tag: number, ...contents: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(contents);
  const { length } = content;
  if (length < 0x80) return Buffer.concat([Buffer.from([tag, length]), content]);
  const bytes: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.concat([Buffer.from([tag, 0x80 + bytes.length, ...bytes]), content]);
}

/** An integer that is not negative, from its magnitude. */
export function encodeInteger(magnitude: Uint8Array): Buffer {
  let start = 0;
  while (start < magnitude.length - 1 && magnitude[start] === 0) start++;
  const bytes = magnitude.subarray(start);
  const isHigh = (bytes[0] ?? 0) >= 0x80;
  return encodeDer(TAG.integer, Buffer.from(isHigh || bytes.length === 0 ? [0] : []), bytes);
}
