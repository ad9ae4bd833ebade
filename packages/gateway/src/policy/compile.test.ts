import assert from 'node:assert/strict';
import { test } from 'node:test';

import { PolicyError } from './policy-problem.ts';
import { makePolicySet } from './policy-set.ts';

const file = (text: string, name = 'rules.cedar') => ({ name, path: `/policies/${name}`, text });

/** Files that must not load, and what is said of them. */
const REFUSED: readonly (readonly [string, string, RegExp])[] = [
  ['no id', 'permit (principal, action, resource);', /:1:1: error: the policy has no @id/],
  ['an empty id', '@id("") permit (principal, action, resource);', /@id must be/],
  ['an id with a space', '@id("a b") permit (principal, action, resource);', /@id must be/],
  ['an id of ours', '@id("countersign.x") permit (principal, action, resource);', /reserved/],
  [
    'an id twice',
    '@id("a") permit (principal, action, resource);\n\n@id("a") forbid (principal, action, resource);',
    /:3:1: error: a: the id is taken by rules\.cedar:1/,
  ],
  ['a syntax error', '// é\n@id("a") permit (principal, action resource);', /:2:36: error: /],
  ['a template', '@id("a") permit (principal == ?principal, action, resource);', /templates/],
  [
    'an unknown action',
    '@id("a")\npermit (principal, action == Action::"selct", resource);',
    /:2:30: error: a: unrecognized action .*did you mean/,
  ],
  ['an unknown type', '@id("a") permit (principal, action, resource is Tabel);', /did you mean/],
  [
    'an unknown attribute',
    '@id("a") permit (principal, action == Action::"select", resource) when { resource.owner == "x" };',
    /attribute `owner` .*not found/,
  ],
  [
    'an attribute that may be missing',
    '@id("a") permit (principal, action == Action::"select", resource) when { context.via == "x" };',
    /unable to guarantee safety/,
  ],
  [
    'types that do not fit',
    '@id("a") permit (principal, action == Action::"select", resource) when { resource.name == 3 };',
    /not compatible/,
  ],
  [
    'what can never apply',
    '@id("a") forbid (principal, action == Action::"select", resource == Schema::"bank/ledger/public");',
    /unable to find an applicable action/,
  ],
  [
    'what can never hold',
    '@id("a") forbid (principal, action == Action::"select", resource) when { resource is Function };',
    /impossible/,
  ],
  [
    'columns without all columns',
    '@id("a") forbid (principal, action == Action::"select", resource) when { context.columns.contains("ssn") };',
    /context\.allColumns/,
  ],
  [
    'the same, written differently',
    '@id("a") permit (principal, action == Action::"special", resource) when { context has columns } unless { context["columns"].contains("ssn") };',
    /context\.allColumns/,
  ],
  [
    'parentheses without end',
    `@id("a") permit (principal, action, resource) when { ${'('.repeat(5_000)}true${')'.repeat(5_000)} };`,
    /nested too deeply/,
  ],
  [
    'an expression without end',
    `@id("a") permit (principal, action, resource) when { 1${' + 1'.repeat(5_000)} > 0 };`,
    /nested too deeply/,
  ],
  ['too many', manyPolicies(2_001), /more than 2000 policies/],
];

function manyPolicies(count: number): string {
  return Array.from(
    { length: count },
    (_, index) => `@id("p${index}") permit (principal, action, resource);`,
  ).join('');
}

for (const [what, text, said] of REFUSED) {
  test(`refused: ${what}`, () => {
    assert.throws(
      () => makePolicySet([file(text)]),
      (error) => {
        assert.ok(error instanceof PolicyError);
        assert.equal(error.code, 'CS_POLICY_INVALID');
        assert.match(error.detail ?? '', said);
        assert.ok(error.problems.every(({ file: path }) => path === '/policies/rules.cedar'));
        return true;
      },
    );
  });
}

test('every problem is told at once, each at its place, and a file that breaks the engine hides no other', () => {
  const files = [
    file(`@id("deep") permit (principal, action, resource) when { ${'['.repeat(3_000)} };`, 'a.cedar'),
    file('@id("b") permit (principal, action == Action::"selct", resource);\npermit (', 'b.cedar'),
    file('@id("c") permit (principal, action == Action::"insrt", resource);', 'c.cedar'),
    file('permit (principal, action, resource);', 'd.cedar'),
  ];
  assert.throws(
    () => makePolicySet(files),
    (error) => {
      assert.ok(error instanceof PolicyError);
      assert.deepEqual(
        error.problems.map((problem) => problem.file.slice(-7)),
        ['a.cedar', 'b.cedar', 'd.cedar', 'c.cedar'],
      );
      return true;
    },
  );
});

test('letters of two scripts in one word are a warning', () => {
  const { warnings } = makePolicySet([
    file('@id("a") permit (principal == User::"j\u0430ne", action, resource);'),
  ]);
  assert.match(warnings[0]?.message ?? '', /mixed scripts/);
  assert.equal(warnings[0]?.severity, 'warning');
});
