import assert from 'node:assert/strict';
import { test } from 'node:test';

import * as fc from 'fast-check';

import { assembleScope, scopeSection, type ScopeConfig } from '../config/scope-section.ts';
import type { Access, RelationAccess } from '../policy/access.ts';
import { formatAccess } from './access-text.ts';
import { compareScopes, Scope } from './scope.ts';

/** A scope as it is written in the configuration. */
function scopeOf(written: unknown): Scope {
  return new Scope(assembleScope(scopeSection.parse(written)));
}

function relation(text: string, change: Partial<RelationAccess> = {}): RelationAccess {
  const [verb = '', schema = '', name = ''] = text.split(/[ .]/);
  return {
    kind: 'relation',
    verb: verb as RelationAccess['verb'],
    schema,
    name,
    columns: [],
    class: 'data',
    ...change,
  };
}

const routine = (
  schema: string,
  name: string,
  kind: 'own' | 'security-definer' | 'dynamic-sql' = 'own',
): Access => ({
  kind: 'routine',
  verb: 'execute',
  schema,
  name,
  class: kind,
});
const ddl = (schema: string): Access => ({ kind: 'schema', verb: 'ddl', schema });
const special = (verb: 'listen' | 'do' | 'catalog-values'): Access => ({ kind: 'special', verb });

const EVERYTHING = {
  relations: [{ on: ['*.*'], verbs: ['all'] }],
  functions: ['*.*'],
  ddl: ['*'],
  allow: ['all'],
};
const WIDE_ONLY = { relations: [{ on: ['*.*'], verbs: ['all'] }], functions: ['*.*'], ddl: ['*'] };
const reads = (on: string, ...columns: string[]): unknown => ({
  relations: [{ on: [on], verbs: ['select'], ...(columns.length === 0 ? {} : { columns }) }],
});

