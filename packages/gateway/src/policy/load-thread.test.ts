import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { loadPoliciesApart } from './load-thread.ts';
import { PolicyError } from './policy-problem.ts';
import { loadPolicies } from './policy-set.ts';

const folder = mkdtempSync(join(tmpdir(), 'countersign-load-'));
after(() => rmSync(folder, { recursive: true, force: true }));

const REQUEST = {
  principal: { name: 'x', kind: 'human' },
  grant: { id: 'g', standing: true },
  target: 't',
  database: 'd',
  access: { kind: 'connect' },
} as const;

/** What loading it here and on a thread of its own says. */
async function both(): Promise<readonly unknown[]> {
  const here = await Promise.resolve(folder)
    .then(loadPolicies)
    .catch((error: unknown) => error);
  const apart = await loadPoliciesApart(folder).catch((error: unknown) => error);
  return [here, apart];
}

test('a thread of its own loads the same, and refuses the same in the same words', async () => {
  writeFileSync(join(folder, 'a.cedar'), '@id("a") permit (principal is User, action, resource);');
  const { set } = await loadPoliciesApart(folder);
  assert.equal(set.digest, loadPolicies(folder).set.digest);
  assert.deepEqual(set.decide(REQUEST), { effect: 'permit', policies: ['a'], errors: [] });

  writeFileSync(
    join(folder, 'b.cedar'),
    `@id("b") permit (principal, action, resource) when { ${'('.repeat(9_999)}1 };`,
  );
  writeFileSync(join(folder, 'c.cedar'), '@id("c") permit (principal, action == Action::"x", resource);');
  const [here, apart] = await both();
  assert.ok(here instanceof PolicyError && apart instanceof PolicyError);
  assert.deepEqual(apart.problems, here.problems);
  assert.equal(apart.problems.length, 2);
  assert.equal((await loadPoliciesApart(undefined)).set.count, 0);
});
