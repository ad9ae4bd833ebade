import type { Catalog } from '../../catalog/catalog.ts';
import {
  decodeArray,
  decodeComposite,
  decodeMultirange,
  decodeRange,
  encodeArray,
  encodeComposite,
  encodeMultirange,
  encodeRange,
} from './binary-containers.ts';
import { shapeOf, type Shape } from './shape.ts';
import {
  arrayText,
  compositeText,
  multirangeText,
  parseArray,
  parseComposite,
  parseMultirange,
  parseRange,
  rangeText,
  type ArrayItem,
  type RangeLiteral,
} from './text-literals.ts';

export type ContainerShape = Extract<
  Shape,
  { kind: 'array' | 'range' | 'multirange' | 'composite' | 'record' }
>;

/** The part itself: it stays. Null: NULL. */
export type MapPart = (part: Buffer, shape: Shape) => Buffer | null;

export function isContainer(shape: Shape): shape is ContainerShape {
  switch (shape.kind) {
    case 'array':
    case 'range':
    case 'multirange':
    case 'composite':
    case 'record':
      return true;
    default:
      return false;
  }
}

/**
 * A value with its parts (elements, fields, bounds) mapped, in the same format. NULL parts stay NULL. The very `value` if no part changed; null where a bound of a range became
 * NULL (that would be another range), or where the value is not of the shape: what cannot be read does not pass.
 */
export function mapParts(
  value: Buffer,
  shape: ContainerShape,
  format: number,
  map: MapPart,
  catalog: Catalog | undefined,
): Buffer | null {
  return format === 0 ? mapText(value, shape, map) : mapBinary(value, shape, map, catalog);
}

function mapText(value: Buffer, shape: ContainerShape, map: MapPart): Buffer | null {
  const change = new Change(map);
  const written = mappedText(value.toString('utf8'), shape, change);
  if (written === undefined || change.hasFailed) return null;
  return change.hasChanged ? Buffer.from(written) : value;
}

/** Remembers over all parts whether any became another. */
class Change {
  hasChanged = false;
  hasFailed = false;
  readonly #map: MapPart;

  constructor(map: MapPart) {
    this.#map = map;
  }

  bytes(part: Buffer, shape: Shape): Buffer | null {
    const mapped = this.#map(part, shape);
    if (mapped !== part) this.hasChanged = true;
    return mapped;
  }

  text(part: string, shape: Shape): string | null {
    const bytes = Buffer.from(part);
    const mapped = this.bytes(bytes, shape);
    if (mapped === bytes) return part;
    return mapped === null ? null : mapped.toString('utf8');
  }

  /** A bound that becomes NULL would open the range. */
  bound(part: string | undefined, shape: Shape): string | undefined {
    if (part === undefined) return undefined;
    const mapped = this.text(part, shape);
    if (mapped === null) this.hasFailed = true;
    return mapped ?? undefined;
  }
}

function mappedText(text: string, shape: ContainerShape, change: Change): string | undefined {
  switch (shape.kind) {
    case 'array': {
      const literal = parseArray(text, shape.delimiter);
      return (
        literal &&
        arrayText({ ...literal, items: mappedItems(literal.items, shape.element, change) }, shape.delimiter)
      );
    }
    case 'composite':
    case 'record': {
      const fields = parseComposite(text);
      // Of a record nothing tells what its fields are.
      if (fields === undefined || shape.kind === 'record' || fields.length !== shape.fields.length)
        return undefined;
      const { fields: shapes } = shape;
      return compositeText(
        fields.map((field, index) => (field === null ? null : change.text(field, shapes[index]!.shape))),
      );
    }
    case 'range': {
      const range = parseRange(text);
      return range && rangeText(mappedRange(range, shape.bound, change));
    }
    // multirange
    default: {
      const ranges = parseMultirange(text);
      const bound = shape.range.kind === 'range' ? shape.range.bound : undefined;
      return ranges && bound && multirangeText(ranges.map((range) => mappedRange(range, bound, change)));
    }
  }
}

function mappedItems(items: readonly ArrayItem[], element: Shape, change: Change): ArrayItem[] {
  return items.map((item) => {
    if (item === null) return null;
    return typeof item === 'string' ? change.text(item, element) : mappedItems(item, element, change);
  });
}

function mappedRange(range: RangeLiteral, bound: Shape, change: Change): RangeLiteral {
  return { ...range, lower: change.bound(range.lower, bound), upper: change.bound(range.upper, bound) };
}

function mapBinary(
  value: Buffer,
  shape: ContainerShape,
  map: MapPart,
  catalog: Catalog | undefined,
): Buffer | null {
  const change = new Change(map);
  const written = mappedBinary(value, shape, change, catalog);
  if (written === undefined || change.hasFailed) return null;
  return change.hasChanged ? written : value;
}

function mappedBinary(
  value: Buffer,
  shape: ContainerShape,
  change: Change,
  catalog: Catalog | undefined,
): Buffer | undefined {
  switch (shape.kind) {
    case 'array': {
      const array = decodeArray(value);
      if (array === undefined) return undefined;
      const element =
        array.elementOid === shape.elementOid ? shape.element : shapeOf(array.elementOid, catalog);
      const elements = array.elements.map((part) => (part === null ? null : change.bytes(part, element)));
      return encodeArray({ header: array.header, elements });
    }
    case 'composite':
    case 'record': {
      const fields = decodeComposite(value);
      return (
        fields &&
        encodeComposite(
          fields.map(({ typeOid, bytes }) => ({
            typeOid,
            bytes: bytes === null ? null : change.bytes(bytes, shapeOf(typeOid, catalog)),
          })),
        )
      );
    }
    case 'range':
      return mappedBinaryRange(value, shape.bound, change);
    // multirange
    default: {
      const { range } = shape;
      if (range.kind !== 'range') return undefined;
      const ranges = decodeMultirange(value)?.map((part) => mappedBinaryRange(part, range.bound, change));
      return ranges?.every((part) => part !== undefined) === true ? encodeMultirange(ranges) : undefined;
    }
  }
}

function mappedBinaryRange(value: Buffer, bound: Shape, change: Change): Buffer | undefined {
  const range = decodeRange(value);
  if (range === undefined) return undefined;
  const bounds: Buffer[] = [];
  for (const part of range.bounds) {
    const mapped = change.bytes(part, bound);
    if (mapped === null) change.hasFailed = true;
    else bounds.push(mapped);
  }
  return encodeRange({ flags: range.flags, bounds });
}
