/** Values of numbers and dates in both formats: what the server sends is read, and written so that the server reads it. What is not understood is undefined. */
import { calendarDay, dayNumber, isCalendarDay, isoDay } from '../../../masking/transforms/calendar.ts';
import { decimalText, parseDecimal, type Decimal } from '../../../masking/transforms/decimal.ts';
import { floatText } from './float-text.ts';
import type { Shape } from './shape.ts';

type IntegerShape = Extract<Shape, { kind: 'integer' }>;

export function decodeInteger(
  value: Buffer,
  { bytes, isSigned }: IntegerShape,
  format: number,
): bigint | undefined {
  if (format === 0) {
    const text = value.toString('latin1');
    return /^-?\d{1,20}$/.test(text) ? BigInt(text) : undefined;
  }
  if (value.length !== bytes) return undefined;
  if (bytes === 8) return value.readBigInt64BE();
  return BigInt(isSigned ? value.readIntBE(0, bytes) : value.readUIntBE(0, bytes));
}

/** Undefined: it does not fit. */
export function encodeInteger(
  value: bigint,
  { bytes, isSigned }: IntegerShape,
  format: number,
): Buffer | undefined {
  const bits = bytes * 8;
  if (value !== (isSigned ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value))) return undefined;
  if (format === 0) return Buffer.from(value.toString(), 'latin1');
  const encoded = Buffer.allocUnsafe(bytes);
  if (bytes === 8) encoded.writeBigInt64BE(value);
  else if (isSigned) encoded.writeIntBE(Number(value), 0, bytes);
  else encoded.writeUIntBE(Number(value), 0, bytes);
  return encoded;
}

const NUMERIC_HEADER = 8;
const NEGATIVE = 0x4000;
const GROUP = 10_000n;
const GROUP_DIGITS = 4;
/** 1,000 digits each side of the point, as `parseDecimal` takes. */
const MAX_WEIGHT = 250;
const MAX_SCALE = 1_000;

/** Finite ones of at most 1,000 digits on each side. */
export function decodeNumeric(value: Buffer, format: number): Decimal | undefined {
  if (format === 0) return parseDecimal(value.toString('latin1'));
  if (value.length < NUMERIC_HEADER) return undefined;
  const count = value.readUInt16BE(0);
  const weight = value.readInt16BE(2);
  const sign = value.readUInt16BE(4);
  const scale = value.readUInt16BE(6);
  const isReadable =
    value.length === NUMERIC_HEADER + count * 2 &&
    (sign === 0 || sign === NEGATIVE) &&
    Math.abs(weight) <= MAX_WEIGHT &&
    count <= 2 * MAX_WEIGHT + 2 &&
    scale <= MAX_SCALE;
  if (!isReadable) return undefined;
  let digits = 0n;
  for (let at = NUMERIC_HEADER; at < value.length; at += 2) {
    digits = digits * GROUP + BigInt(value.readUInt16BE(at));
  }
  // The last group is 10^exponent; digits behind the scale are none that are shown.
  const exponent = (weight - count + 1) * GROUP_DIGITS;
  const shift = exponent + scale;
  const scaled = shift >= 0 ? digits * 10n ** BigInt(shift) : digits / 10n ** BigInt(-shift);
  return { digits: sign === NEGATIVE ? -scaled : scaled, scale };
}

export function encodeNumeric(value: Decimal, format: number): Buffer {
  if (format === 0) return Buffer.from(decimalText(value), 'latin1');
  const fill = (GROUP_DIGITS - (value.scale % GROUP_DIGITS)) % GROUP_DIGITS;
  let rest = (value.digits < 0n ? -value.digits : value.digits) * 10n ** BigInt(fill);
  const fractionGroups = (value.scale + fill) / GROUP_DIGITS;
  const groups: number[] = [];
  while (rest > 0n) {
    groups.unshift(Number(rest % GROUP));
    rest /= GROUP;
  }
  const weight = groups.length === 0 ? 0 : groups.length - fractionGroups - 1;
  while (groups.at(-1) === 0) groups.pop();
  const encoded = Buffer.alloc(NUMERIC_HEADER + groups.length * 2);
  encoded.writeUInt16BE(groups.length, 0);
  encoded.writeInt16BE(weight, 2);
  encoded.writeUInt16BE(value.digits < 0n ? NEGATIVE : 0, 4);
  encoded.writeUInt16BE(value.scale, 6);
  for (const [index, group] of groups.entries()) encoded.writeUInt16BE(group, NUMERIC_HEADER + index * 2);
  return encoded;
}

