import { z } from 'zod';

import type { PrincipalQuota } from './config.ts';
import { count, duration, GIB, KIB, MIB, size } from './schema-parts.ts';

/** Keys of `limits` that keep a flood from being everybody's (docs/floods.md). */
export const floodLimits = {
  connectionRate: count(400, 'New client connections per second in all.'),
  connectionRatePerAddress: count(
    100,
    'New client connections per second from one address (IPv6: one /64 network).',
  ),
  pendingPerAddress: count(50, 'Connections from one address that have not authenticated yet.'),
  authnBackoff: duration(
    '10s',
    'Longest time that an address is kept waiting for its next attempt as a principal after repeated failures.',
    { min: 0, max: 600_000 },
  ),
  principal: z
    .strictObject({
      commandsPerSecond: z
        .int()
        .min(0)
        .max(10_000_000)
        .default(20_000)
        .describe('Commands per second, refused ones included. 0: no quota.'),
      recordBytesPerSecond: z
        .union([
          z.literal(0, { error: 'must be a size with a unit, such as 16MiB, or 0 for no quota' }),
          size('16MiB', 'Bytes per second.', { min: KIB, max: 1_024 * GIB }),
        ])
        .default(16 * MIB)
        .describe('Bytes per second that its commands may add to the record and the vault. 0: no quota.'),
      burst: duration('2s', 'How much may be used at once: the quota of so long.', {
        min: 100,
        max: 3_600_000,
      }),
      overQuota: z
        .enum(['wait', 'refuse'])
        .default('wait')
        .describe('A principal over its quota is not read from until it is within (wait), or is refused.'),
    })
    .prefault({})
    .describe('Quotas of one principal over all its sessions.'),
} as const;

/** Keys of `record` for the disk. */
export const diskWatermarks = {
  warnFree: size('1GiB', 'Free room below which an alarm is raised, once.', { min: MIB, max: 1_024 * GIB }),
} as const;

interface FloodShape {
  readonly connectionRate: number;
  readonly connectionRatePerAddress: number;
  readonly pendingPerAddress: number;
  readonly authnBackoff: number;
  readonly principal: {
    readonly commandsPerSecond: number;
    readonly recordBytesPerSecond: number;
    readonly burst: number;
    readonly overQuota: 'wait' | 'refuse';
  };
}

/** What the flood keys of `limits` become. */
export interface FloodLimits {
  readonly connectionRate: number;
  readonly connectionRatePerAddress: number;
  readonly pendingPerAddress: number;
  readonly authnBackoffMs: number;
  readonly principal: PrincipalQuota;
}

export function assembleFloodLimits(limits: FloodShape): FloodLimits {
  const { burst, ...principal } = limits.principal;
  return {
    connectionRate: limits.connectionRate,
    connectionRatePerAddress: limits.connectionRatePerAddress,
    pendingPerAddress: limits.pendingPerAddress,
    authnBackoffMs: limits.authnBackoff,
    principal: { ...principal, burstMs: burst },
  };
}
