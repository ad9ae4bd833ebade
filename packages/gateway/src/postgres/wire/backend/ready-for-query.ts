/** ReadyForQuery: the server ended a query cycle and says where the transaction stands. */
import { BACKEND } from '../message-types.ts';
import { MessageReader } from '../reader.ts';

/** Idle, in a transaction block, in a failed transaction block. */
export type TransactionStatus = 'I' | 'T' | 'E';

export function decodeReadyForQuery(buffer: Buffer, start: number, end: number): TransactionStatus {
  const reader = new MessageReader('ReadyForQuery', buffer, start, end);
  const status = String.fromCharCode(reader.uint8());
  reader.finish();
  if (status !== 'I' && status !== 'T' && status !== 'E') throw reader.malformed('transaction status');
  return status;
}

export function encodeReadyForQuery(status: TransactionStatus): Buffer {
  return Buffer.from([BACKEND.readyForQuery, 0, 0, 0, 5, status.charCodeAt(0)]);
}
