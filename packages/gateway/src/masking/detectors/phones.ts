/** Phone numbers: international ones by their `+`, those of North America by the way they are written, all others by a word beside them. */
import { NOTHING, isDigit, isLetter } from './characters.ts';
import { APART, before, behind } from './digit-groups.ts';
import type { DigitGroups } from './digit-groups.ts';
import { MAX_PHONE_DIGITS, MIN_PHONE_DIGITS } from './phone-plans.ts';
import type { PhonePlans } from './phone-plans.ts';
import { SURENESS, report } from './scan.ts';
import type { Scan } from './scan.ts';

const WORD_BEFORE = 32;
const WORD_BEHIND = 12;
const PLUS = 0x2b;
const OPENING = 0x28;
const CLOSING = 0x29;
const DOT = 0x2e;
const MAX_GROUPS = 8;

/** Numbers that begin with this group. */
export function findPhones(scan: Scan, groups: DigitGroups, first: number, plans: PhonePlans): void {
  const start = groups.starts[first] ?? 0;
  if (groups.length(first) > MAX_PHONE_DIGITS) return;
  const previous = scan.codes[start - 1] ?? NOTHING;
  const isPlus = previous === PLUS || (previous === OPENING && scan.codes[start - 2] === PLUS);
  if (isPlus && findInternational(scan, groups, first, plans)) return;
  if (plans.hasNorthAmerica && findNorthAmerican(scan, groups, first, plans)) return;
  if (groups.joints[first] === APART || previous === OPENING) findByWord(scan, groups, first, plans);
}

interface Run {
  readonly last: number;
  readonly digits: string;
}

/** This group and those joined to it, from the longest run to the shortest, as long as `isOne` does not take one. */
function longest(
  scan: Scan,
  groups: DigitGroups,
  first: number,
  isOne: (digits: string) => boolean,
): Run | undefined {
  let last = first;
  let count = groups.length(first);
  while (
    last - first < MAX_GROUPS - 1 &&
    groups.isJoined(last + 1) &&
    !beginsAnother(scan, groups, last + 1) &&
    count + groups.length(last + 1) <= MAX_PHONE_DIGITS
  ) {
    last += 1;
    count += groups.length(last);
  }
  if (count < MIN_PHONE_DIGITS) return undefined;
  let digits = digitsOf(scan, groups, first, last);
  for (; last >= first && digits.length >= MIN_PHONE_DIGITS; last--) {
    scan.steps += digits.length;
    if (isOne(digits)) return { last, digits };
    // "+44 (0)20 …": the zero is dialled at home only.
    if (isOne(withoutTrunk(scan, groups, first, last))) return { last, digits };
    digits = digits.slice(0, digits.length - groups.length(last));
  }
  return undefined;
}

const beginsAnother = (scan: Scan, groups: DigitGroups, index: number): boolean =>
  scan.codes[(groups.starts[index] ?? 0) - 1] === PLUS;

function digitsOf(scan: Scan, groups: DigitGroups, first: number, last: number): string {
  let digits = '';
  for (let index = first; index <= last; index++) digits += textOf(scan, groups, index);
  return digits;
}

function textOf(scan: Scan, groups: DigitGroups, index: number): string {
  let text = '';
  for (let at = groups.starts[index] ?? 0; at < (groups.ends[index] ?? 0); at++)
    text += String.fromCharCode(scan.codes[at] ?? 0);
  return text;
}

function withoutTrunk(scan: Scan, groups: DigitGroups, first: number, last: number): string {
  const zero = first + 1;
  const at = groups.starts[zero] ?? 0;
  const isTrunk =
    zero < last &&
    groups.length(zero) === 1 &&
    scan.codes[at] === 0x30 &&
    scan.codes[at - 1] === OPENING &&
    scan.codes[at + 1] === CLOSING;
  return isTrunk ? textOf(scan, groups, first) + digitsOf(scan, groups, zero + 1, last) : '';
}

function findInternational(scan: Scan, groups: DigitGroups, first: number, plans: PhonePlans): boolean {
  const known = longest(scan, groups, first, (digits) => plans.isInternational(digits));
  const run = known ?? possibleRun(scan, groups, first, plans);
  if (run === undefined) return false;
  const end = behindExtension(scan, groups.ends[run.last] ?? 0);
  if (behind(scan.codes, end) === 'code') return false;
  const place = { start: plusBefore(scan, groups, first), end };
  const why =
    known === undefined
      ? 'phone number: + and as many digits as numbers of its country have'
      : 'phone number: + and a number of the numbering plan of its country';
  report(scan, 'phone', place, known === undefined ? SURENESS.fair : SURENESS.high, why);
  return true;
}

/** Numbers are given out before the plans that we have know it: the form, or a word beside it, is enough. */
function possibleRun(scan: Scan, groups: DigitGroups, first: number, plans: PhonePlans): Run | undefined {
  const start = groups.starts[first] ?? 0;
  const isWritten = groups.isJoined(first + 1) && groups.isJoined(first + 2);
  if (!isWritten && !isWordNear(scan, start, groups.ends[first] ?? 0)) return undefined;
  return longest(scan, groups, first, (digits) => plans.isPossible(digits));
}

function plusBefore(scan: Scan, groups: DigitGroups, first: number): number {
  const start = groups.starts[first] ?? 0;
  return scan.codes[start - 1] === PLUS ? start - 1 : start - 2;
}

