import type { Catalog } from '../catalog/catalog.ts';

/** NAMEDATALEN - 1: the server cuts longer identifiers. */
const MAX_NAME_BYTES = 63;

/**
 * The elements of the text of `search_path`, as the server splits it (`SplitIdentifierString` in varlena.c): identifiers with commas between them, quoted ones
 * with `""` for a quote, others folded to lower case. Undefined: the server would not take the text.
 */
export function parseSearchPath(text: string): readonly string[] | undefined {
  const elements: string[] = [];
  let at = skipSpace(text, 0);
  if (at === text.length) return elements;
  for (;;) {
    let name: string;
    if (text[at] === '"') {
      const end = quotedEnd(text, at + 1);
      if (end === undefined) return undefined;
      name = text.slice(at + 1, end).replaceAll('""', '"');
      at = end + 1;
    } else {
      const begin = at;
      while (at < text.length && text[at] !== ',' && !isSpace(text[at]!)) at += 1;
      if (at === begin) return undefined;
      const word = text.slice(begin, at);
      // What other letters fold to depends on the locale of the database.
      if (!isAscii(word) && word !== word.toLowerCase()) return undefined;
      name = foldAscii(word);
    }
    elements.push(cutName(name));
    at = skipSpace(text, at);
    if (at === text.length) return elements;
    if (text[at] !== ',') return undefined;
    at = skipSpace(text, at + 1);
    if (at === text.length) return undefined;
  }
}

/** Who the session is and which schemas it may use: what stands between the text of a path and what it means. */
export interface PathReader {
  /** `CURRENT_USER`, for `"$user"`. */
  readonly user: string;
  /** Schemas with USAGE for that user; undefined: not known. */
  readonly usable: ReadonlySet<string> | undefined;
  /** Every schema that was there when `usable` was read. One that came later is taken as usable. */
  readonly seen: ReadonlySet<string>;
}

/**
 * What the server searches, in order (`recomputeNamespacePath` in namespace.c): schemas that exist and that the user may use, each once. `pg_catalog` and
 * `pg_temp` stand in it only where the setting names them. Undefined: it names a schema that no snapshot has, somebody's temporary or a TOAST one.
 */
export function effectivePath(
  elements: readonly string[],
  reader: PathReader,
  catalog: Pick<Catalog, 'hasSchema'>,
): readonly string[] | undefined {
  const path: string[] = [];
  for (const element of elements) {
    const name = element === '$user' ? reader.user : element;
    if (path.includes(name)) continue;
    if (name.startsWith('pg_temp_') || name.startsWith('pg_toast')) return undefined;
    if (name === 'pg_temp' || name === 'pg_catalog') path.push(name);
    else if (catalog.hasSchema(name) && mayUse(name, reader)) path.push(name);
  }
  return path;
}

function mayUse(name: string, { usable, seen }: PathReader): boolean {
  return usable === undefined || usable.has(name) || !seen.has(name);
}

function cutName(name: string): string {
  const bytes = Buffer.from(name, 'utf8');
  if (bytes.length <= MAX_NAME_BYTES) return name;
  // In front of the character that would be split, as `pg_mbcliplen` does.
  let end = MAX_NAME_BYTES;
  while (end > 0 && (bytes[end]! & 0xc0) === 0x80) end -= 1;
  return bytes.toString('utf8', 0, end);
}

function quotedEnd(text: string, start: number): number | undefined {
  for (let at = start; at < text.length; at++) {
    if (text[at] !== '"') continue;
    if (text[at + 1] !== '"') return at;
    at += 1;
  }
  return undefined;
}

function isSpace(character: string): boolean {
  return ' \t\n\r\f\v'.includes(character);
}

function skipSpace(text: string, start: number): number {
  let at = start;
  while (at < text.length && isSpace(text[at]!)) at += 1;
  return at;
}

function isAscii(text: string): boolean {
  return Buffer.byteLength(text, 'utf8') === text.length;
}

function foldAscii(text: string): string {
  return text.replaceAll(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
