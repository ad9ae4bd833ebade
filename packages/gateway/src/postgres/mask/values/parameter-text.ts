import type { Catalog } from '../../catalog/catalog.ts';
import { calendarDay, isoDay } from '../../../masking/transforms/calendar.ts';
import { decimalText } from '../../../masking/transforms/decimal.ts';
import { decodeArray, decodeComposite, decodeMultirange, decodeRange } from './binary-containers.ts';
import { ipText, macText } from './network-text.ts';
import { floatText } from './float-text.ts';
import { intervalText, timeOfDayText, timeZoneText } from './time-text.ts';
import { decodeInteger, decodeNumeric, uuidText } from './scalar-codecs.ts';
import { shapeOf, type Shape } from './shape.ts';
import { arrayText, compositeText, parseArray, rangeText, type ArrayItem } from './text-literals.ts';

/**
 * A parameter (or any value) as the text that the server would write for it: equal values of one type in binary and in canonical text format make equal texts. In text format it is
 * what was sent. Undefined: a type or form that we cannot read.
 *
 * Timestamps with time zone are told in UTC, bytea in hexadecimal.
 */
export function parameterText(
  value: Uint8Array,
  typeOid: number,
  format: number,
  catalog?: Catalog,
): string | undefined {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  if (format === 0) return bytes.toString('utf8');
  try {
    return binaryText(bytes, typeOid, catalog);
  } catch {
    return undefined;
  }
}

/** The elements of an array, of all dimensions one after the other; null: NULL. Undefined: it is no array, or cannot be read. */
export function parameterElements(
  value: Uint8Array,
  typeOid: number,
  format: number,
  catalog?: Catalog,
): readonly (string | null)[] | undefined {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  const shape = shapeOf(typeOid, catalog);
  // A text that was sent as `unknown` is read as what it looks like.
  if (format === 0) {
    const delimiter = shape.kind === 'array' ? shape.delimiter : ',';
    const literal = parseArray(bytes.toString('utf8'), delimiter);
    return literal && flattened(literal.items);
  }
  const array = decodeArray(bytes);
  if (array === undefined || shape.kind !== 'array') return undefined;
  const elements = array.elements.map((element) =>
    element === null ? null : parameterText(element, array.elementOid, format, catalog),
  );
  return elements.every((element) => element !== undefined) ? elements : undefined;
}

function flattened(items: readonly ArrayItem[]): (string | null)[] {
  return items.flatMap((item) => (item === null || typeof item === 'string' ? [item] : flattened(item)));
}

function binaryText(bytes: Buffer, typeOid: number, catalog: Catalog | undefined): string | undefined {
  const shape = shapeOf(typeOid, catalog);
  switch (shape.kind) {
    case 'text':
    case 'json':
      return bytes.toString('utf8');
    case 'jsonb':
      return bytes[0] === 1 ? bytes.toString('utf8', 1) : undefined;
    case 'bytea':
      return `\\x${bytes.toString('hex')}`;
    case 'integer':
      return decodeInteger(bytes, shape, 1)?.toString();
    case 'numeric':
      return numericText(bytes);
    case 'float':
      if (bytes.length !== shape.bytes) return undefined;
      return floatText(shape.bytes === 4 ? bytes.readFloatBE() : bytes.readDoubleBE(), shape.bytes);
    case 'date':
      return bytes.length === 4 ? dateText(bytes.readInt32BE()) : undefined;
    case 'timestamp':
      return bytes.length === 8 ? timestampText(bytes.readBigInt64BE(), shape.isZoned) : undefined;
    case 'uuid':
      return bytes.length === 16 ? uuidText(bytes.toString('hex')) : undefined;
    case 'array':
    case 'composite':
    case 'record':
    case 'range':
    case 'multirange':
      return containerText(bytes, shape, catalog);
    case 'untyped':
    case 'opaque':
      break;
  }
  return otherText(bytes, baseOid(typeOid, catalog), catalog);
}

function containerText(bytes: Buffer, shape: Shape, catalog: Catalog | undefined): string | undefined {
  switch (shape.kind) {
    case 'array':
      return binaryArrayText(bytes, shape.delimiter, catalog);
    case 'composite':
    case 'record': {
      const fields = decodeComposite(bytes)?.map((field) =>
        field.bytes === null ? null : binaryText(field.bytes, field.typeOid, catalog),
      );
      return fields?.every((field) => field !== undefined) === true ? compositeText(fields) : undefined;
    }
    case 'range':
      return binaryRangeText(bytes, shape.bound);
    case 'multirange': {
      const { range } = shape;
      if (range.kind !== 'range') return undefined;
      const ranges = decodeMultirange(bytes)?.map((part) => binaryRangeText(part, range.bound));
      return ranges?.every((part) => part !== undefined) === true ? `{${ranges.join(',')}}` : undefined;
    }
    default:
      return undefined;
  }
}

