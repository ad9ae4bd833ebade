/** How the rows of a COPY are written, by the options of its statement. */
import { asKind, stringOf } from '../inspect/parse/tree.ts';
import type { Node, NodeOf } from '../inspect/parse/tree.ts';

export interface CopyTextFormat {
  readonly kind: 'text' | 'csv';
  /** One byte each. */
  readonly delimiter: number;
  readonly quote: number;
  readonly escape: number;
  /** What stands for NULL, as bytes. */
  readonly null: Buffer;
  /** The first row has the names of the columns. */
  readonly header: boolean;
}

export type CopyFormat = CopyTextFormat | { readonly kind: 'binary' };

/** Options that change nothing of how rows are written, or only which of them are quoted (what was quoted stays quoted). */
const HARMLESS: ReadonlySet<string> = new Set(['freeze', 'force_quote', 'log_verbosity']);

interface Given {
  format?: string;
  delimiter?: string;
  null?: string;
  header?: boolean;
  quote?: string;
  escape?: string;
}

/** The format of a COPY … TO. Undefined: an option that is not known here, or a value that is not understood. */
export function copyFormatOf(copy: NodeOf<'CopyStmt'>): CopyFormat | undefined {
  const given: Given = {};
  for (const option of copy.options ?? []) {
    const element = asKind(option, 'DefElem');
    if (element?.defname === undefined) return undefined;
    if (!readOption(given, element.defname.toLowerCase(), element.arg)) return undefined;
  }
  switch (given.format ?? 'text') {
    case 'binary':
      return { kind: 'binary' };
    case 'text':
      return textFormat('text', given, '\t', '\\N');
    case 'csv':
      return textFormat('csv', given, ',', '');
    default:
      return undefined;
  }
}

function readOption(given: Given, name: string, value: Node | undefined): boolean {
  const text = textOf(value);
  switch (name) {
    case 'format':
    case 'delimiter':
    case 'null':
    case 'quote':
    case 'escape':
      if (text === undefined || given[name] !== undefined) return false;
      given[name] = name === 'format' ? text.toLowerCase() : text;
      return true;
    case 'header': {
      const header = value === undefined ? true : booleanOf(text);
      if (header === undefined || given.header !== undefined) return false;
      given.header = header;
      return true;
    }
    // The client's encoding is pinned: another one for the rows is read only if it is the same.
    case 'encoding':
      return text !== undefined && /^utf-?_?8$/i.test(text);
    default:
      return HARMLESS.has(name);
  }
}

function textFormat(
  kind: 'text' | 'csv',
  given: Given,
  delimiter: string,
  none: string,
): CopyTextFormat | undefined {
  const quote = given.quote ?? '"';
  const bytes = [given.delimiter ?? delimiter, quote, given.escape ?? quote].map((text) => Buffer.from(text));
  if (bytes.some(({ length }) => length !== 1)) return undefined;
  return {
    kind,
    delimiter: bytes[0]![0]!,
    quote: bytes[1]![0]!,
    escape: bytes[2]![0]!,
    null: Buffer.from(given.null ?? none),
    header: given.header ?? false,
  };
}

function textOf(node: Node | undefined): string | undefined {
  const text = stringOf(node);
  if (text !== undefined) return text;
  const integer = asKind(node, 'Integer');
  if (integer !== undefined) return String(integer.ival ?? 0);
  const boolean = asKind(node, 'Boolean');
  return boolean === undefined ? undefined : String(boolean.boolval ?? false);
}

/** As `defGetBoolean` reads it, and `match`, which COPY … TO refuses. */
function booleanOf(text: string | undefined): boolean | undefined {
  switch (text?.toLowerCase()) {
    case 'true':
    case 'on':
    case '1':
      return true;
    case 'false':
    case 'off':
    case '0':
      return false;
    default:
      return undefined;
  }
}
