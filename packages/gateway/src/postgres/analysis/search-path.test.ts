import assert from 'node:assert/strict';
import { test } from 'node:test';
import { effectivePath, parseSearchPath } from './search-path.ts';

for (const [sentence, text, expected] of [
  ['the default', '"$user", public', ['$user', 'public']],
  ['nothing', '', []],
  ["an empty name, as SET search_path = '' leaves it", '""', ['']],
  ['unquoted names fold to lower case', 'Public, App', ['public', 'app']],
  ['quoted names stay, with their quotes and commas', '"A ""b"", c",d', ['A "b", c', 'd']],
  ['white space around names', '\t a \n,\fb ', ['a', 'b']],
  ['a name without its quote', '"a', undefined],
  ['a comma too many', 'a,', undefined],
  ['two names without a comma', 'a b', undefined],
  ['long names are cut where the server cuts them', `"${'é'.repeat(40)}"`, ['é'.repeat(31)]],
  ['letters whose folding depends on the locale', 'Ä', undefined],
] as const) {
  test(`search_path: ${sentence}`, () => {
    assert.deepEqual(parseSearchPath(text), expected);
  });
}

const catalog = { hasSchema: (name: string) => ['public', 'app', 'private', 'alice', 'new'].includes(name) };
const reader = {
  user: 'alice',
  usable: new Set(['public', 'app', 'alice']),
  seen: new Set(['public', 'app', 'alice', 'private']),
};

for (const [sentence, elements, expected] of [
  ['"$user" is the login', ['$user', 'public'], ['alice', 'public']],
  ['a schema that does not exist is passed over', ['nowhere', 'public'], ['public']],
  [
    'a schema that the login may not use is passed over, as the server does',
    ['private', 'public'],
    ['public'],
  ],
  ['a schema that is newer than what was asked is taken', ['new', 'public'], ['new', 'public']],
  ['each schema once', ['app', 'public', 'app'], ['app', 'public']],
  [
    'pg_catalog and pg_temp stand where they are named',
    ['app', 'pg_temp', 'pg_catalog'],
    ['app', 'pg_temp', 'pg_catalog'],
  ],
  ["somebody's temporary schema cannot be told", ['pg_temp_3', 'public'], undefined],
] as const) {
  test(`effective path: ${sentence}`, () => {
    assert.deepEqual(effectivePath(elements, reader, catalog), expected);
  });
}
