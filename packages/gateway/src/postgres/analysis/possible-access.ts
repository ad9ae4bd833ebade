import type { Access, RelationVerb } from '../../policy/access.ts';
import type { Meaning } from '../inspect/meaning.ts';
import type { StatementReading } from './reading.ts';

const VERBS: readonly RelationVerb[] = ['select', 'insert', 'update', 'delete', 'truncate', 'maintain'];

interface Remembered {
  readonly path: readonly string[] | undefined;
  readonly possible: readonly Access[] | undefined;
}

const remembered = new WeakMap<StatementReading, Remembered>();

/**
 * What names that the catalog does not have could demand, whatever they were. Who may have all of it learns nothing from the server's own error, so the
 * statement can go there. Undefined: that cannot be told, or nobody is ever to learn it.
 *
 * The same reading and path give the same array: decisions are remembered under it.
 */
export function possibleAccess(
  reading: StatementReading,
  path: readonly string[] | undefined,
): readonly Access[] | undefined {
  const known = remembered.get(reading);
  if (known !== undefined && known.path === path) return known.possible;
  const possible = possibleOf(reading.meaning, path);
  remembered.set(reading, { path, possible });
  return possible;
}

function possibleOf(meaning: Meaning, path: readonly string[] | undefined): readonly Access[] | undefined {
  const all: Access[] = [];
  for (const unknown of meaning.unknownNames) {
    const possible = unknown.kind === 'column' ? columnsOf(meaning) : possibleOfObject(unknown, path);
    if (possible === undefined) return undefined;
    all.push(...possible);
  }
  return all;
}

/** A column is of one of the relations that are named. */
function columnsOf({ demands }: Meaning): readonly Access[] {
  return demands.flatMap((access): readonly Access[] => {
    if (access.kind !== 'relation') return [];
    const { schema, name } = access;
    return [{ kind: 'relation', verb: 'select', schema, name, columns: '*', class: access.class }];
  });
}

function possibleOfObject(
  { kind, written, verb }: Meaning['unknownNames'][number],
  path: readonly string[] | undefined,
): readonly Access[] | undefined {
  if (kind === 'schema')
    return isOwn(written) ? [{ kind: 'schema', verb: 'ddl', schema: written }] : undefined;
  const places = placesOf(written, path);
  if (places === undefined || places.some(({ schema }) => !isOwn(schema))) return undefined;
  if (verb === 'ddl')
    return places.map(({ schema, name }) => ({ kind: 'schema', verb: 'ddl', schema, name }));
  switch (kind) {
    case 'relation':
      return places.flatMap(everyVerbOf);
    case 'routine':
      return places.map(({ schema, name }) => ({
        kind: 'routine',
        verb: 'execute',
        schema,
        name,
        class: 'own',
      }));
    default:
      return undefined;
  }
}

function everyVerbOf({ schema, name }: Place): readonly Access[] {
  return VERBS.map((verb) => ({ kind: 'relation', verb, schema, name, columns: '*', class: 'data' }));
}

interface Place {
  readonly schema: string;
  readonly name: string;
}

/** Every schema that it could be in. A point may also belong to the name: then both readings count. */
function placesOf(written: string, path: readonly string[] | undefined): readonly Place[] | undefined {
  const parts = written.split('.');
  if (parts.length > 2) return undefined;
  const [schema = '', name] = parts;
  const qualified = name === undefined ? [] : [{ schema, name }];
  if (name !== undefined && path === undefined) return qualified;
  if (path === undefined) return undefined;
  const own = path.filter((each) => each !== 'pg_catalog' && each !== 'pg_temp');
  return [...qualified, ...own.map((each) => ({ schema: each, name: written }))];
}

/** Of system schemas, and of others' temporary ones, nothing is let through because it is not known. */
function isOwn(schema: string): boolean {
  return !schema.startsWith('pg_') && schema !== 'information_schema';
}