/** A sentence, the scope, what is asked, and whether it is covered. */
const CASES: readonly (readonly [string, unknown, Access, boolean])[] = [
  ['an exact name covers it', reads('bank.accounts'), relation('select bank.accounts'), true],
  ['another verb is not covered', reads('bank.accounts'), relation('update bank.accounts'), false],
  ['another name is not covered', reads('bank.accounts'), relation('select bank.account'), false],
  ['another schema is not covered', reads('bank.accounts'), relation('select public.accounts'), false],
  ['case counts', reads('bank.Accounts'), relation('select bank.accounts'), false],
  ['names are not patterns', reads('bank."acc%"'), relation('select bank.accounts'), false],
  ['a quoted star is a name', reads('bank."*"'), relation('select bank.accounts'), false],
  ['a quoted star names the star', reads('bank."*"'), relation('select bank.*'), true],
  ['a star stands for any name', reads('bank.*'), relation('select bank.accounts'), true],
  ['a star stands for any schema', reads('*.accounts'), relation('select other.accounts'), true],
  ['a star stands for one part', reads('*.accounts'), relation('select other.cards'), false],
  ['two stars are all data', reads('*.*'), relation('select other.cards'), true],
  ['the verb all is every verb', EVERYTHING, relation('maintain other.cards'), true],
  ['listed columns are covered', reads('a.b', 'x', 'y'), relation('select a.b', { columns: ['y'] }), true],
  ['others are not', reads('a.b', 'x', 'y'), relation('select a.b', { columns: ['x', 'z'] }), false],
  ['all columns are more than a list', reads('a.b', 'x'), relation('select a.b', { columns: '*' }), false],
  ['no columns are covered by any', reads('a.b', 'x'), relation('select a.b', { columns: [] }), true],
  ['all columns by no list', reads('a.b'), relation('select a.b', { columns: '*' }), true],
  [
    'structure is covered by every scope',
    {},
    relation('select pg_catalog.pg_class', { class: 'structure', columns: '*' }),
    true,
  ],
  [
    'structure is read, not written',
    WIDE_ONLY,
    relation('update pg_catalog.pg_class', { class: 'structure' }),
    false,
  ],
  ['values are under no star', WIDE_ONLY, relation('select pg_catalog.pg_stats', { class: 'values' }), false],
  [
    'values outside of pg_catalog neither',
    WIDE_ONLY,
    relation('select public.pg_stat_statements', { class: 'values' }),
    false,
  ],
  [
    'values by a half star neither',
    reads('pg_catalog.*'),
    relation('select pg_catalog.pg_stats', { class: 'values' }),
    false,
  ],
  [
    'values by their name',
    reads('pg_catalog.pg_stats'),
    relation('select pg_catalog.pg_stats', { class: 'values' }),
    true,
  ],
  [
    'values by their name with columns',
    reads('pg_catalog.pg_stats', 'a'),
    relation('select pg_catalog.pg_stats', { class: 'values', columns: ['b'] }),
    false,
  ],
  [
    'values by the special',
    { allow: ['catalog-values'] },
    relation('select pg_catalog.pg_authid', { class: 'values', columns: '*' }),
    true,
  ],
  [
    'writes of values not by the special',
    { allow: ['catalog-values'] },
    relation('update pg_catalog.pg_authid', { class: 'values' }),
    false,
  ],
  [
    'what claims to be data in pg_toast is under no star',
    WIDE_ONLY,
    relation('select pg_toast.pg_toast_1'),
    false,
  ],
  ['nor in information_schema', WIDE_ONLY, relation('select information_schema.sql_features'), false],
  ['temporary relations need create-temp', WIDE_ONLY, relation('insert pg_temp.t', { class: 'temp' }), false],
  [
    'and with it every verb',
    { allow: ['create-temp'] },
    relation('truncate pg_temp.t', { class: 'temp' }),
    true,
  ],
  ['an own function by its name', { functions: ['app.f'] }, routine('app', 'f'), true],
  ['an own function by a star', { functions: ['app.*'] }, routine('app', 'f'), true],
  ['another schema not', { functions: ['app.*'] }, routine('other', 'f'), false],
  ['SECURITY DEFINER is under no star', WIDE_ONLY, routine('app', 'f', 'security-definer'), false],
  ['SECURITY DEFINER by its name', { functions: ['app.f'] }, routine('app', 'f', 'security-definer'), true],
  [
    'SECURITY DEFINER by the special',
    { allow: ['security-definer'] },
    routine('app', 'f', 'security-definer'),
    true,
  ],
  [
    'one special is not another',
    { allow: ['security-definer'] },
    routine('pg_catalog', 'query_to_xml', 'dynamic-sql'),
    false,
  ],
  ['built-ins are under no star', WIDE_ONLY, routine('pg_catalog', 'query_to_xml', 'dynamic-sql'), false],
  ['a function of pg_catalog that claims to be own neither', WIDE_ONLY, routine('pg_catalog', 'f'), false],
  [
    'built-ins by their names',
    { functions: ['pg_catalog.query_to_xml'] },
    routine('pg_catalog', 'query_to_xml', 'dynamic-sql'),
    true,
  ],
  ['a relation is not a function', reads('app.f'), routine('app', 'f'), false],
  ['DDL in a named schema', { ddl: ['scratch'] }, ddl('scratch'), true],
  ['DDL elsewhere', { ddl: ['scratch'] }, ddl('public'), false],
  ['DDL in any schema', { ddl: ['*'] }, ddl('public'), true],
  ['any schema is none of the system', { ddl: ['*'] }, ddl('pg_catalog'), false],
  ['temporary objects are none of any schema', { ddl: ['*'] }, ddl('pg_temp'), false],
  ['a special by its name', { allow: ['listen'] }, special('listen'), true],
  ['no other special', { allow: ['listen'] }, special('do'), false],
  ['all specials', { allow: ['all'] }, special('do'), true],
  ['specials are under no star', WIDE_ONLY, special('listen'), false],
  ['nothing is covered by nothing', {}, relation('select bank.accounts'), false],
];

