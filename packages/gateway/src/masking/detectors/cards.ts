/** Payment cards: the prefix and length of a brand, and the check digit (ISO/IEC 7812-1). */
import { APART, before, behind, copyDigits, uniformChain } from './digit-groups.ts';
import type { DigitGroups } from './digit-groups.ts';
import { SURENESS, report } from './scan.ts';
import type { Scan } from './scan.ts';

const MIN_DIGITS = 13;
const MAX_DIGITS = 19;
const WORD_BEFORE = 40;
const WORD_BEHIND = 16;

interface Brand {
  readonly name: string;
  /** Ranges of the first digits, both ends included, of the same number of digits. */
  readonly prefixes: readonly (readonly [number, number])[];
  readonly lengths: readonly number[];
  /** Lengths that are so rare, or prefixes that so many other numbers have, that a word beside must say that it is a card. */
  readonly rare?: readonly number[];
}

const BRANDS: readonly Brand[] = [
  { name: 'visa', prefixes: [[4, 4]], lengths: [16, 19, 13], rare: [13, 19] },
  {
    name: 'mastercard',
    prefixes: [
      [51, 55],
      [2221, 2720],
    ],
    lengths: [16],
  },
  {
    name: 'american express',
    prefixes: [
      [34, 34],
      [37, 37],
    ],
    lengths: [15],
  },
  {
    name: 'discover',
    prefixes: [
      [6011, 6011],
      [644, 649],
      [65, 65],
      [622126, 622925],
    ],
    lengths: [16, 19],
  },
  {
    name: 'diners club',
    prefixes: [
      [300, 305],
      [3095, 3095],
      [36, 36],
      [38, 39],
    ],
    lengths: [14, 16, 19],
    rare: [19],
  },
  { name: 'jcb', prefixes: [[3528, 3589]], lengths: [16, 19], rare: [19] },
  { name: 'unionpay', prefixes: [[62, 62]], lengths: [16, 17, 18, 19], rare: [17, 18] },
  {
    name: 'maestro',
    prefixes: [
      [5018, 5018],
      [5020, 5020],
      [5038, 5038],
      [5893, 5893],
      [6304, 6304],
      [6759, 6763],
    ],
    lengths: [16, 13, 14, 15, 17, 18, 19],
    rare: [13, 14, 15, 17, 18],
  },
  { name: 'mir', prefixes: [[2200, 2204]], lengths: [16, 17, 18, 19], rare: [17, 18, 19] },
  {
    name: 'rupay',
    prefixes: [
      [60, 60],
      [81, 82],
      [508, 508],
    ],
    lengths: [16],
    rare: [16],
  },
  { name: 'troy', prefixes: [[9792, 9792]], lengths: [16] },
];

const WIDEST_PREFIX = 6;

/** By the first six digits: number of the brand and 1; the first brand of the list that fits wins. Made when the first number is met. */
let byPrefix: Uint8Array | undefined;

function brandTable(): Uint8Array {
  const table = new Uint8Array(10 ** WIDEST_PREFIX);
  for (let index = BRANDS.length - 1; index >= 0; index--) {
    for (const [low, high] of BRANDS[index]?.prefixes ?? []) {
      const unit = 10 ** (WIDEST_PREFIX - String(low).length);
      table.fill(index + 1, low * unit, (high + 1) * unit);
    }
  }
  return table;
}

function brandOf(digits: Uint8Array, count: number): Brand | undefined {
  if (count < MIN_DIGITS || count > MAX_DIGITS) return undefined;
  let prefix = 0;
  for (let index = 0; index < WIDEST_PREFIX; index++) prefix = prefix * 10 + (digits[index] ?? 0);
  byPrefix ??= brandTable();
  const brand = BRANDS[(byPrefix[prefix] ?? 0) - 1];
  return brand?.lengths.includes(count) === true ? brand : undefined;
}

/** The check digit of Luhn's formula. */
export function isLuhn(digits: Uint8Array, count: number): boolean {
  let sum = 0;
  for (let index = 0; index < count; index++) {
    const digit = digits[count - 1 - index] ?? 0;
    const doubled = index % 2 === 0 ? digit : digit * 2;
    sum += doubled > 9 ? doubled - 9 : doubled;
  }
  return sum % 10 === 0;
}

