/** A gateway for floods: `tester` is the caller that must not notice, `flood` the one that does too much. */

import type { CountersignConfig, Limits } from '../../packages/gateway/src/config/config.ts';
import type { PostgresServer } from '../support/postgres-server.ts';
import { RawSession, type RawEndpoint } from '../support/raw-session.ts';
import type { Leaf } from '../support/record-view.ts';
import { Harness } from '../translator/harness.ts';

export const FLOOD = 'flood';

/** The configuration with a second principal that has the first one's password and a grant alike. */
export function withFlood(config: CountersignConfig, limits: Partial<Limits> = {}): CountersignConfig {
  const [principal] = config.principals;
  const [grant] = config.grants;
  if (principal === undefined || grant === undefined) throw new Error('the test configuration has neither');
  return {
    ...config,
    limits: { ...config.limits, ...limits },
    principals: [...config.principals, { ...principal, name: FLOOD }],
    grants: [...config.grants, { ...grant, id: FLOOD, principal: FLOOD }],
  };
}

export function startFlooded(server: PostgresServer, limits: Partial<Limits> = {}): Promise<Harness> {
  return Harness.start(server, { change: (config) => withFlood(config, limits) });
}

export function connectFlood(harness: Harness, change: Partial<RawEndpoint> = {}): Promise<RawSession> {
  return RawSession.connect({ ...harness.endpoint, user: FLOOD, ...change });
}

/** Reads `count` ReadyForQuery and gives the SQLSTATEs of the errors on the way. */
export async function answers(session: RawSession, count: number): Promise<string[]> {
  const errors: string[] = [];
  for (let ready = 0; ready < count;) {
    const { type, body } = await session.receive();
    if (type === 'Z') ready += 1;
    else if (type === 'E') errors.push(/\0C([0-9A-Z]{5})\0/.exec(body.toString('latin1'))?.[1] ?? '');
  }
  return errors;
}

/** What a leaf of refusals stands for. */
export const countOf = (leaf: Leaf): number => Number(leaf['count'] ?? 1);

export const sum = (leaves: readonly Leaf[]): number =>
  leaves.reduce((total, leaf) => total + countOf(leaf), 0);
