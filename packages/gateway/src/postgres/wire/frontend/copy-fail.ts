/** CopyFail: the client gives up sending copy data. */
import { FRONTEND } from '../message-types.ts';
import { MessageReader } from '../reader.ts';
import { MessageWriter } from '../writer.ts';

/** The client's reason. It is caller-chosen text: never log it. */
export function decodeCopyFail(buffer: Buffer, start: number, end: number): string {
  const reader = new MessageReader('CopyFail', buffer, start, end);
  const reason = reader.string();
  reader.finish();
  return reason;
}

export function encodeCopyFail(reason: string): Buffer {
  return new MessageWriter(FRONTEND.copyFail).string(reason).finish();
}
