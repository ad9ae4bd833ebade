/** Sync: the client ends a pipeline of extended-query messages. */
import { FRONTEND } from '../message-types.ts';
import { assertEmptyBody } from '../reader.ts';
import { encodeEmpty } from '../writer.ts';

/** Checks that the message is nothing but its header. */
export function decodeSync(_buffer: Buffer, start: number, end: number): void {
  assertEmptyBody('Sync', start, end);
}

export function encodeSync(): Buffer {
  return encodeEmpty(FRONTEND.sync);
}
