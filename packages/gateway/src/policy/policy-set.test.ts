import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { RelationAccess } from './access.ts';
import { SPECIALS } from './access.ts';
import type { PolicyRequest } from './policy-request.ts';
import { makePolicySet, PolicySet } from './policy-set.ts';

const file = (text: string, name = 'rules.cedar') => ({ name, path: `/policies/${name}`, text });
const setOf = (...texts: readonly string[]): PolicySet =>
  makePolicySet(texts.map((text, index) => file(text, `${index}.cedar`))).set;

const AGENT = { name: 'bot', kind: 'agent', groups: ['reporting'] } as const;
const BASE = { principal: AGENT, grant: { id: 'g', standing: true }, target: 'bank', database: 'ledger' };

const relation = (over: Partial<RelationAccess> = {}): PolicyRequest => ({
  ...BASE,
  access: {
    kind: 'relation',
    verb: 'select',
    schema: 'public',
    name: 'accounts',
    columns: ['id', 'status'],
    class: 'data',
    ...over,
  },
});
const ask = (access: PolicyRequest['access'], over: Partial<PolicyRequest> = {}): PolicyRequest => ({
  ...BASE,
  access,
  ...over,
});
const routine = (kind: 'own' | (typeof SPECIALS)[number]) =>
  ({ kind: 'routine', verb: 'execute', schema: 'app', name: 'transfer', class: kind }) as const;

const permits = (policies: string, request: PolicyRequest): boolean =>
  setOf(policies).decide(request).effect === 'permit';

/** A sentence, the policies, the question, whether it is permitted. */
const TABLE: readonly (readonly [string, string, PolicyRequest, boolean])[] = [
  ['no policy permits nothing', '', relation(), false],
  ['no policy lets nobody in', '', ask({ kind: 'connect' }), false],
  [
    'a permit for everything permits',
    '@id("a") permit (principal, action, resource);',
    ask({ kind: 'connect' }),
    true,
  ],
  [
    'a forbid outweighs a permit',
    '@id("a") permit (principal, action, resource); @id("b") forbid (principal is Agent, action, resource);',
    relation(),
    false,
  ],
  [
    'a forbid for others does not',
    '@id("a") permit (principal, action, resource); @id("b") forbid (principal is User, action, resource);',
    relation(),
    true,
  ],
  [
    'a forbid alone permits nothing',
    '@id("b") forbid (principal is User, action, resource);',
    relation(),
    false,
  ],
  [
    'a group is the groups of the principal',
    '@id("a") permit (principal in Group::"reporting", action, resource);',
    relation(),
    true,
  ],
  [
    'and no other group',
    '@id("a") permit (principal in Group::"report", action, resource);',
    relation(),
    false,
  ],
  [
    'a user of that name is not the agent of that name',
    '@id("a") permit (principal == User::"bot", action, resource);',
    relation(),
    false,
  ],
  [
    'a relation is in its schema',
    '@id("a") permit (principal, action == Action::"select", resource in Schema::"bank/ledger/public");',
    relation(),
    true,
  ],
  [
    'in its database',
    '@id("a") permit (principal, action, resource in Database::"bank/ledger");',
    relation(),
    true,
  ],
  ['in its target', '@id("a") permit (principal, action, resource in Target::"bank");', relation(), true],
  [
    'and in no schema that begins like it',
    '@id("a") permit (principal, action, resource in Schema::"bank/ledger/pub");',
    relation(),
    false,
  ],
  [
    'a schema of another database is another schema',
    '@id("a") permit (principal, action, resource in Schema::"bank/archive/public");',
    relation(),
    false,
  ],
  [
    'select permits no update',
    '@id("a") permit (principal, action == Action::"select", resource);',
    relation({ verb: 'update' }),
    false,
  ],
  ['read is select', '@id("a") permit (principal, action in Action::"read", resource);', relation(), true],
  [
    'write is no select',
    '@id("a") permit (principal, action in Action::"write", resource);',
    relation(),
    false,
  ],
  [
    'delete permits no truncate',
    '@id("a") permit (principal, action == Action::"delete", resource);',
    relation({ verb: 'truncate' }),
    false,
  ],
  [
    'columns: those in the list',
    '@id("a") permit (principal, action == Action::"select", resource) when { !context.allColumns && ["id", "status", "kind"].containsAll(context.columns) };',
    relation(),
    true,
  ],
  [
    'columns: one that is not in the list',
    '@id("a") permit (principal, action == Action::"select", resource) when { !context.allColumns && ["id"].containsAll(context.columns) };',
    relation(),
    false,
  ],
  [
    'a list of columns is never met by all of them, even where the policy gets allColumns wrong',
    '@id("a") permit (principal, action == Action::"select", resource) when { (context.allColumns || true) && ["id"].containsAll(context.columns) };',
    relation({ columns: '*' }),
    false,
  ],
  [
    'counting rows reads no column',
    '@id("a") permit (principal, action == Action::"select", resource) when { !context.allColumns && ["id"].containsAll(context.columns) };',
    relation({ columns: [] }),
    true,
  ],
  [
    'the grant: by its id',
    '@id("a") permit (principal, action, resource) when { context has grant && context.grant.id == "g" && context.grant.standing };',
    ask({ kind: 'schema', verb: 'ddl', schema: 'scratch' }),
    true,
  ],
  [
    'the grant: a purpose that it does not have',
    '@id("a") permit (principal, action == Action::"connect", resource) when { context.grant has purpose && context.grant.purpose == "x" };',
    ask({ kind: 'connect' }),
    false,
  ],
  [
    'through a view: only if it says so',
    '@id("a") permit (principal, action == Action::"select", resource) when { context has via && context.via == "public.v" };',
    relation({ via: 'public.v' }),
    true,
  ],
];

