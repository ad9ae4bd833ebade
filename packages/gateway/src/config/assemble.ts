import { createHash } from 'node:crypto';
import { hostname } from 'node:os';
import { dirname, isAbsolute, resolve } from 'node:path';

import { isLoopbackHost, parseHostPort } from './addresses.ts';
import type { HostPort } from './addresses.ts';
import type {
  CountersignConfig,
  GrantConfig,
  Limits,
  PostgresListenerConfig,
  PostgresTargetConfig,
  PrincipalConfig,
  RecordConfig,
  SecretRef,
} from './config.ts';
import { assembleCatalog } from './catalog-section.ts';
import { assembleRetention } from './custody-section.ts';
import type { ConfigFile } from './file-schema.ts';
import { assembleFloodLimits } from './flood-section.ts';
import { assembleClasses, assembleMaskingGrant } from './masking-grants.ts';
import { assembleMasking } from './masking-section.ts';
import { assemblePolicies } from './policy-section.ts';
import { assembleRoles } from './roles-section.ts';
import { assembleScope } from './scope-section.ts';
import { parseMoment } from './units.ts';
import { assembleExports } from './export-section.ts';
import { assembleTimestamp } from './timestamp-section.ts';
import { assembleTraces } from './traces-section.ts';
import { assembleWitness } from './witness-section.ts';

/** Turns the checked file into what the gateway works with: paths absolute, references parsed, defaults that depend on others. */
export function assembleConfig(
  file: string,
  text: string,
  shape: ConfigFile,
  demo: boolean,
): CountersignConfig {
  const folder = dirname(resolve(file));
  const secret = (reference: string): SecretRef => parseSecretRef(reference, folder);
  const { health } = shape.listen;
  return {
    file: resolve(file),
    text,
    digest: createHash('sha256').update(text).digest('base64url'),
    node: shape.node ?? defaultNodeName(),
    stateDirectory: resolve(folder, shape.state),
    log: assembleLog(shape.log, secret),
    vault: { custodianKey: secret(shape.vault.custodianKey), retentionClass: shape.vault.retentionClass },
    record: assembleRecord(shape),
    ...(shape.custody === undefined ? {} : { custody: shape.custody }),
    ...(shape.retention === undefined ? {} : { retention: assembleRetention(shape.retention) }),
    ...(shape.witness === undefined ? {} : { witness: assembleWitness(shape.witness, secret) }),
    ...(shape.timestamp === undefined ? {} : { timestamp: assembleTimestamp(shape.timestamp, secret) }),
    listen: {
      postgres: assembleListener(shape, secret),
      ...(health === undefined ? {} : { health: hostPort(health.address) }),
    },
    limits: assembleLimits(shape),
    exports: assembleExports(shape.export, secret, (path) => resolve(folder, path)),
    ...(shape.traces === undefined ? {} : { traces: assembleTraces(shape.traces, secret) }),
    ...(shape.policies === undefined
      ? {}
      : { policies: assemblePolicies(shape.policies, (path) => resolve(folder, path)) }),
    ...(shape.masking === undefined ? {} : { masking: assembleMasking(shape.masking, secret) }),
    targets: Object.entries(shape.targets).map(([name, target]) => assembleTarget(name, target, secret)),
    principals: shape.principals.map((principal) => assemblePrincipal(principal, secret)),
    grants: shape.grants.map((grant) => assembleGrant(grant)),
    demo,
  };
}

/** `file:` paths become absolute; `env:` names stay. The schema has checked the form. */
export function parseSecretRef(reference: string, folder: string): SecretRef {
  if (reference.startsWith('env:')) return { kind: 'env', name: reference.slice(4) };
  const path = reference.slice('file:'.length);
  return { kind: 'file', name: isAbsolute(path) ? path : resolve(folder, path) };
}

function assembleLog(
  { origin, previousKey, signingKey }: ConfigFile['log'],
  secret: (reference: string) => SecretRef,
): CountersignConfig['log'] {
  const log = { origin, signingKey: secret(signingKey) };
  return previousKey === undefined ? log : { ...log, previousKey: secret(previousKey) };
}

function assembleRecord(shape: ConfigFile): RecordConfig {
  const { record } = shape;
  return {
    timeoutMs: record.timeout,
    segmentBytes: record.segment,
    resultDelayMs: record.resultDelay,
    heartbeatMs: record.heartbeat,
    checkpointMs: record.checkpoint,
    minFreeBytes: record.minFree,
    warnFreeBytes: record.warnFree,
  };
}

