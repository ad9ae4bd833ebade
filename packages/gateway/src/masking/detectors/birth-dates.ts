/** Dates that a word beside them says somebody was born on. A date alone says nothing of anybody. */
import { NOTHING, isDigit, isLetter, isWordCode } from './characters.ts';
import { SURENESS, report } from './scan.ts';
import type { Scan } from './scan.ts';

/** A date begins so near behind its word. */
const REACH = 40;
/** A second one begins so near behind the first: in a list. */
const NEXT_REACH = 6;
/** A date ends so near before its word: "1980-02-29 (date of birth)". */
const BACK_REACH = 4;
const MAX_DATE = 24;
const MIN_YEAR = 1880;
const MAX_YEAR = 2079;
const WHY = 'date of birth: a date, a word beside it says so';

/** By three letters, in the languages whose words for birth are looked for. */
const MONTHS =
  'jan feb mar apr may jun jul aug sep oct nov dec mär mai okt dez ene abr ago dic fév avr jui aoû déc'.split(
    ' ',
  );

export function findBirthDates(scan: Scan): void {
  const { starts, ends } = scan.words.contexts.birth;
  for (let index = 0; index < ends.length; index++) {
    const end = ends[index] ?? 0;
    const next = starts[index + 1] ?? Infinity;
    findBehind(scan, end, Math.min(scan.codes.length, next));
    findBefore(scan, starts[index] ?? 0, index === 0 ? 0 : (ends[index - 1] ?? 0));
  }
}

/** `next`: where the next such word is. */
function findBehind(scan: Scan, from: number, next: number): void {
  let limit = Math.min(next, from + REACH, scan.codes.length);
  for (let at = from; at < limit; at++) {
    scan.steps += 1;
    const end = isWordCode(scan.codes[at] as number) ? endOfDate(scan, at) : -1;
    if (end === -1) continue;
    report(scan, 'birth-date', { start: at, end }, SURENESS.high, WHY);
    at = end;
    limit = Math.min(next, end + NEXT_REACH, scan.codes.length);
  }
}

/** The date that ends right before the word. */
function findBefore(scan: Scan, word: number, lowest: number): void {
  const { codes } = scan;
  let end = word;
  while (end > lowest && word - end < BACK_REACH && !isDigit(codes[end - 1] as number)) end -= 1;
  if (end === lowest || !isDigit(codes[end - 1] as number)) return;
  for (let start = Math.max(lowest, end - 10); start <= end - 6; start++) {
    scan.steps += 1;
    if (endOfDate(scan, start) === end) {
      report(scan, 'birth-date', { start, end }, SURENESS.good, WHY);
      return;
    }
  }
}

/** Behind the date that begins here; -1 if none does. */
function endOfDate(scan: Scan, at: number): number {
  const { codes } = scan;
  const code = codes[at] ?? NOTHING;
  const previous = codes[at - 1] ?? NOTHING;
  if (isDigit(code)) return isDigit(previous) ? -1 : endOfDigits(scan, at);
  if (!isLetter(code) || isLetter(previous)) return -1;
  return isMonth(codes, at) ? endOfMonthFirst(scan, at) : -1;
}

/** A cursor over the parts of one date. */
class DateReader {
  readonly #scan: Scan;
  at: number;

  constructor(scan: Scan, at: number) {
    this.#scan = scan;
    this.at = at;
  }