for (const [what, policies, request, isPermitted] of TABLE) {
  test(what, () => assert.equal(permits(policies, request), isPermitted));
}

test('what is weaker never permits what is stronger', () => {
  const everything: readonly (readonly [string, PolicyRequest])[] = [
    ['connect', ask({ kind: 'connect' })],
    ['select', relation()],
    ['select', relation({ class: 'structure', schema: 'pg_catalog', name: 'pg_class' })],
    ['special', relation({ class: 'values', schema: 'pg_catalog', name: 'pg_stats' })],
    ['insert', relation({ verb: 'insert' })],
    ['update', relation({ verb: 'update' })],
    ['delete', relation({ verb: 'delete' })],
    ['truncate', relation({ verb: 'truncate' })],
    ['maintain', relation({ verb: 'maintain' })],
    ['insert', relation({ verb: 'insert', class: 'temp', schema: 'pg_temp' })],
    ...(['insert', 'update', 'delete', 'truncate', 'maintain'] as const).flatMap((verb) =>
      (['structure', 'values'] as const).map(
        (kind) =>
          ['admin', relation({ verb, class: kind, schema: 'pg_catalog', name: 'pg_authid' })] as const,
      ),
    ),
    ['execute', ask(routine('own'))],
    ...SPECIALS.map((name) => [name === 'admin' ? 'admin' : 'special', ask(routine(name))] as const),
    ['ddl', ask({ kind: 'schema', verb: 'ddl', schema: 'app', name: 't' })],
    ['unmask', ask({ kind: 'unmask', class: 'ssn' })],
    ['unmask', ask({ kind: 'unmask', class: '*' })],
    ['admin', ask({ kind: 'schema', verb: 'ddl', schema: 'pg_catalog' })],
    ...SPECIALS.map(
      (verb) => [verb === 'admin' ? 'admin' : 'special', ask({ kind: 'special', verb })] as const,
    ),
  ];
  for (const action of new Set(everything.map(([name]) => name))) {
    const set = setOf(`@id("a") permit (principal, action == Action::"${action}", resource);`);
    for (const [needed, request] of everything)
      assert.equal(
        set.decide(request).effect,
        needed === action ? 'permit' : 'forbid',
        `${action}: ${JSON.stringify(request.access)}`,
      );
  }
});

test('a class of regulated values is let out by its name, and * by its own', () => {
  const set = setOf(
    '@id("a") permit (principal, action == Action::"unmask", resource == Class::"bank/ledger/ssn");',
  );
  const effect = (name: string): string => set.decide(ask({ kind: 'unmask', class: name })).effect;
  assert.deepEqual(['ssn', 'email', '*'].map(effect), ['permit', 'forbid', 'forbid']);
});

