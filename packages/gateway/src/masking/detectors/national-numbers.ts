/** Social security and taxpayer numbers, and routing numbers of banks, of the United States. */
import { APART, SEVERAL, before, behind, copyDigits, uniformChain } from './digit-groups.ts';
import type { DigitGroups } from './digit-groups.ts';
import { SURENESS, report } from './scan.ts';
import type { Scan } from './scan.ts';

const DIGITS = 9;
const WORD_BEFORE = 40;
const WORD_BEHIND = 20;
const DASH = 0x2d;

const digits = new Uint8Array(DIGITS);
const at = (index: number): number => digits[index] ?? 0;

/** Numbers that were printed in advertisements and never belonged to anyone after (SSA, "misused SSNs"). */
const NOBODYS: ReadonlySet<number> = new Set([78_051_120, 219_099_999]);

/** `area-group-serial` as the administration gives them out; ITIN: those of 9xx with the groups that the tax office uses. */
function kindOfSsn(): 'SSN' | 'ITIN' | undefined {
  const area = at(0) * 100 + at(1) * 10 + at(2);
  const group = at(3) * 10 + at(4);
  const serial = at(5) * 1000 + at(6) * 100 + at(7) * 10 + at(8);
  if (area === 0 || area === 666 || group === 0 || serial === 0) return undefined;
  if (NOBODYS.has(area * 1_000_000 + group * 10_000 + serial)) return undefined;
  if (area < 900) return 'SSN';
  const isItin = (group >= 50 && group <= 65) || (group >= 70 && group <= 99 && group !== 89 && group !== 93);
  return isItin ? 'ITIN' : undefined;
}

function isRouting(): boolean {
  const district = at(0) * 10 + at(1);
  const isDistrict =
    district <= 12 ||
    (district >= 21 && district <= 32) ||
    (district >= 61 && district <= 72) ||
    district === 80;
  const sum = 3 * (at(0) + at(3) + at(6)) + 7 * (at(1) + at(4) + at(7)) + at(2) + at(5) + at(8);
  return isDistrict && sum % 10 === 0 && sum > 0;
}

/** Numbers of nine digits that begin with this group. */
export function findNationalNumbers(scan: Scan, groups: DigitGroups, first: number): void {
  const size = groups.length(first);
  if (size > DIGITS) return;
  if (size === DIGITS) {
    findBare(scan, groups, first, first);
    return;
  }
  if (!groups.isJoined(first + 1)) return;
  if (size === 3 && groups.length(first + 1) === 2) findGrouped(scan, groups, first);
  if (groups.joints[first] !== APART) return;
  const last = size <= 3 ? uniformChain(groups, first, size, DIGITS) : lastOfNine(groups, first);
  if (last > first && (last - first + 1) * size === DIGITS) findBare(scan, groups, first, last);
  else if (size > 3 && last > first) findBare(scan, groups, first, last);
}

/** `1234-5678-9` and the like: a whole chain of nine digits; -1 if it is none. */
function lastOfNine(groups: DigitGroups, first: number): number {
  let count = groups.length(first);
  let last = first;
  while (count < DIGITS && groups.isJoined(last + 1)) {
    last += 1;
    count += groups.length(last);
  }
  return count === DIGITS && !groups.isJoined(last + 1) ? last : -1;
}

/** 123-45-6789. */
function findGrouped(scan: Scan, groups: DigitGroups, first: number): void {
  const last = first + 2;
  if (!groups.isJoined(last) || groups.length(last) !== 4) return;
  const joint = groups.joints[first + 1] ?? APART;
  const start = groups.starts[first] ?? 0;
  const end = groups.ends[last] ?? 0;
  copyDigits(scan.codes, groups, first, last, digits);
  scan.steps += DIGITS;
  const kind = kindOfSsn();
  if (kind === undefined) return;
  const hasWord = scan.words.contexts.ssn.distance(start, end, WORD_BEFORE, WORD_BEHIND) !== Infinity;
  if (!hasWord) {
    // 2024-123-45-6789 and AB123-45-6789 are numbers of parts and cases; one joint throughout is how people write it.
    const goesOn = groups.isJoined(last + 1) && groups.joints[last + 1] === joint;
    if (groups.joints[first] === joint || goesOn || groups.joints[last] !== joint) return;
    if (before(scan.codes, start) !== 'nothing' || behind(scan.codes, end) !== 'nothing') return;
  }
  const sureness = hasWord
    ? SURENESS.certain
    : joint === DASH || joint === SEVERAL
      ? SURENESS.high
      : SURENESS.fair;
  const why = `${kind}: three groups of digits in a range that is given out${hasWord ? ', a word beside it says so' : ''}`;
  report(scan, 'ssn', { start, end }, sureness, why);
}

/** Nine digits are anything, unless a word says what. The nearer word wins. */
function findBare(scan: Scan, groups: DigitGroups, first: number, last: number): void {
  const start = groups.starts[first] ?? 0;
  const end = groups.ends[last] ?? 0;
  const { ssn, routing } = scan.words.contexts;
  const toSsn = ssn.distance(start, end, WORD_BEFORE, WORD_BEHIND);
  const toRouting = routing.distance(start, end, WORD_BEFORE, WORD_BEHIND);
  if (toSsn === Infinity && toRouting === Infinity) return;
  copyDigits(scan.codes, groups, first, last, digits);
  scan.steps += DIGITS;
  if (toRouting < toSsn && isRouting()) {
    const why = 'ABA routing number: district and checksum are right, a word beside it says so';
    report(scan, 'routing', { start, end }, SURENESS.high, why);
    return;
  }
  const kind = toSsn === Infinity ? undefined : kindOfSsn();
  if (kind !== undefined) {
    const why = `${kind}: nine digits in a range that is given out, a word beside it says so`;
    report(scan, 'ssn', { start, end }, SURENESS.high, why);
  }
}
