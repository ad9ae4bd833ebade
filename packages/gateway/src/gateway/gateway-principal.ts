import type { GrantConfig, PostgresTargetConfig } from '../config/config.ts';
import type { Principal } from '../identity/principal.ts';

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
    purpose: 'start of the backend, for joining with the log of the target',
  };
}
