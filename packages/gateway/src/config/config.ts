/**
 * The shape of a configuration after it was read and checked: what the rest of the gateway sees.
 *
 * Durations are milliseconds, sizes are bytes. `SecretRef` is a reference; only `secrets.ts` turns it into bytes.
 */

import type { CatalogConfig } from './catalog-section.ts';
import type { CustodyConfig, RetentionConfig } from './custody-section.ts';
import type { ExportConfig } from './export-section.ts';
import type { ClassBinding, ClassOrigin } from './masking-grants.ts';
import type { MaskingConfig } from './masking-section.ts';
import type { MaskingGrant } from '../masking/rules.ts';
import type { PoliciesConfig } from './policy-section.ts';
import type { RolesConfig } from './roles-section.ts';
import type { ScopeConfig } from './scope-section.ts';
import type { TimestampConfig } from './timestamp-section.ts';
import type { TracesConfig } from './traces-section.ts';
import type { WitnessConfig } from './witness-section.ts';

export type { CustodyConfig, RetentionConfig };

/** `env:NAME` or `file:PATH` (a relative path is relative to the folder of the configuration file). */
export interface SecretRef {
  readonly kind: 'env' | 'file';
  readonly name: string;
}

/** Turns a reference into bytes. `config/secrets.ts` reads environment and files; others see only this. */
export interface Secrets {
  /** The bytes without one trailing line break. Reads anew at each call, so that a rotated file counts from the next
   *  use. Throws `CS_SECRET_UNAVAILABLE` naming the reference. */
  read(ref: SecretRef): Promise<Buffer>;
}

export type PrincipalKind = 'human' | 'agent' | 'service';

export interface PrincipalConfig {
  /** Opaque id, `[a-z0-9][a-z0-9._-]{0,62}`; it appears in the record in clear. */
  readonly name: string;
  /** The accountable person or team. Personal data: the record holds a commitment to it. */
  readonly owner: string;
  readonly kind: PrincipalKind;
  /** What the principal proves itself with: a file or variable that holds a SCRAM-SHA-256 verifier as PostgreSQL
   *  writes it (`SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`). Absent: only short-lived tokens. */
  readonly credential?: SecretRef;
  /** Client addresses it may come from (CIDR); empty means any that the listener accepts. */
  readonly addresses: readonly string[];
  /** For policies: `principal in Group::"…"`. Absent: none. */
  readonly groups?: readonly string[];
}

export interface GrantConfig {
  readonly id: string;
  readonly principal: string;
  readonly target: string;
  /** Key into the target's `logins`: whom the gateway is in the target. Absent: a role made for the scope. */
  readonly login?: string;
  /** Databases of the target it covers; empty means the target's default database only. */
  readonly databases: readonly string[];
  /** Wall-clock end, µs since the epoch (UTC). */
  readonly expiresAtUs: bigint;
  readonly purpose?: string;
  /** Absent: it covers nothing, every command is refused. */
  readonly scope?: ScopeConfig;
  /** Absent: nothing is let out, and nothing may be asked for. */
  readonly masking?: MaskingGrant;
}

export type TlsMode = 'disable' | 'prefer' | 'require' | 'verify-ca' | 'verify-full';

export interface TargetTlsConfig {
  /** As libpq's `sslmode`. Default `verify-full`; `disable` for a loopback target. */
  readonly mode: TlsMode;
  readonly ca?: SecretRef;
  readonly cert?: SecretRef;
  readonly key?: SecretRef;
  /** Direct TLS (PostgreSQL 17+): no SSLRequest round trip. Default false. */
  readonly direct: boolean;
  readonly serverName?: string;
}

export interface LoginConfig {
  readonly user: string;
  /** Absent when the target authenticates by client certificate or trust. */
  readonly password?: SecretRef;
}

export type TargetSessionAttrs =
  | 'any'
  | 'read-write'
  | 'read-only'
  | 'primary'
  | 'standby'
  | 'prefer-standby';

export interface PostgresTargetConfig {
  readonly name: string;
  readonly protocol: 'postgres';
  readonly hosts: readonly { readonly host: string; readonly port: number }[];
  readonly database: string;
  readonly logins: Readonly<Record<string, LoginConfig>>;
  readonly tls: TargetTlsConfig;
  readonly targetSessionAttrs: TargetSessionAttrs;
  readonly connectTimeoutMs: number;
  /** Settings a client may change beyond the built-in list (exact names, or `prefix.*`). */
  readonly allowedSettings: readonly string[];
  /** Under which the contents of sessions on it are sealed. Absent: `vault.retentionClass`. */
  readonly retentionClass?: string;
  /** Absent: `DEFAULT_CATALOG` of `catalog-section.ts`. */
  readonly catalog?: CatalogConfig;
  /** Classes of columns that the file names. Absent: none. */
  readonly classes?: readonly ClassBinding[];
  /** Where classes may stand. Absent: everywhere. */
  readonly classesFrom?: readonly ClassOrigin[];
  /** Roles made per scope. Absent: every grant names a login. */
  readonly roles?: RolesConfig;
}

