/** Values and what becomes of them when they are put together. */
import { createHash } from 'node:crypto';
import type { Source } from '../../masking/lineage.ts';
import type { Fixed, NamedValue, Value } from './port.ts';

const NO_SOURCES: readonly Source[] = [];

/** pg_type.oid of a string constant that has no type yet. */
export const UNKNOWN_TYPE = 705;

/** Nothing regulated, nothing that the caller chose: NULL. */
export const NULL_VALUE: Value = { sources: NO_SOURCES, how: 'direct', form: 'column', isOther: false };

/** Not regulated, and not the caller's either. */
export const FREE_VALUE: Value = { ...NULL_VALUE, isOther: true };

export const freeOf = (typeOid: number | undefined): Value =>
  typeOid === undefined ? FREE_VALUE : { ...FREE_VALUE, typeOid };

/** @param text content of a string, digits of a number. */
export function constantOf(text: string, typeOid?: number): Value {
  return { ...NULL_VALUE, fixed: { constants: [text], parameters: [], arrays: [] }, typeOid };
}

/** Longer ones are told by their digest: what is computed of what is computed of … doubles at every step. */
const MAX_COMPUTED_TEXT = 200;

/** What is computed of constants, as one: the same text for the same computation of the same constants. */
export function computedText(parts: unknown): string {
  const text = JSON.stringify(parts);
  if (text.length <= MAX_COMPUTED_TEXT) return text;
  return `sha256 ${createHash('sha256').update(text).digest('base64url')}`;
}

export function parameterOf(number: number, typeOid?: number): Value {
  return { ...NULL_VALUE, fixed: { constants: [], parameters: [number], arrays: [] }, typeOid };
}

/** A column as it is read. @param source undefined: it is not regulated. */
export function columnOf(source: Source | undefined, origin: string | undefined, typeOid?: number): Value {
  if (source === undefined) return { ...FREE_VALUE, origin, typeOid };
  return { sources: [source], how: 'direct', form: 'column', isOther: false, origin, typeOid };
}

/** Of which only is known that it may carry these. */
export function unknownOf(sources: readonly Source[]): Value {
  return { sources: unionOf([sources]), how: 'derived', form: 'part', isOther: true };
}

/** What the value of a row carries. */
export function rowOf(fields: readonly NamedValue[]): Value {
  return { ...derivedOf(fields.map(({ value }) => value)), fields };
}

export function keyOf(source: Source): string {
  switch (source.kind) {
    case 'column':
      return `c\0${source.object}\0${source.class}`;
    case 'temporary':
      return `t\0${source.relation}\0${source.column}`;
    default:
      return `u\0${source.object}`;
  }
}

/** Each once, in order. */
export function unionOf(lists: readonly (readonly Source[])[]): readonly Source[] {
  let only: readonly Source[] = NO_SOURCES;
  let isOne = true;
  for (const list of lists) {
    if (list.length === 0 || list === only) continue;
    if (only.length > 0) isOne = false;
    else only = list;
  }
  if (isOne && only.length < 2) return only;
  const found = new Map<string, Source>();
  for (const list of lists) for (const source of list) found.set(keyOf(source), source);
  return [...found.values()];
}

export function fixedOf(all: readonly (Fixed | undefined)[]): Fixed | undefined {
  const some = all.filter((one) => one !== undefined);
  if (some.length < 2) return some[0];
  return {
    constants: [...new Set(some.flatMap(({ constants }) => constants))],
    parameters: [...new Set(some.flatMap(({ parameters }) => parameters))],
    arrays: [...new Set(some.flatMap(({ arrays }) => arrays))],
  };
}

const commonType = (values: readonly Value[]): number | undefined => {
  const [first, ...others] = values.filter(({ typeOid }) => typeOid !== UNKNOWN_TYPE);
  return first !== undefined && others.every(({ typeOid }) => typeOid === first.typeOid)
    ? first.typeOid
    : undefined;
};

/**
 * One of several: UNION, VALUES, CASE, COALESCE. Direct only where it is the same column in all of them.
 */
export function eitherOf(values: readonly Value[]): Value {
  const [first] = values;
  if (first === undefined) return NULL_VALUE;
  if (values.length === 1) return first;
  const sources = unionOf(values.map((value) => value.sources));
  const isSame =
    first.how === 'direct' &&
    values.every(
      ({ how, origin, fields }) => how === 'direct' && origin === first.origin && fields === undefined,
    );
  const isDirect = sources.length === 0 || (isSame && first.origin !== undefined && sources.length === 1);
  return {
    sources,
    how: isDirect ? 'direct' : 'derived',
    form: formOf(values),
    fixed: fixedOf(values.map(({ fixed }) => fixed)),
    size: Math.max(...values.map((value) => value.size ?? 1)),
    isOther: values.some(({ isOther }) => isOther),
    typeOid: commonType(values),
    origin: isSame ? first.origin : undefined,
    fields: eitherFields(values),
  };
}

/** Rows that have the same fields, field by field. */
function eitherFields(values: readonly Value[]): readonly NamedValue[] | undefined {
  const [first] = values;
  const row = first!.fields;
  if (row === undefined) return undefined;
  const isLike = values.every(
    (value) =>
      value.fields?.length === row.length && value.fields.every(({ name }, at) => name === row[at]!.name),
  );
  if (!isLike) return undefined;
  return row.map(({ name }, at) => ({
    name,
    value: eitherOf(values.map((value) => value.fields![at]!.value)),
  }));
}

const RANKS = { column: 0, whole: 1, part: 2 } as const;

/** The worst of those that carry anything. */
export function formOf(values: readonly Value[]): Value['form'] {
  let worst: Value['form'] = 'column';
  for (const { form, sources } of values) {
    if (sources.length > 0 && RANKS[form] > RANKS[worst]) worst = form;
  }
  return worst;
}

/**
 * Computed from several. What carries nothing is free, and not the caller's own choice any more (what leaves it one says so itself).
 *
 * @param form of a result that carries something. Default `part`.
 */
export function derivedOf(values: readonly Value[], typeOid?: number, form: Value['form'] = 'part'): Value {
  const sources = unionOf(values.map((value) => value.sources));
  if (sources.length === 0) return freeOf(typeOid);
  return { sources, how: 'derived', form, isOther: true, typeOid, size: sizeOf(values) };
}

/** Of all of them together; a constant beside them makes it larger by as much as one. */
const sizeOf = (values: readonly Value[]): number =>
  values.reduce((sum, { size = 1, sources }) => sum + (sources.length === 0 ? 1 : size), 0);

/** What is larger could become too large for the server, depending on what it began with. */
const MAX_SIZE = 5000;

export const isTooLarge = ({ size = 1, sources }: Value): boolean => sources.length > 0 && size > MAX_SIZE;

/** Something regulated is in it. */
export const isRegulated = ({ sources }: Value): boolean => sources.length > 0;
