/** What the record says was erased: read from the log, asked about each content that the vault does not hold. */

import type { CanonicalObject } from './canonical-json.ts';
import { endOfPeriodUs } from './custody-checks.ts';
import { checkLeaf, type Leaf } from './leaf.ts';
import { iterateLeaves, readCheckpoint } from './log-reader.ts';
import type { LogSource } from './log-source.ts';
import { SCHEDULE_SLACK_US, SealingPeriods, type SealingTime } from './sealing-periods.ts';

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
  /** Ids of the data keys that went with it, hex; of a period, all that lay there, and none is named. */
  readonly keys: readonly string[];
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
    keys: (leaf['keys'] ?? []) as readonly string[],
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
  /** Undefined where the whole log is not at hand: then the erasure's word is taken for the month. */
  readonly sealed?: SealingTime;
}

/** Whether the erasure states that this content is gone. */
export function isErased(
  erasure: Pick<Erasure, 'authority' | 'index' | 'ranges' | 'scope'>,
  content: ContentPlace,
): boolean {
  const { index: erasedAt, ranges, scope } = erasure;
  const { field, index, leaf, retentionClass } = content;
  if (index >= erasedAt || !ranges.some((range) => isWithin(range, leaf))) return false;
  switch (scope['kind']) {
    case 'period':
      return (
        (retentionClass === undefined || retentionClass === scope['class']) && isOfPeriod(erasure, content)
      );
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

/** Whether it can have been sealed in the month that was erased, and was due if the schedule did it. */
function isOfPeriod(
  { authority, scope }: Pick<Erasure, 'authority' | 'scope'>,
  { index, leaf, sealed }: ContentPlace,
): boolean {
  if (sealed === undefined) return true;
  const period = scope['period'] as string;
  if (authority === 'schedule' && sealed.notBeforeUs > endOfPeriodUs(period) + SCHEDULE_SLACK_US)
    return false;
  return sealed.periods.canBeOf(period, index, leaf);
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

const MARKS = ['"type":"erasure.', '"type":"key.created"'].map((mark) => Buffer.from(mark));

/** What a log states of erasures. */
export interface StatedErasures {
  /** Oldest first. */
  readonly erasures: readonly Erasure[];
  readonly periods: SealingPeriods;
}

/** Every erasure that a log states. Checks nothing of the log: that is for who walks it. */
export async function readErasures(source: LogSource): Promise<StatedErasures> {
  const erasures = new Map<string, Erasure>();
  const periods = new SealingPeriods();
  const { size } = await readCheckpoint(source);
  for await (const { bytes, index } of iterateLeaves(source, { size })) {
    if (!MARKS.some((mark) => bytes.includes(mark))) continue;
    const { isSound, leaf } = checkLeaf(bytes);
    if (leaf === undefined || !isSound) continue;
    periods.take(index, leaf);
    if (leaf.type === 'erasure.started') {
      const erasure = erasureOf(index, leaf);
      erasures.set(erasure.id, erasure);
    } else if (leaf.type === 'erasure.executed') {
      const erasure = erasures.get(leaf['erasure'] as string);
      if (erasure !== undefined) erasure.isExecuted = true;
    }
  }
  return { erasures: [...erasures.values()], periods };
}