function assembleListener(
  shape: ConfigFile,
  secret: (reference: string) => SecretRef,
): PostgresListenerConfig {
  const { address, tls, allow } = shape.listen.postgres;
  const place = hostPort(address);
  if (tls === undefined) return { ...place, allow };
  return {
    ...place,
    allow,
    tls: {
      cert: secret(tls.cert),
      key: secret(tls.key),
      required: tls.required ?? !isLoopbackHost(place.host),
    },
  };
}

function assembleLimits(shape: ConfigFile): Limits {
  const { limits } = shape;
  return {
    connections: limits.connections,
    connectionsPerPrincipal: limits.connectionsPerPrincipal,
    connectionsPerAddress: limits.connectionsPerAddress,
    pendingConnections: limits.pendingConnections,
    handshakeTimeoutMs: limits.handshakeTimeout,
    idleTimeoutMs: limits.idleTimeout,
    statementTimeoutMs: limits.statementTimeout,
    maxStatementBytes: limits.maxStatement,
    statementCacheBytes: limits.statementCache,
    tcpKeepaliveMs: limits.tcpKeepalive,
    drainTimeoutMs: limits.drainTimeout,
    ...assembleFloodLimits(limits),
  };
}

function assembleTarget(
  name: string,
  target: ConfigFile['targets'][string],
  secret: (reference: string) => SecretRef,
): PostgresTargetConfig {
  const hosts = target.hosts.map((host) => hostPort(host, 5_432));
  const { tls } = target;
  const logins = Object.entries(target.logins).map(
    ([key, login]) =>
      [
        key,
        login.password === undefined
          ? { user: login.user }
          : { user: login.user, password: secret(login.password) },
      ] as const,
  );
  return {
    name,
    protocol: 'postgres',
    hosts,
    database: target.database,
    logins: Object.fromEntries(logins),
    tls: {
      // A password over an unverified connection is a gift to whoever answers; only loopback has nobody in between.
      mode: tls.mode ?? (hosts.every(({ host }) => isLoopbackHost(host)) ? 'disable' : 'verify-full'),
      direct: tls.direct,
      ...(tls.ca === undefined ? {} : { ca: secret(tls.ca) }),
      ...(tls.cert === undefined ? {} : { cert: secret(tls.cert) }),
      ...(tls.key === undefined ? {} : { key: secret(tls.key) }),
      ...(tls.serverName === undefined ? {} : { serverName: tls.serverName }),
    },
    targetSessionAttrs: target.targetSessionAttrs,
    connectTimeoutMs: target.connectTimeout,
    allowedSettings: target.settings.allow,
    ...(target.retentionClass === undefined ? {} : { retentionClass: target.retentionClass }),
    ...(target.catalog === undefined ? {} : { catalog: assembleCatalog(target.catalog) }),
    ...(target.classes === undefined ? {} : { classes: assembleClasses(target.classes) }),
    classesFrom: target.classesFrom,
    ...(target.roles === undefined ? {} : { roles: assembleRoles(target.roles) }),
  };
}

function assemblePrincipal(
  principal: ConfigFile['principals'][number],
  secret: (reference: string) => SecretRef,
): PrincipalConfig {
  const { credential, ...rest } = principal;
  return credential === undefined ? rest : { ...rest, credential: secret(credential) };
}

function assembleGrant(grant: ConfigFile['grants'][number]): GrantConfig {
  const { expires, purpose, login, scope, unmask, writeClasses, budgets, ...rest } = grant;
  const masking = assembleMaskingGrant({ unmask, writeClasses, budgets });
  return {
    ...rest,
    expiresAtUs: parseMoment(expires) ?? 0n,
    ...(login === undefined ? {} : { login }),
    ...(purpose === undefined ? {} : { purpose }),
    ...(scope === undefined ? {} : { scope: assembleScope(scope) }),
    ...(masking === undefined ? {} : { masking }),
  };
}

function hostPort(text: string, defaultPort?: number): HostPort {
  const parsed = parseHostPort(text, defaultPort);
  if (parsed === undefined) throw new Error('the schema admits only addresses that parse');
  return parsed;
}

/** The host name in the letters that names may have; it is shown in every context leaf. */
function defaultNodeName(): string {
  const name = hostname()
    .toLowerCase()
    .replaceAll(/[^a-z0-9._-]/g, '-')
    .slice(0, 63);
  return /^[a-z0-9]/.test(name) ? name : 'node';
}
