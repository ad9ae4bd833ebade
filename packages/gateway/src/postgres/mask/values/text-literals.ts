/** Text forms of arrays, composites and ranges: arrayfuncs.c, rowtypes.c, rangetypes.c. Parsers are strict; what they do not understand is undefined. */

/** An array literal. Items are elements (null: NULL) or arrays. `bounds`: `[1:2]=`, where it has them. */
export interface ArrayLiteral {
  readonly bounds: string;
  readonly items: readonly ArrayItem[];
}

export type ArrayItem = string | null | readonly ArrayItem[];

/** MAXDIM */
const MAX_DIMENSIONS = 6;

export function parseArray(text: string, delimiter = ','): ArrayLiteral | undefined {
  const bounds = /^(?:\[[+-]?\d+:[+-]?\d+\])+=/.exec(text)?.[0] ?? '';
  const cursor = { text, at: bounds.length };
  const items = arrayItems(cursor, delimiter, 1);
  return items !== undefined && cursor.at === text.length ? { bounds, items } : undefined;
}

interface Cursor {
  readonly text: string;
  at: number;
}

function arrayItems(cursor: Cursor, delimiter: string, depth: number): ArrayItem[] | undefined {
  const { text } = cursor;
  if (text[cursor.at] !== '{' || depth > MAX_DIMENSIONS) return undefined;
  cursor.at += 1;
  const items: ArrayItem[] = [];
  if (text[cursor.at] === '}') {
    cursor.at += 1;
    return items;
  }
  for (;;) {
    const item =
      text[cursor.at] === '{' ? arrayItems(cursor, delimiter, depth + 1) : arrayElement(cursor, delimiter);
    if (item === undefined) return undefined;
    items.push(item);
    const next = text[cursor.at];
    cursor.at += 1;
    if (next === '}') return items;
    if (next !== delimiter) return undefined;
  }
}

function arrayElement(cursor: Cursor, delimiter: string): string | null | undefined {
  const { text } = cursor;
  if (text[cursor.at] === '"') return quoted(cursor, false);
  let element = '';
  let isEscaped = false;
  for (;;) {
    const letter = text[cursor.at];
    if (letter === undefined || letter === '{' || letter === '"') return undefined;
    if (letter === delimiter || letter === '}') break;
    if (letter === '\\') {
      cursor.at += 1;
      isEscaped = true;
    }
    element += text[cursor.at] ?? '';
    cursor.at += 1;
  }
  if (element === '') return undefined;
  return !isEscaped && element.toLowerCase() === 'null' ? null : element;
}

/** From a quote to the one that closes it. `doubles`: `""` inside is a quote, as in composites and ranges. */
function quoted(cursor: Cursor, doubles: boolean): string | undefined {
  const { text } = cursor;
  let content = '';
  let start = cursor.at + 1;
  for (let at = start; at < text.length; at += 1) {
    const letter = text[at];
    if (letter === '\\') {
      content += text.slice(start, at) + (text[at + 1] ?? '');
      at += 1;
      start = at + 1;
    } else if (letter === '"' && doubles && text[at + 1] === '"') {
      content += text.slice(start, at + 1);
      at += 1;
      start = at + 1;
    } else if (letter === '"') {
      cursor.at = at + 1;
      return content + text.slice(start, at);
    }
  }
  return undefined;
}

export function arrayText({ bounds, items }: ArrayLiteral, delimiter = ','): string {
  return bounds + itemsText(items, delimiter);
}

function itemsText(items: readonly ArrayItem[], delimiter: string): string {
  const written = items.map((item) => {
    if (item === null) return 'NULL';
    return typeof item === 'string' ? arrayElementText(item, delimiter) : itemsText(item, delimiter);
  });
  return `{${written.join(delimiter)}}`;
}

