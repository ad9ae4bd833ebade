import { z } from 'zod';

import { CountersignError } from '../errors.ts';
import { issueToken, TOKEN_MAX_TTL_MS } from '../identity/token.ts';
import { socketPeer } from './control-services.ts';
import type { ControlServices } from './control-services.ts';

export const tokenRequestSchema = z.strictObject({
  /** May be left out when exactly one principal has a live grant for the target. */
  principal: z.string().min(1).max(63).optional(),
  target: z.string().min(1).max(63),
  /** Default and most: 15 minutes. */
  ttlMs: z.int().min(1_000).max(TOKEN_MAX_TTL_MS).optional(),
});

export type TokenRequest = z.infer<typeof tokenRequestSchema>;

export interface TokenAnswer {
  readonly token: string;
  readonly principal: string;
  readonly target: string;
  readonly expiresAt: string;
  /** Where the token is good. */
  readonly host: string;
  readonly port: number;
}

/**
 * Gives out a token for a principal that has a live grant for the target. `token.issued` is durable before the answer.
 * Throws `CS_TARGET_UNKNOWN`, `CS_NO_GRANT`, `CS_REQUEST_INVALID` (several principals would fit), `CS_RECORD_*`.
 */
export async function issueTokenFor(request: TokenRequest, services: ControlServices): Promise<TokenAnswer> {
  const principal = request.principal ?? onlyPrincipal(request.target, services);
  const held = services.grants.live.filter(
    (grant) => grant.principal === principal && grant.target === request.target,
  );
  if (held.length === 0) throw new CountersignError('CS_TARGET_UNKNOWN');
  const { token, claims } = issueToken(
    services.keys.token,
    { principal, target: request.target },
    request.ttlMs ?? TOKEN_MAX_TTL_MS,
  );
  const leaf = services.recorder.append(
    {
      type: 'token.issued',
      token: claims.jti,
      principal,
      target: request.target,
      expiresAtUs: BigInt(claims.exp) * 1_000n,
      issuer: socketPeer(),
    },
    [],
    { control: true },
  );
  await leaf.durable();
  services.logger.info('token issued', { principal, target: request.target });
  const { host, port } = services.address;
  return {
    token,
    principal,
    target: request.target,
    expiresAt: new Date(claims.exp).toISOString(),
    host,
    port,
  };
}

function onlyPrincipal(target: string, services: ControlServices): string {
  const names = new Set(
    services.grants.live.filter((grant) => grant.target === target).map((grant) => grant.principal),
  );
  const [name] = names;
  if (name === undefined) throw new CountersignError('CS_TARGET_UNKNOWN');
  if (names.size > 1) {
    throw new CountersignError('CS_REQUEST_INVALID', {
      detail: `${names.size} principals have a grant for this target`,
      hint: `Say which: ${[...names].slice(0, 10).join(', ')}.`,
    });
  }
  return name;
}
