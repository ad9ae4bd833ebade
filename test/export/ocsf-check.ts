/** Holds an event against the OCSF schema: unknown, missing and deprecated attributes, types, enumerations, constraints. */

import type { Attribute, Definition, OcsfSchema } from './published-schema.ts';

type Value = Readonly<Record<string, unknown>>;

/** One sentence per problem; none for a valid event. Stricter than the schema: what is deprecated is a problem too. */
export function checkEvent(schema: OcsfSchema, event: Value): readonly string[] {
  const definition = Object.values(schema.classes).find(({ uid }) => uid === event['class_uid']);
  if (definition === undefined) return ['class_uid is not a class'];
  const metadata = event['metadata'] as { readonly version?: string; readonly profiles?: readonly string[] };
  const problems: string[] = [];
  if (metadata.version !== schema.version) problems.push('metadata.version is not that of the schema');
  if (event['class_name'] !== definition.caption) problems.push('class_name is not the name of the class');
  if (event['category_uid'] !== definition.category_uid)
    problems.push('category_uid is not that of the class');
  if (event['category_name'] !== definition.category_name)
    problems.push('category_name is not that of the class');
  if (event['type_uid'] !== definition.uid * 100 + (event['activity_id'] as number))
    problems.push('type_uid is not class and activity');
  new Check(schema, new Set(metadata.profiles), problems).fields(event, definition, '');
  return problems;
}

class Check {
  readonly #schema: OcsfSchema;
  readonly #profiles: ReadonlySet<string>;
  readonly #problems: string[];

  constructor(schema: OcsfSchema, profiles: ReadonlySet<string>, problems: string[]) {
    this.#schema = schema;
    this.#profiles = profiles;
    this.#problems = problems;
  }

  fields(value: Value, { attributes, constraints }: Definition, path: string): void {
    for (const [key, field] of Object.entries(value)) {
      const attribute = attributes[key];
      if (attribute === undefined || !this.#applies(attribute))
        this.#problems.push(`${path}${key} is not an attribute here`);
      else this.#attribute(field, attribute, value, `${path}${key}`);
    }
    for (const [key, attribute] of Object.entries(attributes)) {
      if (attribute.requirement === 'required' && this.#applies(attribute) && value[key] === undefined)
        this.#problems.push(`${path}${key} is missing`);
    }
    const { at_least_one: some, just_one: one } = constraints ?? {};
    const count = (keys: readonly string[]): number => keys.filter((key) => value[key] !== undefined).length;
    if (some !== undefined && count(some) === 0)
      this.#problems.push(`${path} has none of ${some.join(', ')}`);
    if (one !== undefined && count(one) !== 1)
      this.#problems.push(`${path} has not just one of ${one.join(', ')}`);
  }

  #applies({ profiles }: Attribute): boolean {
    return (
      profiles === undefined || profiles === null || profiles.some((profile) => this.#profiles.has(profile))
    );
  }

  #attribute(value: unknown, attribute: Attribute, parent: Value, path: string): void {
    if (attribute['@deprecated'] !== undefined) this.#problems.push(`${path} is deprecated`);
    if (attribute.is_array === true) {
      if (!Array.isArray(value)) this.#problems.push(`${path} is not a list`);
      else for (const item of value as readonly unknown[]) this.#single(item, attribute, `${path}[]`);
      return;
    }
    this.#single(value, attribute, path);
    this.#enumeration(value, attribute, parent, path);
  }

  #enumeration(value: unknown, attribute: Attribute, parent: Value, path: string): void {
    if (attribute.enum === undefined) return;
    const entry = attribute.enum[String(value)];
    if (entry === undefined) {
      this.#problems.push(`${path} is none of its values`);
      return;
    }
    const name = attribute.sibling === undefined ? undefined : parent[attribute.sibling];
    // 99 is "Other": its name is the source's own.
    const isFree = value === 99 || (attribute.sibling === 'type_name' && Number(value) % 100 === 99);
    if (name !== undefined && !isFree && name !== entry.caption)
      this.#problems.push(`${path} and its name disagree`);
    if (value === 99 && attribute.sibling !== undefined && name === undefined)
      this.#problems.push(`${path} is Other without a name`);
  }

  #single(value: unknown, attribute: Attribute, path: string): void {
    if (attribute.type !== 'object_t') {
      this.#scalar(value, attribute.type, path);
      return;
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.#problems.push(`${path} is not an object`);
      return;
    }
    const definition = this.#schema.objects[attribute.object_type ?? ''];
    // `object` is OCSF's word for an object of any kind (`unmapped`).
    if (attribute.object_type !== 'object') {
      if (definition === undefined) this.#problems.push(`${path} has no definition`);
      else this.fields(value as Value, definition, `${path}.`);
    }
  }

  #scalar(value: unknown, type: string, path: string): void {
    const definition = this.#schema.dictionary.types.attributes[type];
    if (definition === undefined) {
      this.#problems.push(`${path} has the unknown type ${type}`);
      return;
    }
    const { type: base = type, regex, max_len: longest, range } = definition;
    const isRight =
      base === 'string_t'
        ? typeof value === 'string'
        : base === 'boolean_t'
          ? typeof value === 'boolean'
          : base === 'json_t' || Number.isSafeInteger(value);
    if (!isRight) this.#problems.push(`${path} is not a ${base}`);
    if (typeof value === 'string' && regex !== undefined && !new RegExp(regex).test(value))
      this.#problems.push(`${path} is not written as a ${type}`);
    if (typeof value === 'string' && longest !== undefined && value.length > longest)
      this.#problems.push(`${path} is too long`);
    if (typeof value === 'number' && range !== undefined && (value < range[0] || value > range[1]))
      this.#problems.push(`${path} is out of range`);
  }
}
