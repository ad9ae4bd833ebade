/** RowDescription: the server names the columns of the rows to come. */
import { BACKEND } from '../message-types.ts';
import { MessageReader } from '../reader.ts';
import { MessageWriter } from '../writer.ts';

export interface ColumnDescription {
  readonly name: string;
  /** 0: not a column of a table. */
  readonly tableOid: number;
  readonly columnNumber: number;
  readonly typeOid: number;
  /** Negative: variable width. */
  readonly typeSize: number;
  readonly typeModifier: number;
  readonly format: number;
}

/** NUL of the name, and the six numbers. */
const MIN_COLUMN_BYTES = 19;

export function decodeRowDescription(
  buffer: Buffer,
  start: number,
  end: number,
): readonly ColumnDescription[] {
  const reader = new MessageReader('RowDescription', buffer, start, end);
  const count = reader.uint16();
  if (count * MIN_COLUMN_BYTES > reader.remaining) throw reader.malformed('too short');
  const columns = Array.from({ length: count }, () => ({
    name: reader.string(),
    tableOid: reader.uint32(),
    columnNumber: reader.int16(),
    typeOid: reader.uint32(),
    typeSize: reader.int16(),
    typeModifier: reader.int32(),
    format: reader.uint16(),
  }));
  reader.finish();
  return columns;
}

export function encodeRowDescription(columns: readonly ColumnDescription[]): Buffer {
  const writer = new MessageWriter(BACKEND.rowDescription).uint16(columns.length);
  for (const column of columns) {
    writer.string(column.name).uint32(column.tableOid).int16(column.columnNumber).uint32(column.typeOid);
    writer.int16(column.typeSize).int32(column.typeModifier).uint16(column.format);
  }
  return writer.finish();
}
