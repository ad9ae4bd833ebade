/** DataRow: the server sends one row. */
import { HEADER_BYTES } from '../framer.ts';
import { BACKEND } from '../message-types.ts';
import { MessageReader } from '../reader.ts';
import type { ByteRange } from '../reader.ts';
import { protocolViolation } from '../violation.ts';
import { MessageWriter } from '../writer.ts';

/** How many fields the row has, without looking at them. */
export function dataRowFieldCount(buffer: Buffer, start: number, end: number): number {
  if (end - start < HEADER_BYTES + 2) throw protocolViolation('DataRow: too short');
  return buffer.readUInt16BE(start + HEADER_BYTES);
}

/** Where each field lies in the message's buffer; undefined = null. */
export function decodeDataRow(
  buffer: Buffer,
  start: number,
  end: number,
): readonly (ByteRange | undefined)[] {
  const reader = new MessageReader('DataRow', buffer, start, end);
  const count = reader.uint16();
  const fields: (ByteRange | undefined)[] = [];
  for (let index = 0; index < count; index++) fields.push(reader.nullableRange());
  reader.finish();
  return fields;
}

export function encodeDataRow(fields: readonly (Uint8Array | null)[]): Buffer {
  const writer = new MessageWriter(BACKEND.dataRow).uint16(fields.length);
  for (const field of fields) writer.nullableBytes(field);
  return writer.finish();
}
