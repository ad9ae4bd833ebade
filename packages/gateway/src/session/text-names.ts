/**
 * Which names a caller wrote, and how. What it answers depends on the text and the name alone, never on what the name was found to mean: so
 * nobody learns from it where an object is, or whether it is there. It is no parser, a name in a comment counts as written. A name that
 * cannot be found, because it is written with escapes, say, is not told.
 */
export class TextNames {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  has(name: string): boolean {
    return new RegExp(`(?<!${IN_NAME})${eitherForm(name)}(?!${IN_NAME})`, 'u').test(this.#text);
  }

  /** The name with what stands before it and a dot, if it is written so anywhere, else the name alone; in SQL's notation. */
  written(name: string): string | undefined {
    const match = qualified(name).exec(this.#text);
    if (match !== null) return quoteParts([...nameParts(match[1] ?? ''), name]);
    return this.has(name) ? quoteName(name) : undefined;
  }
}

/** Letters, digits, `_`, `$` and everything beyond ASCII, as the server's scanner has it. */
const IN_NAME = String.raw`[A-Za-z0-9_$\u0080-\u{10FFFF}]`;
const BARE = /^[a-z_\u0080-\u{10FFFF}][a-z0-9_$\u0080-\u{10FFFF}]*$/u;

const ANY_NAME = `"(?:[^"]|"")*"|${IN_NAME}+`;

/** A name behind another and a dot. */
function qualified(name: string): RegExp {
  return new RegExp(`(?<!${IN_NAME})(${ANY_NAME})\\s*\\.\\s*${eitherForm(name)}(?!${IN_NAME})`, 'u');
}

/** Bare in any case, or in double quotes exactly. */
function eitherForm(name: string): string {
  const quoted = `"${escape(name.replaceAll('"', '""'))}"`;
  return BARE.test(name) ? `(?:${quoted}|${anyCase(name)})` : quoted;
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

export function quoteParts(parts: readonly string[]): string {
  return parts.map((part) => quoteName(part)).join('.');
}

/** The parts of a name as SQL has it; bare ones folded to lower case. */
export function nameParts(written: string): readonly string[] {
  const parts: string[] = [];
  for (const [, quoted, bare] of written.matchAll(/"((?:[^"]|"")*)"|([^\s.]+)/gu)) {
    parts.push(
      quoted === undefined
        ? (bare ?? '').replaceAll(/[A-Z]/g, (letter) => letter.toLowerCase())
        : quoted.replaceAll('""', '"'),
    );
  }
  return parts;
}
