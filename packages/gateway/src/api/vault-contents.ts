import { basename } from 'node:path';

import { SourceError } from 'countersign-verify';
import type { BlockHeader, BlockPlace, VaultEntry, VaultReader, VaultScope } from 'countersign-verify';

/** A content of a leaf, opened. */
export interface OpenedContent {
  readonly jseq: number;
  /** Path of the committed field in the leaf: `statement`, `params.0`. */
  readonly field: string;
  readonly salt: Buffer;
  /** Absent when it is larger than `MAX_SHOWN_BYTES`; it can be read from the spool. */
  readonly bytes?: Buffer;
  readonly spool?: string;
}

/** Larger contents are named, not shown. */
const MAX_SHOWN_BYTES = 4 * 1_048_576;

/**
 * The contents of leaves `from`..`to` (jseq, both included) of one journal, in order. Only blocks that overlap the range are
 * opened. Throws `SourceError` and `FormatError` of countersign-verify.
 */
export async function openContents(
  vault: VaultReader,
  journal: string,
  from: number,
  to: number,
): Promise<OpenedContent[]> {
  const contents: OpenedContent[] = [];
  for (const { header, place } of await blocksThatReach(vault, journal, from, to)) {
    for (const entry of await vault.readBlock(place)) {
      if (entry.jseq < from || entry.jseq > to) continue;
      contents.push(await openEntry(vault, entry, header));
    }
  }
  return contents.toSorted(
    (a, b) => a.jseq - b.jseq || a.field.localeCompare(b.field, 'en', { numeric: true }),
  );
}

interface FoundBlock {
  readonly header: BlockHeader;
  readonly place: BlockPlace;
}

/**
 * A block does not say its last leaf. It ends before the next one of its file begins, and all of a segment's files end before
 * the next segment begins.
 */
async function blocksThatReach(
  vault: VaultReader,
  journal: string,
  from: number,
  to: number,
): Promise<FoundBlock[]> {
  const found: FoundBlock[] = [];
  let newestBegun = 0;
  for await (const block of vault.blocks()) {
    if (block.header.journal !== journal) continue;
    const { firstJseq } = block.header;
    if (firstJseq <= from) {
      newestBegun = Math.max(newestBegun, segmentOf(block));
      if (found.at(-1)?.place.file === block.place.file) found.pop();
    }
    if (firstJseq <= to) found.push(block);
  }
  return found.filter((block) => segmentOf(block) >= newestBegun);
}

function segmentOf({ place }: FoundBlock): number {
  return Number.parseInt(basename(place.file), 10);
}

async function openEntry(vault: VaultReader, entry: VaultEntry, scope: VaultScope): Promise<OpenedContent> {
  const { jseq, field, salt } = entry;
  if (entry.spool === undefined) {
    if (entry.bytes === undefined)
      throw new SourceError('a vault entry has neither bytes nor a spooled object');
    return { jseq, field, salt, bytes: entry.bytes };
  }
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of vault.readSpool(scope, entry.spool)) {
    length += chunk.length;
    if (length > MAX_SHOWN_BYTES) return { jseq, field, salt, spool: entry.spool };
    chunks.push(chunk);
  }
  return { jseq, field, salt, spool: entry.spool, bytes: Buffer.concat(chunks) };
}