export function decodeFloat(value: Buffer, bytes: 4 | 8, format: number): number | undefined {
  if (format !== 0) {
    if (value.length !== bytes) return undefined;
    return bytes === 4 ? value.readFloatBE() : value.readDoubleBE();
  }
  const text = value.toString('latin1');
  return /^-?\d+(?:\.\d+)?(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}

export function encodeFloat(value: number, bytes: 4 | 8, format: number): Buffer {
  if (format === 0) return Buffer.from(floatText(value, bytes), 'latin1');
  const encoded = Buffer.allocUnsafe(bytes);
  if (bytes === 4) encoded.writeFloatBE(value);
  else encoded.writeDoubleBE(value);
  return encoded;
}

const ISO_DAY = /^(\d{4,7})-(\d{2})-(\d{2})( BC)?$/;
const ISO_TIMESTAMP =
  /^(\d{4,7})-(\d{2})-(\d{2}) (\d{2}):(\d{2}):(\d{2})(?:\.\d{1,6})?(?:([+-])(\d{2})(?::(\d{2}))?(?::(\d{2}))?)?( BC)?$/;
const INFINITE_DAYS: ReadonlySet<number> = new Set([2_147_483_647, -2_147_483_648]);
const INFINITE_MICROSECONDS: ReadonlySet<bigint> = new Set([2n ** 63n - 1n, -(2n ** 63n)]);
const MICROSECONDS_OF_DAY = 86_400_000_000n;
const SECONDS_OF_DAY = 86_400;

/** Days since 2000-01-01, of a date in ISO style. Infinity is undefined. */
export function decodeDate(value: Buffer, format: number): number | undefined {
  if (format !== 0) {
    if (value.length !== 4) return undefined;
    const days = value.readInt32BE();
    return INFINITE_DAYS.has(days) ? undefined : days;
  }
  const match = ISO_DAY.exec(value.toString('latin1'));
  return match === null ? undefined : dayOf(match[1]!, match[2]!, match[3]!, match[4]);
}

export function encodeDate(days: number, format: number): Buffer {
  if (format === 0) return Buffer.from(isoDay(calendarDay(days)), 'latin1');
  const encoded = Buffer.allocUnsafe(4);
  encoded.writeInt32BE(days);
  return encoded;
}

/** The day (since 2000-01-01) of a timestamp in ISO style: of one with a time zone, the day in UTC, whatever zone the session shows. Infinity is undefined. */
export function decodeTimestampDay(value: Buffer, isZoned: boolean, format: number): number | undefined {
  if (format !== 0) {
    if (value.length !== 8) return undefined;
    const microseconds = value.readBigInt64BE();
    if (INFINITE_MICROSECONDS.has(microseconds)) return undefined;
    const rest = microseconds % MICROSECONDS_OF_DAY;
    return Number(microseconds / MICROSECONDS_OF_DAY) - (rest < 0n ? 1 : 0);
  }
  const match = ISO_TIMESTAMP.exec(value.toString('latin1'));
  if (match === null || (match[7] !== undefined) !== isZoned) return undefined;
  const day = dayOf(match[1]!, match[2]!, match[3]!, match[11]);
  if (day === undefined || !isZoned) return day;
  const offset = seconds(match[8], match[9], match[10]) * (match[7] === '-' ? -1 : 1);
  return day + Math.floor((seconds(match[4], match[5], match[6]) - offset) / SECONDS_OF_DAY);
}

/** Midnight of the day; with a time zone, in UTC. */
export function encodeTimestampDay(day: number, isZoned: boolean, format: number): Buffer {
  if (format === 0) {
    return Buffer.from(isoDay(calendarDay(day), isZoned ? ' 00:00:00+00' : ' 00:00:00'), 'latin1');
  }
  const encoded = Buffer.allocUnsafe(8);
  encoded.writeBigInt64BE(BigInt(day) * MICROSECONDS_OF_DAY);
  return encoded;
}

const seconds = (hours?: string, minutes?: string, rest?: string): number =>
  Number(hours ?? 0) * 3_600 + Number(minutes ?? 0) * 60 + Number(rest ?? 0);

function dayOf(year: string, month: string, day: string, era: string | undefined): number | undefined {
  const astronomical = era === undefined ? Number(year) : 1 - Number(year);
  const calendar = { year: astronomical, month: Number(month), day: Number(day) };
  return isCalendarDay(calendar) ? dayNumber(calendar) : undefined;
}

const UUID_TEXT = /^([0-9a-f]{8})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{4})-([0-9a-f]{12})$/;

/** 32 digits in lower case. */
export function decodeUuid(value: Buffer, format: number): string | undefined {
  if (format !== 0) return value.length === 16 ? value.toString('hex') : undefined;
  const match = UUID_TEXT.exec(value.toString('latin1').toLowerCase());
  return match === null ? undefined : match.slice(1).join('');
}

/** @param digits 32 hexadecimal digits */
export function encodeUuid(digits: string, format: number): Buffer {
  return format === 0 ? Buffer.from(uuidText(digits), 'latin1') : Buffer.from(digits, 'hex');
}

export function uuidText(digits: string): string {
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
