/** What docs/policy.md shows works as it stands there. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

import { makePolicySet } from '../../packages/gateway/src/policy/policy-set.ts';
import { parsePolicyTests } from '../../packages/gateway/src/policy/policy-tests.ts';
import { ASKED_ACTIONS, POLICY_SCHEMA } from '../../packages/gateway/src/policy/schema.ts';

const text = readFileSync(join(import.meta.dirname, '../../docs/policy.md'), 'utf8');

const blocks = (language: string): readonly string[] =>
  Array.from(
    text.matchAll(new RegExp(`^\`\`\`${language}\\n([\\s\\S]*?)^\`\`\``, 'gm')),
    ([, block = '']) => block,
  );

test('the policies in it are valid', () => {
  const files = blocks('cedar').map((block, index) => ({
    name: `${index}.cedar`,
    path: `docs/policy.md, block ${index}`,
    text: block,
  }));
  assert.ok(files.length >= 3);
  const { set, warnings } = makePolicySet(files);
  assert.deepEqual(warnings, []);
  assert.ok(set.count >= 6);
});

test('the tests in it can be read', () => {
  const [file = ''] = blocks('yaml');
  assert.equal(parsePolicyTests(file).tests.length, 2);
});

test('it describes every action that is asked, and every type of the schema', () => {
  for (const action of Object.keys(ASKED_ACTIONS)) assert.ok(text.includes(`\`${action}\``), action);
  for (const [, type = ''] of POLICY_SCHEMA.matchAll(/^entity (\w+)/gm))
    assert.match(text, new RegExp(`\`[^\`\\n]*\\b${type}\\b`), type);
});