for (const [sentence, written, access, covered] of CASES) {
  test(`${sentence}: ${formatAccess(access)} is ${covered ? '' : 'not '}covered`, () => {
    const scope = scopeOf(written);
    assert.equal(scope.covers(access), covered);
    assert.equal(scope.missing([access]).length, covered ? 0 : 1);
  });
}

test('an access of an unknown kind is not covered', () => {
  assert.equal(scopeOf(EVERYTHING).covers({ kind: 'portal' } as unknown as Access), false);
});

test('of a relation the missing columns are named, over all rules that match', () => {
  const scope = scopeOf({
    relations: [
      { on: ['a.b'], verbs: ['select'], columns: ['x'] },
      { on: ['a.*'], verbs: ['select', 'update'], columns: ['y'] },
    ],
  });
  const asked = relation('select a.b', { columns: ['w', 'x', 'y', 'z'] });
  assert.deepEqual(scope.missing([asked]), [{ ...asked, columns: ['w', 'z'] }]);
  assert.deepEqual(scope.columnsOf('select', 'a', 'b'), ['x', 'y']);
  assert.deepEqual(scope.columnsOf('update', 'a', 'b'), ['y']);
  assert.equal(scope.columnsOf('insert', 'a', 'b'), undefined);
});

test('scopes that say the same have the same digest, whatever their order', () => {
  const one = scopeOf({
    relations: [
      { on: ['b.x', 'a.x'], verbs: ['update', 'select'], columns: ['q', 'p'] },
      { on: ['a.x'], verbs: ['select'], columns: ['r'] },
    ],
    functions: ['f.b', 'f.a'],
    ddl: ['y', 'x'],
    allow: ['notify', 'listen'],
  });
  const other = scopeOf({
    relations: [
      { on: ['a.x'], verbs: ['select'], columns: ['r', 'p', 'q'] },
      { on: ['a.x'], verbs: ['update'], columns: ['p', 'q'] },
      { on: ['b.x'], verbs: ['select', 'update'], columns: ['p', 'q'] },
    ],
    functions: ['f.a', 'f.b', 'f.a'],
    ddl: ['x', 'y', 'x'],
    allow: ['listen', 'notify'],
  });
  assert.equal(one.digest, other.digest);
  assert.match(one.digest, /^[A-Za-z0-9_-]{43}$/);
  const digests = [
    {},
    EVERYTHING,
    WIDE_ONLY,
    reads('a.b'),
    reads('a.*'),
    reads('a."*"'),
    reads('a.b', 'c'),
  ].map((written) => scopeOf(written).digest);
  assert.equal(new Set(digests).size, digests.length);
  assert.equal(
    scopeOf(reads('a.b')).canonical,
    '{"format":1,"relations":[["a","b","select","*"]],"functions":[],"ddl":[],"allow":[]}',
  );
});

test('each of these is narrower than the next', () => {
  const order = [
    reads('a.b', 'x'),
    reads('a.b', 'x', 'y'),
    reads('a.b'),
    { relations: [{ on: ['a.b', 'a.c'], verbs: ['select'] }] },
    reads('a.*'),
    reads('*.*'),
    { functions: ['a.f'] },
    { relations: [{ on: ['a.b'], verbs: ['update'], columns: ['x'] }] },
    { relations: [{ on: ['a.b'], verbs: ['select', 'update'] }] },
    { relations: [{ on: ['*.*'], verbs: ['all'] }] },
    { ddl: ['x'] },
    { allow: ['listen'] },
    EVERYTHING,
    // Of no help to anybody.
    {},
  ].map((written) => scopeOf(written));
  for (const [index, narrow] of order.entries()) {
    assert.equal(compareScopes(narrow, narrow), 0);
    for (const wide of order.slice(index + 1)) {
      assert.ok(compareScopes(narrow, wide) < 0, `${narrow.canonical} before ${wide.canonical}`);
      assert.ok(compareScopes(wide, narrow) > 0);
    }
  }
});

