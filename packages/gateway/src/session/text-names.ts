/**
 * Which names a caller wrote, and how. What it answers depends on the text and the name alone, never on what the name was found to mean: so
 * nobody learns from it where an object is, or whether it is there. It is no parser, a name in a comment counts as written. A name that
 * cannot be found, because it is written with escapes, say, is not told. Where the text has names with a dot or a quote in them, none is:
 * an analysis that gives names joined by dots could not say then which part is which.
 */
export class TextNames {
  readonly #text: string;
  readonly #isPlain: boolean;

  constructor(text: string) {
    this.#text = text;
    this.#isPlain = isPlain(text);
  }

  has(name: string): boolean {
    return this.#isPlain && new RegExp(eitherForm(name), 'u').test(this.#text);
  }

  /** What stands before the name and a dot, if it is written so anywhere; in SQL's notation. */
  before(name: string): string | undefined {
    const match = this.#isPlain ? qualified(name).exec(this.#text) : null;
    return match === null ? undefined : quoteName(decoded(match[1] ?? ''));
  }

  /** The name with what stands before it and a dot, if it is written so anywhere, else the name alone; in SQL's notation. */
  written(name: string): string | undefined {
    if (!this.#isPlain) return undefined;
    const before = this.before(name);
    if (before !== undefined) return `${before}.${quoteName(name)}`;
    return this.has(name) ? quoteName(name) : undefined;
  }
}

function isPlain(text: string): boolean {
  // Names with escapes, which can hide a dot.
  if (/u&\s*"/i.test(text)) return false;
  for (const [quoted] of text.matchAll(/"(?:[^"]|"")*"/g)) {
    if (/\.|""/.test(quoted.slice(1, -1))) return false;
  }
  return true;
}

/** As the server reads it: bare names in lower case. */
function decoded(written: string): string {
  if (written.startsWith('"')) return written.slice(1, -1);
  return written.replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase());
}

/** Letters, digits, `_`, `$` and everything beyond ASCII, as the server's scanner has it. */
const IN_NAME = String.raw`[A-Za-z0-9_$\u0080-\u{10FFFF}]`;
const BARE = /^[a-z_\u0080-\u{10FFFF}][a-z0-9_$\u0080-\u{10FFFF}]*$/u;

const ANY_NAME = `"[^"]*"|${IN_NAME}+`;

/** A name behind another and a dot. */
function qualified(name: string): RegExp {
  return new RegExp(`(?<!${IN_NAME})(${ANY_NAME})\\s*\\.\\s*${eitherForm(name)}`, 'u');
}

/** Bare in any case, or in double quotes exactly. */
function eitherForm(name: string): string {
  const quoted = `"${escape(name)}"`;
  if (!BARE.test(name)) return quoted;
  return `(?:${quoted}|(?<!"|${IN_NAME})${anyCase(name)}(?!"|${IN_NAME}))`;
}

/** ASCII letters in any case: the server folds no others in UTF-8. */
function anyCase(text: string): string {
  return escape(text).replaceAll(/[a-z]/g, (letter) => `[${letter}${letter.toUpperCase()}]`);
}

function escape(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
}

/** A name in SQL's notation. */
export function quoteName(name: string): string {
  return /^[a-z_][a-z0-9_$]*$/.test(name) ? name : `"${name.replaceAll('"', '""')}"`;
}
