import { Scanner, TOKEN } from './lexer.ts';
import { plainText } from './setting-changes.ts';
import { WORD } from './words.ts';

const NAMED_ESCAPES: Readonly<Record<string, string>> = { b: '\b', f: '\f', n: '\n', r: '\r', t: '\t' };
const NUMERIC_ESCAPE = /x([0-9A-Fa-f]{1,2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|([0-7]{1,3})/y;
const QUOTE = 0x27;
const MAX_CODE_POINT = 0x10ffff;

/**
 * The text that a string token stands for, as the server will read it: escapes decoded, continued pieces put together.
 * Undefined: the token is no string.
 */
export function stringContent(scanner: Scanner): Uint8Array | undefined {
  const { bytes, kind } = scanner;
  switch (kind) {
    case TOKEN.dollarString: {
      const tag = bytes.indexOf(0x24, scanner.start + 1) + 1 - scanner.start;
      return bytes.subarray(scanner.start + tag, scanner.end - tag);
    }
    case TOKEN.string:
      if (isPlain(scanner)) return bytes.subarray(scanner.start + 1, scanner.end - 1);
      return Buffer.from(readPieces(scanner, undefined), 'utf8');
    case TOKEN.escapeString:
      return Buffer.from(readPieces(scanner, readBackslash), 'utf8');
    case TOKEN.unicodeString: {
      const escape = unicodeEscapeBehind(scanner);
      return Buffer.from(decodeUnicode(readPieces(scanner, undefined), escape), 'utf8');
    }
    default:
      return undefined;
  }
}

/** Between two quotes, with none inside: what most strings are. */
function isPlain({ bytes, start, end, continued }: Scanner): boolean {
  return !continued && bytes[start] === QUOTE && bytes.indexOf(QUOTE, start + 1) === end - 1;
}

interface Escape {
  readonly text: string;
  readonly end: number;
}

/** Walks the quoted pieces of the token. What lies between two of them is white space and comments only. */
function readPieces(
  scanner: Scanner,
  onBackslash: ((text: string, at: number) => Escape) | undefined,
): string {
  const text = Buffer.from(scanner.bytes.subarray(scanner.start, scanner.end)).toString('utf8');
  const parts: string[] = [];
  let from = text.indexOf("'") + 1;
  for (let at = from; at < text.length;) {
    const char = text[at];
    if (char === '\\' && onBackslash !== undefined) {
      const escape = onBackslash(text, at);
      parts.push(text.slice(from, at), escape.text);
      from = escape.end;
    } else if (char === "'") {
      parts.push(text.slice(from, at));
      if (text[at + 1] === "'") {
        parts.push("'");
        from = at + 2;
      } else from = nextPiece(text, at + 1);
    } else {
      at++;
      continue;
    }
    at = from;
  }
  return parts.join('');
}

/** Behind the quote that begins the next piece, or behind the end. */
function nextPiece(text: string, from: number): number {
  let at = from;
  while (at < text.length && text[at] !== "'") {
    if (!text.startsWith('--', at)) at++;
    else while (at < text.length && text[at] !== '\n' && text[at] !== '\r') at++;
  }
  return at + 1;
}

function readBackslash(text: string, at: number): Escape {
  NUMERIC_ESCAPE.lastIndex = at + 1;
  const numeric = NUMERIC_ESCAPE.exec(text);
  if (numeric === null) {
    const next = text[at + 1] ?? '';
    return { text: NAMED_ESCAPES[next] ?? next, end: at + 2 };
  }
  const [, hex, short, long, octal] = numeric;
  const code =
    octal === undefined ? Number.parseInt(hex ?? short ?? long ?? '', 16) : Number.parseInt(octal, 8);
  return { text: codePoint(code), end: NUMERIC_ESCAPE.lastIndex };
}

/** The server refuses what is no code point; here it only must not look like a word. */
function codePoint(code: number): string {
  return code > 0 && code <= MAX_CODE_POINT ? String.fromCodePoint(code) : '\ufffd';
}

/** The escape character that a UESCAPE behind the string gives. */
function unicodeEscapeBehind(scanner: Scanner): string {
  const ahead = Scanner.behind(scanner.bytes, scanner.end, scanner.limit);
  if (ahead.next() !== TOKEN.identifier || ahead.word !== WORD.uescape) return '\\';
  return (ahead.next() === TOKEN.string ? plainText(ahead) : undefined) ?? '\\';
}

function decodeUnicode(raw: string, escape: string): string {
  const parts: string[] = [];
  let from = 0;
  for (let at = raw.indexOf(escape); at >= 0; at = raw.indexOf(escape, from)) {
    parts.push(raw.slice(from, at));
    if (raw.startsWith(escape, at + 1)) {
      parts.push(escape);
      from = at + 2;
      continue;
    }
    const isLong = raw[at + 1] === '+';
    const end = at + (isLong ? 8 : 5);
    const code = Number.parseInt(raw.slice(at + (isLong ? 2 : 1), end), 16);
    parts.push(codePoint(code));
    from = end;
  }
  parts.push(raw.slice(from));
  return parts.join('');
}
