import { z } from 'zod';

import { isLoopbackHost, parseHostPort } from './addresses.ts';
import type { SecretRef } from './config.ts';
import { address, DAY, duration, MIB, name, secretRef } from './schema-parts.ts';
import { parseSize, SIZE_PATTERN } from './units.ts';

/** The `export` section: where the record is streamed to (docs/export.md). */

export interface ExportTlsConfig {
  readonly ca?: SecretRef;
  readonly cert?: SecretRef;
  readonly key?: SecretRef;
  readonly serverName?: string;
}

interface ExportBase {
  /** Also the name of its cursor file. */
  readonly name: string;
  /** Events per delivery at most. */
  readonly batch: number;
  /** For one step of a delivery. */
  readonly timeoutMs: number;
  /** Time without progress after which an alert is recorded. */
  readonly alertAfterMs: number;
}

export interface FileExportConfig extends ExportBase {
  readonly kind: 'file';
  /** Absolute. */
  readonly path: string;
  readonly maxBytes: number;
  /** 0: all. */
  readonly keep: number;
}

export interface SyslogExportConfig extends ExportBase {
  readonly kind: 'syslog';
  readonly host: string;
  readonly port: number;
  readonly facility: number;
  /** Absent: plain TCP, on loopback only. */
  readonly tls?: ExportTlsConfig;
}

export interface HttpExportConfig extends ExportBase {
  readonly kind: 'http';
  readonly url: string;
  readonly headers: readonly { readonly name: string; readonly value: SecretRef }[];
  readonly format: 'ndjson' | 'array';
  readonly gzip: boolean;
  readonly tls: ExportTlsConfig;
}

export type ExportConfig = FileExportConfig | SyslogExportConfig | HttpExportConfig;

const KEYS_OF_KIND = {
  file: { need: ['path'], may: ['maxSize', 'keep'] },
  syslog: { need: ['address'], may: ['facility', 'tls'] },
  http: { need: ['url'], may: ['headers', 'format', 'gzip', 'tls'] },
} as const;

/** Shared by everything that sends over HTTP: the URL has no credentials, and is encrypted beyond this machine. */
export function problemOfUrl(text: string): string | undefined {
  const url = URL.parse(text);
  if (url === null || !/^https?:$/.test(url.protocol)) return 'must be an http or https URL';
  if (url.username !== '' || url.password !== '') return 'must not hold a user name or password; use headers';
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (url.protocol === 'http:' && !isLoopbackHost(host)) return 'must be https beyond loopback';
  return undefined;
}

/** Header names that the sender sets itself. */
const OWN_HEADERS = /^(host|content-length|content-type|content-encoding|transfer-encoding|connection)$/i;

export const headersSchema = z
  .record(
    z
      .string()
      .regex(/^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/)
      .refine((header) => !OWN_HEADERS.test(header), { error: 'is set by the gateway itself' }),
    secretRef('The value of the header.'),
  )
  .describe('Headers of every request, such as Authorization; each value is a reference.');

export const tlsClientSchema = z.strictObject({
  ca: secretRef(
    'Certificates that sign the server certificate, PEM. Default: those of the system.',
  ).optional(),
  cert: secretRef('Client certificate, PEM.').optional(),
  key: secretRef('Private key of the client certificate, PEM.').optional(),
  serverName: z
    .string()
    .min(1)
    .optional()
    .describe('Name to expect in the server certificate, when not the host.'),
});

const exportSchema = z
  .strictObject({
    name: name('Name of the export: of its cursor, in metrics and alerts. A new name begins anew.'),
    kind: z.enum(['file', 'syslog', 'http']).describe('Where events go.'),
    batch: z.int().min(1).max(5_000).default(500).describe('Events per delivery at most.'),
    timeout: duration('10s', 'For one step of a delivery.', { min: 100, max: 600_000 }),
    alertAfter: duration('5m', 'Time without progress after which an alert is recorded.', {
      min: 1_000,
      max: 7 * DAY,
    }),
    path: z.string().min(1).optional().describe('file: where JSON lines go; relative to this file.'),
    maxSize: z
      .string()
      .regex(SIZE_PATTERN, { error: 'must be a size with a unit, such as 64MiB' })
      .refine((text) => (parseSize(text) ?? 0) >= 4_096, { error: 'must be at least 4096 bytes' })
      .optional()
      .describe('file: a file that has grown so large is closed and renamed. Default: 64MiB.'),
    keep: z.int().min(0).max(100_000).optional().describe('file: closed files that stay. Default: 0, all.'),
    address: address('syslog: host:port of the receiver.').optional(),
    facility: z.int().min(0).max(23).optional().describe('syslog: facility; Default: 13, log audit.'),
    url: z
      .string()
      .superRefine((text, context) => {
        const problem = problemOfUrl(text);
        if (problem !== undefined) context.addIssue({ code: 'custom', message: problem });
      })
      .optional()
      .describe('http: where batches are POSTed. https beyond loopback.'),
    headers: headersSchema.optional(),
    format: z
      .enum(['ndjson', 'array'])
      .optional()
      .describe('http: ndjson, a document per line, or array, one JSON array. Default: ndjson.'),
    gzip: z.boolean().optional().describe('http: compress bodies. Default: false.'),
    tls: tlsClientSchema
      .optional()
      .describe('syslog: TLS (required beyond loopback, {} for the defaults); http: more than the defaults.'),
  })
  .superRefine((section, context) => {
    const add = (key: string, message: string): void =>
      context.addIssue({ code: 'custom', path: [key], message });
    const given = section as Readonly<Record<string, unknown>>;
    for (const [kind, { need, may }] of Object.entries(KEYS_OF_KIND)) {
      if (kind === section.kind) {
        for (const key of need)
          if (given[key] === undefined) add(key, `is missing: an export of kind ${kind} needs it`);
        continue;
      }
      const { need: ownNeed, may: ownMay } = KEYS_OF_KIND[section.kind];
      const own = new Set<string>([...ownNeed, ...ownMay]);
      for (const key of [...need, ...may]) {
        if (given[key] !== undefined && !own.has(key))
          add(key, `belongs to kind ${kind}, not to ${section.kind}`);
      }
    }
    const { cert, key } = section.tls ?? {};
    if ((cert === undefined) !== (key === undefined)) add('tls', 'cert and key belong together');
    const place = section.address === undefined ? undefined : parseHostPort(section.address);
    if (place !== undefined && section.tls === undefined && !isLoopbackHost(place.host))
      add('address', 'a receiver beyond loopback needs tls');
    if (place?.port === 0) add('address', 'port 0 cannot be connected to');
  });

