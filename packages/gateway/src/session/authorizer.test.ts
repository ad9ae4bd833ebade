import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { PolicyDecider, PolicyRequest } from '../policy/policy-request.ts';
import {
  accessOf,
  grantOf,
  PERMIT_ALL,
  policiesOf,
  scopeConfig,
  subjectOf,
} from './authorization-fixture.ts';
import { Authorizer } from './authorizer.ts';

const WIDE = scopeConfig(['bank.*: select update']);

/** Real policies, with every question noted. */
function noting(decider: PolicyDecider): { decider: PolicyDecider; asked: PolicyRequest[] } {
  const asked: PolicyRequest[] = [];
  return {
    asked,
    decider: {
      digest: decider.digest,
      decide: (request) => {
        asked.push(request);
        return decider.decide(request);
      },
    },
  };
}

test('what the scope covers and a policy permits may run, and both are named', () => {
  const policies = policiesOf(`
    @id("come") permit (principal, action == Action::"connect", resource);
    @id("read") permit (principal, action == Action::"select", resource);
    @id("write") permit (principal, action == Action::"update", resource);`);
  const authorization = new Authorizer(() => policies).authorize(subjectOf(grantOf(WIDE)));
  const demands = [accessOf('select bank.accounts(id)'), accessOf('update bank.accounts(status)')];
  assert.deepEqual(authorization.decide(demands), {
    decision: { effect: 'permit', policies: ['reports', 'read', 'write'], reasons: [] },
    missing: [],
  });
});

test('the scope is asked first: policies cannot widen it', () => {
  const { decider, asked } = noting(policiesOf(PERMIT_ALL));
  const authorization = new Authorizer(() => decider).authorize(subjectOf(grantOf(WIDE)));
  const demands = [accessOf('select bank.accounts(id)'), accessOf('delete bank.accounts()')];
  const { decision, missing } = authorization.decide(demands);
  assert.deepEqual(decision, { effect: 'forbid', policies: ['reports'], reasons: ['scope'] });
  assert.deepEqual(missing, [demands[1]]);
  assert.deepEqual(
    asked.map(({ access }) => access.kind),
    ['connect'],
  );
});

test('a policy may take from the scope, and is named', () => {
  const policies = policiesOf(`${PERMIT_ALL}
    @id("no-writes") forbid (principal, action == Action::"update", resource);`);
  const authorization = new Authorizer(() => policies).authorize(subjectOf(grantOf(WIDE)));
  const demands = [accessOf('select bank.accounts(id)'), accessOf('update bank.accounts(status)')];
  const { decision, missing } = authorization.decide(demands);
  assert.deepEqual(decision, { effect: 'forbid', policies: ['reports', 'no-writes'], reasons: ['policy'] });
  assert.deepEqual(missing, [demands[1]]);
});

test('no policies permit nothing, not even a command that touches nothing', () => {
  const authorization = new Authorizer(() => policiesOf('')).authorize(subjectOf(grantOf(WIDE)));
  assert.equal(authorization.connect().decision.effect, 'forbid');
  for (const demands of [[], [accessOf('select bank.accounts(id)')]]) {
    assert.deepEqual(authorization.decide(demands).decision.reasons, ['connect', 'policy']);
  }
});

test('a grant without a scope covers nothing', () => {
  const policies = policiesOf(PERMIT_ALL);
  const authorization = new Authorizer(() => policies).authorize(subjectOf(grantOf(undefined)));
  assert.equal(authorization.decide([accessOf('select bank.accounts()')]).decision.effect, 'forbid');
});

test('a policy that cannot be evaluated refuses, and the record says so', () => {
  const policies = policiesOf(
    `${PERMIT_ALL}
    @id("broken") forbid (principal, action == Action::"select", resource)
      when { 9223372036854775807 + context.columns.contains("x") == 1 };`.replace(
      '9223372036854775807 + context.columns.contains("x") == 1',
      'if context.allColumns then 9223372036854775807 + 1 == 0 else false',
    ),
  );
  const authorization = new Authorizer(() => policies).authorize(subjectOf(grantOf(WIDE)));
  assert.equal(authorization.decide([accessOf('select bank.accounts(id)')]).decision.effect, 'permit');
  const { decision } = authorization.decide([accessOf('select bank.accounts(*)')]);
  assert.equal(decision.effect, 'forbid');
  assert.ok(decision.reasons.includes('policy-error'));
});

test('the same demands are decided once, for all sessions of one subject', () => {
  const { decider, asked } = noting(policiesOf(PERMIT_ALL));
  const authorizer = new Authorizer(() => decider);
  const grant = grantOf(WIDE);
  const demands = [accessOf('select bank.accounts(id)')];
  const first = authorizer.authorize(subjectOf(grant)).decide(demands);
  assert.equal(authorizer.authorize(subjectOf(grant)).decide(demands), first);
  assert.equal(asked.length, 2);
  // Another statement that touches the same asks no policy again; other columns do.
  const again = authorizer.authorize(subjectOf(grant)).decide([accessOf('select bank.accounts(id)')]);
  assert.deepEqual(again, first);
  assert.equal(asked.length, 2);
  authorizer.authorize(subjectOf(grant)).decide([accessOf('select bank.accounts(id,status)')]);
  assert.equal(asked.length, 3);
});

