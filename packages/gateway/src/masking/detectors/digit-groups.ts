/**
 * Groups of digits and what joins them: `4111 1111-1111 1111` is four groups. Every detector of numbers starts from a group and looks at a bounded number of those
 * behind it.
 */
import { NOTHING, isDigit, isLetter } from './characters.ts';
import type { Scan } from './scan.ts';

/** What is between a group and the one before. */
export const APART = 0;
/** Two or three joiners: `) `, ` - `. Else the code of the only one. */
export const SEVERAL = 1;
/** No more characters than these join two groups. */
const MAX_JOINT = 3;
/** No detector looks further behind a group. */
export const LOOK_AHEAD = 24;
/** Groups that are held at a time: memory does not grow with the text. */
const CAPACITY = 2048;

const joiners = new Uint8Array(256);
for (const character of ' \t-./()_+|') joiners[character.charCodeAt(0)] = 1;
// "4111*1111", "4111~1111": not a line break, comma or colon, which separate numbers from one another.
for (const character of '*~') joiners[character.charCodeAt(0)] = 1;

/** A window over the groups of a text. Indexes are of the window. */
export class DigitGroups {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Of each group: `APART`, `SEVERAL` or the code between it and the group before. */
  readonly joints: Uint8Array;
  count = 0;

  /** @param digits in the whole text: there are no more groups than that. Most texts are short, and room for many groups costs more than looking at them. */
  constructor(digits: number) {
    const capacity = Math.min(CAPACITY, digits + LOOK_AHEAD);
    this.starts = new Int32Array(capacity);
    this.ends = new Int32Array(capacity);
    this.joints = new Uint8Array(capacity);
  }

  length(index: number): number {
    return (this.ends[index] ?? 0) - (this.starts[index] ?? 0);
  }

  /** Whether there is such a group and it belongs to the one before it. */
  isJoined(index: number): boolean {
    return index < this.count && this.joints[index] !== APART;
  }
}

/** Calls `visit` for each group, in order. */
export function eachGroup(scan: Scan, visit: (groups: DigitGroups, index: number) => void): void {
  const { codes, words } = scan;
  const groups = new DigitGroups(words.digits);
  let last = -MAX_JOINT - 1;
  let visited = 0;
  let at = 0;
  while (at < codes.length) {
    while (at < codes.length && !isDigit(codes[at] as number)) at += 1;
    if (at === codes.length) break;
    const start = at;
    while (at < codes.length && isDigit(codes[at] as number)) at += 1;
    if (groups.count === CAPACITY) {
      for (; visited < CAPACITY - LOOK_AHEAD; visited++) visit(groups, visited);
      visited -= shift(groups, CAPACITY - 2 * LOOK_AHEAD);
    }
    groups.starts[groups.count] = start;
    groups.ends[groups.count] = at;
    groups.joints[groups.count] = jointBetween(codes, last, start);
    groups.count += 1;
    last = at;
  }
  scan.steps += codes.length;
  for (; visited < groups.count; visited++) visit(groups, visited);
}

/** Forgets so many groups from the front. */
function shift(groups: DigitGroups, by: number): number {
  groups.starts.copyWithin(0, by);
  groups.ends.copyWithin(0, by);
  groups.joints.copyWithin(0, by);
  groups.count -= by;
  return by;
}

function jointBetween(codes: Uint8Array, end: number, start: number): number {
  const length = start - end;
  if (length > MAX_JOINT) return APART;
  for (let at = end; at < start; at++) if (joiners[codes[at] as number] === 0) return APART;
  return length === 1 ? (codes[end] as number) : SEVERAL;
}

/** What stands right before or behind a run of groups. */
export type Beside = 'nothing' | 'letter' | 'code';

/**
 * `code`: letters with digits behind them, as in a hash, an id or a part number. `letter`: a word without a space between.
 */
export function before(codes: Uint8Array, start: number): Beside {
  if (!isLetter(codes[start - 1] ?? NOTHING)) return 'nothing';
  let at = start - 2;
  const from = Math.max(0, start - WORD_REACH);
  while (at >= from && isLetter(codes[at] as number)) at -= 1;
  return isDigit(codes[at] ?? NOTHING) ? 'code' : 'letter';
}

export function behind(codes: Uint8Array, end: number): Beside {
  if (!isLetter(codes[end] ?? NOTHING)) return 'nothing';
  let at = end + 1;
  const to = Math.min(codes.length, end + WORD_REACH);
  while (at < to && isLetter(codes[at] as number)) at += 1;
  return at < codes.length && isDigit(codes[at] as number) ? 'code' : 'letter';
}

/** Letters longer than this are a word, whatever is at their other end. */
const WORD_REACH = 8;

/** The digits of so many groups, one after the other, in `into`. Gives how many; no more than `into` takes. */
export function copyDigits(
  codes: Uint8Array,
  groups: DigitGroups,
  first: number,
  last: number,
  into: Uint8Array,
): number {
  let count = 0;
  for (let index = first; index <= last; index++) {
    const end = groups.ends[index] ?? 0;
    for (let at = groups.starts[index] ?? 0; at < end && count < into.length; at++) {
      into[count] = (codes[at] as number) - 0x30;
      count += 1;
    }
  }
  return count;
}

/** The last of so many equal groups of one joint that are all there is of their chain, `first` being its first; -1 if the chain is otherwise. */
export function uniformChain(groups: DigitGroups, first: number, size: number, maxGroups: number): number {
  if (groups.joints[first] !== APART || groups.length(first) !== size) return -1;
  const joint = groups.joints[first + 1];
  let last = first;
  while (last - first < maxGroups && groups.isJoined(last + 1)) {
    if (groups.joints[last + 1] !== joint || groups.length(last + 1) !== size) return -1;
    last += 1;
  }
  return groups.isJoined(last + 1) ? -1 : last;
}
