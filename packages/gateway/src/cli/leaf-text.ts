import type { Leaf } from 'countersign-verify';

/** One line about a leaf for people: index, time, type, session and what matters of its fields. */
export function formatLeafLine(index: number, leaf: Leaf): string {
  const time = new Date(Math.floor(leaf.at / 1_000)).toISOString();
  const session = textOf(leaf['session']);
  // The last 8 digits of a UUIDv7 are random; the first are time and alike for neighbours.
  const place = session === '' ? '' : `${session.slice(-8)}#${textOf(leaf['seq'])}`;
  const facts = [
    ...idOfCall(leaf),
    ...FACTS.flatMap(([field, label]) => {
      const value = textOf(leaf[field]);
      return value === '' ? [] : [label === '' ? value : `${label}=${value}`];
    }),
    ...judgement(leaf),
    ...masking(leaf),
  ];
  return `${String(index).padStart(7)}  ${time}  ${leaf.type.padEnd(19)}  ${place.padEnd(12)}  ${facts.join(' ')}`.trimEnd();
}

/** What `--call` and `policy explain` take: the last digits are enough. */
function idOfCall(leaf: Leaf): readonly string[] {
  const isCall = leaf.type === 'call.intent' || leaf.type === 'call.denied';
  return isCall ? [`call=${textOf(leaf['id']).slice(-8)}`] : [];
}

/** In this order; an empty label shows the value alone. Commitments are left out: they say nothing to a reader. */
const FACTS: readonly (readonly [string, string])[] = [
  ['status', ''],
  ['kind', ''],
  ['effect', ''],
  ['outcome', ''],
  ['principal', 'principal'],
  ['target', 'target'],
  ['grant', 'grant'],
  ['method', 'method'],
  ['sqlstate', 'sqlstate'],
  ['rows', 'rows'],
  ['bytes_up', 'up'],
  ['bytes_down', 'down'],
  ['duration_us', 'us'],
  ['call', 'call'],
  ['calls', 'calls'],
  ['cause', 'cause'],
  ['reason', 'reason'],
  ['scope', 'scope'],
  ['reader', 'reader'],
  ['code', 'code'],
  ['policies', 'policies'],
  ['count', 'count'],
  ['version', 'version'],
];

/** Objects on a line, before it says how many more there are. */
const SHOWN_OBJECTS = 4;

/** Why it was refused, or what it touches. */
function judgement(leaf: Leaf): readonly string[] {
  const { effect, reasons = [] } = (leaf['decision'] ?? {}) as {
    readonly effect?: string;
    readonly reasons?: readonly string[];
  };
  if (effect === 'forbid') return [`refused=${reasons.join(',')}`];
  const objects = leaf['objects'];
  if (!Array.isArray(objects)) return [];
  const shown = objects.slice(0, SHOWN_OBJECTS).map((object) => textOf(object));
  const more = objects.length - shown.length + Number(leaf['objects_more'] ?? 0);
  return [`[${[...shown, ...(more === 0 ? [] : [`${more} more`])].join('; ')}]`];
}

/** Classes that were let out, distinct values that were asked for of the budget, and how many values were masked. */
function masking(leaf: Leaf): readonly string[] {
  const unmasked = new Set(entriesOf(leaf['unmasked']).map((each) => textOf(each['class'])));
  const probes = entriesOf(leaf['probes']).map(
    (each) => `${textOf(each['class'])}:${textOf(each['used'])}/${textOf(each['budget'])}`,
  );
  const counts = entriesOf(leaf['masked']).map((each) => Number(each['count']));
  const masked = counts.reduce((sum, count) => sum + count, Number(leaf['masked_more'] ?? 0));
  return [
    ...(unmasked.size === 0 ? [] : [`unmasked=${[...unmasked].join(',')}`]),
    ...(probes.length === 0 ? [] : [`probes=${probes.join(',')}`]),
    ...(masked === 0 ? [] : [`masked=${masked}`]),
  ];
}

function entriesOf(list: unknown): readonly Readonly<Record<string, unknown>>[] {
  return Array.isArray(list) ? (list as Readonly<Record<string, unknown>>[]) : [];
}

function textOf(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number' || typeof value === 'boolean') return String(value);
  if (typeof value !== 'object' || value === null) return '';
  // `grant` and `target` of a context leaf are objects with an id or a name.
  const { id, name } = value as { readonly id?: unknown; readonly name?: unknown };
  return textOf(id ?? name);
}

const PARAMETER_HEAD = 10;

/**
 * The content of `params.<i>` as people read it: format and type before the value, so that no value can pass for them.
 * The layout is in docs/record-format.md; what does not have it is shown as any content.
 */
export function formatParameter(bytes: Uint8Array): string {
  const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.length < PARAMETER_HEAD) return formatContent(bytes);
  const type = view.readUInt32BE(0);
  const format = view.readInt16BE(4);
  const length = view.readInt32BE(6);
  const value = view.subarray(PARAMETER_HEAD);
  if (value.length !== Math.max(length, 0) || (format !== 0 && format !== 1)) return formatContent(bytes);
  const suffix = type === 0 ? '' : ` of type ${type}`;
  if (length < 0) return `null${suffix}`;
  const shown = format === 0 ? formatContent(value) : `\\x${value.toString('hex')}`;
  return `${format === 0 ? 'text' : 'binary'}${suffix}: ${shown}`;
}

/** Contents as people read them: text with visible control characters, anything else in hexadecimal. */
export function formatContent(bytes: Uint8Array): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
    // Invisible and direction-changing characters could make a reader see something other than what ran.
    return text.replaceAll(
      // eslint-disable-next-line no-control-regex
      /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/gu,
      (character) => `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`,
    );
  } catch {
    return `\\x${Buffer.from(bytes).toString('hex')}`;
  }
}