  /** A number of one to eight digits, as value and length. */
  number(): { value: number; length: number } {
    const from = this.at;
    let value = 0;
    while (this.at - from < 9 && isDigit(this.#code())) {
      value = value * 10 + this.#code() - 0x30;
      this.at += 1;
      this.#scan.steps += 1;
    }
    return { value, length: this.at - from };
  }

  /** Skips what may stand between parts; gives whether there was any. */
  gap(): boolean {
    const from = this.at;
    while (this.at - from < 3 && isGap(this.#code())) this.at += 1;
    return this.at > from;
  }

  /** Skips a word. */
  word(): void {
    const from = this.at;
    while (this.at - from < MAX_DATE && isLetter(this.#code())) this.at += 1;
    this.#scan.steps += this.at - from;
  }

  isMonth(): boolean {
    return isMonth(this.#scan.codes, this.at);
  }

  #code(): number {
    return this.#scan.codes[this.at] ?? NOTHING;
  }
}

const isGap = (code: number): boolean =>
  code === 0x20 || code === 0x2d || code === 0x2e || code === 0x2f || code === 0x2c || code === 0x5f;

const isYear = (value: number, length: number): boolean =>
  length === 4 ? value >= MIN_YEAR && value <= MAX_YEAR : length === 2;

const isMonthNumber = (value: number): boolean => value >= 1 && value <= 12;
const isDay = (value: number): boolean => value >= 1 && value <= 31;

function endOfDigits(scan: Scan, start: number): number {
  const reader = new DateReader(scan, start);
  const first = reader.number();
  if (first.length === 8) return isCompact(first.value) ? reader.at : -1;
  if (first.length === 3 || first.length > 4) return -1;
  // 12th of May 1980
  if (first.length <= 2) skipOrdinal(scan, reader);
  if (!reader.gap()) return -1;
  if (reader.isMonth())
    return isDay(first.value) || first.length === 4 ? endOfNamed(reader, first.length === 4) : -1;
  const second = reader.number();
  if (second.length === 0 || second.length > 2 || !reader.gap()) return -1;
  const third = reader.number();
  if (isDigit(scan.codes[reader.at] ?? NOTHING)) return -1;
  if (first.length === 4) {
    const isDate =
      isYear(first.value, 4) && isMonthNumber(second.value) && isDay(third.value) && third.length <= 2;
    return isDate ? reader.at : -1;
  }
  const isEither =
    (isMonthNumber(first.value) && isDay(second.value)) ||
    (isDay(first.value) && isMonthNumber(second.value));
  return isEither && isYear(third.value, third.length) ? reader.at : -1;
}

function isCompact(value: number): boolean {
  const isYearFirst =
    isYear(Math.floor(value / 10_000), 4) &&
    isMonthNumber(Math.floor(value / 100) % 100) &&
    isDay(value % 100);
  const month = Math.floor(value / 1_000_000);
  const day = Math.floor(value / 10_000) % 100;
  return isYearFirst || (isYear(value % 10_000, 4) && isMonthNumber(month) && isDay(day));
}

function skipOrdinal(scan: Scan, reader: DateReader): void {
  if (!isLetter(scan.codes[reader.at] ?? NOTHING)) return;
  const pair = String.fromCharCode(scan.codes[reader.at] ?? 0, scan.codes[reader.at + 1] ?? 0).toLowerCase();
  if (!['st', 'nd', 'rd', 'th'].includes(pair)) return;
  reader.at += 2;
  const { at } = reader;
  const rest = String.fromCharCode(...scan.codes.subarray(at, at + 4)).toLowerCase();
  if (rest === ' of ') reader.at += 3;
}

/** Behind the year of `12 May 1980`, or the day of `1980 May 12`; the reader is at the month. */
function endOfNamed(reader: DateReader, isYearFirst: boolean): number {
  reader.word();
  if (!reader.gap()) return -1;
  const last = reader.number();
  const isLast = isYearFirst ? isDay(last.value) && last.length <= 2 : isYear(last.value, last.length);
  return isLast && last.length > 0 ? reader.at : -1;
}

/** Behind `May 12, 1980` or `May 1980`. */
function endOfMonthFirst(scan: Scan, start: number): number {
  const reader = new DateReader(scan, start);
  reader.word();
  if (!reader.gap()) return -1;
  const day = reader.number();
  if (day.length === 4) return isYear(day.value, 4) ? reader.at : -1;
  skipOrdinal(scan, reader);
  if (!isDay(day.value) || day.length > 2 || !reader.gap()) return -1;
  const year = reader.number();
  return isYear(year.value, year.length) ? reader.at : -1;
}

/** By its first three letters; one beyond ASCII is any other. */
function isMonth(codes: Uint8Array, at: number): boolean {
  return months[(letterAt(codes, at) * 27 + letterAt(codes, at + 1)) * 27 + letterAt(codes, at + 2)] === 1;
}

/** 1 to 26; 0: a letter beyond ASCII, and anything that is none, which ends no name. */
function letterAt(codes: ArrayLike<number>, at: number): number {
  const code = codes[at] ?? 0;
  const lower = code | 0x20;
  return code < 0x80 && lower >= 0x61 && lower <= 0x7a ? lower - 0x60 : 0;
}

const months = new Uint8Array(27 ** 3);
for (const name of MONTHS) {
  const codes = Array.from(name, (letter) => letter.charCodeAt(0));
  months[(letterAt(codes, 0) * 27 + letterAt(codes, 1)) * 27 + letterAt(codes, 2)] = 1;
}
