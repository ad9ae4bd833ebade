/** Query: the client sends a simple query, which may hold several statements. */
import { FRONTEND } from '../message-types.ts';
import { MessageReader } from '../reader.ts';
import type { ByteRange } from '../reader.ts';
import { MessageWriter } from '../writer.ts';

/** Where the text lies, without its NUL. */
export function decodeQuery(buffer: Buffer, start: number, end: number): ByteRange {
  const reader = new MessageReader('Query', buffer, start, end);
  const text = reader.stringRange();
  reader.finish();
  return text;
}

export function encodeQuery(text: string | Uint8Array): Buffer {
  return new MessageWriter(FRONTEND.query).string(text).finish();
}
