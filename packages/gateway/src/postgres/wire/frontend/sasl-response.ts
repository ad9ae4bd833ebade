/** SASLResponse: the client's further data of a SASL exchange. */
import { FRONTEND } from '../message-types.ts';
import { MessageReader } from '../reader.ts';
import { MessageWriter } from '../writer.ts';

/** A copy of the data. */
export function decodeSASLResponse(buffer: Buffer, start: number, end: number): Buffer {
  const reader = new MessageReader('SASLResponse', buffer, start, end);
  return reader.copy(reader.remaining);
}

export function encodeSASLResponse(data: Uint8Array): Buffer {
  return new MessageWriter(FRONTEND.password).bytes(data).finish();
}
