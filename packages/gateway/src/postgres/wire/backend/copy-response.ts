/** What CopyInResponse, CopyOutResponse and CopyBothResponse carry. */
import { MessageReader } from '../reader.ts';
import { MessageWriter } from '../writer.ts';

export interface CopyResponse {
  /** Of the whole copy: 0 textual (text, CSV), 1 binary. */
  readonly format: number;
  /** One per column. */
  readonly columnFormats: readonly number[];
}

export function decodeCopyResponse(name: string, buffer: Buffer, start: number, end: number): CopyResponse {
  const reader = new MessageReader(name, buffer, start, end);
  const format = reader.uint8();
  if (format > 1) throw reader.malformed('format');
  const columnFormats = reader.uint16s(reader.uint16());
  reader.finish();
  return { format, columnFormats };
}

export function encodeCopyResponse(type: number, response: CopyResponse): Buffer {
  return new MessageWriter(type).uint8(response.format).uint16s(response.columnFormats).finish();
}
