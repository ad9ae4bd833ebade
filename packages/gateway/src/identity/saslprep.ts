import { L, NOTHING, PROHIBITED, R_AND_AL, SPACE, UNASSIGNED } from './saslprep-tables.ts';

/**
 * Prepares a password as PostgreSQL does (`pg_saslprep` in src/common/saslprep.c), so that a verifier made by either
 * side fits the other. PostgreSQL is not quite RFC 4013, and we follow PostgreSQL:
 *
 * - ASCII is left alone, control characters included.
 * - Prohibited, unassigned and bidirectional characters are looked for after mapping, before normalisation.
 * - What SASLprep forbids is used as it came, not refused.
 */
export function saslprep(password: string): string {
  // oxlint-disable-next-line no-control-regex -- the whole of ASCII is meant
  if (/^[\x00-\x7f]*$/.test(password)) return password;
  const mapped: number[] = [];
  for (const character of password) {
    const code = character.codePointAt(0) ?? 0;
    if (inTable(tables.space, code)) mapped.push(0x20);
    else if (!inTable(tables.nothing, code)) mapped.push(code);
  }
  if (mapped.length === 0 || isForbidden(mapped)) return password;
  return mapped
    .map((code) => String.fromCodePoint(code))
    .join('')
    .normalize('NFKC');
}

function isForbidden(codes: readonly number[]): boolean {
  if (codes.some((code) => inTable(tables.prohibited, code) || inTable(tables.unassigned, code))) return true;
  if (!codes.some((code) => inTable(tables.rightToLeft, code))) return false;
  return (
    codes.some((code) => inTable(tables.leftToRight, code)) ||
    !inTable(tables.rightToLeft, codes[0] ?? 0) ||
    !inTable(tables.rightToLeft, codes.at(-1) ?? 0)
  );
}

/** First and last code point of each range, flat and ascending. */
type Ranges = readonly number[];

const tables = {
  space: parseRanges(SPACE),
  nothing: parseRanges(NOTHING),
  prohibited: parseRanges(PROHIBITED),
  unassigned: parseRanges(UNASSIGNED),
  rightToLeft: parseRanges(R_AND_AL),
  leftToRight: parseRanges(L),
};

function parseRanges(text: string): Ranges {
  return text
    .trim()
    .split(/\s+/)
    .flatMap((range) => {
      const [first = '', last = first] = range.split('-');
      return [Number.parseInt(first, 16), Number.parseInt(last, 16)];
    });
}

function inTable(ranges: Ranges, code: number): boolean {
  let low = 0;
  let high = ranges.length / 2 - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    if (code < (ranges[2 * middle] ?? 0)) high = middle - 1;
    else if (code > (ranges[2 * middle + 1] ?? 0)) low = middle + 1;
    else return true;
  }
  return false;
}
