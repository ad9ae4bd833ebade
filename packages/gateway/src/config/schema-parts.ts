/** What the sections of `countersign.yaml` are made of: names, references, durations, sizes and addresses, with their messages. */

import { z } from 'zod';

import { isCidr, parseHostPort } from './addresses.ts';
import { DURATION_PATTERN, parseDuration, parseSize, SIZE_PATTERN } from './units.ts';

export const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;
export const name = (what: string) =>
  z
    .string()
    .regex(NAME, { error: 'must be 1 to 63 of a-z, 0-9, ".", "_", "-" and begin with a letter or digit' })
    .describe(what);

export const secretRef = (what: string) =>
  z
    .string()
    .regex(/^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$/, {
      error: 'must be a reference, env:NAME or file:PATH; a secret itself never stands in this file',
    })
    .describe(`${what} A reference: env:NAME or file:PATH (relative to this file).`);

/** `limit` bounds what a typing mistake can do (`record.timeout: 30d`). */
export const duration = (fallback: string, what: string, limit: { min: number; max: number }) =>
  z
    .string({ error: 'must be a duration with a unit, such as 500ms, 2s, 15m, 8h' })
    .regex(DURATION_PATTERN, { error: 'must be a duration with a unit, such as 500ms, 2s, 15m, 8h' })
    .default(fallback)
    .transform((text, context) => {
      const ms = parseDuration(text) ?? Number.NaN;
      if (ms >= limit.min && ms <= limit.max) return ms;
      context.addIssue({ code: 'custom', message: `must lie between ${limit.min}ms and ${limit.max}ms` });
      return z.NEVER;
    })
    .describe(what);

export const DAY = 86_400_000;

/** A duration where the number 0 means no limit, which is the default. */
export const durationOrNone = (what: string) =>
  z
    .union([z.literal(0), z.string().regex(DURATION_PATTERN)], {
      error: 'must be a duration with a unit, such as 30s or 15m, or 0 for no limit',
    })
    .default(0)
    .transform((value) => (value === 0 ? 0 : (parseDuration(value) ?? 0)))
    .describe(what);

export const size = (fallback: string, what: string, limit: { min: number; max: number }) =>
  z
    .string({ error: 'must be a size with a unit, such as 64MiB' })
    .regex(SIZE_PATTERN, { error: 'must be a size with a unit, such as 64MiB' })
    .default(fallback)
    .transform((text, context) => {
      const bytes = parseSize(text) ?? Number.NaN;
      if (bytes >= limit.min && bytes <= limit.max) return bytes;
      context.addIssue({ code: 'custom', message: `must lie between ${limit.min} and ${limit.max} bytes` });
      return z.NEVER;
    })
    .describe(what);

export const KIB = 1_024;
export const MIB = 1_048_576;
export const GIB = 1_073_741_824;

export const address = (what: string) =>
  z
    .string()
    .refine((text) => parseHostPort(text) !== undefined, {
      error: 'must be host:port, such as 127.0.0.1:6432',
    })
    .describe(what);

export const cidrList = (what: string) =>
  z
    .array(z.string().refine(isCidr, { error: 'must be an address or a range such as 10.0.0.0/8' }))
    .default([])
    .describe(what);

export const count = (fallback: number, what: string) =>
  z.int().min(1).max(1_000_000).default(fallback).describe(what);
