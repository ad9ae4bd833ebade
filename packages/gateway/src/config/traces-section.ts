import { z } from 'zod';

import type { SecretRef } from './config.ts';
import {
  assembleHeaders,
  assembleTls,
  headersSchema,
  problemOfUrl,
  tlsClientSchema,
  type ExportTlsConfig,
} from './export-section.ts';
import { duration } from './schema-parts.ts';

/** The `traces` section: OpenTelemetry spans (docs/export.md). Telemetry may be sampled; evidence may not. */

export interface TracesConfig {
  /** Base URL of an OTLP/HTTP receiver, with the path (`/v1/traces`). */
  readonly url: string;
  readonly headers: readonly { readonly name: string; readonly value: SecretRef }[];
  readonly tls: ExportTlsConfig;
  /** Share of sessions that are traced, 0 to 1. */
  readonly sample: number;
  /** Spans that may wait; more are dropped and counted. */
  readonly queue: number;
  readonly intervalMs: number;
}

export const tracesSection = z
  .strictObject({
    url: z
      .string()
      .superRefine((text, context) => {
        const problem = problemOfUrl(text);
        if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
      })
      .describe('OTLP/HTTP receiver, such as http://127.0.0.1:4318/v1/traces. https beyond loopback.'),
    headers: headersSchema.default({}),
    tls: tlsClientSchema.prefault({}),
    sample: z.number().min(0).max(1).default(0.1).describe('Share of sessions that are traced, 0 to 1.'),
    queue: z
      .int()
      .min(16)
      .max(100_000)
      .default(4_096)
      .describe('Spans that may wait; more are dropped and counted.'),
    interval: duration('2s', 'How often spans are sent.', { min: 100, max: 60_000 }),
  })
  .describe('OpenTelemetry traces of sessions and commands, without their contents. Absent: none.');

export function assembleTraces(
  traces: z.infer<typeof tracesSection>,
  secret: (reference: string) => SecretRef,
): TracesConfig {
  return {
    url: traces.url,
    headers: assembleHeaders(traces.headers, secret),
    tls: assembleTls(traces.tls, secret),
    sample: traces.sample,
    queue: traces.queue,
    intervalMs: traces.interval,
  };
}

export function tracesSecrets(traces: TracesConfig | undefined): readonly {
  readonly path: string;
  readonly reference: SecretRef;
}[] {
  if (traces === undefined) return [];
  const tls = (['ca', 'cert', 'key'] as const).flatMap((key) => {
    const reference = traces.tls[key];
    return reference === undefined ? [] : [{ path: `traces.tls.${key}`, reference }];
  });
  return [
    ...tls,
    ...traces.headers.map(({ name, value }) => ({ path: `traces.headers.${name}`, reference: value })),
  ];
}
