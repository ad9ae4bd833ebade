/** CopyData: either side sends a piece of copy data. The same bytes in both directions. */
import { HEADER_BYTES } from './framer.ts';
import { FRONTEND } from './message-types.ts';
import type { ByteRange } from './reader.ts';
import { protocolViolation } from './violation.ts';
import { MessageWriter } from './writer.ts';

/** Where the data lies. */
export function decodeCopyData(_buffer: Buffer, start: number, end: number): ByteRange {
  if (end - start < HEADER_BYTES) throw protocolViolation('CopyData: too short');
  return { start: start + HEADER_BYTES, end };
}

export function encodeCopyData(data: Uint8Array): Buffer {
  return new MessageWriter(FRONTEND.copyData).bytes(data).finish();
}
