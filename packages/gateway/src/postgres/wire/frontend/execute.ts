/** Execute: the client runs a portal, or continues a suspended one. */
import { FRONTEND } from '../message-types.ts';
import { MessageReader } from '../reader.ts';
import { MessageWriter } from '../writer.ts';

export interface Execute {
  /** Empty: the unnamed portal. */
  readonly portal: string;
  /** 0 or less: no limit, as the server has it. */
  readonly maxRows: number;
}

export function decodeExecute(buffer: Buffer, start: number, end: number): Execute {
  const reader = new MessageReader('Execute', buffer, start, end);
  const portal = reader.string();
  const maxRows = reader.int32();
  reader.finish();
  return { portal, maxRows };
}

export function encodeExecute(execute: Execute): Buffer {
  return new MessageWriter(FRONTEND.execute).string(execute.portal).int32(execute.maxRows).finish();
}
