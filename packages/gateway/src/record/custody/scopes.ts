/** Scopes of requests as officers sign them: snake_case, as on disk. Unknown members are refused. */

import { z } from 'zod';
import type { ErasureScope, HoldScope } from '../events/custody.ts';

const className = z.string().regex(/^[a-z0-9-]{1,32}$/);
const period = z.string().regex(/^[0-9]{4}-(0[1-9]|1[0-2])$/);
const session = z.string().regex(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
const name = z.string().regex(/^[a-z0-9][a-z0-9._-]{0,62}$/);
const field = z.string().regex(/^[a-z_]{1,64}(\.\d{1,6})?$/);
const key = z.string().regex(/^[A-Za-z0-9_-]{43}$/);
const count = z.int().min(0);

/** What one request may name, so that the leaf about it stays far below the limit of a leaf. */
const MAX_ITEMS = 500;

const holdScope = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('all') }),
  z
    .strictObject({ kind: z.literal('period'), class: className.optional(), period: period.optional() })
    .refine((scope) => scope.class !== undefined || scope.period !== undefined),
  z.strictObject({ kind: z.literal('session'), session }),
  z.strictObject({ kind: z.literal('principal'), principal: name }),
  z
    .strictObject({ kind: z.literal('time'), from_us: count, to_us: count })
    .refine((scope) => scope.from_us <= scope.to_us),
]);

const erasureScope = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('period'), class: className, period }),
  z.strictObject({ kind: z.literal('sessions'), sessions: z.array(session).min(1).max(MAX_ITEMS) }),
  z.strictObject({
    kind: z.literal('leaves'),
    leaves: z
      .array(
        z
          .strictObject({
            journal: name,
            from: count,
            to: count,
            fields: z.array(field).min(1).max(64).optional(),
          })
          .refine(({ from, to }) => from <= to),
      )
      .min(1)
      .max(MAX_ITEMS),
  }),
]);

const officersScope = z.strictObject({
  officers: z
    .array(z.strictObject({ officer: name, key, owner: count }))
    .min(1)
    .max(50),
  /** Accountable persons or teams; officers name theirs by index. */
  owners: z.array(z.string().min(1).max(200)).min(1).max(50),
  approvals: z.int().min(2).max(10),
  unattended: z.boolean(),
});

const retentionScope = z.strictObject({ class: className, keep_days: z.int().min(1).max(36_500) });
const releaseScope = z.strictObject({ hold: z.string().min(1).max(63) });

/** A parsed scope, or undefined when it is not one. */
function parsed<T>(schema: z.ZodType<T>, scope: unknown): T | undefined {
  const result = schema.safeParse(scope);
  return result.success ? result.data : undefined;
}

export function parseHoldScope(scope: unknown): HoldScope | undefined {
  const value = parsed(holdScope, scope);
  if (value?.kind !== 'time') return value as HoldScope | undefined;
  return { kind: 'time', fromUs: value.from_us, toUs: value.to_us };
}

export function parseErasureScope(scope: unknown): ErasureScope | undefined {
  return parsed(erasureScope, scope) as ErasureScope | undefined;
}

export type OfficersScope = z.infer<typeof officersScope>;

/** Spelling does not make two persons of one. */
export function ownerKey(owner: string): string {
  const plain = owner.normalize('NFKC').replaceAll(/\p{Cf}/gu, '');
  return plain.trim().replaceAll(/\s+/g, ' ').toLowerCase();
}

const isDistinct = (items: readonly unknown[]): boolean => new Set(items).size === items.length;

export function parseOfficersScope(scope: unknown): OfficersScope | undefined {
  const value = parsed(officersScope, scope);
  if (value === undefined) return undefined;
  const { approvals, officers, owners } = value;
  const isSound =
    isDistinct(officers.map(({ key: each }) => each)) &&
    isDistinct(officers.map(({ officer }) => officer)) &&
    isDistinct(owners.map(ownerKey)) &&
    officers.every(({ owner }) => owner < owners.length) &&
    new Set(officers.map(({ owner }) => owner)).size >= approvals;
  return isSound ? value : undefined;
}

export function parseRetentionScope(scope: unknown): z.infer<typeof retentionScope> | undefined {
  return parsed(retentionScope, scope);
}

export function parseReleaseScope(scope: unknown): z.infer<typeof releaseScope> | undefined {
  return parsed(releaseScope, scope);
}
