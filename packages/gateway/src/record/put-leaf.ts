import { MAX_ENTRY_BYTES, vaultEntryBytes, writeVaultEntry } from 'countersign-verify';
import { CountersignError } from '../errors.ts';
import type { Batch } from './journal/batch.ts';
import type { Payload } from './recorder.ts';

/**
 * Encodes a leaf into the batch, and gives the number of bytes. Throws `CS_STATEMENT_TOO_LONG`, with nothing changed, when it is
 * longer than 65,535 bytes.
 */
export function putLeaf(batch: Batch, text: string): number {
  const most = text.length * 3;
  batch.reserveLeaves(2 + most);
  const written = batch.leaves.write(text, batch.leavesBytes + 2);
  if (written > MAX_ENTRY_BYTES) {
    throw new CountersignError('CS_STATEMENT_TOO_LONG', { detail: `its leaf has ${written} bytes` });
  }
  batch.leaves.writeUInt16BE(written, batch.leavesBytes);
  batch.leavesBytes += 2 + written;
  return written;
}

/** Encodes the payloads of leaf `jseq`, to be sealed under a retention class, and gives the number of their bytes. */
export function putPayloads(
  batch: Batch,
  jseq: number,
  payloads: readonly Payload[],
  retentionClass: string,
): number {
  let written = 0;
  for (const { field, commitment } of payloads) {
    const isSpool = commitment.spool !== undefined;
    const bytes = commitment.spool === undefined ? commitment.bytes : Buffer.from(commitment.spool, 'latin1');
    if (bytes === undefined)
      throw new CountersignError('CS_INTERNAL', { detail: `payload ${field} has no bytes` });
    const own = batch.payloadsOf(retentionClass, vaultEntryBytes(field, bytes.length));
    own.bytes = writeVaultEntry(own.entries, own.bytes, {
      relativeJseq: jseq - batch.firstJseq,
      field,
      salt: commitment.salt,
      bytes,
      isSpool,
    });
    own.count++;
    written += bytes.length;
  }
  return written;
}
