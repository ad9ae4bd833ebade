/** CommandComplete: the server finished a statement; its tag says which kind and how many rows. */
import { HEADER_BYTES } from '../framer.ts';
import { BACKEND } from '../message-types.ts';
import { MessageReader } from '../reader.ts';
import { MessageWriter } from '../writer.ts';

const SPACE = 0x20;
const ZERO = 0x30;

/** The tag, such as `INSERT 0 1` or `BEGIN`. */
export function decodeCommandComplete(buffer: Buffer, start: number, end: number): string {
  const reader = new MessageReader('CommandComplete', buffer, start, end);
  const tag = reader.string();
  reader.finish();
  return tag;
}

/**
 * The number of rows that the tag ends with, or -1 if it has none. Exact up to 2^53. Makes no string: it is asked
 * for every statement.
 */
export function commandCompleteRows(buffer: Buffer, start: number, end: number): number {
  let at = end - 2; // the NUL is last
  let rows = 0;
  for (let scale = 1; at >= start + HEADER_BYTES; at--, scale *= 10) {
    const digit = buffer[at]! - ZERO;
    if (digit < 0 || digit > 9) break;
    rows += digit * scale;
  }
  const hasDigits = at < end - 2;
  return hasDigits && at >= start + HEADER_BYTES && buffer[at] === SPACE ? rows : -1;
}

export function encodeCommandComplete(tag: string): Buffer {
  return new MessageWriter(BACKEND.commandComplete).string(tag).finish();
}
