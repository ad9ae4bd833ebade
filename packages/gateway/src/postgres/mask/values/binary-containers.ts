/** Binary forms of arrays, composites, ranges and multiranges: array_send, record_send, range_send, multirange_send. Strict: what is left over or missing is undefined. */

export interface BinaryArray {
  /** Dimensions, whether there are nulls, element type, lengths and lower bounds: as received. */
  readonly header: Buffer;
  readonly elementOid: number;
  /** Of each dimension. */
  readonly lengths: readonly number[];
  readonly lowers: readonly number[];
  readonly elements: readonly (Buffer | null)[];
}

const FLAGS_AT = 4;
const ELEMENT_OID_AT = 8;
const ARRAY_HEADER = 12;
const DIMENSION = 8;
const MAX_DIMENSIONS = 6;
const LENGTH = 4;
const OID = 4;

export function decodeArray(bytes: Buffer): BinaryArray | undefined {
  if (bytes.length < ARRAY_HEADER) return undefined;
  const dimensions = bytes.readInt32BE(0);
  const end = ARRAY_HEADER + dimensions * DIMENSION;
  if (dimensions < 0 || dimensions > MAX_DIMENSIONS || bytes.length < end) return undefined;
  const lengths: number[] = [];
  const lowers: number[] = [];
  for (let at = ARRAY_HEADER; at < end; at += DIMENSION) {
    lengths.push(bytes.readInt32BE(at));
    lowers.push(bytes.readInt32BE(at + LENGTH));
  }
  const count = dimensions === 0 ? 0 : lengths.reduce((product, length) => product * length, 1);
  const read = readItems(bytes, end, count, 0);
  if (read === undefined) return undefined;
  return {
    header: bytes.subarray(0, end),
    elementOid: bytes.readUInt32BE(ELEMENT_OID_AT),
    lengths,
    lowers,
    elements: read,
  };
}

export function encodeArray({ header, elements }: Pick<BinaryArray, 'header' | 'elements'>): Buffer {
  const changed = Buffer.from(header);
  changed.writeInt32BE(elements.includes(null) ? 1 : 0, FLAGS_AT);
  return Buffer.concat([changed, ...elements.flatMap(lengthAndBytes)]);
}

/** One dimension, from 1. */
export function arrayHeader(elementOid: number, length: number): Buffer {
  const header = Buffer.alloc(ARRAY_HEADER + DIMENSION);
  header.writeInt32BE(1, 0);
  header.writeUInt32BE(elementOid, ELEMENT_OID_AT);
  header.writeInt32BE(length, ARRAY_HEADER);
  header.writeInt32BE(1, ARRAY_HEADER + LENGTH);
  return header;
}

export interface BinaryField {
  readonly typeOid: number;
  readonly bytes: Buffer | null;
}

export function decodeComposite(bytes: Buffer): readonly BinaryField[] | undefined {
  if (bytes.length < LENGTH) return undefined;
  const count = bytes.readInt32BE(0);
  const items = readItems(bytes, LENGTH, count, OID);
  if (items === undefined) return undefined;
  let at = LENGTH;
  return items.map((item) => {
    const typeOid = bytes.readUInt32BE(at);
    at += OID + LENGTH + (item?.length ?? 0);
    return { typeOid, bytes: item };
  });
}

export function encodeComposite(fields: readonly BinaryField[]): Buffer {
  const parts = fields.flatMap(({ typeOid, bytes }) => [int32(typeOid | 0), ...lengthAndBytes(bytes)]);
  return Buffer.concat([int32(fields.length), ...parts]);
}

const EMPTY = 0x01;
const NO_LOWER = 0x08 | 0x20;
const NO_UPPER = 0x10 | 0x40;

export interface BinaryRange {
  readonly flags: number;
  /** Those that it has, in order: none, one or two. */
  readonly bounds: readonly Buffer[];
}

export function decodeRange(bytes: Buffer): BinaryRange | undefined {
  if (bytes.length === 0) return undefined;
  const flags = bytes[0]!;
  const isEmpty = (flags & EMPTY) !== 0;
  const count = (isEmpty || (flags & NO_LOWER) !== 0 ? 0 : 1) + (isEmpty || (flags & NO_UPPER) !== 0 ? 0 : 1);
  const bounds = readItems(bytes, 1, count, 0);
  return bounds?.every((bound) => bound !== null) === true ? { flags, bounds } : undefined;
}

export function encodeRange({ flags, bounds }: BinaryRange): Buffer {
  return Buffer.concat([Buffer.of(flags), ...bounds.flatMap(lengthAndBytes)]);
}

/** The ranges, each in its binary form. */
export function decodeMultirange(bytes: Buffer): readonly Buffer[] | undefined {
  if (bytes.length < LENGTH) return undefined;
  const ranges = readItems(bytes, LENGTH, bytes.readInt32BE(0), 0);
  return ranges?.every((range) => range !== null) === true ? ranges : undefined;
}

export function encodeMultirange(ranges: readonly Buffer[]): Buffer {
  return Buffer.concat([int32(ranges.length), ...ranges.flatMap(lengthAndBytes)]);
}

/** `count` values behind their lengths up to the end; `skip` bytes before each length. */
function readItems(bytes: Buffer, start: number, count: number, skip: number): (Buffer | null)[] | undefined {
  // Each takes its length at least: a count that lies is not believed.
  if (count < 0 || count * (skip + LENGTH) > bytes.length - start) return undefined;
  const items: (Buffer | null)[] = [];
  let at = start;
  for (let read = 0; read < count; read += 1) {
    at += skip;
    if (at + LENGTH > bytes.length) return undefined;
    const length = bytes.readInt32BE(at);
    at += LENGTH;
    if (length < -1 || at + Math.max(length, 0) > bytes.length) return undefined;
    items.push(length === -1 ? null : bytes.subarray(at, at + length));
    at += Math.max(length, 0);
  }
  return at === bytes.length ? items : undefined;
}

function lengthAndBytes(bytes: Buffer | null): Buffer[] {
  return bytes === null ? [int32(-1)] : [int32(bytes.length), bytes];
}

function int32(value: number): Buffer {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeInt32BE(value);
  return bytes;
}
