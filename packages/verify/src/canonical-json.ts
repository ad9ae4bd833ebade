/**
 * The subset of RFC 8785 (JSON Canonicalization Scheme) that leaves use: objects, arrays, strings, booleans and
 * integers. No null, no floats, nothing outside ±(2^53 - 1), no lone surrogates, at most `MAX_DEPTH` levels.
 *
 * The subset makes "canonical" checkable by re-encoding: bytes are canonical exactly when decoding and encoding
 * them gives the same bytes.
 */

import { isAscii } from 'node:buffer';
import { FormatError } from './errors.ts';

export type CanonicalValue = string | number | boolean | readonly CanonicalValue[] | CanonicalObject;

export interface CanonicalObject {
  readonly [key: string]: CanonicalValue;
}

/** What may be given to the encoder: bigint stands for an integer; a member that is undefined is left out. */
export type EncodableValue =
  | string
  | number
  | bigint
  | boolean
  | readonly EncodableValue[]
  | { readonly [key: string]: EncodableValue | undefined };

/** Nesting limit of values, far above what any leaf needs; it bounds the recursion. */
export const MAX_DEPTH = 32;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function encodeString(text: string): string {
  if (!text.isWellFormed()) throw new FormatError('a string holds a lone surrogate');
  return JSON.stringify(text);
}

function encodeAt(value: unknown, depth: number): string {
  switch (typeof value) {
    case 'string':
      return encodeString(value);
    case 'boolean':
      return value ? 'true' : 'false';
    case 'number':
      if (!Number.isSafeInteger(value)) throw new FormatError('a number is not an integer within 2^53');
      return String(value);
    case 'bigint':
      if (!Number.isSafeInteger(Number(value)))
        throw new FormatError('a number is not an integer within 2^53');
      return value.toString();
    case 'object':
      break;
    default:
      throw new FormatError(`a ${typeof value} has no canonical form`);
  }
  if (value === null) throw new FormatError('null has no place in a leaf');
  if (depth >= MAX_DEPTH) throw new FormatError('values are nested too deeply');
  return Array.isArray(value)
    ? encodeArray(value, depth)
    : encodeObject(value as Record<string, unknown>, depth);
}

function encodeArray(items: readonly unknown[], depth: number): string {
  let text = '[';
  for (let i = 0; i < items.length; i++) {
    if (i > 0) text += ',';
    text += encodeAt(items[i], depth + 1);
  }
  return text + ']';
}

function encodeObject(members: Record<string, unknown>, depth: number): string {
  let text = '{';
  // Array.prototype.sort without a comparator compares UTF-16 code units, which is the order of RFC 8785.
  for (const key of Object.keys(members).sort()) {
    const member = members[key];
    if (member === undefined) continue;
    if (text.length > 1) text += ',';
    text += encodeString(key) + ':' + encodeAt(member, depth + 1);
  }
  return text + '}';
}

/** The canonical text of a value. Throws `FormatError` on anything outside the subset. */
export function encodeCanonical(value: EncodableValue): string {
  return encodeAt(value, 0);
}

function isPlainArray(items: readonly unknown[], depth: number): boolean {
  if (depth >= MAX_DEPTH) return false;
  for (const item of items) {
    if (!isPlain(item, depth + 1)) return false;
  }
  return true;
}

/** Own members in the order in which `JSON.parse` met them; names that look like numbers come first, and show as out of order. */
function isPlainObject(members: Record<string, unknown>, depth: number): boolean {
  if (depth >= MAX_DEPTH) return false;
  let previous: string | undefined;
  for (const key in members) {
    // The operator compares UTF-16 code units, which is the order of RFC 8785.
    if (previous !== undefined && key <= previous) return false;
    previous = key;
    if (!isPlain(members[key], depth + 1)) return false;
  }
  return true;
}

/** Whether a value that `JSON.parse` gave is of the subset, with the names of its objects in order. */
function isPlain(value: unknown, depth: number): boolean {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return true;
    case 'number':
      return Number.isSafeInteger(value);
    default:
      if (value === null) return false;
      return Array.isArray(value)
        ? isPlainArray(value, depth)
        : isPlainObject(value as Record<string, unknown>, depth);
  }
}

/**
 * Whether a text is canonical, found without encoding it member by member: what the engine's own encoder gives back unchanged has
 * no white space, no needless escapes, no duplicate names, no -0 and no exponents; names in order and the subset are looked
 * at in the value. Escapes of surrogates are the one thing that encoder writes and RFC 8785 does not. False means only that it takes
 * a closer look.
 */
function isQuicklyCanonical(text: string, value: CanonicalValue): boolean {
  return isPlain(value, 0) && JSON.stringify(value) === text && !text.includes('\\ud');
}

/** Decodes canonical bytes. Throws `FormatError` unless they are exactly what `encodeCanonical` would write. */
export function assertCanonical(bytes: Uint8Array): CanonicalValue {
  let text: string;
  let value: CanonicalValue;
  try {
    // One byte per character where that will do: the engine then handles the text faster.
    text = isAscii(bytes)
      ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1')
      : utf8.decode(bytes);
    value = JSON.parse(text) as CanonicalValue;
  } catch (error) {
    throw new FormatError('not JSON in UTF-8', { cause: error });
  }
  if (isQuicklyCanonical(text, value)) return value;
  // Duplicate keys, white space, other key orders, -0, exponents and needless escapes all come out differently.
  if (encodeAt(value, 0) !== text) throw new FormatError('JSON is not in canonical form');
  return value;
}
