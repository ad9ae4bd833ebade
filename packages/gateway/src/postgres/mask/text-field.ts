/** Fields of COPY's format `text` (`CopyAttributeOutText`, `CopyReadAttributesText`). */
import type { CopyTextFormat } from './copy-options.ts';

const BACKSLASH = 0x5c;

/** Control characters by the letter behind the backslash. */
const LETTERS: ReadonlyMap<number, number> = new Map([
  [0x62, 0x08],
  [0x66, 0x0c],
  [0x6e, 0x0a],
  [0x72, 0x0d],
  [0x74, 0x09],
  [0x76, 0x0b],
]);
const ESCAPES: ReadonlyMap<number, number> = new Map([...LETTERS].map(([letter, byte]) => [byte, letter]));

export interface ReadField {
  /** Where its delimiter is, or the row ends. */
  readonly end: number;
  readonly value: Buffer;
  readonly isQuoted: boolean;
}

/** The field that starts at `from`. The server writes no octal or hexadecimal escapes; a byte behind a backslash is itself. */
export function readTextField(
  row: Buffer,
  from: number,
  { delimiter }: CopyTextFormat,
): ReadField | undefined {
  let end = from;
  let escapes = 0;
  for (; end < row.length && row[end] !== delimiter; end++) {
    if (row[end] !== BACKSLASH) continue;
    escapes += 1;
    end += 1;
  }
  if (end > row.length) return undefined;
  if (escapes === 0) return { end, value: row.subarray(from, end), isQuoted: false };
  const value = Buffer.allocUnsafe(end - from - escapes);
  let to = 0;
  for (let at = from; at < end; at++) {
    let byte = row[at]!;
    if (byte === BACKSLASH) {
      at += 1;
      byte = LETTERS.get(row[at]!) ?? row[at]!;
    }
    value[to] = byte;
    to += 1;
  }
  return { end, value, isQuoted: false };
}

export function writeTextField(value: Buffer, { delimiter }: CopyTextFormat): Buffer {
  const written = Buffer.allocUnsafe(2 * value.length);
  let to = 0;
  for (const byte of value) {
    const isSyntax = byte === delimiter || byte === BACKSLASH;
    const letter = ESCAPES.get(byte) ?? (isSyntax ? byte : undefined);
    if (letter !== undefined) {
      written[to] = BACKSLASH;
      to += 1;
    }
    written[to] = letter ?? byte;
    to += 1;
  }
  return written.subarray(0, to);
}
