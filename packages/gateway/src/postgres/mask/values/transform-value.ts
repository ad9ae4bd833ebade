import type { MaskingKeys } from '../../../masking/keys.ts';
import type { ClassName, Transform } from '../../../masking/rules.ts';
import { calendarDay, dayNumber, startOfPeriod, type Period } from '../../../masking/transforms/calendar.ts';
import { floorToMultiple } from '../../../masking/transforms/decimal.ts';
import { emailDomainOfAscii } from '../../../masking/transforms/email-domain.ts';
import { formatPreservingOf } from '../../../masking/transforms/format-preserving.ts';
import { keepLastOfAscii } from '../../../masking/transforms/keep-last.ts';
import { marksOf } from '../../../masking/transforms/marks.ts';
import { transformText } from '../../../masking/transforms/transform-text.ts';
import type { Catalog } from '../../catalog/catalog.ts';
import { mapParts, type ContainerShape } from './map-parts.ts';
import {
  decodeBytea,
  decodeJsonText,
  encodeBytea,
  encodeJson,
  redactionOfShape,
} from './redaction-of-shape.ts';
import {
  decodeDate,
  decodeFloat,
  decodeInteger,
  decodeNumeric,
  decodeTimestampDay,
  decodeUuid,
  encodeDate,
  encodeFloat,
  encodeInteger,
  encodeNumeric,
  encodeTimestampDay,
  encodeUuid,
} from './scalar-codecs.ts';
import type { Shape } from './shape.ts';

/** What is to be done to the values of one column. */
export interface Job {
  readonly transform: Transform;
  readonly class: ClassName;
  readonly keys: MaskingKeys;
  readonly scope: string;
  readonly catalog: Catalog | undefined;
}

/** 4714-11-24 BC, the first day that PostgreSQL has. */
const FIRST_DAY = -2_451_545;
const UUID_DIGITS = 32;
const MARKUP = /[<&]/;

/** By a transform that looks at the value. What it cannot do to a type or to this value is the type's redaction. */
export function transformValue(value: Buffer, shape: Shape, format: number, job: Job): Buffer | null {
  return (
    transformed(value, shape, format, job) ??
    redactionOfShape(shape, format, marksOf(job.keys).redaction(job.class))
  );
}

function transformed(value: Buffer, shape: Shape, format: number, job: Job): Buffer | null | undefined {
  switch (shape.kind) {
    case 'text':
      return textValue(value, shape, job);
    case 'untyped':
      return format === 0 ? textValue(value, { kind: 'text' }, job) : undefined;
    case 'json':
    case 'jsonb':
      return jsonValue(value, shape.kind, format, job);
    case 'bytea':
      return byteaValue(value, format, job);
    case 'integer':
      return integerValue(value, shape, format, job);
    case 'numeric':
      return numericValue(value, format, job);
    case 'float':
      return floatValue(value, shape.bytes, format, job);
    case 'date':
    case 'timestamp':
      return dayValue(value, shape, format, job.transform);
    case 'uuid':
      return uuidValue(value, format, job);
    case 'array':
      return partsTransformed(value, shape, format, job);
    case 'range':
    case 'multirange':
      // Of other transforms an empty range would pass, having no bounds.
      return keepsOrder(job.transform) ? partsTransformed(value, shape, format, job) : undefined;
    // A class says what its fields are together, not what each is.
    case 'composite':
    case 'record':
    case 'opaque':
      break;
  }
  return undefined;
}

function partsTransformed(value: Buffer, shape: ContainerShape, format: number, job: Job): Buffer | null {
  return mapParts(
    value,
    shape,
    format,
    (part, partShape) => transformValue(part, partShape, format, job),
    job.catalog,
  );
}

function keepsOrder({ kind }: Transform): boolean {
  return kind === 'year' || kind === 'bucket';
}

function textValue(
  value: Buffer,
  { maxBytes, isPadded = false, isMarkup = false }: Extract<Shape, { kind: 'text' }>,
  job: Job,
): Buffer | undefined {
  if (isMarkup && job.transform.kind !== 'token' && MARKUP.test(value.toString('latin1'))) return undefined;
  const ofAscii = asciiValue(value, job.transform);
  if (ofAscii !== undefined && (maxBytes === undefined || ofAscii.length <= maxBytes)) return ofAscii;
  const text = value.toString('utf8');
  // Equal values of padded and other types have equal tokens.
  const content = isPadded && job.transform.kind === 'token' ? text.replace(/ +$/, '') : text;
  const masked = Buffer.from(transformText(content, job.transform, job.class, job) ?? '');
  return maxBytes !== undefined && masked.length > maxBytes ? undefined : masked;
}

/** Most values are ASCII: no string is made of them. Undefined: it takes a closer look. */
function asciiValue(value: Buffer, transform: Transform): Buffer | undefined {
  if (transform.kind === 'keep-last') return keepLastOfAscii(value, transform.count);
  return transform.kind === 'email-domain' ? emailDomainOfAscii(value) : undefined;
}

