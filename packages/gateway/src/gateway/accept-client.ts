import type { CountersignConfig, PostgresTargetConfig, Secrets } from '../config/config.ts';
import { CountersignError, isCountersignError } from '../errors.ts';
import type { GrantRegistry } from '../grants/grant-registry.ts';
import type { LiveGrant } from '../grants/live-grant.ts';
import { asCountersignError } from '../observe/logger.ts';
import type { Logger } from '../observe/logger.ts';
import type { AuthenticatedClient } from '../postgres/authenticated-client.ts';
import type { CancelRegistry } from '../postgres/cancel.ts';
import { serveSession } from '../postgres/translator/serve-session.ts';
import type { ServedSession } from '../postgres/translator/ports.ts';
import type { TextReader } from '../postgres/translator/text-reader.ts';
import { dialTarget } from '../postgres/upstream/dial.ts';
import type { TargetConnection } from '../postgres/upstream/target-connection.ts';
import { welcomeClient } from '../postgres/welcome.ts';
import type { Recorder } from '../record/recorder.ts';
import type { FairAdmission } from '../session/fair-admission.ts';
import { newSessionId } from '../session/session-id.ts';
import { Session } from '../session/session.ts';
import { recordGatewayStatements } from './gateway-statement.ts';
import type { Catalogs } from './catalogs.ts';
import type { OpenSessions } from './open-sessions.ts';
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
  readonly catalogs: Catalogs;
  readonly roles: TargetRoles;
  readonly cancels: CancelRegistry;
  readonly sessions: OpenSessions;
  readonly admission: FairAdmission;
  readonly secrets: Secrets;
  readonly traffic: TrafficCounter;
  readonly tracing: Tracing;
  readonly texts: TextReader;
  readonly refusals: RefusalLog;
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
  const dialled = await dial(client, target, grant, services);
  try {
    // The world may have moved while the target was dialled.
    if (client.socket.destroyed)
      throw new CountersignError('CS_PROTOCOL_VIOLATION', { detail: 'the client went away' });
    assertNotDraining(services);
    await relay(client, dialled, target, grant, services);
  } finally {
    // A Terminate may still be on its way out.
    dialled.upstream.socket.destroySoon();
    dialled.lease.release();
  }
}

interface Dialled {
  /** Whom the session is in the target. */
  readonly lease: RoleLease;
  readonly upstream: TargetConnection;
}

async function dial(
  client: AuthenticatedClient,
  target: PostgresTargetConfig,
  grant: LiveGrant,
  services: ConnectionServices,
): Promise<Dialled> {
  const gone = new AbortController();
  const abort = (): void => gone.abort();
  client.socket.once('close', abort);
  const forget = grant.onEnd(abort);
  const { database } = client;
  let lease: RoleLease | undefined;
  try {
    lease = await services.roles.acquire({
      grant,
      target,
      database,
      catalog: () => services.catalogs.lease(target, database),
      signal: gone.signal,
    });
    const upstream = await dialTarget(target, lease.login, {
      ...(database === undefined ? {} : { database }),
      ...(client.applicationName === undefined ? {} : { applicationName: client.applicationName }),
      settings: client.startupSettings,
      secrets: lease.secrets,
      principal: client.principal.name,
      recordGatewayStatement: recordGatewayStatements(services.recorder, target, grant.login ?? lease.role),
      signal: gone.signal,
    });
    return { lease, upstream };
  } catch (error) {
    lease?.release();
    throw error;
  } finally {
    client.socket.off('close', abort);
    forget();
  }
}

async function relay(
  client: AuthenticatedClient,
  { lease, upstream: target }: Dialled,
  { allowedSettings, retentionClass }: PostgresTargetConfig,
  grant: LiveGrant,
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
      retentionClass,
      role: lease.kind,
      ...(lease.kind === 'scope' ? { login: lease.role } : {}),
      backend: {
        pid: target.backendPid,
        serverVersion: target.serverVersion,
        ...(target.backendStartedAtUs === undefined ? {} : { startedAtUs: target.backendStartedAtUs }),
        ...(target.tls === undefined ? {} : { tls: target.tls.version }),
      },
    },
    trace ?? traffic,
  );
  await session.opened();
  let served: ServedSession | undefined;
  const registration = cancels.register(client.protocolVersion, () => served?.cancel());
  try {
    welcomeClient(client, target, registration.key);
    served = serveSession({
      client,
      target,
      session,
      limits: config.limits,
      allowedSettings,
      observer: traffic,
      readText: (text, settings) => services.texts.read(client.principal.name, text, settings),
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
