/** NoData: the server says that what was described returns no rows. */
import { BACKEND } from '../message-types.ts';
import { assertEmptyBody } from '../reader.ts';
import { encodeEmpty } from '../writer.ts';

/** Checks that the message is nothing but its header. */
export function decodeNoData(_buffer: Buffer, start: number, end: number): void {
  assertEmptyBody('NoData', start, end);
}

export function encodeNoData(): Buffer {
  return encodeEmpty(BACKEND.noData);
}
