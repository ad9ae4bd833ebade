/** Flush: the client asks for the answers so far, without ending the pipeline. */
import { FRONTEND } from '../message-types.ts';
import { assertEmptyBody } from '../reader.ts';
import { encodeEmpty } from '../writer.ts';

/** Checks that the message is nothing but its header. */
export function decodeFlush(_buffer: Buffer, start: number, end: number): void {
  assertEmptyBody('Flush', start, end);
}

export function encodeFlush(): Buffer {
  return encodeEmpty(FRONTEND.flush);
}
