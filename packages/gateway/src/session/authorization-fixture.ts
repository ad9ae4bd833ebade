/** For tests of authorization: grants with a scope, real policies, accesses in short. */

import type { ScopeConfig } from '../config/scope-section.ts';
import { LiveGrant } from '../grants/live-grant.ts';
import { SystemClock } from '../grants/system-clock.ts';
import type { Access, RelationAccess } from '../policy/access.ts';
import { makePolicySet, type PolicySet } from '../policy/policy-set.ts';
import type { Subject } from './authorizer.ts';

export const PERMIT_ALL = '@id("all") permit (principal, action, resource);';

export function policiesOf(text: string): PolicySet {
  return makePolicySet([{ name: 'test.cedar', path: 'test.cedar', text }]).set;
}

/** `bank.*: select update(a,b)` and the like, one a string. */
export function scopeConfig(rules: readonly string[], more: Partial<ScopeConfig> = {}): ScopeConfig {
  return {
    relations: rules.map((rule) => {
      const [on = '', said = ''] = rule.split(': ');
      const [schema = '', name = ''] = on.split('.');
      const [, verbs = '', columns] = /^([a-z ]+)(?:\(([^)]*)\))?$/.exec(said) ?? [];
      return {
        on: [{ ...(schema === '*' ? {} : { schema }), ...(name === '*' ? {} : { name }) }],
        verbs: verbs.split(' ') as RelationAccess['verb'][],
        columns: columns === undefined ? '*' : columns.split(','),
      };
    }),
    functions: [],
    ddl: [],
    allow: [],
    ...more,
  };
}

export function grantOf(scope: ScopeConfig | undefined, id = 'reports'): LiveGrant {
  return new LiveGrant(
    {
      id,
      principal: 'agent',
      target: 'bank',
      login: 'app',
      databases: [],
      expiresAtUs: 4_000_000_000_000_000n,
      ...(scope === undefined ? {} : { scope }),
    },
    new SystemClock(),
  );
}

export function subjectOf(grant: LiveGrant, name = 'agent', groups: readonly string[] = []): Subject {
  return { principal: { name, kind: 'agent', groups }, grant, database: 'bank' };
}

/** `select bank.accounts(a,b)`, `select bank.accounts(*)`; `execute app.f`; `ddl scratch`; `special listen`. */
export function accessOf(text: string, change: Partial<RelationAccess> = {}): Access {
  const [verb = '', rest = ''] = text.split(' ');
  if (verb === 'special') return { kind: 'special', verb: rest as 'listen' };
  if (verb === 'ddl') return { kind: 'schema', verb: 'ddl', schema: rest };
  const [, schema = '', name = '', columns] = /^([^.]+)\.([^(]+)(?:\(([^)]*)\))?$/.exec(rest) ?? [];
  if (verb === 'execute') return { kind: 'routine', verb: 'execute', schema, name, class: 'own' };
  return {
    kind: 'relation',
    verb: verb as RelationAccess['verb'],
    schema,
    name,
    columns: columns === '*' ? '*' : (columns ?? '').split(',').filter((each) => each !== ''),
    class: 'data',
    ...change,
  };
}
