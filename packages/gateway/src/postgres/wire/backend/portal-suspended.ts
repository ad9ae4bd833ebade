/** PortalSuspended: the server reached an Execute's row limit. */
import { BACKEND } from '../message-types.ts';
import { assertEmptyBody } from '../reader.ts';
import { encodeEmpty } from '../writer.ts';

/** Checks that the message is nothing but its header. */
export function decodePortalSuspended(_buffer: Buffer, start: number, end: number): void {
  assertEmptyBody('PortalSuspended', start, end);
}

export function encodePortalSuspended(): Buffer {
  return encodeEmpty(BACKEND.portalSuspended);
}
