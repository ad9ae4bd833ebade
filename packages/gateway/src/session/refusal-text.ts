import type { LiveGrant } from '../grants/live-grant.ts';
import type { Access, RelationAccess, SchemaAccess } from '../policy/access.ts';
import type { ToldToClient } from '../errors.ts';
import { quoteName, TextNames } from './text-names.ts';
import type { Touched, UnknownName } from './touched.ts';

/** One thing that is missing, as a client is told (docs/refusals.md). Names are in SQL's own notation, which a scope takes as well. */
export type MissingItem =
  | { readonly relation: string; readonly columns?: readonly string[] | '*' }
  | { readonly columns: readonly string[] | '*' }
  | { readonly function: string; readonly allow?: string }
  | { readonly type: string }
  | { readonly schema: string }
  /** What is made, changed or dropped without a schema before its name: that of the schema is not told. */
  | { readonly object: string }
  | { readonly allow: string }
  /** Something that the statement reaches without naming it. */
  | { readonly indirect: true };

export interface RefusedAccess {
  readonly grant: Pick<LiveGrant, 'id' | 'target' | 'scope'>;
  /** The command's kind, a word of the gateway. */
  readonly kind: string;
  readonly touched: Touched;
  readonly missing: readonly Access[];
  /** The text of the command; undefined: not at hand, then no name is told. */
  readonly text: string | undefined;
}

const MAX_ITEMS = 20;
const MAX_NAME_BYTES = 63;
/** Names are looked for in the text on the data thread: beyond these bounds none is told, so that a refusal stays cheap. */
const MAX_TEXT_LENGTH = 16_384;
const MAX_NAMES = 100;
const MAX_COLUMNS = 64;
const MAX_COVERED_LENGTH = 400;

/**
 * What the client is told: what is missing, what of it the grant covers, and how to ask. It repeats no name that the caller did not write, and
 * says the same of what is not there, what is not covered and what no policy permits: neither words nor fields tell them apart.
 */
export function tellMissing(asked: RefusedAccess): ToldToClient {
  const refused = withinBounds(asked);
  const { grant, kind } = refused;
  const all = missingItems(refused);
  const items = all.slice(0, MAX_ITEMS);
  const more = all.length - items.length;
  const list = [...items.map(formatItem), ...(more === 0 ? [] : [`and ${more} more`])].join('; ');
  const command = kind === 'unknown' ? 'statement' : kind;
  const structured = {
    refused: 'CS_STATEMENT_DENIED',
    grant: grant.id,
    target: grant.target,
    command,
    missing: items,
    ...(more === 0 ? {} : { more }),
  };
  const lines = [
    `Grant ${grant.id} does not cover, or no policy permits, for this ${command}: ${list}.`,
    ...coveredLines(refused, items),
    JSON.stringify(structured),
  ];
  return {
    detail: lines.join('\n'),
    hint: `Ask the owner of target ${grant.target} to extend grant ${grant.id}, for ${command}: ${list}. Names that the target does not have are refused in the same words.`,
  };
}

function withinBounds(refused: RefusedAccess): RefusedAccess {
  const { text = '', missing, touched } = refused;
  const names = missing.length + (touched.unknownNames?.length ?? 0);
  return text.length > MAX_TEXT_LENGTH || names > MAX_NAMES ? { ...refused, text: undefined } : refused;
}

function formatItem(item: MissingItem): string {
  if ('relation' in item) {
    if (item.columns === undefined) return item.relation;
    return `${formatColumnItem(item.columns)} of ${item.relation}`;
  }
  if ('columns' in item) return formatColumnItem(item.columns);
  if ('function' in item)
    return `function ${item.function}${item.allow === undefined ? '' : ` (${item.allow})`}`;
  if ('type' in item) return `type ${item.type}`;
  if ('schema' in item) return `schema ${item.schema}`;
  if ('object' in item) return `the schema of ${item.object}`;
  return 'allow' in item ? item.allow : 'something that it reaches without naming it';
}

function formatColumnItem(columns: readonly string[] | '*'): string {
  if (columns === '*') return 'all columns';
  return `column${columns.length === 1 ? '' : 's'} ${columns.join(', ')}`;
}

/** Sorted by what is shown, so that the order tells nothing either. */
function missingItems({ grant, touched, missing, text }: RefusedAccess): readonly MissingItem[] {
  const names = text === undefined ? undefined : new TextNames(text);
  const only = onlyRelation(touched);
  const found = new Map<string, MissingItem>();
  const columns = new Map<string, Set<string> | '*'>();
  const add = (item: MissingItem): void => void found.set(formatItem(item), item);
  const addColumns = (relation: string | undefined, more: readonly string[] | '*'): void => {
    const known = columns.get(relation ?? '');
    columns.set(relation ?? '', more === '*' || known === '*' ? '*' : new Set([...(known ?? []), ...more]));
  };
  for (const access of missing) {
    const partly = access.kind === 'relation' ? columnsOnly(access, grant) : undefined;
    if (partly === undefined || names === undefined) add(itemOf(access, names));
    else addColumns(only === undefined ? undefined : names.written(only.name), writtenColumns(partly, names));
  }
  for (const unknown of touched.unknownNames ?? []) {
    if (unknown.kind !== 'column') {
      add(itemOfUnknown(unknown, names) ?? { indirect: true });
      continue;
    }
    const written = writtenUnknown(unknown, names);
    if (written === undefined) add({ indirect: true });
    else addColumns(only === undefined ? undefined : names?.written(only.name), [written]);
  }
  // Of a relation that is not covered, or not there, columns are not spoken of.
  if (![...found.values()].some((item) => 'relation' in item)) {
    for (const [relation, each] of columns) add(columnItem(relation, each));
  }
  // What is behind it tells that it is there: that is spoken of when all that the caller names is covered.
  if ([...found.values()].some(isNamed)) found.delete(formatItem({ indirect: true }));
  return [...found].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, item]) => item);
}