/** (212) 555-0123, 212-555-0123, 1-212-555-0123. */
function findNorthAmerican(scan: Scan, groups: DigitGroups, first: number, plans: PhonePlans): boolean {
  const { codes } = scan;
  if (groups.length(first) !== 3 || groups.length(first + 1) !== 3 || groups.length(first + 2) !== 4)
    return false;
  if (!groups.isJoined(first + 1) || !groups.isJoined(first + 2)) return false;
  const start = groups.starts[first] ?? 0;
  const plainEnd = groups.ends[first + 2] ?? 0;
  const digits = digitsOf(scan, groups, first, first + 2);
  scan.steps += digits.length;
  if (!plans.hasNorthAmericanShape(digits)) return false;
  const isArea = plans.isNorthAmerican(digits);
  const hasCode = isCallingCode(scan, groups, first - 1);
  const hasWord = isWordNear(scan, start, plainEnd);
  const isBracketed = codes[start - 1] === OPENING && codes[start + 3] === CLOSING;
  // New area codes are given out before the plans that we have know them.
  if (!isArea && !hasWord && !isBracketed) return false;
  const end = behindExtension(scan, plainEnd);
  if (!hasWord && !isWritten(scan, groups, first, { start, end, isBracketed, hasCode })) return false;
  const from = isBracketed ? start - 1 : start;
  const whole = hasCode ? beginOfCode(scan, groups, first - 1) : from;
  const sureness = hasWord ? SURENESS.certain : isBracketed && isArea ? SURENESS.high : SURENESS.good;
  const area = isArea ? ', of an area code that there is' : '';
  const why = `phone number: as North American ones are written${area}${hasWord ? ', a word beside it says so' : ''}`;
  report(scan, 'phone', { start: whole, end }, sureness, why);
  return true;
}

interface Written {
  readonly start: number;
  readonly end: number;
  readonly isBracketed: boolean;
  readonly hasCode: boolean;
}

/** Whether the way it is written says by itself that it is a phone number. */
function isWritten(
  { codes }: Scan,
  groups: DigitGroups,
  first: number,
  { start, end, isBracketed, hasCode }: Written,
): boolean {
  const inner = groups.joints[first + 1];
  const last = groups.joints[first + 2];
  const goesOn = groups.isJoined(first + 3) && groups.joints[first + 3] === last && last === DOT;
  if (goesOn || before(codes, start) !== 'nothing' || behind(codes, end) === 'code') return false;
  return (isBracketed || inner === last) && (groups.joints[first] !== inner || hasCode);
}

/** A one in front, or what is dialled for it from abroad. */
function isCallingCode(scan: Scan, groups: DigitGroups, index: number): boolean {
  if (index < 0 || !groups.isJoined(index + 1)) return false;
  const text = groups.length(index) <= 4 ? textOf(scan, groups, index) : '';
  return text === '1' || text === '01' || text === '001' || text === '0111';
}

const EXTENSIONS = ['extension', 'extn', 'ext', 'x', '#'];
const MAX_EXTENSION = 6;

/** Behind `x123`, ` ext. 123`, if there is one; else `end`. */
function behindExtension(scan: Scan, end: number): number {
  const { codes } = scan;
  let at = end;
  while (at - end < 2 && (codes[at] === 0x20 || codes[at] === 0x2c)) at += 1;
  const word = EXTENSIONS.find((each) => isWordAt(codes, at, each));
  if (word === undefined) return end;
  at += word.length;
  const sign = at;
  while (at - sign < 2 && (codes[at] === 0x20 || codes[at] === DOT || codes[at] === 0x3a)) at += 1;
  const digits = at;
  while (at - digits < MAX_EXTENSION && isDigit(codes[at] ?? NOTHING)) at += 1;
  scan.steps += at - end;
  return at > digits && !isDigit(codes[at] ?? NOTHING) ? at : end;
}

function isWordAt(codes: Uint8Array, at: number, word: string): boolean {
  for (let index = 0; index < word.length; index++) {
    const code = codes[at + index] ?? 0;
    if ((isLetter(code) ? code | 0x20 : code) !== word.charCodeAt(index)) return false;
  }
  return true;
}

function beginOfCode(scan: Scan, groups: DigitGroups, index: number): number {
  const start = groups.starts[index] ?? 0;
  return scan.codes[start - 1] === PLUS ? start - 1 : start;
}

const isWordNear = (scan: Scan, start: number, end: number): boolean =>
  scan.words.contexts.phone.distance(start, end, WORD_BEFORE, WORD_BEHIND) !== Infinity;

/** Any other way to write one, with a word beside it: as dialled at home, or with 00 or 011 for the plus. */
function findByWord(scan: Scan, groups: DigitGroups, first: number, plans: PhonePlans): void {
  const start = groups.starts[first] ?? 0;
  const end = groups.ends[first] ?? 0;
  if (!isWordNear(scan, start, end)) return;
  const run = longest(
    scan,
    groups,
    first,
    (digits) =>
      plans.isNational(digits) ||
      (plans.hasNorthAmerica && plans.hasNorthAmericanShape(digits)) ||
      (digits.startsWith('00') && plans.isInternational(digits.slice(2))) ||
      (digits.startsWith('011') && plans.isInternational(digits.slice(3))),
  );
  if (run === undefined) return;
  const last = behindExtension(scan, groups.ends[run.last] ?? 0);
  if (before(scan.codes, start) === 'code' || behind(scan.codes, last) === 'code') return;
  const why = 'phone number: of a numbering plan, a word beside it says so';
  report(scan, 'phone', { start, end: last }, SURENESS.good, why);
}
