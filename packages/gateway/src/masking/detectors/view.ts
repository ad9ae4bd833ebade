/** The folded form of a text in which the detectors look, and where each piece of it was. */
import { DROPPED, SYMBOL, foldCodePoint } from './characters.ts';
import { decodeEscapes } from './escapes.ts';

export interface View {
  /** One code for each visible character: see `characters.ts`. */
  readonly codes: Uint8Array;
  /** Where each began and ended in what was given. Undefined: at the same place, one unit long. */
  readonly places: Places | undefined;
  /** Characters that were looked at to make it, each as often as it was. */
  readonly steps: number;
}

export interface Places {
  readonly starts: Int32Array;
  readonly ends: Int32Array;
}

/** An escape inside of an escape inside of an escape: JSON in a URL in JSON. Deeper ones are not followed. */
const MAX_ESCAPE_DEPTH = 3;

/** Collects a view. Made for the longest that can come; `finish` cuts. */
export class ViewBuilder {
  readonly codes: Uint8Array;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  length = 0;

  constructor(capacity: number) {
    this.codes = new Uint8Array(capacity);
    this.starts = new Int32Array(capacity);
    this.ends = new Int32Array(capacity);
  }

  add(folded: number, start: number, end: number): void {
    if (folded === DROPPED) return;
    const { length } = this;
    this.codes[length] = folded;
    this.starts[length] = start;
    this.ends[length] = end;
    this.length = length + 1;
  }

  /** A piece of another view as it is. */
  copy({ codes, places }: View, from: number, to: number): void {
    let into = this.length;
    if (places === undefined) {
      for (let at = from; at < to; at++, into++) {
        this.codes[into] = codes[at] as number;
        this.starts[into] = at;
        this.ends[into] = at + 1;
      }
    } else {
      const { starts, ends } = places;
      for (let at = from; at < to; at++, into++) {
        this.codes[into] = codes[at] as number;
        this.starts[into] = starts[at] as number;
        this.ends[into] = ends[at] as number;
      }
    }
    this.length = into;
  }

  finish(steps: number): View {
    return {
      steps,
      codes: this.codes.subarray(0, this.length),
      places: {
        starts: this.starts.subarray(0, this.length),
        ends: this.ends.subarray(0, this.length),
      },
    };
  }
}

/** Of a text: places are UTF-16 units. */
export function viewOfText(text: string): View {
  const bytes = Buffer.from(text, 'utf8');
  const isAscii = bytes.length === text.length;
  return unescaped(isAscii ? { codes: bytes, places: undefined, steps: bytes.length } : foldText(text));
}

/** Of UTF-8: places are bytes. What is not UTF-8 is a symbol for each byte. */
export function viewOfBytes(bytes: Uint8Array): View {
  return unescaped(
    isAscii(bytes) ? { codes: bytes, places: undefined, steps: bytes.length } : foldBytes(bytes),
  );
}

function isAscii(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at++) if ((bytes[at] ?? 0) >= 0x80) return false;
  return true;
}

function foldText(text: string): View {
  const builder = new ViewBuilder(text.length);
  for (let at = 0; at < text.length;) {
    const unit = text.charCodeAt(at);
    if (unit < 0xd800) {
      builder.add(unit < 0x80 ? unit : foldCodePoint(unit), at, at + 1);
      at += 1;
      continue;
    }
    const codePoint = text.codePointAt(at) ?? 0;
    const next = at + (codePoint > 0xffff ? 2 : 1);
    builder.add(foldCodePoint(codePoint), at, next);
    at = next;
  }
  return builder.finish(text.length);
}

function foldBytes(bytes: Uint8Array): View {
  const builder = new ViewBuilder(bytes.length);
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at] as number;
    if (first < 0x80) {
      builder.add(first, at, at + 1);
      at += 1;
      continue;
    }
    const length = sequenceLength(first);
    const codePoint = length === 1 ? undefined : decodeSequence(bytes, at, length);
    const next = codePoint === undefined ? at + 1 : at + length;
    builder.add(codePoint === undefined ? SYMBOL : foldCodePoint(codePoint), at, next);
    at = next;
  }
  return builder.finish(bytes.length);
}

function sequenceLength(first: number): number {
  if (first < 0xc2) return 1;
  if (first < 0xe0) return 2;
  if (first < 0xf0) return 3;
  return first < 0xf5 ? 4 : 1;
}

/** Undefined where a continuation byte is missing. */
export function decodeSequence(bytes: ArrayLike<number>, at: number, length: number): number | undefined {
  let codePoint = (bytes[at] ?? 0) & (0x7f >> length);
  for (let index = 1; index < length; index++) {
    const byte = bytes[at + index] ?? 0;
    if ((byte & 0xc0) !== 0x80) return undefined;
    codePoint = (codePoint << 6) | (byte & 0x3f);
  }
  return codePoint;
}

function unescaped(view: View): View {
  let current = view;
  for (let depth = 0; depth < MAX_ESCAPE_DEPTH; depth++) {
    const decoded = decodeEscapes(current);
    if (decoded === undefined) break;
    current = decoded;
  }
  return current;
}