function columnItem(relation: string, found: Set<string> | '*'): MissingItem {
  const columns = found === '*' ? found : [...found].toSorted();
  return relation === '' ? { columns } : { relation, columns };
}

/** The one relation that the statement is about. Where there are several, a column is not said to be of one of them. */
function onlyRelation({ demands, unknownNames = [] }: Touched): RelationAccess | undefined {
  const named = demands.filter(
    (access): access is RelationAccess =>
      access.kind === 'relation' && access.via === undefined && access.class === 'data',
  );
  const [first] = named;
  const isAlone = named.every(({ schema, name }) => schema === first?.schema && name === first.name);
  return isAlone && !unknownNames.some(({ kind }) => kind === 'relation') ? first : undefined;
}

/** The missing columns, where the grant covers others of the relation for this verb; undefined: nothing of it is. */
function columnsOnly(
  { verb, schema, name, columns, class: kind, via }: RelationAccess,
  { scope }: Pick<LiveGrant, 'scope'>,
): readonly string[] | '*' | undefined {
  if (kind === 'temp' || via !== undefined) return undefined;
  const covered = scope.columnsOf(verb, schema, name);
  return covered === undefined || covered === '*' ? undefined : columns;
}

/** A `*` of the statement may stand for columns whose names the caller does not know. */
function writtenColumns(columns: readonly string[] | '*', names: TextNames): readonly string[] | '*' {
  if (columns === '*' || columns.length > MAX_COLUMNS || !columns.every((column) => names.has(column)))
    return '*';
  return columns.map((column) => quoteName(column));
}

function itemOf(access: Access, names: TextNames | undefined): MissingItem {
  if (access.kind === 'special') return { allow: access.verb };
  if (access.kind === 'relation' && access.class === 'temp') return { allow: 'create-temp' };
  if (names === undefined || ('via' in access && access.via !== undefined)) return { indirect: true };
  if (access.kind === 'schema') return itemOfSchema(access, names);
  const written = names.written(access.name);
  if (written === undefined) return { indirect: true };
  if (access.kind === 'relation') return { relation: written };
  // What is built in is no secret, and which word allows it neither.
  const allow = access.schema === 'pg_catalog' && access.class !== 'own' ? { allow: access.class } : {};
  return { function: written, ...allow };
}

/** Without the name of an object it is the schema itself that is made, changed or dropped. */
function itemOfSchema({ schema, name }: SchemaAccess, names: TextNames): MissingItem {
  if (name !== undefined) return itemOfDefined(name, names) ?? { indirect: true };
  return names.has(schema) ? { schema: quoteName(schema) } : { indirect: true };
}

const isNamed = (item: MissingItem): boolean =>
  !('indirect' in item) && (!('allow' in item) || 'function' in item);

/** By what the text has before the name, and not by where the object is: it may be nowhere. */
function itemOfDefined(name: string, names: TextNames): MissingItem | undefined {
  const schema = names.before(name);
  if (schema !== undefined) return { schema };
  return names.has(name) ? { object: quoteName(name) } : undefined;
}

function itemOfUnknown(unknown: UnknownName, names: TextNames | undefined): MissingItem | undefined {
  const { kind, verb, written } = unknown;
  const name = writtenUnknown(unknown, names);
  if (name === undefined || names === undefined) return undefined;
  if (verb === 'ddl') return itemOfDefined(lastPart(written), names);
  if (kind === 'relation') return { relation: name };
  if (kind === 'routine') return { function: name };
  return kind === 'type' ? { type: name } : { schema: name };
}

const lastPart = (written: string): string => written.slice(written.lastIndexOf('.') + 1);

/** In the form in which a name that is there would be told. */
function writtenUnknown({ kind, written }: UnknownName, names: TextNames | undefined): string | undefined {
  const name = lastPart(written);
  // The server cuts longer ones, so one that is there would not be found in the text.
  if (names === undefined || Buffer.byteLength(name) > MAX_NAME_BYTES) return undefined;
  if (kind === 'column' || kind === 'schema') return names.has(name) ? quoteName(name) : undefined;
  return names.written(name);
}

/** What the caller may know: its own grant, of the relation that it named. */
function coveredLines(
  { grant, touched, text }: RefusedAccess,
  items: readonly MissingItem[],
): readonly string[] {
  const only = onlyRelation(touched);
  if (only === undefined || text === undefined || !items.some((item) => 'relation' in item && item.columns))
    return [];
  const relation = new TextNames(text).written(only.name);
  return (['select', 'insert', 'update'] as const).flatMap((verb) => {
    const columns = grant.scope.columnsOf(verb, only.schema, only.name);
    if (relation === undefined || columns === undefined || columns === '*') return [];
    const shown = columns.map((column) => quoteName(column)).join(', ');
    const cut = shown.length > MAX_COVERED_LENGTH ? `${shown.slice(0, MAX_COVERED_LENGTH)}…` : shown;
    return [`It covers ${verb} of ${relation} (${cut}).`];
  });
}
