import type { CountersignConfig, PostgresTargetConfig } from '../config/config.ts';
import { CountersignError, isCountersignError } from '../errors.ts';
import type { GrantRegistry } from '../grants/grant-registry.ts';
import type { LiveGrant } from '../grants/live-grant.ts';
import { asCountersignError } from '../observe/logger.ts';
import type { Logger } from '../observe/logger.ts';
import type { AuthenticatedClient } from '../postgres/authenticated-client.ts';
import type { AnalysisService } from '../postgres/analysis/analysis-service.ts';
import type { CancelRegistry } from '../postgres/cancel.ts';
import type { CatalogLease } from '../postgres/catalog/catalog-lease.ts';
import { serveSession } from '../postgres/translator/serve-session.ts';
import type { ServedSession } from '../postgres/translator/ports.ts';
import { dialTarget } from '../postgres/upstream/dial.ts';
import type { TargetConnection } from '../postgres/upstream/target-connection.ts';
import { welcomeClient } from '../postgres/welcome.ts';
import type { SessionOpened } from '../record/events.ts';
import type { Recorder } from '../record/recorder.ts';
import type { Authorization, Authorizer } from '../session/authorizer.ts';
import type { FairAdmission } from '../session/fair-admission.ts';
import { newSessionId } from '../session/session-id.ts';
import type { SessionMaskingOptions } from '../session/session-masking.ts';
import { Session } from '../session/session.ts';
import type { Catalogs } from './catalogs.ts';
import { recordGatewayStatements } from './gateway-statement.ts';
import type { Masking } from './masking.ts';
import type { OpenSessions } from './open-sessions.ts';
import type { ProbeBudgets } from './probe-budgets.ts';
import type { RefusalLog } from './refusal-log.ts';
import type { RoleLease, TargetRoles } from './roles.ts';
import type { Tracing } from './tracing.ts';
import type { TrafficCounter } from './traffic.ts';

/** What a connection needs of the gateway. `config` is the one in force now; a reload replaces it. */
export interface ConnectionServices {
  readonly config: CountersignConfig;
  readonly draining: boolean;
  readonly recorder: Recorder;
  readonly grants: GrantRegistry;
  readonly cancels: CancelRegistry;
  readonly sessions: OpenSessions;
  readonly admission: FairAdmission;
  readonly traffic: TrafficCounter;
  readonly tracing: Tracing;
  readonly catalogs: Catalogs;
  readonly roles: TargetRoles;
  readonly analysis: AnalysisService;
  readonly authorizer: Authorizer;
  readonly refusals: RefusalLog;
  /** Undefined: nothing is masked. */
  readonly masking: Masking | undefined;
  readonly probes: ProbeBudgets | undefined;
  readonly logger: Logger;
}

/**
 * Takes an authenticated client through grant, target, record and relay to its end (design/architecture.md, "One path").
 * Never rejects: whatever fails is told to the client as far as it may know, and to the log.
 */
export async function acceptClient(client: AuthenticatedClient, services: ConnectionServices): Promise<void> {
  try {
    await connect(client, services);
  } catch (error) {
    refuse(client, error, services);
  }
}

async function connect(client: AuthenticatedClient, services: ConnectionServices): Promise<void> {
  assertNotDraining(services);
  const { grants, config } = services;
  const grant = grants.find({
    principal: client.principal.name,
    target: client.targetName,
    ...(client.database === undefined ? {} : { database: client.database }),
    ...(client.grantId === undefined ? {} : { grantId: client.grantId }),
  });
  const target = config.targets.find(({ name }) => name === grant.target);
  if (target === undefined) throw new CountersignError('CS_TARGET_UNKNOWN');
  const database = client.database ?? target.database;
  const catalog = services.catalogs.lease(target, database);
  try {
    await connectTarget(client, { target, grant, database, catalog }, services);
  } finally {
    catalog.release();
  }
}

/** Where a session goes, and on whose authority. */
interface Destination {
  readonly target: PostgresTargetConfig;
  readonly grant: LiveGrant;
  readonly database: string;
  readonly catalog: CatalogLease;
}

async function connectTarget(
  client: AuthenticatedClient,
  destination: Destination,
  services: ConnectionServices,
): Promise<void> {
  const { target, grant, database } = destination;
  // Nothing is done in the target for whom no policy permits a session.
  const authorization = services.authorizer.authorize({ principal: client.principal, grant, database });
  const gone = new AbortController();
  const abort = (): void => gone.abort();
  client.socket.once('close', abort);
  const forget = grant.onEnd(abort);
  let role: RoleLease | undefined;
  let upstream: TargetConnection | undefined;
  try {
    assertMayConnect(authorization);
    role = await services.roles.acquire({
      grant,
      target,
      database,
      catalog: () => services.catalogs.lease(target, database),
      signal: gone.signal,
    });
    upstream = await dial(client, destination, role, gone.signal, services);
    client.socket.off('close', abort);
    forget();
    // The world may have moved while the target was dialled.
    if (client.socket.destroyed)
      throw new CountersignError('CS_PROTOCOL_VIOLATION', { detail: 'the client went away' });
    assertNotDraining(services);
    await relay(client, upstream, destination, { role, authorization }, services);
  } finally {
    client.socket.off('close', abort);
    forget();
    // A Terminate may still be on its way out.
    upstream?.socket.destroySoon();
    role?.release();
  }
}