test('a special by its name, with the functions and relations that are of its kind', () => {
  const set = setOf(
    '@id("a") permit (principal, action == Action::"special", resource in Special::"bank/ledger/catalog-values");',
  );
  const effect = (request: PolicyRequest): string => set.decide(request).effect;
  assert.equal(effect(ask({ kind: 'special', verb: 'catalog-values' })), 'permit');
  assert.equal(effect(ask(routine('catalog-values'))), 'permit');
  assert.equal(effect(relation({ class: 'values' })), 'permit');
  assert.equal(effect(ask({ kind: 'special', verb: 'copy-program' })), 'forbid');
  assert.equal(effect(ask(routine('file-access'))), 'forbid');
});

test('ids of the deciding policies, sorted; none where nothing permits', () => {
  const set = setOf(
    '@id("z") permit (principal, action, resource); @id("a") permit (principal is Agent, action, resource);',
    '@id("never-ddl") forbid (principal, action == Action::"ddl", resource);',
  );
  assert.deepEqual(set.decide(relation()), { effect: 'permit', policies: ['a', 'z'], errors: [] });
  const ddl = ask({ kind: 'schema', verb: 'ddl', schema: 's' });
  assert.deepEqual(set.decide(ddl), { effect: 'forbid', policies: ['never-ddl'], errors: [] });
  assert.deepEqual(PolicySet.empty().decide(ddl), { effect: 'forbid', policies: [], errors: [] });
});

test('a policy that cannot be evaluated means no, though another permits, and is named', () => {
  const set = setOf(
    '@id("all") permit (principal, action, resource);',
    '@id("guard") forbid (principal, action == Action::"select", resource) when { 9223372036854775807 + 1 > 0 };',
  );
  const { effect, errors, policies } = set.decide(relation());
  assert.equal(effect, 'forbid');
  assert.deepEqual(policies, ['guard']);
  assert.deepEqual(
    errors.map(({ policy }) => policy),
    ['guard'],
  );
  assert.match(errors[0]?.message ?? '', /overflow/);
  // Another action is none of its business.
  assert.equal(set.decide(ask({ kind: 'connect' })).effect, 'permit');
});

/** Names that a target's owner may give to things in order to be taken for others. */
const NAMES = [
  'accounts"',
  '"accounts"',
  'a"; permit (principal, action, resource); //',
  'back\\slash',
  'line\nbreak\r\ttab',
  'sl/ash',
  'per%2Fcent',
  'with.dot',
  '*',
  '?principal',
  'ключ',
  '\u{1F600}',
  'e\u0301',
  '\u00e9',
  '\u202Eevil',
  '__entity',
  '__proto__',
  'constructor',
  '{"__extn":{"fn":"ip","arg":"::1"}}',
  ' ',
  'x'.repeat(63),
];

test('a name is that name and no other, whatever characters it holds', () => {
  for (const name of NAMES) {
    const id = ['bank', 'ledger', 'public', name.replaceAll('%', '%25').replaceAll('/', '%2F')].join('/');
    const set = setOf(
      `@id("a") permit (principal, action == Action::"select", resource == Relation::${cedarString(id)}) when { resource.name == ${cedarString(name)} };`,
    );
    for (const other of NAMES) {
      const expected = other === name ? 'permit' : 'forbid';
      assert.equal(set.decide(relation({ name: other })).effect, expected, JSON.stringify([name, other]));
    }
  }
});

test('no two places share an id', () => {
  const set = setOf(
    '@id("a") permit (principal, action, resource in Schema::"bank/ledger/a");',
    '@id("b") permit (principal, action, resource == Relation::"bank/ledger/b/c");',
  );
  const effect = (request: PolicyRequest): string => set.decide(request).effect;
  assert.equal(effect(relation({ schema: 'a', name: 'x' })), 'permit');
  assert.equal(effect(relation({ schema: 'b', name: 'c' })), 'permit');
  assert.equal(effect(relation({ schema: 'a/x', name: 'y' })), 'forbid');
  assert.equal(effect({ ...relation({ schema: 'c', name: 'd' }), database: 'ledger/b' }), 'forbid');
  assert.equal(effect({ ...relation({ schema: 'x' }), database: 'ledger/a' }), 'forbid');
  assert.equal(effect({ ...relation({ schema: 'c' }), database: 'ledger/b' }), 'forbid');
});

