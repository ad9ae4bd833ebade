import { z } from 'zod';

import { fileSchema } from './file-schema.ts';
import type { ConfigFile } from './file-schema.ts';
import { KEYS_OF_LATER_VERSIONS, PROTOCOLS_OF_LATER_VERSIONS } from './later-versions.ts';
import { nearestKey } from './nearest-key.ts';
import type { Positions } from './positions.ts';
import { formatPath } from './problem.ts';
import type { ConfigProblem } from './problem.ts';

/** Checks the parsed YAML against the schema. Gives the typed file, or every problem with its place. */
export function checkShape(
  value: unknown,
  positions: Positions,
): { file?: ConfigFile; problems: ConfigProblem[] } {
  const parsed = fileSchema.safeParse(value, { reportInput: false });
  if (parsed.success) return { file: parsed.data, problems: [] };
  return { problems: parsed.error.issues.flatMap((issue) => translateIssue(issue, value, positions)) };
}

function translateIssue(issue: z.core.$ZodIssue, root: unknown, positions: Positions): ConfigProblem[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => unknownKey(issue.path, key, positions));
  }
  const later = laterValue(issue.path, valueAt(root, issue.path));
  const missing = valueAt(root, issue.path) === undefined;
  // A record's bad key is reported at the key: its value may be perfectly fine.
  const place =
    issue.code === 'invalid_key'
      ? positions.ofKey(issue.path.slice(0, -1), String(issue.path.at(-1)))
      : positions.ofValue(issue.path);
  return [
    {
      severity: 'error',
      code: later === undefined ? 'CS_CONFIG_INVALID' : 'CS_CONFIG_NOT_BUILT',
      path: formatPath(issue.path),
      ...place,
      message: later ?? (missing ? 'is missing' : describe(issue)),
    },
  ];
}

function unknownKey(path: readonly PropertyKey[], key: string, positions: Positions): ConfigProblem {
  const place = positions.ofKey(path, key);
  const fullPath = formatPath([...path, key]);
  const later = Object.hasOwn(KEYS_OF_LATER_VERSIONS, key) ? KEYS_OF_LATER_VERSIONS[key] : undefined;
  if (later !== undefined) {
    return {
      severity: 'error',
      code: 'CS_CONFIG_NOT_BUILT',
      path: fullPath,
      ...place,
      message: `this version does not have ${later}`,
      hint: 'remove the key; it is refused so that nobody relies on it',
    };
  }
  const valid = keysAt(path);
  const near = nearestKey(key, valid);
  return {
    severity: 'error',
    code: 'CS_CONFIG_INVALID',
    path: fullPath,
    ...place,
    message: 'unknown key',
    hint: near === undefined ? `valid here: ${valid.join(', ')}` : `did you mean ${near}?`,
  };
}

function laterValue(path: readonly PropertyKey[], value: unknown): string | undefined {
  if (
    path.at(-1) === 'protocol' &&
    typeof value === 'string' &&
    PROTOCOLS_OF_LATER_VERSIONS.includes(value)
  ) {
    return `this version does not speak ${value}`;
  }
  if (
    path.length === 1 &&
    path[0] === 'workers' &&
    typeof value === 'number' &&
    Number.isInteger(value) &&
    value > 1
  ) {
    return 'this version has one worker';
  }
  return undefined;
}

/** Sentences without values: what stands in the file may be a secret in the wrong place. */
function describe(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      // zod's own wording unless the schema gave one; "received" is left out on purpose.
      return issue.message.startsWith('Invalid input') ? `must be ${article(issue.expected)}` : issue.message;
    case 'invalid_value':
      // The schema's own sentence, where it has one.
      if (!issue.message.startsWith('Invalid ')) return issue.message;
      return `must be ${issue.values
        .map((value) => String(value))
        .join(', ')
        .replace(/, ([^,]*)$/, ' or $1')}`;
    case 'too_small':
      return issue.origin === 'array' || issue.origin === 'string'
        ? 'must not be empty'
        : `must be at least ${issue.minimum}`;
    case 'too_big':
      return issue.origin === 'string'
        ? `must have at most ${issue.maximum} characters`
        : `must be at most ${issue.maximum}`;
    case 'invalid_key':
      return 'must be 1 to 63 of a-z, 0-9, ".", "_", "-" and begin with a letter or digit';
    case 'invalid_format':
      return issue.message.startsWith('Invalid string')
        ? 'is not written as this key needs it'
        : issue.message;
    default:
      return issue.message;
  }
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  array: 'a list',
  boolean: 'true or false',
  int: 'a whole number',
  number: 'a number',
  object: 'a section with keys',
  record: 'a section with names as keys',
  string: 'text',
};

function article(expected: string): string {
  return TYPE_NAMES[expected] ?? expected;
}

function valueAt(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const part of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    value = (value as Record<PropertyKey, unknown>)[part];
  }
  return value ?? undefined;
}

/** The keys that the schema knows at a path. */
function keysAt(path: readonly PropertyKey[]): string[] {
  let node = jsonSchema();
  for (const part of path) {
    const next: JsonSchemaNode | undefined =
      typeof part === 'number' ? node.items : (node.properties?.[String(part)] ?? node.additionalProperties);
    if (next === undefined) return [];
    node = next;
  }
  return Object.keys(node.properties ?? {});
}

interface JsonSchemaNode {
  readonly properties?: Readonly<Record<string, JsonSchemaNode>>;
  readonly additionalProperties?: JsonSchemaNode;
  readonly items?: JsonSchemaNode;
}

let cachedSchema: JsonSchemaNode | undefined;

function jsonSchema(): JsonSchemaNode {
  cachedSchema ??= z.toJSONSchema(fileSchema, { io: 'input' }) as JsonSchemaNode;
  return cachedSchema;
}
