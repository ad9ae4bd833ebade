/** SASLInitialResponse: the client chooses a SASL mechanism and may already send its first data. */
import { FRONTEND } from '../message-types.ts';
import { MessageReader } from '../reader.ts';
import { MessageWriter } from '../writer.ts';

export interface SASLInitialResponse {
  readonly mechanism: string;
  /** A copy; null if the client sent none. */
  readonly data: Buffer | null;
}

export function decodeSASLInitialResponse(buffer: Buffer, start: number, end: number): SASLInitialResponse {
  const reader = new MessageReader('SASLInitialResponse', buffer, start, end);
  const mechanism = reader.string();
  const range = reader.nullableRange();
  reader.finish();
  return {
    mechanism,
    data: range === undefined ? null : Buffer.from(buffer.subarray(range.start, range.end)),
  };
}

export function encodeSASLInitialResponse(response: {
  readonly mechanism: string;
  readonly data: Uint8Array | null;
}): Buffer {
  return new MessageWriter(FRONTEND.password)
    .string(response.mechanism)
    .nullableBytes(response.data)
    .finish();
}
