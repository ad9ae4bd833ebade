/**
 * Folds characters to ASCII, so that each detector knows one form of a digit, a space and a dash. What is invisible is left out. Everything else of other scripts
 * is a letter or a symbol and no more.
 */

/** A letter or number of another script. */
export const LETTER = 0x80;
/** Anything else beyond ASCII. */
export const SYMBOL = 0x81;
/** Not part of the folded text: zero width, combining, direction marks. */
export const DROPPED = 0xff;

const UNKNOWN = 0;
/** Beyond it there are no digits, letters or spaces that fold to ASCII, but for the tags, which are invisible. */
const TABLE_SIZE = 0x20000;
/** One byte for each code point, filled when it is first met. Shared by all: what a code point folds to never changes. */
const table = new Uint8Array(TABLE_SIZE);

const SPECIAL: ReadonlyMap<number, number> = new Map([
  [0x85, 0x0a],
  [0x2028, 0x0a],
  [0x2029, 0x0a],
  // Minus, and what stands for a slash, a colon or a full stop.
  [0x2212, 0x2d],
  [0x2043, 0x2d],
  [0x2044, 0x2f],
  [0x2215, 0x2f],
  [0x2236, 0x3a],
  [0x3002, 0x2e],
  [0xff61, 0x2e],
  // Dots in the middle stand between digits as full stops do.
  [0xb7, 0x2e],
  [0x2022, 0x2e],
  [0x2219, 0x2e],
  [0x22c5, 0x2e],
  [0x30fb, 0x2e],
  // What is drawn as nothing although it counts as a letter.
  [0x115f, DROPPED],
  [0x1160, DROPPED],
  [0x3164, DROPPED],
  [0xffa0, DROPPED],
]);

/** Decimal digits come in runs of ten that begin at their zero, so the value is the distance to the nearest non-digit before. */
function decimalValue(codePoint: number): number {
  // Mathematical digits are five runs without a gap.
  if (codePoint >= 0x1d7ce && codePoint <= 0x1d7ff) return (codePoint - 0x1d7ce) % 10;
  let zero = codePoint;
  while (codePoint - zero < 9 && /\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero -= 1;
  return codePoint - zero;
}

function compute(codePoint: number): number {
  const special = SPECIAL.get(codePoint);
  if (special !== undefined) return special;
  const text = String.fromCodePoint(codePoint);
  if (/[\p{Cf}\p{Mn}\p{Me}]/u.test(text)) return DROPPED;
  if (/\p{Nd}/u.test(text)) return 0x30 + decimalValue(codePoint);
  if (/\p{Zs}/u.test(text)) return 0x20;
  if (/\p{Pd}/u.test(text)) return 0x2d;
  const compatible = text.normalize('NFKC');
  const only = compatible.charCodeAt(0);
  if (compatible.length === 1 && only < 0x80) return only;
  return /[\p{L}\p{N}\p{Mc}]/u.test(text) ? LETTER : SYMBOL;
}

/** An ASCII code, `LETTER`, `SYMBOL` or `DROPPED`. */
export function foldCodePoint(codePoint: number): number {
  if (codePoint < 0x80) return codePoint;
  if (codePoint >= TABLE_SIZE) return codePoint >= 0xe0000 && codePoint <= 0xe0fff ? DROPPED : SYMBOL;
  const known = table[codePoint] ?? UNKNOWN;
  if (known !== UNKNOWN) return known;
  const computed = compute(codePoint);
  table[codePoint] = computed;
  return computed;
}

export const isDigit = (code: number): boolean => code >= 0x30 && code <= 0x39;
export const isUpper = (code: number): boolean => code >= 0x41 && code <= 0x5a;
export const isLower = (code: number): boolean => code >= 0x61 && code <= 0x7a;
/** Of any script. */
export const isLetter = (code: number): boolean => isLower(code | 0x20) || code === LETTER;
export const isWordCode = (code: number): boolean => isDigit(code) || isLetter(code);

/** 0 to 15, or -1. */
export function hexValue(code: number): number {
  if (isDigit(code)) return code - 0x30;
  const lower = code | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

/** Behind either end of a text there is no letter, digit or anything else. */
export const NOTHING = -1;
