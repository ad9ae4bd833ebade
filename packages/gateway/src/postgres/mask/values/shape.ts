import type { Catalog, CatalogType } from '../../catalog/catalog.ts';

/** What a transform must know of a type: how its values are written, in text and binary format, and what they are made of. */
export type Shape =
  /** Plain text in both formats. `isPadded`: blanks at the end mean nothing. `isMarkup`: XML, in which not every letter may change. */
  | {
      readonly kind: 'text';
      readonly maxBytes?: number;
      readonly isPadded?: boolean;
      readonly isMarkup?: boolean;
    }
  | { readonly kind: 'json' }
  | { readonly kind: 'jsonb' }
  | { readonly kind: 'bytea' }
  | { readonly kind: 'integer'; readonly bytes: 2 | 4 | 8; readonly isSigned: boolean }
  | { readonly kind: 'numeric' }
  | { readonly kind: 'float'; readonly bytes: 4 | 8 }
  | { readonly kind: 'date' }
  | { readonly kind: 'timestamp'; readonly isZoned: boolean }
  | { readonly kind: 'uuid' }
  | {
      readonly kind: 'array';
      readonly elementOid: number;
      readonly element: Shape;
      readonly delimiter: ',' | ';';
    }
  | { readonly kind: 'range'; readonly bound: Shape }
  | { readonly kind: 'multirange'; readonly range: Shape }
  /** `leaves`: how many fields there are in it that have none themselves. */
  | { readonly kind: 'composite'; readonly fields: readonly Field[]; readonly leaves: number }
  /** `record`: its fields are told by its binary form only. */
  | { readonly kind: 'record' }
  /** Type 0: nothing is known of it. */
  | { readonly kind: 'untyped' }
  /** No value of it can be made but null. `holdsText`: there may be words in it, so detectors read its text form. */
  | { readonly kind: 'opaque'; readonly holdsText: boolean };

export interface Field {
  readonly typeOid: number;
  readonly shape: Shape;
}

const TEXT: Shape = { kind: 'text' };
const OPAQUE: Shape = { kind: 'opaque', holdsText: false };
const WORDS: Shape = { kind: 'opaque', holdsText: true };
const UNTYPED: Shape = { kind: 'untyped' };
const RECORD: Shape = { kind: 'record' };
const TIMESTAMP: Shape = { kind: 'timestamp', isZoned: false };
const TIMESTAMPTZ: Shape = { kind: 'timestamp', isZoned: true };
const DATE: Shape = { kind: 'date' };
const NUMERIC: Shape = { kind: 'numeric' };
const INT4: Shape = { kind: 'integer', bytes: 4, isSigned: true };
const INT8: Shape = { kind: 'integer', bytes: 8, isSigned: true };
const TSVECTOR = 3614;
const BOX = 603;

/** Types with a value of their own: pg_type.dat. OIDs below 10,000 are the same in every server. */
const BASE_TYPES: ReadonlyMap<number, Shape> = new Map<number, Shape>([
  [0, UNTYPED],
  [17, { kind: 'bytea' }],
  // NAMEDATALEN - 1
  [19, { kind: 'text', maxBytes: 63 }],
  [20, INT8],
  [21, { kind: 'integer', bytes: 2, isSigned: true }],
  // int2vector, oidvector: arrays inside, but not in their text
  [22, OPAQUE],
  [23, INT4],
  [30, OPAQUE],
  [25, TEXT],
  [26, { kind: 'integer', bytes: 4, isSigned: false }],
  [114, { kind: 'json' }],
  [142, { kind: 'text', isMarkup: true }],
  [700, { kind: 'float', bytes: 4 }],
  [701, { kind: 'float', bytes: 8 }],
  [705, TEXT],
  [1042, { kind: 'text', isPadded: true }],
  [1043, TEXT],
  [1082, DATE],
  [1114, TIMESTAMP],
  [1184, TIMESTAMPTZ],
  [1700, NUMERIC],
  [1790, TEXT],
  [2249, RECORD],
  [2275, TEXT],
  [2950, { kind: 'uuid' }],
  [3802, { kind: 'jsonb' }],
  [TSVECTOR, WORDS],
  // tsquery, jsonpath
  [3615, WORDS],
  [4072, WORDS],
]);

/** Ranges and multiranges that are built in, by what they are of. */
const BUILT_IN_RANGES: readonly (readonly [range: number, multirange: number, bound: Shape])[] = [
  [3904, 4451, INT4],
  [3906, 4532, NUMERIC],
  [3908, 4533, TIMESTAMP],
  [3910, 4534, TIMESTAMPTZ],
  [3912, 4535, DATE],
  [3926, 4536, INT8],
];

