/** Escapes of JSON, URLs and HTML: `\u0040`, `%40` and `&#64;` are an `@`, whatever they stand in. */
import { foldCodePoint, hexValue, isDigit, isLower, isWordCode } from './characters.ts';
import { ViewBuilder, decodeSequence } from './view.ts';
import type { View } from './view.ts';

const BACKSLASH = 0x5c;
const PERCENT = 0x25;
const AMPERSAND = 0x26;
const HASH = 0x23;
const SEMICOLON = 0x3b;
const LINE_FEED = 0x0a;
const SPACE = 0x20;
/** The longest name below, and the longest number of a character. */
const MAX_ENTITY = 8;

const NAMES: readonly (readonly [string, number])[] = [
  ['amp', 0x26],
  ['lt', 0x3c],
  ['gt', 0x3e],
  ['quot', 0x22],
  ['apos', 0x27],
  ['nbsp', 0xa0],
  ['ensp', 0x2002],
  ['emsp', 0x2003],
  ['thinsp', 0x2009],
  ['shy', 0xad],
  ['zwj', 0x200d],
  ['zwnj', 0x200c],
  ['commat', 0x40],
  ['period', 0x2e],
  ['lowbar', 0x5f],
  ['plus', 0x2b],
  ['colon', 0x3a],
  ['sol', 0x2f],
  ['num', 0x23],
  ['equals', 0x3d],
  ['hyphen', 0x2010],
  ['dash', 0x2010],
  ['ndash', 0x2013],
  ['mdash', 0x2014],
  ['minus', 0x2212],
  ['middot', 0xb7],
  ['tab', 0x09],
  ['newline', 0x0a],
];
const ENTITIES: ReadonlyMap<number, number> = new Map(
  NAMES.map(([name, codePoint]) => [numberOfName(name), codePoint]),
);

interface Escape {
  /** Code point, or a code of `characters.ts` that is none. */
  readonly codePoint: number;
  readonly length: number;
}

/** With each escape as the character that it stands for; undefined if there is none. */
export function decodeEscapes(view: View): View | undefined {
  const { codes, places } = view;
  let next = nextEscape(codes, 0);
  if (next === undefined) return undefined;
  const builder = new ViewBuilder(codes.length);
  const start = (at: number): number => (places === undefined ? at : (places.starts[at] ?? 0));
  const end = (at: number): number => (places === undefined ? at + 1 : (places.ends[at] ?? 0));
  let from = 0;
  while (next !== undefined) {
    const { at, escape } = next;
    builder.copy(view, from, at);
    builder.add(foldCodePoint(escape.codePoint), start(at), end(at + escape.length - 1));
    from = at + escape.length;
    next = nextEscape(codes, from);
  }
  builder.copy(view, from, codes.length);
  return builder.finish(view.steps + 2 * codes.length);
}

function nextEscape(codes: Uint8Array, from: number): { at: number; escape: Escape } | undefined {
  for (let at = from; at < codes.length; at++) {
    const code = codes[at];
    if (code !== BACKSLASH && code !== PERCENT && code !== AMPERSAND) continue;
    const escape =
      code === BACKSLASH
        ? readBackslash(codes, at)
        : code === PERCENT
          ? readPercent(codes, at)
          : readEntity(codes, at);
    if (escape !== undefined) return { at, escape };
  }
  return undefined;
}

/** The number that so many hexadecimal digits make, or -1. */
function readHex(codes: Uint8Array, at: number, count: number): number {
  let value = 0;
  for (let index = 0; index < count; index++) {
    const digit = hexValue(codes[at + index] ?? SPACE);
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

function readBackslash(codes: Uint8Array, at: number): Escape | undefined {
  switch (codes[at + 1]) {
    case 0x75: // u
      return readUnicode(codes, at);
    case 0x78: {
      // x
      const value = readHex(codes, at + 2, 2);
      return value < 0 ? undefined : { codePoint: value, length: 4 };
    }
    case 0x6e: // n
    case 0x72: // r
      return { codePoint: LINE_FEED, length: 2 };
    case 0x74: // t
      return { codePoint: SPACE, length: 2 };
    case 0x22: // "
    case 0x27: // '
    case 0x2f: // /
    case BACKSLASH:
      return { codePoint: codes[at + 1] ?? 0, length: 2 };
    default:
      return undefined;
  }
}

function readUnicode(codes: Uint8Array, at: number): Escape | undefined {
  const unit = readHex(codes, at + 2, 4);
  if (unit < 0) return undefined;
  if (unit < 0xd800 || unit > 0xdfff) return { codePoint: unit, length: 6 };
  const isPair = unit < 0xdc00 && codes[at + 6] === BACKSLASH && codes[at + 7] === 0x75;
  const low = isPair ? readHex(codes, at + 8, 4) : -1;
  if (low < 0xdc00 || low > 0xdfff) return { codePoint: 0xfffd, length: 6 };
  return { codePoint: 0x1_0000 + ((unit - 0xd800) << 10) + (low - 0xdc00), length: 12 };
}

function readPercent(codes: Uint8Array, at: number): Escape | undefined {
  const first = readHex(codes, at + 1, 2);
  if (first < 0) return undefined;
  // "50%41…" is more likely a percentage before a number: no encoder writes a letter or digit so.
  const isPercentage = isDigit(codes[at - 1] ?? SPACE) && isWordCode(first) && codes[at + 3] !== PERCENT;
  if (isPercentage) return undefined;
  if (first < 0x80) return { codePoint: first, length: 3 };
  const length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  const bytes = [first];
  for (let index = 1; index < length; index++) {
    const isNext = codes[at + 3 * index] === PERCENT;
    bytes.push(isNext ? readHex(codes, at + 3 * index + 1, 2) : -1);
  }
  const codePoint = first < 0xc2 || bytes.includes(-1) ? undefined : decodeSequence(bytes, 0, length);
  return codePoint === undefined || codePoint > 0x10_ffff
    ? { codePoint: 0xfffd, length: 3 }
    : { codePoint, length: 3 * length };
}

/** A name as a number: its letters in base 27. Exact up to ten letters. */
function numberOfName(name: string): number {
  let number = 0;
  for (let at = 0; at < name.length; at++) number = number * 27 + name.charCodeAt(at) - 0x60;
  return number;
}

function readEntity(codes: Uint8Array, at: number): Escape | undefined {
  if (codes[at + 1] === HASH) return readNumber(codes, at);
  let name = 0;
  let end = at + 1;
  for (; end - at <= MAX_ENTITY; end++) {
    const letter = (codes[end] ?? SPACE) | 0x20;
    if (!isLower(letter)) break;
    name = name * 27 + letter - 0x60;
  }
  if (codes[end] !== SEMICOLON) return undefined;
  const codePoint = ENTITIES.get(name);
  return codePoint === undefined ? undefined : { codePoint, length: end - at + 1 };
}

/** `&#64;` or `&#x40;`. */
function readNumber(codes: Uint8Array, at: number): Escape | undefined {
  const isHex = ((codes[at + 2] ?? 0) | 0x20) === 0x78;
  const base = isHex ? 16 : 10;
  const start = at + (isHex ? 3 : 2);
  let value = 0;
  let end = start;
  for (; end - start < MAX_ENTITY; end++) {
    const digit = hexValue(codes[end] ?? SPACE);
    if (digit < 0 || digit >= base) break;
    value = value * base + digit;
  }
  const isOne = end > start && codes[end] === SEMICOLON && value <= 0x10_ffff;
  return isOne ? { codePoint: value, length: end - at + 1 } : undefined;
}
