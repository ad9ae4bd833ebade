import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import type { Access } from '../../policy/access.ts';
import { DefinitionUses, definitionUseOf, type DefinitionUse } from './definition-uses.ts';

const A = {};
const B = {};
const use = (...names: readonly string[]): DefinitionUse => ({ names: new Set(names), isChange: false });
const change = (...names: readonly string[]): DefinitionUse => ({ names: new Set(names), isChange: true });
const ANY: DefinitionUse = { names: '*', isChange: false };

test('a change and a use of one name by two sessions exclude each other', () => {
  const uses = new DefinitionUses();
  const leave = uses.enter(A, use('v', 'c'));
  assert.equal(uses.conflicts(B, use('v')), false, 'uses do not');
  assert.equal(uses.conflicts(B, change('v')), true);
  assert.equal(uses.conflicts(A, change('v')), false, 'nor what one session does');
  assert.equal(uses.conflicts(B, change('w')), false);
  leave();
  leave();
  assert.equal(uses.conflicts(B, change('v')), false);
  const end = uses.enter(B, change('v'));
  assert.equal(uses.conflicts(A, use('v')), true);
  assert.equal(uses.conflicts(A, change('v', 'w')), true);
  assert.equal(uses.conflicts(A, ANY), true);
  assert.equal(uses.conflicts(A, use('c')), false);
  end();
  assert.equal(uses.conflicts(A, ANY), false);
});

test('who waits goes on when nothing is in the way, and at last all the same', async () => {
  const uses = new DefinitionUses();
  const leave = [uses.enter(A, use('v')), uses.enter(A, use('v'))];
  let isFree = false;
  const free = uses.whenFree(B, change('v'), 60_000).then(() => (isFree = true));
  leave[0]!();
  await Promise.resolve();
  assert.equal(isFree, false);
  leave[1]!();
  await free;
  uses.enter(A, use('v'));
  await uses.whenFree(B, change('v'), 1);
  assert.equal(uses.conflicts(B, change('v')), true);
});

const relation = (name: string): Access => ({
  kind: 'relation',
  verb: 'select',
  schema: 's',
  name,
  columns: [],
  class: 'data',
});
const routine = (name: string, kind: 'own' | 'network'): Access => ({
  kind: 'routine',
  verb: 'execute',
  schema: 's',
  name,
  class: kind,
});
const ddl = (name?: string): Access => ({
  kind: 'schema',
  verb: 'ddl',
  schema: 's',
  ...(name === undefined ? {} : { name }),
});
const of = (...demands: readonly Access[]): DefinitionUse => definitionUseOf({ demands });

test('what a command uses', () => {
  assert.deepEqual(of(), use());
  assert.deepEqual(of(relation('t'), routine('dblink', 'network')), use('t'));
  assert.deepEqual(definitionUseOf({ demands: [relation('v')], reaches: [relation('t')] }), use('v', 't'));
  assert.deepEqual(
    definitionUseOf({ demands: [relation('v')], unknownNames: [{ written: 's.x' }] }),
    use('x', 'v'),
  );
  assert.deepEqual(of(relation('t'), routine('f', 'own')), ANY, 'what a body names is not told');
  assert.deepEqual(of(ddl('t'), relation('u')), change('t', 'u'));
  assert.deepEqual(of(ddl()), { names: '*', isChange: true });
});
