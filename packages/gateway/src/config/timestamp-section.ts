import { z } from 'zod';

import { isLoopbackHost } from './addresses.ts';
import type { SecretRef } from './config.ts';
import type { SectionProblem } from './problem.ts';
import { duration, secretRef } from './schema-parts.ts';

/** The `timestamp` section: whose clock says when a checkpoint existed (RFC 3161). */
export interface TimestampConfig {
  readonly url: string;
  /** PEM. Absent: the certificates that Node brings. */
  readonly ca?: SecretRef;
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

const MINUTE = 60_000;
const WEEK = 7 * 24 * 60 * MINUTE;

export const timestampSection = z
  .strictObject({
    url: z
      .string()
      .refine(isAuthorityUrl, { error: 'must be an http or https URL without user and fragment' })
      .describe('Where the time-stamping authority answers, such as https://tsa.example/rfc3161.'),
    ca: secretRef(
      'Certificates that the authority must lead to, PEM. Default: those that Node brings.',
    ).optional(),
    interval: duration('24h', 'From one time stamp to the next. The first is asked for at the start.', {
      min: MINUTE,
      max: WEEK,
    }),
    timeout: duration('30s', 'Longest wait for an answer.', { min: 100, max: 5 * MINUTE }),
  })
  .describe(
    'A time-stamping authority (RFC 3161) that says when a checkpoint existed. Absent: none is asked.',
  );

function isAuthorityUrl(text: string): boolean {
  const url = URL.parse(text);
  if (url === null || url.username !== '' || url.password !== '' || url.hash !== '') return false;
  return url.protocol === 'https:' || url.protocol === 'http:';
}

export function assembleTimestamp(
  shape: z.infer<typeof timestampSection>,
  secret: (reference: string) => SecretRef,
): TimestampConfig {
  const { ca, interval, timeout, url } = shape;
  return { url, ...(ca === undefined ? {} : { ca: secret(ca) }), intervalMs: interval, timeoutMs: timeout };
}

/** A token proves itself over plain HTTP; who asks, and that nothing is asked any more, is visible and in reach there. */
export function checkTimestamp(config: TimestampConfig | undefined): readonly SectionProblem[] {
  if (config === undefined) return [];
  const url = new URL(config.url);
  if (url.protocol === 'https:' || isLoopbackHost(url.hostname.replaceAll(/^\[|\]$/g, ''))) return [];
  return [
    {
      severity: 'warning',
      path: ['timestamp', 'url'],
      message: 'plain HTTP beyond loopback: whoever is in between can keep time stamps from being made',
      hint: 'use https where the authority has it',
    },
  ];
}