function binaryArrayText(bytes: Buffer, delimiter: string, catalog: Catalog | undefined): string | undefined {
  const array = decodeArray(bytes);
  if (array === undefined) return undefined;
  const elements: (string | null)[] = [];
  for (const element of array.elements) {
    const text = element === null ? null : binaryText(element, array.elementOid, catalog);
    if (text === undefined) return undefined;
    elements.push(text);
  }
  const { lengths, lowers } = array;
  const bounds = lowers.every((lower) => lower === 1)
    ? ''
    : `${lowers.map((lower, index) => `[${lower}:${lower + lengths[index]! - 1}]`).join('')}=`;
  let items: ArrayItem[] = elements;
  for (const length of lengths.slice(1).toReversed()) {
    items = Array.from({ length: items.length / length }, (_, index) =>
      items.slice(index * length, (index + 1) * length),
    );
  }
  return arrayText({ bounds, items }, delimiter);
}

const EMPTY = 0x01;
const LOWER_INCLUDED = 0x02;
const UPPER_INCLUDED = 0x04;
const NO_LOWER = 0x08 | 0x20;

function binaryRangeText(bytes: Buffer, bound: Shape): string | undefined {
  const range = decodeRange(bytes);
  if (range === undefined) return undefined;
  const texts = range.bounds.map((part) => boundText(part, bound));
  if (!texts.every((text) => text !== undefined)) return undefined;
  const hasLower = (range.flags & (NO_LOWER | EMPTY)) === 0;
  return rangeText({
    isEmpty: (range.flags & EMPTY) !== 0,
    open: (range.flags & LOWER_INCLUDED) === 0 ? '(' : '[',
    lower: hasLower ? texts[0] : undefined,
    upper: texts[hasLower ? 1 : 0],
    close: (range.flags & UPPER_INCLUDED) === 0 ? ')' : ']',
  });
}

/** Bounds come without their type: by shape. */
function boundText(bytes: Buffer, shape: Shape): string | undefined {
  switch (shape.kind) {
    case 'integer':
      return decodeInteger(bytes, shape, 1)?.toString();
    case 'numeric':
      return numericText(bytes);
    case 'float':
      return floatText(shape.bytes === 4 ? bytes.readFloatBE() : bytes.readDoubleBE(), shape.bytes);
    case 'date':
      return dateText(bytes.readInt32BE());
    case 'timestamp':
      return timestampText(bytes.readBigInt64BE(), shape.isZoned);
    case 'text':
      return bytes.toString('utf8');
    default:
      return undefined;
  }
}

const SPECIAL_NUMERICS: ReadonlyMap<number, string> = new Map([
  [0xc000, 'NaN'],
  [0xd000, 'Infinity'],
  [0xf000, '-Infinity'],
]);

function numericText(bytes: Buffer): string | undefined {
  const special = bytes.length >= 8 ? SPECIAL_NUMERICS.get(bytes.readUInt16BE(4)) : undefined;
  if (special !== undefined) return special;
  const number = decodeNumeric(bytes, 1);
  return number && decimalText(number);
}

const MICROSECONDS_OF_DAY = 86_400_000_000n;

function dateText(days: number): string {
  if (days === 2_147_483_647) return 'infinity';
  return days === -2_147_483_648 ? '-infinity' : isoDay(calendarDay(days));
}

function timestampText(microseconds: bigint, isZoned: boolean): string {
  if (microseconds === 2n ** 63n - 1n) return 'infinity';
  if (microseconds === -(2n ** 63n)) return '-infinity';
  const rest = ((microseconds % MICROSECONDS_OF_DAY) + MICROSECONDS_OF_DAY) % MICROSECONDS_OF_DAY;
  const day = calendarDay(Number((microseconds - rest) / MICROSECONDS_OF_DAY));
  return isoDay(day, ` ${timeOfDayText(rest)}${isZoned ? '+00' : ''}`);
}

/** Of a domain: what it is of. */
function baseOid(typeOid: number, catalog: Catalog | undefined): number {
  const type = catalog?.typeByOid(typeOid);
  const isDomain = type?.kind === 'domain' && type.baseTypeOid !== undefined;
  return isDomain ? baseOid(type.baseTypeOid, catalog) : typeOid;
}

/** Types whose values only become null, but can be asked for. */
function otherText(bytes: Buffer, typeOid: number, catalog: Catalog | undefined): string | undefined {
  switch (typeOid) {
    case 16:
      return bytes[0] === 0 ? 'f' : 't';
    case 18:
      return bytes[0] === 0 ? '' : bytes.toString('latin1');
    // xid, cid, xid8
    case 28:
    case 29:
      return bytes.readUInt32BE().toString();
    case 5069:
      return bytes.readBigUInt64BE().toString();
    case 3220:
      return `${bytes.readUInt32BE(0).toString(16)}/${bytes.readUInt32BE(4).toString(16)}`.toUpperCase();
    case 1083:
      return timeOfDayText(bytes.readBigInt64BE());
    case 1266:
      return timeOfDayText(bytes.readBigInt64BE()) + timeZoneText(bytes.readInt32BE(8));
    case 1186:
      return intervalText(bytes.readBigInt64BE(), bytes.readInt32BE(8), bytes.readInt32BE(12));
    case 1560:
    case 1562:
      return bitText(bytes);
    case 829:
    case 774:
      return macText(bytes);
    case 869:
    case 650:
      return ipText(bytes);
    default:
      return catalog?.typeByOid(typeOid)?.kind === 'enum' ? bytes.toString('utf8') : undefined;
  }
}

function bitText(bytes: Buffer): string {
  const bits = Array.from(bytes.subarray(4), (byte) => byte.toString(2).padStart(8, '0')).join('');
  return bits.slice(0, bytes.readInt32BE(0));
}
