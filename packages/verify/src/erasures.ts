/** What the record says was erased: read from the log, asked about each content that the vault does not hold. */

import type { CanonicalObject } from './canonical-json.ts';
import { checkLeaf, type Leaf } from './leaf.ts';
import { iterateLeaves, readCheckpoint } from './log-reader.ts';
import type { LogSource } from './log-source.ts';

interface LeafRange {
  readonly journal: string;
  /** jseq, both included. */
  readonly from: number;
  readonly to: number;
  readonly fields?: readonly string[];
}

/** One `erasure.started`, and what became of it. */
export interface Erasure {
  readonly id: string;
  /** Log index of `erasure.started`; only leaves before it can be covered. */
  readonly index: number;
  readonly authority: string;
  readonly scope: CanonicalObject;
  /** Leaves outside of them are not meant, whatever the scope says. */
  readonly ranges: readonly LeafRange[];
  /** Contents that were there to be erased. */
  readonly contents: number;
  isExecuted: boolean;
}

/** The erasure that a leaf `erasure.started` states. */
export function erasureOf(index: number, leaf: Leaf): Erasure {
  return {
    id: leaf['erasure'] as string,
    index,
    authority: leaf['authority'] as string,
    scope: leaf['scope'] as CanonicalObject,
    ranges: leaf['ranges'] as unknown as readonly LeafRange[],
    contents: leaf['contents'] as number,
    isExecuted: false,
  };
}

/** A content: one committed field of a leaf. */
export interface ContentPlace {
  /** Log index of the leaf. */
  readonly index: number;
  readonly leaf: Leaf;
  readonly field: string;
  /** Retention class that the log states for it (`ContentClasses`); undefined where it states none. */
  readonly retentionClass: string | undefined;
}

/** Whether the erasure states that this content is gone. */
export function isErased(
  { index: erasedAt, ranges, scope }: Pick<Erasure, 'index' | 'ranges' | 'scope'>,
  { field, index, leaf, retentionClass }: ContentPlace,
): boolean {
  if (index >= erasedAt || !ranges.some((range) => isWithin(range, leaf))) return false;
  switch (scope['kind']) {
    case 'period':
      return retentionClass === undefined || retentionClass === scope['class'];
    case 'sessions':
      return (
        typeof leaf['session'] === 'string' &&
        (scope['sessions'] as readonly string[]).includes(leaf['session'])
      );
    case 'leaves':
      return (scope['leaves'] as unknown as readonly LeafRange[]).some(
        (range) => isWithin(range, leaf) && (range.fields === undefined || range.fields.includes(field)),
      );
    default:
      return false;
  }
}

function isWithin({ from, journal, to }: LeafRange, leaf: Leaf): boolean {
  return journal === leaf.journal && leaf.jseq >= from && leaf.jseq <= to;
}

/** The same in words: class and period, or how many sessions or leaves. Names from configuration, ids and numbers only. */
export function describeErasure({ scope }: Pick<Erasure, 'scope'>): string {
  if (scope['kind'] === 'period')
    return `class ${scope['class'] as string}, period ${scope['period'] as string}`;
  if (scope['kind'] === 'sessions') return `${(scope['sessions'] as readonly string[]).length} session(s)`;
  return `${((scope['leaves'] ?? []) as readonly unknown[]).length} range(s) of leaves`;
}

const MARK = Buffer.from('"type":"erasure.');

/** Every erasure that a log states, oldest first. Checks nothing of the log: that is for who walks it. */
export async function readErasures(source: LogSource): Promise<Erasure[]> {
  const erasures = new Map<string, Erasure>();
  const { size } = await readCheckpoint(source);
  for await (const { bytes, index } of iterateLeaves(source, { size })) {
    if (!bytes.includes(MARK)) continue;
    const { isSound, leaf } = checkLeaf(bytes);
    if (leaf === undefined || !isSound) continue;
    if (leaf.type === 'erasure.started') {
      const erasure = erasureOf(index, leaf);
      erasures.set(erasure.id, erasure);
    } else if (leaf.type === 'erasure.executed') {
      const erasure = erasures.get(leaf['erasure'] as string);
      if (erasure !== undefined) erasure.isExecuted = true;
    }
  }
  return [...erasures.values()];
}
