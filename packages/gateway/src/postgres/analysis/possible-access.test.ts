import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Meaning } from '../inspect/meaning.ts';
import { possibleAccess } from './possible-access.ts';

type Unknown = Meaning['unknownNames'][number];

function possible(
  unknownNames: readonly Unknown[],
  path: readonly string[] | undefined,
): readonly string[] | undefined {
  const meaning: Meaning = {
    kind: 'select',
    effect: 'read',
    statements: 1,
    demands: [
      { kind: 'relation', verb: 'update', schema: 'app', name: 'known', columns: ['a'], class: 'data' },
    ],
    reaches: [],
    unknownNames,
    usesSearchPath: true,
    usesCatalog: true,
    changes: [],
  };
  return possibleAccess({ meaning, settings: [] }, path)?.map((access) => {
    if (access.kind === 'special') return access.verb;
    const columns = access.kind === 'relation' ? `(${String(access.columns)})` : '';
    return `${access.verb} ${access.schema}.${access.name ?? ''}${columns}`;
  });
}

const relation = (written: string): Unknown => ({ kind: 'relation', written });
const everyVerb = (name: string): readonly string[] =>
  ['select', 'insert', 'update', 'delete', 'truncate', 'maintain'].map((verb) => `${verb} ${name}(*)`);

for (const [sentence, unknown, path, expected] of [
  ['a qualified relation is where it is written', [relation('app.t')], [], everyVerb('app.t')],
  [
    'a bare one is anywhere on the path',
    [relation('t')],
    ['a', 'pg_catalog', 'b'],
    [...everyVerb('a.t'), ...everyVerb('b.t')],
  ],
  ['a point may belong to the name', [relation('x.y')], ['a'], [...everyVerb('x.y'), ...everyVerb('a.x.y')]],
  ['three parts cannot be told apart', [relation('x.y.z')], ['a'], undefined],
  ['a bare name without a path cannot be told', [relation('t')], undefined, undefined],
  ['nothing of the system is let through', [relation('pg_catalog.pg_new')], ['a'], undefined],
  ["nor of another session's temporary objects", [relation('pg_temp_3.t')], ['a'], undefined],
  ['a routine', [{ kind: 'routine', written: 'app.f' }], [], ['execute app.f']],
  ['what would be dropped', [{ kind: 'relation', written: 'app.t', verb: 'ddl' }], [], ['ddl app.t']],
  ['a schema to make something in', [{ kind: 'schema', written: 'nowhere' }], [], ['ddl nowhere.']],
  ['a column is of what is named', [{ kind: 'column', written: 'b' }], [], ['select app.known(*)']],
  ['a type cannot be granted', [{ kind: 'type', written: 'app.x' }], [], undefined],
  [
    'one that cannot be told is enough',
    [relation('app.t'), { kind: 'type', written: 'x' }],
    ['a'],
    undefined,
  ],
] as const satisfies readonly (readonly [
  string,
  readonly Unknown[],
  readonly string[] | undefined,
  readonly string[] | undefined,
])[]) {
  test(`what unknown names could demand: ${sentence}`, () => {
    assert.deepEqual(possible(unknown, path), expected);
  });
}
