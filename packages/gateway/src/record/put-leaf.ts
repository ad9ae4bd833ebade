import { MAX_ENTRY_BYTES, vaultEntryBytes, writeVaultEntry } from 'countersign-verify';
import { CountersignError } from '../errors.ts';
import type { Batch } from './journal/batch.ts';
import type { Payload } from './recorder.ts';

/**
 * Encodes a leaf and its payloads into the batch, and gives the number of bytes. Throws `CS_STATEMENT_TOO_LONG`, with
 * nothing changed, when the leaf is longer than 65,535 bytes.
 */
export function putLeaf(
  batch: Batch,
  text: string,
  jseq: number,
  payloads: readonly Payload[] | undefined,
): number {
  const most = text.length * 3;
  batch.reserveLeaves(2 + most);
  const written = batch.leaves.write(text, batch.leavesBytes + 2);
  if (written > MAX_ENTRY_BYTES) {
    throw new CountersignError('CS_STATEMENT_TOO_LONG', { detail: `its leaf has ${written} bytes` });
  }
  batch.leaves.writeUInt16BE(written, batch.leavesBytes);
  batch.leavesBytes += 2 + written;
  return payloads === undefined ? written : written + putPayloads(batch, jseq, payloads);
}

function putPayloads(batch: Batch, jseq: number, payloads: readonly Payload[]): number {
  let written = 0;
  for (const { field, commitment } of payloads) {
    const isSpool = commitment.spool !== undefined;
    const bytes = commitment.spool === undefined ? commitment.bytes : Buffer.from(commitment.spool, 'latin1');
    if (bytes === undefined)
      throw new CountersignError('CS_INTERNAL', { detail: `payload ${field} has no bytes` });
    batch.reservePayloads(vaultEntryBytes(field, bytes.length));
    batch.payloadsBytes = writeVaultEntry(batch.payloads, batch.payloadsBytes, {
      relativeJseq: jseq - batch.firstJseq,
      field,
      salt: commitment.salt,
      bytes,
      isSpool,
    });
    batch.payloadCount++;
    written += bytes.length;
  }
  return written;
}