function arrayElementText(element: string, delimiter: string): string {
  const needsQuotes =
    element === '' || /^null$/i.test(element) || /[{}"\\\s]/.test(element) || element.includes(delimiter);
  return needsQuotes ? `"${element.replaceAll(/["\\]/g, String.raw`\$&`)}"` : element;
}

/** A composite: `(a,"b c",)`. Null: NULL. */
export function parseComposite(text: string): (string | null)[] | undefined {
  if (text[0] !== '(') return undefined;
  if (text === '()') return [];
  const cursor = { text, at: 1 };
  const fields: (string | null)[] = [];
  for (;;) {
    const field = compositeField(cursor);
    if (field === undefined) return undefined;
    fields.push(field);
    const next = text[cursor.at];
    cursor.at += 1;
    if (next === ')') return cursor.at === text.length ? fields : undefined;
    if (next !== ',') return undefined;
  }
}

function compositeField(cursor: Cursor): string | null | undefined {
  const { text } = cursor;
  if (text[cursor.at] === ',' || text[cursor.at] === ')') return null;
  let field = '';
  for (;;) {
    const letter = text[cursor.at];
    if (letter === undefined) return undefined;
    if (letter === ',' || letter === ')') return field;
    if (letter === '"') {
      const content = quoted(cursor, true);
      if (content === undefined) return undefined;
      field += content;
      continue;
    }
    if (letter === '\\') cursor.at += 1;
    field += text[cursor.at] ?? '';
    cursor.at += 1;
  }
}

export function compositeText(fields: readonly (string | null)[]): string {
  return `(${fields.map((field) => (field === null ? '' : compositeFieldText(field))).join(',')})`;
}

function compositeFieldText(field: string): string {
  const needsQuotes = field === '' || /["\\(),\s]/.test(field);
  return needsQuotes ? `"${field.replaceAll(/["\\]/g, '$&$&')}"` : field;
}

/** Undefined bounds: none. `empty` has neither. */
export interface RangeLiteral {
  readonly isEmpty: boolean;
  readonly open: string;
  readonly lower: string | undefined;
  readonly upper: string | undefined;
  readonly close: string;
}

const EMPTY_RANGE: RangeLiteral = { isEmpty: true, open: '', lower: undefined, upper: undefined, close: '' };

export function parseRange(text: string): RangeLiteral | undefined {
  const cursor = { text, at: 0 };
  const range = rangeAt(cursor);
  return cursor.at === text.length ? range : undefined;
}

function rangeAt(cursor: Cursor): RangeLiteral | undefined {
  const { text } = cursor;
  if (text.startsWith('empty', cursor.at)) {
    cursor.at += 5;
    return EMPTY_RANGE;
  }
  const open = text[cursor.at];
  if (open !== '[' && open !== '(') return undefined;
  cursor.at += 1;
  const lower = rangeBound(cursor, ',');
  if (lower === null || text[cursor.at] !== ',') return undefined;
  cursor.at += 1;
  const upper = rangeBound(cursor, ')]');
  const close = text[cursor.at];
  if (upper === null || (close !== ']' && close !== ')')) return undefined;
  cursor.at += 1;
  return { isEmpty: false, open, lower, upper, close };
}

/** Null: it does not end. */
function rangeBound(cursor: Cursor, ends: string): string | undefined | null {
  const { text } = cursor;
  const first = text[cursor.at];
  if (first !== undefined && ends.includes(first)) return undefined;
  let bound = '';
  for (;;) {
    const letter = text[cursor.at];
    if (letter === undefined) return null;
    if (ends.includes(letter)) return bound;
    if (letter === '"') {
      const content = quoted(cursor, true);
      if (content === undefined) return null;
      bound += content;
      continue;
    }
    if (letter === '\\') cursor.at += 1;
    bound += text[cursor.at] ?? '';
    cursor.at += 1;
  }
}

export function rangeText({ isEmpty, open, lower, upper, close }: RangeLiteral): string {
  if (isEmpty) return 'empty';
  return `${open}${lower === undefined ? '' : boundText(lower)},${upper === undefined ? '' : boundText(upper)}${close}`;
}

function boundText(bound: string): string {
  const needsQuotes = bound === '' || /["\\()[\],\s]/.test(bound);
  return needsQuotes ? `"${bound.replaceAll(/["\\]/g, '$&$&')}"` : bound;
}

export function parseMultirange(text: string): RangeLiteral[] | undefined {
  if (text === '{}') return [];
  if (text[0] !== '{') return undefined;
  const cursor = { text, at: 0 };
  const ranges: RangeLiteral[] = [];
  do {
    cursor.at += 1;
    const range = rangeAt(cursor);
    if (range === undefined) return undefined;
    ranges.push(range);
  } while (text[cursor.at] === ',');
  return text[cursor.at] === '}' && cursor.at === text.length - 1 ? ranges : undefined;
}

export function multirangeText(ranges: readonly RangeLiteral[]): string {
  return `{${ranges.map(rangeText).join(',')}}`;
}