/** A string or number on its own is transformed as a text; objects and arrays only have tokens. */
function jsonValue(value: Buffer, kind: 'json' | 'jsonb', format: number, job: Job): Buffer | undefined {
  const text = decodeJsonText(value, kind, format)?.trim();
  if (text === undefined) return undefined;
  const isScalar = /^["\d-]/.test(text);
  if (!isScalar && job.transform.kind !== 'token') return undefined;
  const content = text.startsWith('"') ? (JSON.parse(text) as string) : text;
  return encodeJson(transformText(content, job.transform, job.class, job) ?? '', kind, format);
}

function byteaValue(value: Buffer, format: number, job: Job): Buffer | undefined {
  const content = decodeBytea(value, format);
  if (content === undefined || job.transform.kind !== 'token') return undefined;
  return encodeBytea(
    Buffer.from(marksOf(job.keys).token(job.class, job.scope, content.toString('latin1'))),
    format,
  );
}

function integerValue(
  value: Buffer,
  shape: Extract<Shape, { kind: 'integer' }>,
  format: number,
  { transform, class: className, scope, keys }: Job,
): Buffer | undefined {
  const number = decodeInteger(value, shape, format);
  if (number === undefined) return undefined;
  const magnitude = number < 0n ? -number : number;
  const bits = shape.bytes * 8 - (shape.isSigned ? 1 : 0);
  const max = (1n << BigInt(bits)) - 1n;
  const signed = (masked: bigint | undefined): Buffer | undefined =>
    masked === undefined ? undefined : encodeInteger(number < 0n ? -masked : masked, shape, format);
  if (transform.kind === 'bucket' && typeof transform.size === 'number') {
    const floor = floorToMultiple({ digits: number, scale: 0 }, transform.size);
    return floor?.scale === 0 ? encodeInteger(floor.digits, shape, format) : undefined;
  }
  if (magnitude > max) return undefined;
  if (transform.kind === 'fpe')
    return signed(formatPreservingOf(keys).integer(magnitude, className, scope, max));
  // 16 bits are too few: anyone could try them all.
  if (transform.kind !== 'token' || shape.bytes === 2) return undefined;
  return signed(formatPreservingOf(keys).permuted(magnitude, bits, className, scope));
}

function numericValue(
  value: Buffer,
  format: number,
  { transform, class: className, scope, keys }: Job,
): Buffer | undefined {
  const number = decodeNumeric(value, format);
  if (number === undefined) return undefined;
  if (transform.kind === 'bucket' && typeof transform.size === 'number') {
    const floor = floorToMultiple(number, transform.size);
    return floor && encodeNumeric(floor, format);
  }
  if (transform.kind !== 'fpe') return undefined;
  const { digits, scale } = number;
  const masked = formatPreservingOf(keys).integer(digits < 0n ? -digits : digits, className, scope);
  return masked === undefined
    ? undefined
    : encodeNumeric({ digits: digits < 0n ? -masked : masked, scale }, format);
}

function floatValue(value: Buffer, bytes: 4 | 8, format: number, { transform }: Job): Buffer | undefined {
  if (transform.kind !== 'bucket' || typeof transform.size !== 'number' || !(transform.size > 0))
    return undefined;
  const number = decodeFloat(value, bytes, format);
  const floor = number === undefined ? NaN : Math.floor(number / transform.size) * transform.size;
  return Number.isFinite(bytes === 4 ? Math.fround(floor) : floor)
    ? encodeFloat(floor, bytes, format)
    : undefined;
}

function dayValue(
  value: Buffer,
  shape: Extract<Shape, { kind: 'date' | 'timestamp' }>,
  format: number,
  transform: Transform,
): Buffer | undefined {
  const period = periodOf(transform);
  if (period === undefined) return undefined;
  const day =
    shape.kind === 'date' ? decodeDate(value, format) : decodeTimestampDay(value, shape.isZoned, format);
  if (day === undefined) return undefined;
  const start = dayNumber(startOfPeriod(calendarDay(day), period));
  if (start < FIRST_DAY) return undefined;
  return shape.kind === 'date' ? encodeDate(start, format) : encodeTimestampDay(start, shape.isZoned, format);
}

function periodOf(transform: Transform): Period | undefined {
  if (transform.kind === 'year') return 'year';
  return transform.kind === 'bucket' && typeof transform.size === 'string' ? transform.size : undefined;
}

function uuidValue(
  value: Buffer,
  format: number,
  { transform, class: className, scope, keys }: Job,
): Buffer | undefined {
  const digits = decodeUuid(value, format);
  if (digits === undefined) return undefined;
  if (transform.kind === 'token') {
    return encodeUuid(marksOf(keys).uuidToken(className, scope, digits).toString('hex'), format);
  }
  if (transform.kind !== 'keep-last' || transform.count * 2 > UUID_DIGITS) return undefined;
  return encodeUuid(digits.slice(UUID_DIGITS - transform.count).padStart(UUID_DIGITS, '0'), format);
}
