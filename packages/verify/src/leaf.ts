/** Leaves: their types as far as every leaf shares them, and the check of one leaf against its schema. */

import { assertCanonical, type CanonicalObject, type CanonicalValue } from './canonical-json.ts';
import { FormatError } from './errors.ts';
import { ENVELOPE, EVENTS, type EventType, type Fields, type Shape } from './leaf-schema.ts';
import { MAX_ENTRY_BYTES } from './tiles.ts';

export const LEAF_VERSION = 1;

const UUID7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const DIGEST = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;
// eslint-disable-next-line no-control-regex
const NAME = /^[^\u0000-\u001f\u007f-\u009f]{1,255}$/u;
const SQLSTATE = /^[0-9A-Z]{5}$/;

/** A leaf that is canonical JSON with a sound envelope; further fields as its type's schema says. */
export interface Leaf extends CanonicalObject {
  readonly v: number;
  readonly type: string;
  readonly at: number;
  readonly mono: number;
  readonly journal: string;
  readonly jseq: number;
}

export interface CheckedLeaf {
  /** Absent when the bytes are not a canonical object with a sound envelope. */
  readonly leaf?: Leaf;
  /** True when type and version are known and every field is as the schema says. */
  readonly isSound: boolean;
  /** One sentence per problem; they name fields, never values. */
  readonly problems: readonly string[];
}

export function isUuid7(text: string): boolean {
  return UUID7.test(text);
}

function isScalarSound(value: CanonicalValue, kind: Shape['kind']): boolean {
  switch (kind) {
    case 'count':
      return typeof value === 'number' && value >= 0;
    case 'integer':
      return typeof value === 'number';
    case 'boolean':
      return typeof value === 'boolean';
    case 'uuid':
      return typeof value === 'string' && UUID7.test(value);
    case 'digest':
    case 'commitment':
      return typeof value === 'string' && DIGEST.test(value);
    case 'sqlstate':
      return typeof value === 'string' && SQLSTATE.test(value);
    default:
      return typeof value === 'string' && NAME.test(value);
  }
}

function isObject(value: CanonicalValue | undefined): value is CanonicalObject {
  return typeof value === 'object' && !Array.isArray(value);
}

function checkValue(
  value: CanonicalValue,
  shape: Shape,
  prefix: string,
  name: string,
  problems: string[],
): void {
  switch (shape.kind) {
    case 'list':
      if (!Array.isArray(value)) problems.push(`${prefix}${name} is not a list`);
      else
        for (const item of value as readonly CanonicalValue[])
          checkValue(item, shape.of, prefix, `${name}[]`, problems);
      return;
    case 'object':
      if (!isObject(value)) problems.push(`${prefix}${name} is not an object`);
      else checkFields(value, shape.fields, `${prefix}${name}.`, problems);
      return;
    case 'choice':
      if (typeof value !== 'string' || !shape.of.includes(value))
        problems.push(`${prefix}${name} is none of its choices`);
      return;
    default:
      if (!isScalarSound(value, shape.kind)) problems.push(`${prefix}${name} is not a ${shape.kind}`);
  }
}

/** The fields of an object, ready to be looked up; made once per schema. */
interface CompiledFields {
  readonly byName: ReadonlyMap<string, Shape>;
  readonly required: readonly string[];
}

const compiled = new WeakMap<Fields, CompiledFields>();

function compileFields(fields: Fields): CompiledFields {
  const entries = Object.entries(fields);
  const byName = new Map(entries.map(([name, { shape }]) => [name, shape]));
  return { byName, required: entries.filter(([, { isOptional }]) => !isOptional).map(([name]) => name) };
}

function checkFields(value: CanonicalObject, fields: Fields, prefix: string, problems: string[]): void {
  let known = compiled.get(fields);
  if (known === undefined) compiled.set(fields, (known = compileFields(fields)));
  checkMembers(value, known, prefix, problems);
}

function checkMembers(
  value: CanonicalObject,
  { byName, required }: CompiledFields,
  prefix: string,
  problems: string[],
): void {
  for (const key in value) {
    const shape = byName.get(key);
    if (shape === undefined) problems.push(`${prefix}a field is not in the schema`);
    else checkValue(value[key]!, shape, prefix, key, problems);
  }
  for (const key of required) {
    if (!Object.hasOwn(value, key)) problems.push(`${prefix}${key} is missing`);
  }
}

const { id: _id, ...ENVELOPE_OF_RESULT } = ENVELOPE;

/** By event type: its own fields and those of the envelope. */
const LEAF_FIELDS: ReadonlyMap<string, CompiledFields> = new Map(
  Object.entries(EVENTS as Readonly<Record<string, Fields>>).map(([type, fields]) => {
    const envelope = type === 'call.result' ? ENVELOPE_OF_RESULT : ENVELOPE;
    return [type, compileFields({ ...envelope, ...fields })];
  }),
);

/** Decodes and checks one leaf. Never throws: what is wrong is in `problems`. */
export function checkLeaf(bytes: Uint8Array): CheckedLeaf {
  const problems: string[] = [];
  if (bytes.length > MAX_ENTRY_BYTES) problems.push('the leaf is longer than 65535 bytes');
  let value: CanonicalValue;
  try {
    value = assertCanonical(bytes);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    return { isSound: false, problems: [`the leaf is not canonical JSON: ${error.message}`] };
  }
  if (!isObject(value)) return { isSound: false, problems: ['the leaf is not an object'] };
  const type = value['type'];
  const fields = typeof type === 'string' ? LEAF_FIELDS.get(type) : undefined;
  if (fields !== undefined && value['v'] === LEAF_VERSION) {
    checkMembers(value, fields, '', problems);
  } else {
    problems.push(
      value['v'] === LEAF_VERSION ? 'the event type is not known' : 'the leaf version is not known',
    );
  }
  if (!hasEnvelope(value)) return { isSound: false, problems };
  return { leaf: value, isSound: problems.length === 0, problems };
}

function hasEnvelope(value: CanonicalObject): value is Leaf {
  return (
    isScalarSound(value['type'] ?? '', 'name') &&
    isScalarSound(value['journal'] ?? '', 'name') &&
    isScalarSound(value['at'] ?? '', 'count') &&
    isScalarSound(value['mono'] ?? '', 'count') &&
    isScalarSound(value['jseq'] ?? '', 'count')
  );
}

export interface LeafCommitment {
  /** Path of the field in the leaf and in the vault: `statement`, `params.0`. */
  readonly field: string;
  /** base64url of SHA-256(salt ‖ bytes). */
  readonly digest: string;
}

function collect(value: CanonicalValue, shape: Shape, path: string, into: LeafCommitment[]): void {
  if (shape.kind === 'commitment' && typeof value === 'string') {
    into.push({ field: path, digest: value });
  } else if (shape.kind === 'list' && Array.isArray(value)) {
    (value as readonly CanonicalValue[]).forEach((item, i) => collect(item, shape.of, `${path}.${i}`, into));
  }
}

/** The commitments of a sound leaf, in the order of its schema. All are at the top level or in a list there. */
export function commitmentsOf(leaf: Leaf): LeafCommitment[] {
  const commitments: LeafCommitment[] = [];
  const fields: Fields = EVENTS[leaf.type as EventType];
  for (const key in fields) {
    const value = leaf[key];
    if (value !== undefined) collect(value, fields[key]!.shape, key, commitments);
  }
  return commitments;
}
