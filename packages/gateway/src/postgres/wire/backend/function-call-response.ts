/** FunctionCallResponse: the server answers a FunctionCall. */
import { BACKEND } from '../message-types.ts';
import { MessageReader } from '../reader.ts';
import type { ByteRange } from '../reader.ts';
import { MessageWriter } from '../writer.ts';

/** Where the value lies in the message's buffer; undefined = null. */
export function decodeFunctionCallResponse(
  buffer: Buffer,
  start: number,
  end: number,
): ByteRange | undefined {
  const reader = new MessageReader('FunctionCallResponse', buffer, start, end);
  const value = reader.nullableRange();
  reader.finish();
  return value;
}

export function encodeFunctionCallResponse(value: Uint8Array | null): Buffer {
  return new MessageWriter(BACKEND.functionCallResponse).nullableBytes(value).finish();
}