const like = (pattern: string, name: string): boolean =>
  permits(
    `@id("a") permit (principal, action == Action::"select", resource) when { resource.name like "${pattern}" };`,
    relation({ name }),
  );

test('like matches what it says: a star is any text, an escaped one is a star', () => {
  assert.ok(like('acc*', 'accounts'));
  assert.ok(!like('acc*', 'my_accounts'));
  assert.ok(like('*', ''));
  assert.ok(!like('acc\\*', 'accounts'));
  assert.ok(like('acc\\*', 'acc*'));
  assert.ok(like('a*z', 'a\n\u{1F600}z'));
});

test('an empty set permits nobody anything, the gateway either: its own policy stands beside the sets', () => {
  const empty = PolicySet.empty();
  const as = (name: string, kind: 'service' | 'agent' | 'human'): string =>
    empty.decide({ ...relation(), principal: { name, kind } }).effect;
  assert.equal(as('gateway', 'service'), 'forbid');
  assert.equal(as('gateway', 'agent'), 'forbid');
  assert.equal(as('gateway', 'human'), 'forbid');
  assert.equal(as('gateway2', 'service'), 'forbid');
  assert.equal(empty.count, 0);
});

test('a context, a principal or a name of the wrong type is a refusal, not a surprise', () => {
  const set = setOf('@id("a") permit (principal, action, resource);');
  const wrong: readonly unknown[] = [
    { ...relation(), principal: { name: 3, kind: 'agent' } },
    { ...relation(), principal: { name: 'x', kind: 'robot' } },
    { ...relation(), grant: { id: {}, standing: true } },
    { ...relation(), grant: { id: 'g', standing: 'yes' } },
    { ...relation(), grant: undefined },
    { ...relation(), database: undefined },
    { ...relation(), access: { kind: 'relation', verb: 'select' } },
    { ...relation(), access: { kind: 'relation', verb: 'call_tool', schema: 's', name: 'n', columns: [] } },
    relation({ columns: [1] as never }),
    relation({ columns: { __entity: { type: 'User', id: 'x' } } as never }),
    relation({ verb: 'read' as never }),
    relation({ name: { __entity: { type: 'User', id: 'x' } } as never }),
  ];
  for (const request of wrong) {
    const { effect, errors } = set.decide(request as PolicyRequest);
    assert.equal(effect, 'forbid', JSON.stringify(request));
    assert.ok(errors.length > 0);
  }
  assert.equal(set.decide(relation()).effect, 'permit');
});

test('an engine that fails is replaced, and the failed question is refused', () => {
  const set = setOf('@id("a") permit (principal, action, resource);');
  // Deeper than the stack of the engine goes.
  let deep: unknown = 'x';
  for (let depth = 0; depth < 20_000; depth += 1) deep = [deep];
  const failed = set.decide(relation({ columns: deep as never }));
  assert.equal(failed.effect, 'forbid');
  assert.deepEqual(failed.errors, [{ policy: '', message: 'the policy engine failed' }]);
  assert.equal(set.decide(relation()).effect, 'permit');
});

test('two thousand policies are judged like two', () => {
  const many = Array.from(
    { length: 1_990 },
    (_, index) =>
      `@id("p${index}") permit (principal, action == Action::"select", resource == Relation::"bank/ledger/public/t${index}");`,
  ).join('\n');
  const set = setOf(many);
  assert.deepEqual(set.decide(relation({ name: 't1234' })).policies, ['p1234']);
  assert.equal(set.decide(relation({ name: 't1990' })).effect, 'forbid');
});

const digest = (...files: readonly (readonly [string, string])[]): string =>
  makePolicySet(files.map(([name, text]) => file(text, name))).set.digest;

test('the digest is of the files: names, texts and order', () => {
  const one = '@id("a") permit (principal, action, resource);';
  assert.equal(digest(['a.cedar', one]), digest(['a.cedar', one]));
  const others = [
    digest(['b.cedar', one]),
    digest(['a.cedar', `${one} `]),
    digest(['a.cedar', one], ['b.cedar', '']),
    digest(),
  ];
  assert.equal(new Set([digest(['a.cedar', one]), ...others]).size, 5);
  assert.match(PolicySet.empty().digest, /^[A-Za-z0-9_-]{43}$/);
});

function cedarString(text: string): string {
  const escaped = Array.from(text, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
  return `"${escaped.join('')}"`;
}
