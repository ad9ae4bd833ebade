import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import type { GrantConfig } from '../config/config.ts';
import type { ScopeConfig } from '../config/scope-section.ts';
import { isCountersignError, type ErrorCode } from '../errors.ts';
import type { RecordEvent } from '../record/events.ts';
import type { Appended, Recorder } from '../record/recorder.ts';
import { GrantRegistry } from './grant-registry.ts';
import type { GrantClock } from './live-grant.ts';

/** Two clocks that a test sets as it likes. */
class TestClock implements GrantClock {
  wall = 1_000_000;
  boot = 50_000;

  wallMs(): number {
    return this.wall;
  }

  bootMs(): number {
    return this.boot;
  }
}

const TARGETS = [{ name: 'bank', database: 'main' }];

function grant(id: string, change: Partial<GrantConfig> = {}): GrantConfig {
  const expiresAtUs = 1_010_000_000n; // 10 s after the start
  return { id, principal: 'ann', target: 'bank', login: 'app', databases: [], expiresAtUs, ...change };
}

interface Setting {
  readonly registry: GrantRegistry;
  readonly clock: TestClock;
  readonly events: RecordEvent[];
}

function registryOf(...grants: readonly GrantConfig[]): Setting {
  const events: RecordEvent[] = [];
  const clock = new TestClock();
  const recorder: Pick<Recorder, 'append'> = {
    append: (event) => {
      events.push(event);
      return {} as Appended;
    },
  };
  const registry = new GrantRegistry({ grants, targets: TARGETS, recorder, clock });
  registry.close();
  return { registry, clock, events };
}

function codeOf(action: () => unknown): ErrorCode | undefined {
  try {
    action();
    return undefined;
  } catch (error) {
    return isCountersignError(error) ? error.code : undefined;
  }
}

test('no target and no grant for it look the same', () => {
  const { registry } = registryOf(grant('g'));
  assert.equal(
    codeOf(() => registry.find({ principal: 'ann', target: 'other' })),
    'CS_TARGET_UNKNOWN',
  );
  assert.equal(
    codeOf(() => registry.find({ principal: 'bob', target: 'bank' })),
    'CS_TARGET_UNKNOWN',
  );
});

test('a grant without databases covers the default one only', () => {
  const { registry } = registryOf(grant('g'));
  assert.equal(registry.find({ principal: 'ann', target: 'bank' }).id, 'g');
  assert.equal(registry.find({ principal: 'ann', target: 'bank', database: 'main' }).id, 'g');
  assert.equal(
    codeOf(() => registry.find({ principal: 'ann', target: 'bank', database: 'x' })),
    'CS_NO_GRANT',
  );
});

test('the narrowest grant that fits is chosen, then the one that ends first', () => {
  const { registry } = registryOf(
    grant('wide', { databases: ['main', 'x'] }),
    grant('late', { databases: ['main'], expiresAtUs: 1_020_000_000n }),
    grant('soon', { databases: ['main'] }),
  );
  assert.equal(registry.find({ principal: 'ann', target: 'bank' }).id, 'soon');
  assert.equal(registry.find({ principal: 'ann', target: 'bank', database: 'x' }).id, 'wide');
  assert.equal(registry.find({ principal: 'ann', target: 'bank', grantId: 'late' }).id, 'late');
  assert.equal(
    codeOf(() => registry.find({ principal: 'ann', target: 'bank', grantId: 'none' })),
    'CS_NO_GRANT',
  );
});

function scope(
  names: readonly (string | undefined)[],
  verbs: readonly ('select' | 'update')[],
  columns: readonly string[] | '*' = '*',
): ScopeConfig {
  const on = names.map((name) => (name === undefined ? { schema: 'bank' } : { schema: 'bank', name }));
  return { relations: [{ on, verbs, columns }], functions: [], ddl: [], allow: [] };
}

test('of several grants the narrowest scope is chosen, whatever else they say', () => {
  const reads = scope([undefined], ['select']);
  const everything: ScopeConfig = { ...reads, ddl: 'any', allow: 'all' };
  const { registry } = registryOf(
    grant('nothing'),
    grant('everything', { scope: everything }),
    grant('columns', {
      scope: scope([undefined], ['select'], ['id']),
      databases: ['main', 'x'],
      expiresAtUs: 1_020_000_000n,
    }),
    grant('reads', { scope: reads }),
  );
  assert.equal(registry.find({ principal: 'ann', target: 'bank' }).id, 'columns');
  assert.equal(registry.find({ principal: 'ann', target: 'bank', grantId: 'nothing' }).id, 'nothing');
});

test('a reload that changes a scope ends the grant; one that says the same in other words does not', () => {
  const { registry } = registryOf(grant('g', { scope: scope(['a', 'b'], ['select', 'update']) }));
  const held = registry.find({ principal: 'ann', target: 'bank' });
  registry.reload([grant('g', { scope: scope(['b', 'a', 'b'], ['update', 'select']) })], TARGETS);
  assert.equal(held.ended, undefined);
  registry.reload([grant('g', { scope: scope(['a', 'b', 'c'], ['select', 'update']) })], TARGETS);
  registry.close();
  assert.equal(held.ended, 'changed');
});

test('a grant ends by wall clock', () => {
  const { registry, clock, events } = registryOf(grant('g'));
  const found = registry.find({ principal: 'ann', target: 'bank' });
  clock.wall += 9_999;
  clock.boot += 9_999;
  assert.equal(found.ended, undefined);
  clock.wall += 1;
  assert.equal(found.ended, 'expired');
  assert.deepEqual(events, [{ type: 'grant.expired', grant: 'g', cause: 'expired' }]);
});

test('a wall clock set back does not lengthen a grant, set forward it shortens it', () => {
  const back = registryOf(grant('g'));
  const held = back.registry.find({ principal: 'ann', target: 'bank' });
  back.clock.wall -= 3_600_000;
  back.clock.boot += 10_000;
  assert.equal(held.ended, 'expired');
  const forward = registryOf(grant('g'));
  const other = forward.registry.find({ principal: 'ann', target: 'bank' });
  forward.clock.wall += 3_600_000;
  assert.equal(other.ended, 'expired');
});

test('a reload keeps unchanged grants, and ends removed and changed ones once, on the record', () => {
  const { registry, events } = registryOf(grant('same'), grant('gone'), grant('changed'));
  const same = registry.find({ principal: 'ann', target: 'bank', grantId: 'same' });
  const ends: string[] = [];
  for (const id of ['same', 'gone', 'changed']) {
    registry
      .find({ principal: 'ann', target: 'bank', grantId: id })
      .onEnd((end) => ends.push(`${id} ${end}`));
  }
  registry.reload([grant('same'), grant('changed', { login: 'other' })], TARGETS);
  registry.close();
  assert.deepEqual(ends, ['gone removed', 'changed changed']);
  assert.equal(registry.find({ principal: 'ann', target: 'bank', grantId: 'same' }), same);
  assert.equal(registry.find({ principal: 'ann', target: 'bank', grantId: 'changed' }).login, 'other');
  assert.deepEqual(
    events.map((event) => event.type),
    ['grant.revoked', 'grant.revoked'],
  );
});

test('a grant that was over before it was loaded never lived and has no end to record', () => {
  const { registry, events } = registryOf(grant('old', { expiresAtUs: 1n }));
  assert.equal(
    codeOf(() => registry.find({ principal: 'ann', target: 'bank' })),
    'CS_TARGET_UNKNOWN',
  );
  assert.deepEqual(events, []);
});