/** Array types that are built in, and their elements. */
const BUILT_IN_ARRAYS: readonly (readonly [array: number, element: number])[] = [
  [1000, 16],
  [1001, 17],
  [1002, 18],
  [1003, 19],
  [1016, 20],
  [1005, 21],
  [1007, 23],
  [1009, 25],
  [1028, 26],
  [199, 114],
  [143, 142],
  [1017, 600],
  [1018, 601],
  [1019, 602],
  [1020, BOX],
  [1027, 604],
  [629, 628],
  [651, 650],
  [1021, 700],
  [1022, 701],
  [719, 718],
  [775, 774],
  [791, 790],
  [1040, 829],
  [1041, 869],
  [1014, 1042],
  [1015, 1043],
  [1182, 1082],
  [1183, 1083],
  [1115, 1114],
  [1185, 1184],
  [1187, 1186],
  [1270, 1266],
  [1561, 1560],
  [1563, 1562],
  [1231, 1700],
  [2201, 1790],
  [2287, 2249],
  [1263, 2275],
  [2951, 2950],
  [3221, 3220],
  [3643, TSVECTOR],
  [3645, 3615],
  [3807, 3802],
  [4073, 4072],
  [3905, 3904],
  [3907, 3906],
  [3909, 3908],
  [3911, 3910],
  [3913, 3912],
  [3927, 3926],
  [6150, 4451],
  [6151, 4532],
  [6152, 4533],
  [6153, 4534],
  [6155, 4535],
  [6157, 4536],
];

const FIRST_OWN_OID = 16_384;
/** Types within types: composites of arrays of composites. */
const MAX_DEPTH = 16;
/** Types are a few lines of DDL each and grow by multiplying: larger ones are not taken apart. A table has at most 1,600 columns. */
const MAX_LEAVES = 4_000;

const BUILT_IN: ReadonlyMap<number, Shape> = builtInShapes();

function builtInShapes(): Map<number, Shape> {
  const shapes = new Map(BASE_TYPES);
  for (const [range, multirange, bound] of BUILT_IN_RANGES) {
    shapes.set(range, { kind: 'range', bound });
    shapes.set(multirange, { kind: 'multirange', range: { kind: 'range', bound } });
  }
  for (const [array, elementOid] of BUILT_IN_ARRAYS) {
    const element = shapes.get(elementOid) ?? OPAQUE;
    shapes.set(array, { kind: 'array', elementOid, element, delimiter: elementOid === BOX ? ';' : ',' });
  }
  return shapes;
}

const known = new WeakMap<Catalog, Map<number, Shape>>();

/** Domains are their base types. What the catalog does not have, or knows to have changed, is opaque. */
export function shapeOf(typeOid: number, catalog: Catalog | undefined): Shape {
  const builtIn = BUILT_IN.get(typeOid);
  if (builtIn !== undefined) return builtIn;
  if (catalog === undefined) return typeOid < FIRST_OWN_OID ? OPAQUE : WORDS;
  return keptShape(typeOid, catalog, 0);
}

function keptShape(typeOid: number, catalog: Catalog, depth: number): Shape {
  let shapes = known.get(catalog);
  if (shapes === undefined) known.set(catalog, (shapes = new Map()));
  let shape = shapes.get(typeOid);
  if (shape === undefined) shapes.set(typeOid, (shape = found(typeOid, catalog, depth)));
  return shape;
}

function found(typeOid: number, catalog: Catalog, depth: number): Shape {
  const builtIn = BUILT_IN.get(typeOid);
  if (builtIn !== undefined) return builtIn;
  const type = catalog.typeByOid(typeOid);
  if (type === undefined || type.open === true || depth > MAX_DEPTH) return WORDS;
  const within = (oid: number): Shape => keptShape(oid, catalog, depth + 1);
  if (type.arrayOf !== undefined) return arrayShape(type.arrayOf, catalog, within);
  switch (type.kind) {
    case 'domain':
      return type.baseTypeOid === undefined ? WORDS : within(type.baseTypeOid);
    case 'range':
      return type.baseTypeOid === undefined ? WORDS : { kind: 'range', bound: within(type.baseTypeOid) };
    case 'multirange':
      return type.baseTypeOid === undefined ? WORDS : { kind: 'multirange', range: within(type.baseTypeOid) };
    case 'composite':
      return compositeShape(type, catalog, within);
    case 'enum':
      return OPAQUE;
    case 'base':
      if (type.name === 'citext') return TEXT;
      return typeOid < FIRST_OWN_OID ? OPAQUE : WORDS;
    case 'pseudo':
      break;
  }
  return OPAQUE;
}

/** The delimiter of types of extensions is not in the catalog; every one that is known has a comma. */
function arrayShape(elementOid: number, catalog: Catalog, within: (oid: number) => Shape): Shape {
  let base = elementOid;
  for (let depth = 0; depth < MAX_DEPTH; depth += 1) {
    const type = catalog.typeByOid(base);
    if (type?.kind !== 'domain' || type.baseTypeOid === undefined) break;
    base = type.baseTypeOid;
  }
  return { kind: 'array', elementOid, element: within(elementOid), delimiter: base === BOX ? ';' : ',' };
}

function compositeShape(type: CatalogType, catalog: Catalog, within: (oid: number) => Shape): Shape {
  const relation = type.relationOid === undefined ? undefined : catalog.relationByOid(type.relationOid);
  if (relation === undefined || relation.open === true) return RECORD;
  const fields = relation.columns
    .toSorted((a, b) => a.number - b.number)
    .map(({ typeOid }) => ({ typeOid, shape: within(typeOid) }));
  const leaves = fields.reduce((sum, { shape }) => sum + leavesOf(shape), 0);
  return leaves > MAX_LEAVES ? RECORD : { kind: 'composite', fields, leaves };
}

function leavesOf(shape: Shape): number {
  if (shape.kind === 'array') return leavesOf(shape.element);
  return shape.kind === 'composite' ? shape.leaves : 1;
}
