/**
 * A scanner for PostgreSQL's lexical structure (chapter 4.1 of the manual; scan.l of 13 to 18), for the session that
 * the gateway pins: standard_conforming_strings=on, client_encoding=UTF8.
 *
 * It finds the same boundaries of comments, strings and identifiers as the server. Where majors differ (`1abc`, `0x1`,
 * a vertical tab), the newer ones either read the same boundaries or refuse the text. One pass, no regular
 * expression, no allocation per token.
 */
import { WORD_NONE, findWord, hashStep } from './words.ts';

export const TOKEN = {
  /** The text is at its end. */
  end: 0,
  identifier: 1,
  /** `"…"` */
  quotedIdentifier: 2,
  /** `U&"…"` */
  unicodeIdentifier: 3,
  /** `'…'` and `N'…'` */
  string: 4,
  /** `E'…'` */
  escapeString: 5,
  /** `U&'…'` */
  unicodeString: 6,
  /** `B'…'`, `X'…'` */
  bitString: 7,
  /** `$tag$…$tag$` */
  dollarString: 8,
  number: 9,
  /** `$1` */
  parameter: 10,
  operator: 11,
  /** One of `,()[].;:` or a byte that means nothing to the server. */
  punctuation: 12,
  /** A comment, string or quoted identifier without an end, or a NUL. Nothing follows it. */
  broken: 13,
} as const;

export type TokenKind = (typeof TOKEN)[keyof typeof TOKEN];

// Classes of bytes.
const SPACE = 1;
const LETTER = 2; // begins an identifier
const DIGIT = 4;
const OPERATOR = 8;
const IDENTIFIER = 16; // continues an identifier
/** Lets an operator of several characters end in + or - (`~ ! @ # ^ & | ` ? %`). */
const OPERATOR_MARK = 32;

const CLASS = new Uint8Array(256);
for (const byte of Buffer.from(' \t\n\r\f\v')) CLASS[byte] = SPACE;
for (let byte = 0x80; byte < 256; byte++) CLASS[byte] = LETTER | IDENTIFIER;
for (const byte of Buffer.from('ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_'))
  CLASS[byte] = LETTER | IDENTIFIER;
for (const byte of Buffer.from('0123456789')) CLASS[byte] = DIGIT | IDENTIFIER;
for (const byte of Buffer.from('+-*/<>=')) CLASS[byte] = OPERATOR;
for (const byte of Buffer.from('~!@#^&|`?%')) CLASS[byte] = OPERATOR | OPERATOR_MARK;

const NEWLINE = 0x0a;
const RETURN = 0x0d;
const DOUBLE_QUOTE = 0x22;
const DOLLAR = 0x24;
const AMPERSAND = 0x26;
const QUOTE = 0x27;
const STAR = 0x2a;
const PLUS = 0x2b;
const MINUS = 0x2d;
const POINT = 0x2e;
const SLASH = 0x2f;
const BACKSLASH = 0x5c;
CLASS[DOLLAR] = IDENTIFIER;

/** Walks one text. After `next()`, the fields describe the token that it returned. */
export class Scanner {
  readonly bytes: Uint8Array;
  readonly limit: number;
  /** Where the text begins. */
  readonly origin: number;
  kind: TokenKind = TOKEN.end;
  /** First byte of the token, prefix and quotes included. */
  start = 0;
  /** One after its last byte. */
  end: number;
  /** For an unquoted identifier that is one of our words: its number, else `WORD_NONE`. */
  word = WORD_NONE;
  /** For a string or quoted identifier: it goes on after white space with a newline (`'a'⏎'b'`). */
  continued = false;
  /** The server would stop at a NUL, other readers would not: such a text is broken from its first token on. */
  readonly #hasNul: boolean;

  constructor(bytes: Uint8Array, start = 0, limit: number = bytes.length, isKnownWithoutNul = false) {
    this.bytes = bytes;
    this.origin = start;
    this.end = start;
    this.limit = limit;
    if (isKnownWithoutNul) this.#hasNul = false;
    else {
      const nul = bytes.indexOf(0, start);
      this.#hasNul = nul >= 0 && nul < limit;
    }
  }

  /** A second scanner that begins at `from`: for looking ahead. It does not read the rest of the text for a NUL again. */
  static behind(bytes: Uint8Array, from: number, limit: number): Scanner {
    return new Scanner(bytes, from, limit, true);
  }

