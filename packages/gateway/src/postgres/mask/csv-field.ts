/** Fields of COPY's format `csv` (`CopyAttributeOutCSV`, `CopyReadAttributesCSV`). */
import type { CopyTextFormat } from './copy-options.ts';
import type { ReadField } from './text-field.ts';

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** The field that starts at `from`; quotes may open and close anywhere in it. Undefined: they do not close. */
export function readCsvField(
  row: Buffer,
  from: number,
  { delimiter, quote, escape }: CopyTextFormat,
): ReadField | undefined {
  const value = Buffer.allocUnsafe(row.length - from);
  let to = 0;
  let isInside = false;
  let isQuoted = false;
  let at = from;
  for (; at < row.length; at++) {
    const byte = row[at]!;
    if (!isInside) {
      if (byte === delimiter) break;
      if (byte === quote) {
        isInside = true;
        isQuoted = true;
        continue;
      }
    } else if (byte === escape && (row[at + 1] === quote || row[at + 1] === escape)) {
      at += 1;
      value[to] = row[at]!;
      to += 1;
      continue;
    } else if (byte === quote) {
      isInside = false;
      continue;
    }
    value[to] = byte;
    to += 1;
  }
  return isInside ? undefined : { end: at, value: value.subarray(0, to), isQuoted };
}

/** @param mustQuote it was quoted, or is the only one of its row (where `\.` would end the data). */
export function writeCsvField(value: Buffer, format: CopyTextFormat, mustQuote: boolean): Buffer {
  const { delimiter, quote, escape } = format;
  const isPlain =
    !mustQuote &&
    !value.equals(format.null) &&
    !value.some((byte) => byte === delimiter || byte === quote || byte === NEWLINE || byte === RETURN);
  if (isPlain) return value;
  const written = Buffer.allocUnsafe(2 * value.length + 2);
  written[0] = quote;
  let to = 1;
  for (const byte of value) {
    if (byte === quote || byte === escape) {
      written[to] = escape;
      to += 1;
    }
    written[to] = byte;
    to += 1;
  }
  written[to] = quote;
  return written.subarray(0, to + 1);
}
