/** ParseComplete: the server accepted a Parse. */
import { BACKEND } from '../message-types.ts';
import { assertEmptyBody } from '../reader.ts';
import { encodeEmpty } from '../writer.ts';

/** Checks that the message is nothing but its header. */
export function decodeParseComplete(_buffer: Buffer, start: number, end: number): void {
  assertEmptyBody('ParseComplete', start, end);
}

export function encodeParseComplete(): Buffer {
  return encodeEmpty(BACKEND.parseComplete);
}