  next(): TokenKind {
    const { bytes, limit } = this;
    let at = this.end;
    this.word = WORD_NONE;
    if (this.#hasNul) return this.#broken();
    while (at < limit) {
      const byte = bytes[at]!;
      if (CLASS[byte] === SPACE) at++;
      else if (byte === MINUS && this.#at(at + 1) === MINUS) at = this.#skipLine(at + 2);
      else if (byte === SLASH && this.#at(at + 1) === STAR) {
        this.start = at;
        at = this.#skipComment(at + 2);
        if (at < 0) return this.#broken();
      } else return this.#token(at, byte);
    }
    this.start = limit;
    return this.#is(TOKEN.end, limit);
  }

  /** The byte of a punctuation or one-byte operator token, else -1. */
  get symbol(): number {
    const single =
      this.end - this.start === 1 && (this.kind === TOKEN.punctuation || this.kind === TOKEN.operator);
    return single ? this.bytes[this.start]! : -1;
  }

  #is(kind: TokenKind, end: number): TokenKind {
    this.kind = kind;
    this.end = end;
    return kind;
  }

  #broken(): TokenKind {
    return this.#is(TOKEN.broken, this.limit);
  }

  /** The byte at an offset, or -1 behind the end. */
  #at(offset: number): number {
    return offset < this.limit ? this.bytes[offset]! : -1;
  }

  #token(at: number, byte: number): TokenKind {
    this.start = at;
    const kind = CLASS[byte]!;
    if ((kind & LETTER) !== 0) return this.#identifierOrPrefix(at, byte);
    if ((kind & DIGIT) !== 0) return this.#number(at);
    if ((kind & OPERATOR) !== 0) return this.#operator(at);
    switch (byte) {
      case QUOTE:
        return this.#quoted(TOKEN.string, at + 1, QUOTE);
      case DOUBLE_QUOTE:
        return this.#quoted(TOKEN.quotedIdentifier, at + 1, DOUBLE_QUOTE);
      case DOLLAR:
        return this.#dollar(at);
      case POINT:
        if ((CLASS[this.#at(at + 1)]! & DIGIT) !== 0) return this.#number(at);
        return this.#is(TOKEN.punctuation, at + 1);
      default:
        return this.#is(TOKEN.punctuation, at + 1);
    }
  }

  /** As scan.l has it, a prefix counts only directly before the quote; otherwise it is an identifier. */
  #identifierOrPrefix(at: number, byte: number): TokenKind {
    const following = this.#at(at + 1);
    if (following === QUOTE) {
      switch (byte | 0x20) {
        case 0x65: // e
          return this.#escapeString(at + 2);
        case 0x62: // b
        case 0x78: // x
          return this.#quoted(TOKEN.bitString, at + 2, QUOTE);
        case 0x6e: // n
          return this.#quoted(TOKEN.string, at + 2, QUOTE);
        default:
          break;
      }
    } else if (following === AMPERSAND && (byte | 0x20) === 0x75) {
      const quote = this.#at(at + 2);
      if (quote === QUOTE) return this.#quoted(TOKEN.unicodeString, at + 3, QUOTE);
      if (quote === DOUBLE_QUOTE) return this.#quoted(TOKEN.unicodeIdentifier, at + 3, DOUBLE_QUOTE);
    }
    return this.#identifier(at);
  }

  #identifier(start: number): TokenKind {
    const { bytes, limit } = this;
    let hash = 0;
    let at = start;
    for (; at < limit; at++) {
      let byte = bytes[at]!;
      if ((CLASS[byte]! & IDENTIFIER) === 0) break;
      if (byte >= 0x41 && byte <= 0x5a) byte |= 0x20;
      hash = hashStep(hash, byte);
    }
    this.word = findWord(bytes, start, at, hash);
    return this.#is(TOKEN.identifier, at);
  }

  /** Digits, fraction, exponent. What older majors let stand directly behind it (`1abc`) is a token of its own. */
  #number(start: number): TokenKind {
    let at = this.#skipDigits(start);
    if (this.#at(at) === POINT && this.#at(at + 1) !== POINT) at = this.#skipDigits(at + 1);
    if ((this.#at(at) | 0x20) === 0x65) {
      const sign = this.#at(at + 1);
      const digits = sign === PLUS || sign === MINUS ? at + 2 : at + 1;
      const after = this.#skipDigits(digits);
      if (after > digits) at = after;
    }
    return this.#is(TOKEN.number, at);
  }

  #skipDigits(from: number): number {
    let at = from;
    while (at < this.limit && (CLASS[this.bytes[at]!]! & DIGIT) !== 0) at++;
    return at;
  }

  /** A comment may begin inside a run of operator characters; a trailing + or - is an operator of its own. */
  #operator(start: number): TokenKind {
    const { bytes, limit } = this;
    let at = start;
    let marked = false;
    while (at < limit && (CLASS[bytes[at]!]! & OPERATOR) !== 0) {
      const byte = bytes[at]!;
      const following = this.#at(at + 1);
      if ((byte === MINUS && following === MINUS) || (byte === SLASH && following === STAR)) break;
      marked ||= (CLASS[byte]! & OPERATOR_MARK) !== 0;
      at++;
    }
    if (!marked) {
      while (at - start > 1 && (bytes[at - 1] === PLUS || bytes[at - 1] === MINUS)) at--;
    }
    return this.#is(TOKEN.operator, at);
  }

  #dollar(start: number): TokenKind {
    const { bytes } = this;
    let at = start + 1;
    if ((CLASS[this.#at(at)]! & DIGIT) !== 0) return this.#is(TOKEN.parameter, this.#skipDigits(at));
    if ((CLASS[this.#at(at)]! & LETTER) !== 0) {
      while (at < this.limit && bytes[at] !== DOLLAR && (CLASS[bytes[at]!]! & IDENTIFIER) !== 0) at++;
    }
    if (this.#at(at) !== DOLLAR) return this.#is(TOKEN.punctuation, start + 1);
    const end = this.#findDelimiter(at + 1, start, at + 1);
    return end < 0 ? this.#broken() : this.#is(TOKEN.dollarString, end);
  }

  /** The end of the first `bytes[from, to)` (a dollar-quote delimiter) at or after `at`, or -1. Linear. */
  #findDelimiter(at: number, from: number, to: number): number {
    const { bytes, limit } = this;
    const length = to - from;
    for (let first = bytes.indexOf(DOLLAR, at); first >= 0 && first + length <= limit;) {
      let same = 1;
      while (same < length && bytes[first + same] === bytes[from + same]) same++;
      if (same === length) return first + length;
      // A tag holds no dollar, so no match can begin before the byte that differed.
      first = bytes.indexOf(DOLLAR, first + same);
    }
    return -1;
  }

  /** Everything quoted by `quote` in which only a doubled quote is special. `from`: after the opening quote. */
  #quoted(kind: TokenKind, from: number, quote: number): TokenKind {
    const { bytes, limit } = this;
    this.continued = false;
    let at = from;
    for (;;) {
      at = bytes.indexOf(quote, at);
      if (at < 0 || at >= limit) return this.#broken();
      at++;
      if (this.#at(at) === quote) {
        at++;
        continue;
      }
      const next = quote === QUOTE ? this.#continuation(at) : -1;
      if (next < 0) return this.#is(kind, at);
      this.continued = true;
      at = next + 1;
    }
  }

  #escapeString(from: number): TokenKind {
    const { bytes, limit } = this;
    this.continued = false;
    let at = from;
    while (at < limit) {
      const byte = bytes[at]!;
      if (byte === BACKSLASH) at += 2;
      else if (byte !== QUOTE) at++;
      else if (this.#at(at + 1) === QUOTE) at += 2;
      else {
        const next = this.#continuation(at + 1);
        if (next < 0) return this.#is(TOKEN.escapeString, at + 1);
        this.continued = true;
        at = next + 1;
      }
    }
    return this.#broken();
  }

  /** Where a string goes on: the next quote, if only white space with a newline (and `--` comments) lies before it. */
  #continuation(from: number): number {
    let at = from;
    let newline = false;
    for (;;) {
      const byte = this.#at(at);
      if (byte === NEWLINE || byte === RETURN) {
        newline = true;
        at++;
      } else if (byte >= 0 && CLASS[byte] === SPACE) at++;
      else if (byte === MINUS && this.#at(at + 1) === MINUS) at = this.#skipLine(at + 2);
      else return newline && byte === QUOTE ? at : -1;
    }
  }

  #skipLine(from: number): number {
    let at = from;
    while (at < this.limit && this.bytes[at] !== NEWLINE && this.bytes[at] !== RETURN) at++;
    return at;
  }

  /** Comments nest. Returns -1 if it has no end. */
  #skipComment(from: number): number {
    const { bytes, limit } = this;
    let depth = 1;
    let at = from;
    while (at + 1 < limit) {
      const byte = bytes[at]!;
      if (byte === STAR && bytes[at + 1] === SLASH) {
        at += 2;
        if (--depth === 0) return at;
      } else if (byte === SLASH && bytes[at + 1] === STAR) {
        at += 2;
        depth++;
      } else at++;
    }
    return -1;
  }
}