test('what failed is asked again, and more questions than are kept are answered all the same', () => {
  let asked = 0;
  let isBroken = true;
  const real = policiesOf(PERMIT_ALL);
  const decider: PolicyDecider = {
    digest: real.digest,
    decide: (request) => {
      asked++;
      if (isBroken && request.access.kind !== 'connect')
        return { effect: 'forbid', policies: [], errors: [{ policy: 'any', message: 'broken' }] };
      return { effect: 'permit', policies: ['any'], errors: [] };
    },
  };
  const authorization = new Authorizer(() => decider).authorize(subjectOf(grantOf(WIDE)));
  const decide = (column: string): string =>
    authorization.decide([accessOf(`select bank.accounts(${column})`)]).decision.effect;
  assert.equal(decide('id'), 'forbid');
  isBroken = false;
  assert.equal(decide('id'), 'permit');
  assert.equal(asked, 3);
  for (let i = 0; i < 10_000; i++) assert.equal(decide(`c${i}`), 'permit');
  assert.equal(asked, 10_003);
});

test('attack: a decision of one grant, principal, group or database is never another one’s', () => {
  const policies = policiesOf(`
    @id("come") permit (principal, action == Action::"connect", resource);
    @id("agent") permit (principal == Agent::"agent", action, resource) when { principal.groups.contains("in") };`);
  const { decider, asked } = noting(policies);
  const authorizer = new Authorizer(() => decider);
  const wide = grantOf(WIDE);
  const demands = [accessOf('select bank.accounts(id)')];
  const effect = (subject: ReturnType<typeof subjectOf>): string =>
    authorizer.authorize(subject).decide(demands).decision.effect;
  assert.equal(effect(subjectOf(wide, 'agent', ['in'])), 'permit');
  // The very same array, under others.
  assert.equal(effect(subjectOf(grantOf(scopeConfig(['other.*: select'])), 'agent', ['in'])), 'forbid');
  assert.equal(effect(subjectOf(wide, 'agent', [])), 'forbid');
  assert.equal(effect(subjectOf(wide, 'agent', ['out'])), 'forbid');
  assert.equal(effect(subjectOf(wide, 'other', ['in'])), 'forbid');
  // A grant of the same id that a reload made anew.
  assert.equal(
    effect(subjectOf(grantOf(scopeConfig(['other.*: select']), wide.id), 'agent', ['in'])),
    'forbid',
  );
  const before = asked.length;
  assert.equal(effect({ ...subjectOf(wide, 'agent', ['in']), database: 'archive' }), 'permit');
  assert.ok(asked.slice(before).every(({ database }) => database === 'archive'));
  assert.ok(asked.length > before);
});

test('attack: names that look alike when joined are not one subject', () => {
  const { decider, asked } = noting(policiesOf(PERMIT_ALL));
  const authorizer = new Authorizer(() => decider);
  const grant = grantOf(WIDE);
  const demands = [accessOf('select bank.accounts(id)')];
  authorizer.authorize(subjectOf(grant, 'a', ['b,c'])).decide(demands);
  authorizer.authorize(subjectOf(grant, 'a', ['b', 'c'])).decide(demands);
  authorizer.authorize({ ...subjectOf(grant, 'a', []), database: 'b,c' }).decide(demands);
  assert.equal(asked.length, 6);
});

test('attack: other policies forget everything, from the next command on, in sessions that are open', () => {
  let policies = policiesOf(PERMIT_ALL);
  const authorization = new Authorizer(() => policies).authorize(subjectOf(grantOf(WIDE)));
  const demands = [accessOf('select bank.accounts(id)')];
  const before = authorization.policyDigest;
  assert.equal(authorization.decide(demands).decision.effect, 'permit');
  policies = policiesOf(
    `${PERMIT_ALL} @id("stop") forbid (principal, action == Action::"select", resource);`,
  );
  assert.equal(authorization.decide(demands).decision.effect, 'forbid');
  assert.notEqual(authorization.policyDigest, before);
  policies = policiesOf('');
  assert.deepEqual(authorization.decide(demands).decision.reasons, ['connect', 'policy']);
  policies = policiesOf(PERMIT_ALL);
  assert.equal(authorization.decide(demands).decision.effect, 'permit');
});

test('attack: demands cannot be changed after they were judged', () => {
  const policies = policiesOf(PERMIT_ALL);
  const authorization = new Authorizer(() => policies).authorize(subjectOf(grantOf(WIDE)));
  const demands = [accessOf('select bank.accounts(id)')];
  authorization.decide(demands);
  assert.throws(() => demands.push(accessOf('delete bank.accounts()')), TypeError);
  assert.throws(() => (demands[0] = accessOf('delete bank.accounts()')), TypeError);
  assert.throws(() => Object.assign(demands[0]!, { verb: 'delete' }), TypeError);
  assert.throws(() => (demands[0] as unknown as { columns: string[] }).columns.push('ssn'), TypeError);
});

test('a broken decider permits nothing', () => {
  const throwing: PolicyDecider = {
    digest: 'x',
    decide: () => {
      throw new Error('broken');
    },
  };
  assert.throws(() => new Authorizer(() => throwing).authorize(subjectOf(grantOf(WIDE))));
});
