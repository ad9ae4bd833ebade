import type { GrantConfig, PostgresTargetConfig } from '../config/config.ts';
import type { ScopeConfig } from '../config/scope-section.ts';
import { createHash } from 'node:crypto';

import type { Principal } from '../identity/principal.ts';
import type { Access } from '../policy/access.ts';
import type { PolicyDecider } from '../policy/policy-request.ts';
import { OWN_POLICY, OWN_POLICY_ID } from '../policy/schema.ts';
import { Authorizer } from '../session/authorizer.ts';

/**
 * The gateway's own statements in a target (decision 7) run as this principal, under a declared grant per login. The
 * name and grants that begin with `gateway.` are reserved: configuration cannot define them.
 */
export const GATEWAY_PRINCIPAL: Principal = Object.freeze({
  name: 'gateway',
  owner: 'gateway',
  kind: 'service',
});

/** 2100-01-01: the grant ends with the configuration that implies it. */
const FAR_FUTURE_US = 4_102_444_800_000_000n;

/** What its grants cover: reading the server's own relations, and calling the functions that a DBA installed for it. */
const SCOPE: ScopeConfig = {
  relations: [],
  functions: ['make_role', 'close_role', 'end_role', 'list_roles'].map((name) => ({
    schema: 'countersign',
    name,
  })),
  ddl: [],
  allow: ['catalog-values'],
};

/** What its statements touch, unless they say so themselves: the server's own relations and functions. */
export const CATALOG_DEMANDS: readonly Access[] = [{ kind: 'special', verb: 'catalog-values' }];

/** What statements about roles touch, each at most. */
export const ROLE_DEMANDS: readonly Access[] = SCOPE.functions.map(({ name = '' }) => ({
  kind: 'routine',
  verb: 'execute',
  schema: 'countersign',
  name,
  class: 'security-definer',
}));

/**
 * The policies of the configuration are about callers; a mistake in one must not make the gateway blind. Its own statements are permitted
 * by this one, within the scope above, and the record names it.
 */
const GATEWAY_POLICY: PolicyDecider = {
  digest: createHash('sha256').update(OWN_POLICY).digest('base64url'),
  decide: ({ principal }) =>
    principal.name === GATEWAY_PRINCIPAL.name
      ? { effect: 'permit', policies: [OWN_POLICY_ID], errors: [] }
      : { effect: 'forbid', policies: [], errors: [] },
};

/** Judges the gateway's own sessions, and no others. */
export const GATEWAY_AUTHORIZER = new Authorizer(() => GATEWAY_POLICY);

/** One grant per login of each target. */
export function gatewayGrants(targets: readonly PostgresTargetConfig[]): GrantConfig[] {
  return targets.flatMap((target) =>
    Object.keys(target.logins).map((login) => gatewayGrant(target.name, login)),
  );
}

export function gatewayGrant(target: string, login: string): GrantConfig {
  return {
    id: `gateway.${target}.${login}`,
    principal: GATEWAY_PRINCIPAL.name,
    target,
    login,
    databases: [],
    expiresAtUs: FAR_FUTURE_US,
    scope: SCOPE,
    purpose: 'start of the backend, catalog and roles',
  };
}
