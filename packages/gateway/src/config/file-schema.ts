import { z } from 'zod';

import { parseHostPort } from './addresses.ts';
import { catalogSection } from './catalog-section.ts';
import { custodySection, retentionClass, retentionSection } from './custody-section.ts';
import { diskWatermarks, floodLimits } from './flood-section.ts';
import {
  address,
  cidrList,
  count,
  DAY,
  duration,
  durationOrNone,
  GIB,
  KIB,
  MIB,
  name,
  NAME,
  secretRef,
  size,
} from './schema-parts.ts';
import { classesFromSection, classesSection, maskingGrantKeys } from './masking-grants.ts';
import { maskingSection } from './masking-section.ts';
import { groupsSection, policiesSection } from './policy-section.ts';
import { parseMoment } from './units.ts';
import { exportSection } from './export-section.ts';
import { rolesSection } from './roles-section.ts';
import { scopeSection } from './scope-section.ts';
import { timestampSection } from './timestamp-section.ts';
import { tracesSection } from './traces-section.ts';
import { witnessSection } from './witness-section.ts';

/**
 * `countersign.yaml` as it is written. Strict everywhere: an unknown key is an error. `docs/countersign.schema.json`
 * is generated from here, so descriptions are written for operators.
 */

/** `prefault`, not `default`: an absent section takes the defaults of its own keys. */
const recordSection = z
  .strictObject({
    timeout: duration('2s', 'Longest wait of a command for the disk; after it the command is refused.', {
      min: 50,
      max: 60_000,
    }),
    segment: size('64MiB', 'Size of a journal segment, preallocated and reused.', { min: MIB, max: 4 * GIB }),
    resultDelay: duration('20ms', 'Longest time the result of a read waits for the next group commit.', {
      min: 1,
      max: 1_000,
    }),
    heartbeat: duration('60s', 'Interval of heartbeats; verifiers expect at most 60 s.', {
      min: 1_000,
      max: 60_000,
    }),
    checkpoint: duration('1s', 'Interval of signed checkpoints while there is traffic.', {
      min: 50,
      max: 60_000,
    }),
    minFree: size('256MiB', 'Free room below which commands are refused.', { min: MIB, max: 1_024 * GIB }),
    ...diskWatermarks,
  })
  .describe('How commands become durable before they take effect.');

const limitsSection = z
  .strictObject({
    connections: count(500, 'Client connections in all.'),
    connectionsPerPrincipal: count(200, 'Client connections of one principal.'),
    connectionsPerAddress: count(200, 'Client connections from one address.'),
    pendingConnections: count(100, 'Connections that have not authenticated yet.'),
    handshakeTimeout: duration('10s', 'From accept to authenticated.', { min: 100, max: 600_000 }),
    idleTimeout: durationOrNone('Ends a session that sends nothing for so long. 0: never.'),
    statementTimeout: durationOrNone('Cancels a statement that takes longer. 0: never.'),
    maxStatement: size('1MiB', 'Longest statement text; values may be larger as parameters or COPY data.', {
      min: KIB,
      max: GIB,
    }),
    statementCache: size(
      '32MiB',
      'Memory for what statements mean: one that comes again is not parsed again.',
      {
        min: KIB,
        max: GIB,
      },
    ),
    tcpKeepalive: duration('60s', 'TCP keepalive on client and target connections.', {
      min: 1_000,
      max: DAY,
    }),
    drainTimeout: duration('30s', 'How long SIGTERM waits for sessions to end by themselves.', {
      min: 0,
      max: DAY,
    }),
    ...floodLimits,
  })
  .describe('Limits on clients.');

const listenSection = z.strictObject({
  postgres: z
    .strictObject({
      address: address('Where PostgreSQL clients connect, host:port. Beyond loopback, tls is required.'),
      tls: z
        .strictObject({
          cert: secretRef('Certificate chain, PEM.'),
          key: secretRef('Private key, PEM.'),
          required: z
            .boolean()
            .optional()
            .describe('Refuse clients without TLS. Default: true beyond loopback.'),
        })
        .optional(),
      allow: cidrList('Client addresses that may connect, in CIDR notation. Empty: any.'),
    })
    .describe('The PostgreSQL listener.'),
  health: z
    .strictObject({
      address: address(
        'Where /live, /ready and /metrics answer, host:port. Plain HTTP: keep it on loopback or a private network.',
      ),
    })
    .optional(),
});

const tlsMode = z.enum(['disable', 'prefer', 'require', 'verify-ca', 'verify-full']);