/** How cards are printed. */
const PRINTED: readonly (readonly number[])[] = [
  [4, 4, 4, 4],
  [4, 4, 4, 4, 3],
  [4, 6, 5],
  [4, 6, 4],
  [4, 4, 4, 1],
  [4, 4, 5],
  [6, 13],
  [6, 10],
  [8, 8],
  [4, 12],
  [6, 6, 4],
];

const digits = new Uint8Array(MAX_DIGITS + 1);

/** Numbers that begin with this group. */
export function findCards(scan: Scan, groups: DigitGroups, first: number): void {
  const size = groups.length(first);
  if (size > MAX_DIGITS) return;
  if (size >= MIN_DIGITS) {
    tryCard(scan, groups, first, first, 'run');
    return;
  }
  if (!groups.isJoined(first + 1)) return;
  for (const sizes of PRINTED) {
    if (sizes[0] === size && isOfSizes(groups, first, sizes))
      tryCard(scan, groups, first, first + sizes.length - 1, 'printed');
  }
  if (size <= 3 || size === 5) {
    const last = uniformChain(groups, first, size, MAX_DIGITS);
    if (last > first) tryCard(scan, groups, first, last, 'spaced');
  }
  if (isCardWordNear(scan, groups, first, first) && groups.joints[first] === APART)
    tryChain(scan, groups, first);
}

function isOfSizes(groups: DigitGroups, first: number, sizes: readonly number[]): boolean {
  for (let index = 1; index < sizes.length; index++) {
    if (!groups.isJoined(first + index) || groups.length(first + index) !== sizes[index]) return false;
  }
  return true;
}

/** Any grouping, where a word says that it is a card: the longest that is one. */
function tryChain(scan: Scan, groups: DigitGroups, first: number): void {
  let count = groups.length(first);
  let last = first;
  while (groups.isJoined(last + 1) && count + groups.length(last + 1) <= MAX_DIGITS) {
    last += 1;
    count += groups.length(last);
  }
  for (; last > first && count >= MIN_DIGITS; last--) {
    if (tryCard(scan, groups, first, last, 'spaced')) return;
    count -= groups.length(last);
  }
}

function isCardWordNear(scan: Scan, groups: DigitGroups, first: number, last: number): boolean {
  const { card } = scan.words.contexts;
  const start = groups.starts[first] ?? 0;
  return card.distance(start, groups.ends[last] ?? 0, WORD_BEFORE, WORD_BEHIND) !== Infinity;
}

function tryCard(
  scan: Scan,
  groups: DigitGroups,
  first: number,
  last: number,
  form: 'run' | 'printed' | 'spaced',
): boolean {
  const { codes } = scan;
  const start = groups.starts[first] ?? 0;
  const end = groups.ends[last] ?? 0;
  const count = copyDigits(codes, groups, first, last, digits);
  scan.steps += count;
  const brand = brandOf(digits, count);
  if (brand === undefined || !isLuhn(digits, count)) return false;
  const hasWord = isCardWordNear(scan, groups, first, last);
  if (!hasWord && brand.rare?.includes(count) === true) return false;
  if (!hasWord && isInCode(codes, start, end)) return false;
  if (!hasWord && isPartOfDecimal(codes, start, end)) return false;
  const sureness = hasWord
    ? SURENESS.certain
    : form === 'printed'
      ? SURENESS.high
      : form === 'run'
        ? SURENESS.good
        : SURENESS.fair;
  report(
    scan,
    'card',
    { start, end },
    sureness,
    `payment card number: prefix and length of ${brand.name}, check digit is right${hasWord ? ', a word beside it says card' : ''}`,
  );
  return true;
}

/** Digits inside of a hash, an id or a part number. */
function isInCode(codes: Uint8Array, start: number, end: number): boolean {
  const front = before(codes, start);
  const back = behind(codes, end);
  return front === 'code' || back === 'code' || (front === 'letter' && back === 'letter');
}

/** The fraction of a number with a point: `0.4111111111111111`. */
function isPartOfDecimal(codes: Uint8Array, start: number, end: number): boolean {
  const isDigitAt = (at: number): boolean => (codes[at] ?? 0) >= 0x30 && (codes[at] ?? 0) <= 0x39;
  const isBefore = codes[start - 1] === 0x2e && isDigitAt(start - 2);
  return isBefore || (codes[end] === 0x2e && isDigitAt(end + 1) && end - start >= MIN_DIGITS);
}