function assertMayConnect(authorization: Authorization): void {
  if (authorization.connect().decision.effect === 'forbid') throw new CountersignError('CS_CONNECT_DENIED');
}

function dial(
  client: AuthenticatedClient,
  { target, grant, database }: Destination,
  role: RoleLease,
  signal: AbortSignal,
  services: ConnectionServices,
): Promise<TargetConnection> {
  return dialTarget(target, role.login, {
    database,
    ...(client.applicationName === undefined ? {} : { applicationName: client.applicationName }),
    settings: client.startupSettings,
    secrets: role.secrets,
    principal: client.principal.name,
    recordGatewayStatement: recordGatewayStatements(services.recorder, target, loginOf(grant, role)),
    signal,
  });
}

/** As the record names it: a login of the configuration, or the role of the scope. */
function loginOf(grant: LiveGrant, role: RoleLease): string {
  return grant.login ?? role.role;
}

interface Standing {
  readonly role: RoleLease;
  readonly authorization: Authorization;
}

async function relay(
  client: AuthenticatedClient,
  upstream: TargetConnection,
  { target, grant, catalog }: Destination,
  { role, authorization }: Standing,
  services: ConnectionServices,
): Promise<void> {
  const { recorder, cancels, sessions, admission, traffic, config } = services;
  const id = newSessionId();
  const traced = { principal: client.principal.name, grant: grant.id, target: grant.target };
  const trace = services.tracing.trace(id, traced, traffic);
  const session = Session.open(
    {
      recorder,
      id,
      principal: client.principal,
      grant,
      authorization,
      role: role.kind,
      ...(role.kind === 'scope' ? { login: role.role } : {}),
      protocol: 'postgres',
      protocolVersion: client.protocolVersion,
      channel: {
        binding: client.method === 'scram-sha-256-plus',
        method: client.method,
        ...(client.tls === undefined ? {} : { tls: client.tls.version }),
      },
      peer: `${client.peer.address} ${client.peer.port}`,
      client: describeClient(client),
      admission,
      masking: sessionMasking(client, target, services),
      retentionClass: target.retentionClass,
      backend: describeBackend(upstream),
    },
    trace ?? traffic,
  );
  await session.opened();
  let served: ServedSession | undefined;
  const registration = cancels.register(client.protocolVersion, () => served?.cancel());
  try {
    welcomeClient(client, upstream, registration.key);
    const recordOwn = recordGatewayStatements(recorder, target, loginOf(grant, role));
    served = serveSession({
      client,
      target: upstream,
      session,
      limits: config.limits,
      allowedSettings: target.allowedSettings,
      observer: traffic,
      analysis: services.analysis.open({
        principal: client.principal.name,
        lease: catalog,
        parameters: upstream.parameters,
        names: upstream.names,
        masking: services.masking?.of(target.name),
      }),
      recordOwn: (statement) => recordOwn(statement, upstream),
      masking: services.masking?.of(target.name),
    });
    const names = { session: session.id, principal: client.principal.name, target: grant.target };
    services.logger.info('session opened', { ...names, grant: grant.id, address: client.peer.address });
    await sessions.keep(session, served);
    services.logger.info('session closed', { ...names, count: session.calls });
  } finally {
    registration.release();
    trace?.end();
  }
}

/** Undefined: nothing is masked. Rules are asked for at each use: a reload brings others. */
function sessionMasking(
  { principal }: AuthenticatedClient,
  { name }: PostgresTargetConfig,
  { masking, probes }: ConnectionServices,
): SessionMaskingOptions | undefined {
  if (masking === undefined || probes === undefined) return undefined;
  const target = masking.of(name);
  return {
    get rules() {
      return target.rules;
    },
    keys: target.keys,
    budget: probes.of(principal.owner),
  };
}

function describeBackend(upstream: TargetConnection): SessionOpened['backend'] {
  return {
    pid: upstream.backendPid,
    serverVersion: upstream.serverVersion,
    ...(upstream.backendStartedAtUs === undefined ? {} : { startedAtUs: upstream.backendStartedAtUs }),
    ...(upstream.tls === undefined ? {} : { tls: upstream.tls.version }),
  };
}

/** What the client said of itself, as JSON; it is sealed. */
function describeClient(client: AuthenticatedClient): string {
  return JSON.stringify({
    application_name: client.applicationName ?? '',
    settings: Object.fromEntries(client.startupSettings),
  });
}

function assertNotDraining(services: ConnectionServices): void {
  if (services.draining) throw new CountersignError('CS_SHUTTING_DOWN');
}

function refuse(client: AuthenticatedClient, error: unknown, services: ConnectionServices): void {
  const shown = publicError(error);
  client.sendFatal(shown);
  services.traffic.countRefusal(shown.code);
  const isKnown = services.config.targets.some(({ name }) => name === client.targetName);
  services.refusals.note(error, client.principal.name, isKnown ? client.targetName : 'unknown');
  client.noteRefused(shown);
}

/** `Denied` wraps the error that the client is told. */
function publicError(error: unknown): CountersignError {
  const inner = error instanceof Error && 'error' in error ? error.error : error;
  return isCountersignError(inner) ? inner : asCountersignError(error);
}