export interface ListenerTlsConfig {
  readonly cert: SecretRef;
  readonly key: SecretRef;
  /** Refuse a client that does not ask for TLS. Default true beyond loopback. */
  readonly required: boolean;
}

export interface PostgresListenerConfig {
  readonly host: string;
  readonly port: number;
  readonly tls?: ListenerTlsConfig;
  /** CIDR ranges that may connect; empty means any. */
  readonly allow: readonly string[];
}

export interface Limits {
  readonly connections: number;
  readonly connectionsPerPrincipal: number;
  readonly connectionsPerAddress: number;
  /** Connections that have not authenticated yet. */
  readonly pendingConnections: number;
  readonly handshakeTimeoutMs: number;
  /** 0 = no limit. */
  readonly idleTimeoutMs: number;
  /** 0 = no limit. */
  readonly statementTimeoutMs: number;
  /** Longest Query or Parse text, bytes. Default 1 MiB. */
  readonly maxStatementBytes: number;
  /** What remembered meanings of statements may take. Default 32 MiB. */
  readonly statementCacheBytes: number;
  readonly tcpKeepaliveMs: number;
  /** How long SIGTERM waits for sessions to end. */
  readonly drainTimeoutMs: number;
  /** New connections per second, in all and from one address (IPv6: one /64 network). */
  readonly connectionRate: number;
  readonly connectionRatePerAddress: number;
  /** Connections from one address that have not authenticated yet. */
  readonly pendingPerAddress: number;
  /** Longest wait of an address for its next attempt as a principal after repeated failures. 0 = none. */
  readonly authnBackoffMs: number;
  readonly principal: PrincipalQuota;
}

/** What one principal may use over all its sessions. 0 = no quota. */
export interface PrincipalQuota {
  readonly commandsPerSecond: number;
  /** Bytes of leaves and contents. */
  readonly recordBytesPerSecond: number;
  /** The quota of so long may be used at once. */
  readonly burstMs: number;
  /** `wait`: it is not read from until it is within its quota; `refuse`: its commands are refused. */
  readonly overQuota: 'wait' | 'refuse';
}

export interface RecordConfig {
  /** Longest wait of an append for the disk. Default 2,000. */
  readonly timeoutMs: number;
  /** Default 64 MiB. */
  readonly segmentBytes: number;
  /** Longest time a result of a read may ride along before a sync of its own. Default 20. */
  readonly resultDelayMs: number;
  readonly heartbeatMs: number;
  readonly checkpointMs: number;
  /** Free bytes below which commands are refused. Default 256 MiB. */
  readonly minFreeBytes: number;
  /** Free bytes below which an alarm is raised. Default of the file 1 GiB; absent: none. */
  readonly warnFreeBytes?: number;
}

export interface CountersignConfig {
  readonly file: string;
  /** Canonical text as read, for `config.changed`. */
  readonly text: string;
  /** SHA-256 of `text`, base64url. */
  readonly digest: string;
  readonly node: string;
  /** Directory that holds `journal/`, `log/`, `vault/`, `keys/`, `control.sock`. Absolute. */
  readonly stateDirectory: string;
  readonly log: {
    readonly origin: string;
    readonly signingKey: SecretRef;
    /** Signs as well, while one key takes the other's place. */
    readonly previousKey?: SecretRef;
  };
  readonly vault: { readonly custodianKey: SecretRef; readonly retentionClass: string };
  readonly record: RecordConfig;
  /** Absent: nobody can approve anything, so nothing is erased. */
  readonly custody?: CustodyConfig;
  /** Absent: contents are kept for ever. */
  readonly retention?: RetentionConfig;
  /** Absent: no witness is asked. */
  readonly witness?: WitnessConfig;
  /** Absent: no time-stamping authority is asked. */
  readonly timestamp?: TimestampConfig;
  readonly listen: {
    readonly postgres: PostgresListenerConfig;
    readonly health?: { readonly host: string; readonly port: number };
  };
  readonly limits: Limits;
  /** Where the record is streamed to. */
  readonly exports: readonly ExportConfig[];
  /** Absent: nothing is traced. */
  readonly traces?: TracesConfig;
  /** Absent: nothing is permitted to anybody. */
  readonly policies?: PoliciesConfig;
  /** Absent: nothing is masked. */
  readonly masking?: MaskingConfig;
  readonly targets: readonly PostgresTargetConfig[];
  readonly principals: readonly PrincipalConfig[];
  readonly grants: readonly GrantConfig[];
  /** True only for `countersign demo`. */
  readonly demo: boolean;
}