const targetSection = z.strictObject({
  protocol: z.literal('postgres').describe('The protocol that the target speaks.'),
  hosts: z
    .array(
      z.string().refine((text) => parseHostPort(text, 5_432) !== undefined, {
        error: 'must be host:port, such as db.internal:5432',
      }),
    )
    .min(1)
    .describe('host:port, tried in order.'),
  database: z.string().min(1).max(63).describe('The default database.'),
  tls: z
    .strictObject({
      mode: tlsMode
        .optional()
        .describe('As sslmode of libpq. Default: verify-full; disable when every host is loopback.'),
      ca: secretRef('Certificates that sign the server certificate, PEM.').optional(),
      cert: secretRef('Client certificate, PEM.').optional(),
      key: secretRef('Private key of the client certificate, PEM.').optional(),
      direct: z.boolean().default(false).describe('Start with TLS at once (PostgreSQL 17 and later).'),
      serverName: z
        .string()
        .min(1)
        .optional()
        .describe('Name to expect in the server certificate, when not the host.'),
    })
    .prefault({}),
  targetSessionAttrs: z
    .enum(['any', 'read-write', 'read-only', 'primary', 'standby', 'prefer-standby'])
    .default('any')
    .describe('Which of the hosts will do, as in libpq.'),
  connectTimeout: duration('10s', 'Per host.', { min: 100, max: 600_000 }),
  settings: z
    .strictObject({
      allow: z
        .array(
          z.string().regex(/^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*|\.\*)?$/, {
            error: 'must be a setting name, or prefix.*',
          }),
        )
        .default([])
        .describe('Settings that clients may change beyond the built-in list.'),
    })
    .prefault({}),
  retentionClass: retentionClass
    .optional()
    .describe('Label under which contents of sessions on it are kept. Default: vault.retentionClass.'),
  logins: z
    .record(
      z.string().regex(NAME),
      z.strictObject({
        user: z.string().min(1).max(63).describe('The role in the target.'),
        password: secretRef('Its password.').optional(),
      }),
    )
    .describe('Whom the gateway can be in the target, by a name that grants refer to.'),
  catalog: catalogSection.optional(),
  classes: classesSection.optional(),
  classesFrom: classesFromSection,
  roles: rolesSection.optional(),
});

const principalSection = z.strictObject({
  name: name('Opaque id; it appears in the record in clear. Clients use it as their user name.'),
  owner: z
    .string()
    .min(1)
    .max(200)
    .describe('The accountable person or team. Kept sealed; the record shows a commitment.'),
  kind: z.enum(['human', 'agent', 'service']),
  credential: secretRef(
    'A SCRAM-SHA-256 verifier as PostgreSQL writes it (countersign token create). Absent: only short-lived tokens.',
  ).optional(),
  addresses: cidrList('Addresses it may come from. Empty: any that the listener accepts.'),
  groups: groupsSection,
});

const grantSection = z.strictObject({
  id: name('Id of the grant.'),
  principal: z.string().describe('Name of a principal.'),
  target: z.string().describe('Name of a target.'),
  login: z
    .string()
    .optional()
    .describe(
      "Name of one of the target's logins. Absent: a role made for the scope (needs roles of the target).",
    ),
  databases: z
    .array(z.string().min(1).max(63))
    .default([])
    .describe("Databases it covers. Empty: the target's default database."),
  expires: z
    .string()
    .refine((text) => parseMoment(text) !== undefined, {
      error: 'must be a moment such as 2027-01-31T18:00:00Z or a date such as 2027-01-31',
    })
    .describe('When it ends.'),
  purpose: z.string().min(1).max(500).optional().describe('What it is for.'),
  scope: scopeSection.optional(),
  ...maskingGrantKeys,
});

export const fileSchema = z
  .strictObject({
    version: z.literal(1).describe('Version of this format.'),
    node: name('Name of this gateway in the record. Default: the host name.').optional(),
    state: z.string().min(1).describe('Directory for journal, log, vault and keys; relative to this file.'),
    workers: z.literal(1).optional().describe('Worker threads; this version has one.'),
    log: z.strictObject({
      origin: z
        .string()
        .regex(/^[A-Za-z0-9][A-Za-z0-9._/-]{0,200}$/, {
          error: 'must be a URL without its scheme, such as example.com/countersign',
        })
        .describe('Name of the log: a URL without its scheme. It is the key name of every checkpoint.'),
      signingKey: secretRef('Ed25519 key that signs checkpoints (countersign init makes one).'),
      previousKey: secretRef(
        'The Ed25519 key that signed checkpoints before, while it is replaced: signs as well.',
      ).optional(),
    }),
    vault: z.strictObject({
      custodianKey: secretRef('X25519 public key of the custodian, who can open sealed contents offline.'),
      retentionClass: z
        .string()
        .regex(/^[a-z0-9-]{1,31}$/)
        .default('standard')
        .describe('Label under which sealed contents are kept.'),
    }),
    record: recordSection.prefault({}),
    custody: custodySection.optional(),
    retention: retentionSection.optional(),
    witness: witnessSection.optional(),
    timestamp: timestampSection.optional(),
    listen: listenSection,
    limits: limitsSection.prefault({}),
    export: exportSection,
    traces: tracesSection.optional(),
    policies: policiesSection.optional(),
    masking: maskingSection.optional(),
    targets: z
      .record(z.string().regex(NAME), targetSection)
      .describe('Systems behind the gateway, by name. Clients use the name as their database name.'),
    principals: z.array(principalSection).default([]).describe('Who may come.'),
    grants: z
      .array(grantSection)
      .default([])
      .describe('Standing grants: who may reach what, as whom, until when.'),
  })
  .describe('Configuration of the Countersign gateway.');

/** The file after defaults and units, before cross checks. */
export type ConfigFile = z.infer<typeof fileSchema>;
