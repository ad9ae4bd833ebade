import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { handlerOf } from './handlers.ts';

/** Nodes named like statements that no text of a client can be: parts of others, or made by the server alone. */
const NOT_STATEMENTS: ReadonlySet<string> = new Set([
  'RawStmt',
  'SetOperationStmt',
  'ReturnStmt',
  'PLAssignStmt',
  'ReplicaIdentityStmt',
]);

/** Every kind of node that the parser's own types name. */
function nodeKinds(): readonly string[] {
  const require = createRequire(import.meta.url);
  const parser = require.resolve('libpg-query');
  const types = join(dirname(createRequire(parser).resolve('@pgsql/types')), 'types.d.ts');
  const text = readFileSync(types, 'utf8');
  return [...text.matchAll(/^export interface (\w+) \{/gmu)].map(([, name]) => name!);
}

const statements = nodeKinds().filter((kind) => kind.endsWith('Stmt'));

test('the grammar has the statements that we know of', () => {
  assert.ok(statements.length > 110, String(statements.length));
});

for (const kind of statements) {
  test(`${kind} is handled, or known not to be a statement`, () => {
    assert.equal(handlerOf(kind) === undefined, NOT_STATEMENTS.has(kind));
  });
}

test('what is no statement has no handler', () => {
  for (const kind of ['RangeVar', 'constructor', '__proto__', 'WaitStmt'])
    assert.equal(handlerOf(kind), undefined);
});
