/** BackendKeyData: the server gives the key that cancels this session's commands. */
import { MAX_CANCEL_KEY_BYTES, MIN_CANCEL_KEY_BYTES } from '../frontend/cancel-request.ts';
import { BACKEND } from '../message-types.ts';
import { MessageReader } from '../reader.ts';
import { MessageWriter } from '../writer.ts';

export interface BackendKeyData {
  readonly processId: number;
  /** 4 bytes in protocol 3.0, 4 to 256 in 3.2. A copy. */
  readonly key: Buffer;
}

export function decodeBackendKeyData(buffer: Buffer, start: number, end: number): BackendKeyData {
  const reader = new MessageReader('BackendKeyData', buffer, start, end);
  const processId = reader.uint32();
  const length = reader.remaining;
  if (length < MIN_CANCEL_KEY_BYTES || length > MAX_CANCEL_KEY_BYTES)
    throw reader.malformed('length of the key');
  return { processId, key: reader.copy(length) };
}

export function encodeBackendKeyData(data: { readonly processId: number; readonly key: Uint8Array }): Buffer {
  return new MessageWriter(BACKEND.backendKeyData).uint32(data.processId).bytes(data.key).finish();
}
