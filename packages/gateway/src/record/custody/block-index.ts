/** Which block file of the vault holds contents of which leaves, from the headers of the blocks. */

import { basename, relative } from 'node:path';
import { iterateBlocks, type VaultScope } from 'countersign-verify';
import type { JseqRange } from './custody-state.ts';

/** One file: what one segment of a journal had to be sealed of one class and period. */
export interface BlockFile extends VaultScope {
  /** Relative to the vault. */
  readonly file: string;
  readonly journal: string;
  readonly segment: number;
  /** First leaf of the first block. */
  readonly firstJseq: number;
  /** The last leaf that can have contents in it: the next segment begins behind it. Infinity for the newest. */
  readonly lastJseq: number;
  /** Contents in it. */
  readonly entries: number;
  /** Data keys, hex: one, unless a rewriting was cut short. */
  readonly keys: readonly string[];
}

interface Draft extends VaultScope {
  file: string;
  journal: string;
  segment: number;
  firstJseq: number;
  entries: number;
  keys: Set<string>;
}

/** Reads every header of a vault. One entry per file and journal. Throws `SourceError`, `FormatError`. */
export async function readBlockFiles(vaultDirectory: string): Promise<BlockFile[]> {
  const drafts = new Map<string, Draft>();
  for await (const { header, place } of iterateBlocks(vaultDirectory)) {
    const { count, firstJseq, journal, keyId, period, retentionClass } = header;
    const name = `${place.file}\n${journal}`;
    let draft = drafts.get(name);
    if (draft === undefined) {
      draft = {
        file: relative(vaultDirectory, place.file),
        segment: Number.parseInt(basename(place.file), 10),
        keys: new Set(),
        entries: 0,
        journal,
        firstJseq,
        period,
        retentionClass,
      };
      drafts.set(name, draft);
    }
    draft.firstJseq = Math.min(draft.firstJseq, firstJseq);
    draft.entries += count;
    draft.keys.add(Buffer.from(keyId).toString('hex'));
  }
  return withEnds([...drafts.values()]);
}

function withEnds(drafts: readonly Draft[]): BlockFile[] {
  const newestFirst = drafts.toSorted((a, b) => b.segment - a.segment);
  /** By journal: where the segments behind the one that is looked at begin, and that one itself. */
  const ends = new Map<string, { segment: number; first: number; after: number }>();
  const files: BlockFile[] = [];
  for (const draft of newestFirst) {
    let end = ends.get(draft.journal);
    if (end === undefined) end = { segment: draft.segment, first: Infinity, after: Infinity };
    else if (end.segment !== draft.segment)
      end = { segment: draft.segment, first: Infinity, after: Math.min(end.first, end.after) };
    end.first = Math.min(end.first, draft.firstJseq);
    ends.set(draft.journal, end);
    files.push({ ...draft, keys: [...draft.keys], lastJseq: end.after - 1 });
  }
  return files.toReversed();
}

/** The leaves that files belong to, neighbours joined. `last`: newest leaf of each journal. */
export function rangesOf(files: readonly BlockFile[], last: ReadonlyMap<string, number>): JseqRange[] {
  const ranges: { journal: string; from: number; to: number }[] = [];
  for (const { firstJseq, journal, lastJseq } of files.toSorted((a, b) => a.firstJseq - b.firstJseq)) {
    const to = Math.min(lastJseq, last.get(journal) ?? firstJseq);
    const open = ranges.findLast((range) => range.journal === journal);
    if (open !== undefined && firstJseq <= open.to + 1) open.to = Math.max(open.to, to);
    else ranges.push({ journal, from: firstJseq, to });
  }
  return ranges;
}
