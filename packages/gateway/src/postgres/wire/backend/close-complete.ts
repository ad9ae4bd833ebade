/** CloseComplete: the server did a Close. */
import { BACKEND } from '../message-types.ts';
import { assertEmptyBody } from '../reader.ts';
import { encodeEmpty } from '../writer.ts';

/** Checks that the message is nothing but its header. */
export function decodeCloseComplete(_buffer: Buffer, start: number, end: number): void {
  assertEmptyBody('CloseComplete', start, end);
}

export function encodeCloseComplete(): Buffer {
  return encodeEmpty(BACKEND.closeComplete);
}
