/** BindComplete: the server accepted a Bind. */
import { BACKEND } from '../message-types.ts';
import { assertEmptyBody } from '../reader.ts';
import { encodeEmpty } from '../writer.ts';

/** Checks that the message is nothing but its header. */
export function decodeBindComplete(_buffer: Buffer, start: number, end: number): void {
  assertEmptyBody('BindComplete', start, end);
}

export function encodeBindComplete(): Buffer {
  return encodeEmpty(BACKEND.bindComplete);
}
