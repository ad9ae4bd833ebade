/** CancelRequest: a client asks, on a connection of its own, that another session's command be cancelled. */
import { MessageReader } from '../reader.ts';
import { MessageWriter } from '../writer.ts';

export const CANCEL_REQUEST_CODE = 80_877_102;
/** A key has 4 bytes in protocol 3.0 and up to 256 in 3.2 ("53.7 Message Formats"). */
export const MIN_CANCEL_KEY_BYTES = 4;
export const MAX_CANCEL_KEY_BYTES = 256;

export interface CancelRequest {
  readonly processId: number;
  /** 4 to 256 bytes. */
  readonly key: Buffer;
}

/** `[start, end)`: the whole packet; the code was already looked at. */
export function decodeCancelRequest(buffer: Buffer, start: number, end: number): CancelRequest {
  const reader = new MessageReader('CancelRequest', buffer, start, end, 8);
  const processId = reader.uint32();
  const length = reader.remaining;
  if (length < MIN_CANCEL_KEY_BYTES || length > MAX_CANCEL_KEY_BYTES)
    throw reader.malformed('length of the key');
  return { processId, key: reader.copy(length) };
}

export function encodeCancelRequest(request: {
  readonly processId: number;
  readonly key: Uint8Array;
}): Buffer {
  return new MessageWriter()
    .uint32(CANCEL_REQUEST_CODE)
    .uint32(request.processId)
    .bytes(request.key)
    .finish();
}
