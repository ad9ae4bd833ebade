/** EmptyQueryResponse: the server was sent an empty statement. */
import { BACKEND } from '../message-types.ts';
import { assertEmptyBody } from '../reader.ts';
import { encodeEmpty } from '../writer.ts';

/** Checks that the message is nothing but its header. */
export function decodeEmptyQueryResponse(_buffer: Buffer, start: number, end: number): void {
  assertEmptyBody('EmptyQueryResponse', start, end);
}

export function encodeEmptyQueryResponse(): Buffer {
  return encodeEmpty(BACKEND.emptyQueryResponse);
}
