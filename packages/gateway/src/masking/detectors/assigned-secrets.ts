/** `password=…`, `"api_key": "…"`: a secret by the word in front of it. */
import { NOTHING, isDigit, isLetter, isLower, isUpper, isWordCode } from './characters.ts';
import { SURENESS, report } from './scan.ts';
import type { Scan } from './scan.ts';
import type { MarkHit } from './words.ts';

const EQUALS = 0x3d;
const COLON = 0x3a;
const SPACE = 0x20;
const TAB = 0x09;
const MAX_VALUE = 1024;
/** Between the word and what is assigned: `password_for_db" = "`. */
const MAX_KEY_REST = 24;
const MIN_PASSWORD = 4;
const MIN_RANDOM = 16;

/** What ends a value that is not in quotes: always, or where the text around goes on behind it. */
const ALWAYS = 1;
const PERHAPS = 2;
const ends = new Uint8Array(256);
for (const character of ' \t\n\r"\'`') ends[character.charCodeAt(0)] = ALWAYS;
for (const character of ',;&<>)]}|') ends[character.charCodeAt(0)] = PERHAPS;
const AMPERSAND = 0x26;
const OPENINGS = new Set([0x28, 0x5b, 0x7b]);
/** Punctuation in a row. */
const MAX_SIGNS = 2;
/** The name of a next setting is no longer. */
const MAX_NAME = 32;

const QUOTES = new Set([0x22, 0x27, 0x60]);

/** What stands where a password would, and is none. */
const PLACEHOLDERS: ReadonlySet<string> = new Set(
  (
    'null none nil true false undefined empty string text varchar required optional password passwd secret token changed ' +
    'expired invalid incorrect wrong missing reset unknown redacted hidden masked yes no not void todo tbd bytea char integer boolean is must'
  ).split(' '),
);

interface Value {
  readonly start: number;
  readonly end: number;
  /** What it is in; `NOTHING`: in none. */
  readonly quote: number;
  /** `=` or `:` right before it, without a space, or in quotes: nobody writes prose so. */
  readonly isTight: boolean;
}

/** The assigned values of one text, asked from left to right. */
export class AssignedReader {
  readonly #scan: Scan;
  /** The value that was walked through last: one that begins in it ends where it does. */
  #last: Value | undefined;
  /** One that may look random, until it is known that no other word with a value of its own stands in it. */
  #pending: Value | undefined;

  constructor(scan: Scan) {
    this.#scan = scan;
  }