const NAMES = ['a', 'b', 'pg_catalog', 'A"b', '*'];
const name = fc.constantFrom(...NAMES);
const pattern = fc.record({ schema: name, name }, { requiredKeys: [] });
const verb = fc.constantFrom('select', 'insert', 'update', 'delete', 'truncate', 'maintain');
const columns = fc.oneof(fc.constant('*' as const), fc.subarray(['x', 'y', 'z']));
const rule = fc.record({
  on: fc.array(pattern, { maxLength: 2 }),
  verbs: fc.array(verb, { maxLength: 3 }),
  columns,
});
const specials = fc.subarray(['listen', 'do', 'catalog-values', 'create-temp', 'security-definer'] as const);
const config: fc.Arbitrary<ScopeConfig> = fc.record({
  relations: fc.array(rule, { maxLength: 4 }),
  functions: fc.array(pattern, { maxLength: 3 }),
  ddl: fc.oneof(fc.constant('any' as const), fc.array(name, { maxLength: 2 })),
  allow: fc.oneof(fc.constant('all' as const), specials),
});
const access = fc.oneof(
  fc.record({
    kind: fc.constant('relation'),
    verb,
    schema: name,
    name,
    columns,
    class: fc.constantFrom('data', 'structure', 'values', 'temp'),
  }),
  fc.record({
    kind: fc.constant('routine'),
    verb: fc.constant('execute'),
    schema: name,
    name,
    class: fc.constantFrom('own', 'security-definer', 'dynamic-sql'),
  }),
  fc.record({ kind: fc.constant('schema'), verb: fc.constant('ddl'), schema: name }),
  fc.record({ kind: fc.constant('special'), verb: fc.constantFrom('listen', 'do', 'catalog-values') }),
) as fc.Arbitrary<Access>;

function union(a: ScopeConfig, b: ScopeConfig): ScopeConfig {
  return {
    relations: [...a.relations, ...b.relations],
    functions: [...a.functions, ...b.functions],
    ddl: a.ddl === 'any' || b.ddl === 'any' ? 'any' : [...a.ddl, ...b.ddl],
    allow: a.allow === 'all' || b.allow === 'all' ? 'all' : [...a.allow, ...b.allow],
  };
}

test('property: a wider scope covers whatever a narrower one covers', () => {
  fc.assert(
    fc.property(config, config, access, (narrow, more, asked) => {
      if (!new Scope(narrow).covers(asked)) return;
      assert.ok(new Scope(union(narrow, more)).covers(asked));
      assert.ok(new Scope(union(more, narrow)).covers(asked));
    }),
    { numRuns: 3_000 },
  );
});

test('property: nothing is missing exactly when everything is covered, and what is missing is enough', () => {
  fc.assert(
    fc.property(config, fc.array(access, { maxLength: 4 }), (each, asked) => {
      const scope = new Scope(each);
      const missing = scope.missing(asked);
      assert.equal(
        missing.length === 0,
        asked.every((one) => scope.covers(one)),
      );
      for (const one of missing) assert.equal(scope.covers(one), false);
    }),
    { numRuns: 3_000 },
  );
});

test('property: a scope is the same as its canonical form, read again', () => {
  fc.assert(
    fc.property(config, access, (each, asked) => {
      const scope = new Scope(each);
      const again = new Scope({
        relations: scope.entries.map(({ on, verb: one, columns: some }) => ({
          on: [on],
          verbs: [one],
          columns: some,
        })),
        functions: scope.functions,
        ddl: scope.ddl,
        allow: scope.allow,
      });
      assert.equal(again.covers(asked), scope.covers(asked));
      assert.equal(again.canonical, scope.canonical);
    }),
    { numRuns: 2_000 },
  );
});

test('property: more columns of the same relation are never covered by less', () => {
  fc.assert(
    fc.property(config, access, columns, (each, asked, more) => {
      if (asked.kind !== 'relation') return;
      const all = asked.columns === '*' || more === '*' ? '*' : [...new Set([...asked.columns, ...more])];
      const scope = new Scope(each);
      if (scope.covers({ ...asked, columns: all })) assert.ok(scope.covers(asked));
    }),
    { numRuns: 2_000 },
  );
});
