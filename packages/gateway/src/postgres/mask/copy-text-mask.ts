import type { ColumnMasks, CopyMask } from './copy-mask.ts';
import { Remainder } from './copy-mask.ts';
import type { CopyTextFormat } from './copy-options.ts';
import { readCsvField, writeCsvField } from './csv-field.ts';
import { readTextField, writeTextField } from './text-field.ts';

const NEWLINE = 0x0a;

/** A field of a row: its bytes as they stand there, and its value. */
interface Field {
  readonly raw: Buffer;
  /** Null: the field is NULL. */
  readonly value: Buffer | null;
  readonly isQuoted: boolean;
}

/** The data of a COPY in format `text` or `csv`. */
export class CopyTextMask implements CopyMask {
  readonly #format: CopyTextFormat;
  readonly #masks: ColumnMasks;
  readonly #rest: Remainder;
  readonly #end = Buffer.from([NEWLINE]);
  readonly #delimiter: Buffer;
  /** What stands for NULL may be a value too. */
  readonly #isNullDoubtful: boolean;
  #isHeader: boolean;
  /** CSV: the row that is kept ends inside of quotes. What of it was looked at. */
  #isQuoted = false;
  #isEscaped = false;

  constructor(format: CopyTextFormat, masks: ColumnMasks, maxRowBytes: number) {
    this.#format = format;
    this.#masks = masks;
    this.#rest = new Remainder(maxRowBytes);
    this.#delimiter = Buffer.from([format.delimiter]);
    this.#isNullDoubtful = format.kind === 'text' && !isNeverWritten(format.null);
    this.#isHeader = format.header;
  }

  take(data: Buffer): Buffer {
    const output: Buffer[] = [];
    let start = 0;
    for (let end = this.#rowEnd(data, 0); end >= 0; end = this.#rowEnd(data, start)) {
      this.#rest.assertFits(end - start);
      this.#mask(this.#rest.join(data.subarray(start, end)), output);
      start = end + 1;
    }
    // The caller's buffer is its own: what is kept is copied.
    if (start < data.length) this.#rest.keep(Buffer.from(data.subarray(start)));
    return Buffer.concat(output);
  }

  /** Where the newline is that ends the row, or -1. */
  #rowEnd(data: Buffer, from: number): number {
    if (this.#format.kind === 'text') return data.indexOf(NEWLINE, from);
    const { quote, escape } = this.#format;
    for (let at = from; at < data.length; at++) {
      const byte = data[at]!;
      if (this.#isEscaped) this.#isEscaped = false;
      else if (byte === NEWLINE && !this.#isQuoted) return at;
      else if (this.#isQuoted && byte === escape && escape !== quote) this.#isEscaped = true;
      else if (byte === quote) this.#isQuoted = !this.#isQuoted;
    }
    return -1;
  }

  #mask(row: Buffer, output: Buffer[]): void {
    if (this.#isHeader) {
      this.#isHeader = false;
      output.push(Buffer.from(row), this.#end);
      return;
    }
    const fields = this.#read(row);
    for (let index = 0; index < this.#masks.length; index++) {
      if (index > 0) output.push(this.#delimiter);
      // A row that is not as it should be is withheld field by field.
      output.push(
        fields?.length === this.#masks.length ? this.#written(fields[index]!, index) : this.#format.null,
      );
    }
    output.push(this.#end);
  }

  #written({ raw, value, isQuoted }: Field, index: number): Buffer {
    const mask = this.#masks[index];
    if (mask === undefined || value === null) return raw;
    const masked = mask.apply(value, 0, value.length);
    if (masked === undefined) return raw;
    if (masked === null) return this.#format.null;
    if (this.#format.kind === 'text') return writeTextField(masked, this.#format);
    return writeCsvField(masked, this.#format, isQuoted || this.#masks.length === 1);
  }

  /** Undefined: it cannot be read. */
  #read(row: Buffer): Field[] | undefined {
    const fields: Field[] = [];
    const read = this.#format.kind === 'text' ? readTextField : readCsvField;
    for (let at = 0; ;) {
      const field = read(row, at, this.#format);
      if (field === undefined || fields.length === this.#masks.length) return undefined;
      const raw = row.subarray(at, field.end);
      // `NULL '123456789'` would tell whose number that is: what may be a value is masked like one.
      const isNull = !this.#isNullDoubtful && !field.isQuoted && raw.equals(this.#format.null);
      fields.push({ raw, value: isNull ? null : field.value, isQuoted: field.isQuoted });
      if (field.end === row.length) return fields;
      at = field.end + 1;
    }
  }
}

/** Format `text`: no value is written as a backslash and a capital letter. CSV quotes values that are written like NULL. */
function isNeverWritten(mark: Buffer): boolean {
  return /^\\[A-Z]$/.test(mark.toString('latin1'));
}