export const exportSection = z
  .array(exportSchema)
  .superRefine((exports, context) => {
    const seen = new Set<string>();
    for (const [index, { name: one }] of exports.entries()) {
      if (seen.has(one))
        context.addIssue({ code: 'custom', path: [index, 'name'], message: 'is given twice' });
      seen.add(one);
    }
  })
  .default([])
  .describe('Streams of the record to other systems, as OCSF events.');

type ExportFile = z.infer<typeof exportSection>[number];

export function assembleExports(
  exports: readonly ExportFile[],
  secret: (reference: string) => SecretRef,
  path: (relative: string) => string,
): readonly ExportConfig[] {
  return exports.map((one) => {
    if (one.kind === 'file') return assembleFile(one, path);
    return one.kind === 'syslog' ? assembleSyslog(one, secret) : assembleHttp(one, secret);
  });
}

function assembleBase(one: ExportFile): ExportBase {
  return { name: one.name, batch: one.batch, timeoutMs: one.timeout, alertAfterMs: one.alertAfter };
}

function assembleFile(one: ExportFile, path: (relative: string) => string): FileExportConfig {
  return {
    ...assembleBase(one),
    kind: 'file',
    path: path(one.path ?? ''),
    maxBytes: parseSize(one.maxSize ?? '') ?? 64 * MIB,
    keep: one.keep ?? 0,
  };
}

function assembleSyslog(one: ExportFile, secret: (reference: string) => SecretRef): SyslogExportConfig {
  const place = parseHostPort(one.address ?? '');
  if (place === undefined) throw new Error('the schema admits only addresses that parse');
  return {
    ...assembleBase(one),
    kind: 'syslog',
    ...place,
    facility: one.facility ?? 13,
    ...(one.tls === undefined ? {} : { tls: assembleTls(one.tls, secret) }),
  };
}

function assembleHttp(one: ExportFile, secret: (reference: string) => SecretRef): HttpExportConfig {
  return {
    ...assembleBase(one),
    kind: 'http',
    url: one.url ?? '',
    headers: assembleHeaders(one.headers, secret),
    format: one.format ?? 'ndjson',
    gzip: one.gzip ?? false,
    tls: assembleTls(one.tls ?? {}, secret),
  };
}

export function assembleHeaders(
  headers: Readonly<Record<string, string>> | undefined,
  secret: (reference: string) => SecretRef,
): readonly { readonly name: string; readonly value: SecretRef }[] {
  return Object.entries(headers ?? {}).map(([header, value]) => ({ name: header, value: secret(value) }));
}

export function assembleTls(
  tls: z.infer<typeof tlsClientSchema>,
  secret: (reference: string) => SecretRef,
): ExportTlsConfig {
  const { ca, cert, key, serverName } = tls;
  return {
    ...(ca === undefined ? {} : { ca: secret(ca) }),
    ...(cert === undefined ? {} : { cert: secret(cert) }),
    ...(key === undefined ? {} : { key: secret(key) }),
    ...(serverName === undefined ? {} : { serverName }),
  };
}

/** Every secret of the section, with the key that holds it. */
export function exportSecrets(exports: readonly ExportConfig[]): readonly {
  readonly path: string;
  readonly reference: SecretRef;
}[] {
  return exports.flatMap((one, index) => {
    const uses: { path: string; reference: SecretRef }[] = [];
    const tls = one.kind === 'file' ? undefined : one.tls;
    for (const key of ['ca', 'cert', 'key'] as const) {
      const reference = tls?.[key];
      if (reference !== undefined) uses.push({ path: `export[${index}].tls.${key}`, reference });
    }
    for (const header of one.kind === 'http' ? one.headers : []) {
      uses.push({ path: `export[${index}].headers.${header.name}`, reference: header.value });
    }
    return uses;
  });
}
