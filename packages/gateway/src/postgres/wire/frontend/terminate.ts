/** Terminate: the client leaves. */
import { FRONTEND } from '../message-types.ts';
import { assertEmptyBody } from '../reader.ts';
import { encodeEmpty } from '../writer.ts';

/** Checks that the message is nothing but its header. */
export function decodeTerminate(_buffer: Buffer, start: number, end: number): void {
  assertEmptyBody('Terminate', start, end);
}

export function encodeTerminate(): Buffer {
  return encodeEmpty(FRONTEND.terminate);
}