  /** Gives the place behind what was found; 0 if nothing was, or not yet. `next`: where the next mark stands. */
  read(hit: MarkHit, next: number): number {
    const value = this.#valueBehind(hit.end, next);
    if (value === undefined) return 0;
    this.#pending = undefined;
    if (hit.mark === 'random') {
      if (value.end - value.start >= MIN_RANDOM) this.#pending = value;
      return 0;
    }
    if (value.end - value.start < MIN_PASSWORD || !isPassword(this.#scan.codes, value)) return 0;
    report(this.#scan, 'secret', value, surenessOf(value), 'password or secret, named by the word before it');
    return value.end;
  }

  /** Settles what is pending, if no mark before `place` can be in it. Gives the place behind it if it is a secret, else 0. */
  finish(place: number): number {
    const value = this.#pending;
    if (value === undefined || place < value.end) return 0;
    this.#pending = undefined;
    this.#scan.steps += Math.min(SAMPLE, value.end - value.start);
    if (!looksRandom(this.#scan.codes, value.start, value.end)) return 0;
    const why = 'looks random, and the word before it says key or token';
    report(this.#scan, 'secret', value, surenessOf(value), why);
    return value.end;
  }

  #valueBehind(from: number, next: number): Value | undefined {
    const { codes } = this.#scan;
    const sign = findSign(this.#scan, from, next);
    if (sign === -1) return undefined;
    let start = sign;
    while (start - sign < 4 && (codes[start] === SPACE || codes[start] === TAB)) start += 1;
    const first = codes[start] ?? NOTHING;
    const isQuoted = QUOTES.has(first);
    if (isQuoted) start += 1;
    const isTight = isQuoted || (start === sign && codes[sign - 1] !== SPACE);
    const end = this.#endOf(start, isQuoted ? first : NOTHING);
    this.#last = { start, end, quote: isQuoted ? first : NOTHING, isTight };
    return this.#last;
  }

  #endOf(start: number, quote: number): number {
    const last = this.#last;
    if (last !== undefined && last.quote === quote && last.start <= start && start < last.end)
      return last.end;
    const { codes } = this.#scan;
    const limit = Math.min(codes.length, start + MAX_VALUE);
    let end = start;
    if (quote !== NOTHING) while (end < limit && codes[end] !== quote && codes[end] !== 0x0a) end += 1;
    else {
      while (end < limit && !isEnd(this.#scan, end)) end += 1;
      while (end > start && codes[end - 1] === 0x2e) end -= 1;
    }
    this.#scan.steps += end - start;
    return end;
  }
}

const surenessOf = ({ isTight }: Value): number => (isTight ? SURENESS.high : SURENESS.good);

/** `&` may be in a password; in `password=x&user=y`, `{password: x}` and `password=x; y` there is more text behind it. */
function isEnd(scan: Scan, at: number): boolean {
  const { codes } = scan;
  const kind = ends[codes[at] as number];
  if (kind !== PERHAPS) return kind === ALWAYS;
  let next = at + 1;
  while (next - at < MAX_SIGNS && (ends[codes[next] ?? SPACE] === PERHAPS || OPENINGS.has(codes[next] ?? 0)))
    next += 1;
  const isLast = ends[codes[next] ?? SPACE] === ALWAYS;
  if (isLast) return codes[at] !== AMPERSAND;
  const name = next;
  while (next - name < MAX_NAME && (isWordCode(codes[next] ?? NOTHING) || isNameSign(codes[next] ?? NOTHING)))
    next += 1;
  scan.steps += next - at;
  return next > name && (codes[next] === EQUALS || codes[next] === COLON);
}

/** Behind the `=`, `:`, `:=`, `=>` or ` is ` that follows the word; -1 if none does. */
function findSign(scan: Scan, from: number, next: number): number {
  const { codes } = scan;
  const limit = Math.min(codes.length, from + MAX_KEY_REST, next);
  let at = from;
  // What is left of the name: "_for_db", "Hash", "[0]", and the quote of a key.
  while (at < limit && (isWordCode(codes[at] as number) || isNameSign(codes[at] as number))) at += 1;
  const spaces = at;
  while (at < codes.length && at - spaces < 3 && (codes[at] === SPACE || codes[at] === TAB)) at += 1;
  scan.steps += at - from;
  const code = codes[at];
  if (code === COLON || code === EQUALS) {
    const second = codes[at + 1];
    // "secret://" is a scheme, and "==" compares, as does "=~".
    if (code === COLON && second === 0x2f && codes[at + 2] === 0x2f) return -1;
    return second === EQUALS || second === 0x3e || (code === COLON && second === COLON) ? at + 2 : at + 1;
  }
  const isIs = codes[at] === 0x69 && codes[at + 1] === 0x73 && codes[at + 2] === SPACE && at > spaces;
  return isIs && spaces === from ? at + 3 : -1;
}

const isNameSign = (code: number): boolean =>
  code === 0x5f ||
  code === 0x2d ||
  code === 0x22 ||
  code === 0x27 ||
  code === 0x5b ||
  code === 0x5d ||
  code === 0x60;

function isPassword(codes: Uint8Array, { start, end, isTight }: Value): boolean {
  if (isPlaceholder(codes, start, end)) return false;
  if (isTight) return true;
  // "password: must be changed" is prose, "password: Tr0ub4dor" is none; a single word at the end of a line may be one.
  const behind = codes[end] ?? NOTHING;
  return !isProse(codes, start, end) || behind === NOTHING || behind === 0x0a;
}

function isProse(codes: Uint8Array, start: number, end: number): boolean {
  for (let at = start; at < end; at++) {
    const code = codes[at] as number;
    if (!isLower(code) && !(at === start && isUpper(code))) return false;
  }
  return true;
}

function isPlaceholder(codes: Uint8Array, start: number, end: number): boolean {
  const first = codes[start] ?? NOTHING;
  const second = codes[start + 1] ?? NOTHING;
  // ${NAME}, $NAME, {{name}}, <name>, %s, %(name)s, [redacted]: it stands elsewhere.
  if (first === 0x24 && (second === 0x7b || second === 0x28 || isName(codes, start + 1, end))) return true;
  if (first === 0x25 && (second === 0x28 || (end - start === 2 && isLetter(second)))) return true;
  if (first === 0x7b || first === 0x3c || first === 0x5b) return true;
  let isSame = true;
  for (let at = start + 1; at < end && isSame; at++) isSame = codes[at] === first;
  if (isSame && !isDigit(first)) return true;
  if (end - start > 12) return false;
  return PLACEHOLDERS.has(String.fromCharCode(...codes.subarray(start, end)).toLowerCase());
}

/** `DB_PASSWORD` or `db_password`, not `hbOlL1z`. */
function isName(codes: Uint8Array, start: number, end: number): boolean {
  const isSmall = isLower(codes[start] ?? NOTHING);
  for (let at = start; at < end; at++) {
    const code = codes[at] as number;
    if (code !== 0x5f && !(isSmall ? isLower(code) : isUpper(code))) return false;
  }
  return end > start;
}

/** The first so many codes tell. */
const SAMPLE = 64;
const counts = new Uint8Array(256);

/** Whether it can be chance: enough different characters for its length, of more than one kind, and no words. */
export function looksRandom(codes: Uint8Array, start: number, end: number): boolean {
  const to = Math.min(end, start + SAMPLE);
  const length = to - start;
  let digits = 0;
  let upper = 0;
  let lower = 0;
  let signs = 0;
  let changes = 0;
  for (let at = start; at < to; at++) {
    const code = codes[at] as number;
    counts[code] = (counts[code] ?? 0) + 1;
    if (isDigit(code)) digits += 1;
    else if (isUpper(code)) upper += 1;
    else if (isLower(code)) lower += 1;
    else signs += 1;
    if (at > start && isDigit(code) !== isDigit(codes[at - 1] as number)) changes += 1;
  }
  let entropy = 0;
  for (let at = start; at < to; at++) {
    const code = codes[at] as number;
    const count = counts[code] ?? 0;
    if (count > 0) entropy -= (count / length) * Math.log2(count / length);
    counts[code] = 0;
  }
  if (length < MIN_RANDOM || signs * 3 > length) return false;
  const isMixed = digits > 0 && upper + lower > 0 && changes >= 3;
  const isCased = upper >= 3 && lower >= 3 && entropy > 3.6;
  return entropy >= 3 && (isMixed || isCased);
}
