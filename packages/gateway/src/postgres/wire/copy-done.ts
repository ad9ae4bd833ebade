/** CopyDone: either side ends its copy data. The same bytes in both directions. */
import { FRONTEND } from './message-types.ts';
import { assertEmptyBody } from './reader.ts';
import { encodeEmpty } from './writer.ts';

/** Checks that the message is nothing but its header. */
export function decodeCopyDone(_buffer: Buffer, start: number, end: number): void {
  assertEmptyBody('CopyDone', start, end);
}

export function encodeCopyDone(): Buffer {
  return encodeEmpty(FRONTEND.copyDone);
}
