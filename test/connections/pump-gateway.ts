/**
 * Listener, authentication and upstream put together without the translator: an authenticated client gets a session in the
 * target and bytes go both ways unread. For tests of connections only; nothing is recorded but authentication.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  Limits,
  LoginConfig,
  PostgresListenerConfig,
  PostgresTargetConfig,
  PrincipalConfig,
  Secrets,
} from '../../packages/gateway/src/config/config.ts';
import { CountersignError, isCountersignError } from '../../packages/gateway/src/errors.ts';
import { type IdentityKeys, loadIdentityKeys } from '../../packages/gateway/src/identity/identity-keys.ts';
import { PrincipalRegistry } from '../../packages/gateway/src/identity/principal-registry.ts';
import { makeVerifier } from '../../packages/gateway/src/identity/scram-verifier.ts';
import type {
  AuthenticatedClient,
  ListenerSettings,
  PostgresListener,
} from '../../packages/gateway/src/postgres/authenticated-client.ts';
import { CancelRegistry } from '../../packages/gateway/src/postgres/cancel.ts';
import { type ConnectionRefusal, listenPostgres } from '../../packages/gateway/src/postgres/listener.ts';
import { dialTarget } from '../../packages/gateway/src/postgres/upstream/dial.ts';
import { welcomeClient } from '../../packages/gateway/src/postgres/welcome.ts';
import { LeafCollector } from './leaf-collector.ts';

export const PASSWORD = 'pêcheur, "quoted" & long';

/** `env` references hold the secret itself. */
export const testSecrets: Secrets = {
  read: async ({ kind, name }) => (kind === 'env' ? Buffer.from(name) : readFile(name)),
};

export const TEST_LIMITS: Limits = {
  connections: 50,
  connectionsPerPrincipal: 20,
  connectionsPerAddress: 40,
  pendingConnections: 30,
  handshakeTimeoutMs: 20_000,
  idleTimeoutMs: 0,
  statementTimeoutMs: 0,
  maxStatementBytes: 1 << 20,
  statementCacheBytes: 1 << 20,
  tcpKeepaliveMs: 60_000,
  drainTimeoutMs: 1000,
  connectionRate: 1_000_000,
  connectionRatePerAddress: 1_000_000,
  pendingPerAddress: 1000,
  authnBackoffMs: 0,
  principal: { commandsPerSecond: 0, recordBytesPerSecond: 0, burstMs: 2000, overQuota: 'wait' },
};

export function testTarget(port: number, changes: Partial<PostgresTargetConfig> = {}): PostgresTargetConfig {
  return {
    name: 'bank',
    protocol: 'postgres',
    hosts: [{ host: '127.0.0.1', port }],
    database: 'postgres',
    logins: {},
    tls: { mode: 'disable', direct: false },
    targetSessionAttrs: 'any',
    connectTimeoutMs: 20_000,
    allowedSettings: [],
    ...changes,
  };
}

export interface PumpOptions {
  /** Without it an authenticated client is told CS_TARGET_UNKNOWN. */
  readonly target?: PostgresTargetConfig;
  readonly login?: LoginConfig;
  readonly listener?: Partial<PostgresListenerConfig>;
  readonly limits?: Partial<Limits>;
  /** Default: `alice` with PASSWORD, `robot` with tokens only, `far` with PASSWORD from 192.0.2.0/24. */
  readonly principals?: readonly PrincipalConfig[];
  readonly secrets?: Secrets;
}

export class PumpGateway {
  readonly listener: PostgresListener;
  readonly keys: IdentityKeys;
  readonly settings: ListenerSettings;
  readonly record: LeafCollector;
  readonly refusals: ConnectionRefusal[];
  readonly clients: AuthenticatedClient[];
  readonly #directory: string;

  private constructor(parts: Omit<PumpGateway, 'port' | 'close'> & { readonly directory: string }) {
    ({ listener: this.listener, keys: this.keys, settings: this.settings, record: this.record } = parts);
    ({ refusals: this.refusals, clients: this.clients, directory: this.#directory } = parts);
  }

  static async start(options: PumpOptions = {}): Promise<PumpGateway> {
    const directory = await mkdtemp(join(tmpdir(), 'countersign-pump-'));
    const keys = await loadIdentityKeys(directory);
    const secrets = options.secrets ?? testSecrets;
    const settings: ListenerSettings = {
      listener: { host: '127.0.0.1', port: 0, allow: [], ...options.listener },
      limits: { ...TEST_LIMITS, ...options.limits },
      principals: await PrincipalRegistry.load(options.principals ?? (await defaultPrincipals()), secrets),
      allowedSettings: new Map([['bank', options.target?.allowedSettings ?? []]]),
      secrets,
    };
    const record = new LeafCollector();
    const refusals: ConnectionRefusal[] = [];
    const clients: AuthenticatedClient[] = [];
    const cancels = new CancelRegistry({ node: 'test', worker: 0, secret: keys.cancel });
    const listener = await listenPostgres({
      settings,
      recorder: record.asRecorder(),
      keys,
      cancels,
      onRefused: (refusal) => refusals.push(refusal),
      onClient: async (client) => {
        clients.push(client);
        await pump(client, options, cancels);
      },
    });
    return new PumpGateway({ listener, keys, settings, record, refusals, clients, directory });
  }

  get port(): number {
    return this.listener.port;
  }

  async close(): Promise<void> {
    await this.listener.stopAccepting();
    for (const client of this.clients) client.socket.destroy();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

async function pump(
  client: AuthenticatedClient,
  options: PumpOptions,
  cancels: CancelRegistry,
): Promise<void> {
  const { target, login } = options;
  if (target === undefined || login === undefined || client.targetName !== target.name) {
    client.sendFatal(new CountersignError('CS_TARGET_UNKNOWN'));
    return;
  }
  try {
    const upstream = await dialTarget(target, login, {
      ...(client.database === undefined ? {} : { database: client.database }),
      ...(client.applicationName === undefined ? {} : { applicationName: client.applicationName }),
      settings: client.startupSettings,
      principal: client.principal.name,
      secrets: testSecrets,
    });
    const registration = cancels.register(client.protocolVersion, () => void upstream.cancel());
    client.socket.once('close', () => {
      registration.release();
      upstream.socket.destroy();
    });
    upstream.socket.once('close', () => client.socket.destroy());
    welcomeClient(client, upstream, registration.key);
    upstream.socket.write(client.leftover);
    client.socket.write(upstream.leftover);
    client.socket.pipe(upstream.socket);
    upstream.socket.pipe(client.socket);
  } catch (error) {
    client.sendFatal(
      isCountersignError(error) ? error : new CountersignError('CS_INTERNAL', { cause: error }),
    );
  }
}

async function defaultPrincipals(): Promise<readonly PrincipalConfig[]> {
  const name = await makeVerifier(PASSWORD);
  const credential = { kind: 'env', name } as const;
  return [
    { name: 'alice', owner: 'Alice', kind: 'human', credential, addresses: [] },
    { name: 'robot', owner: 'Team R', kind: 'agent', addresses: [] },
    { name: 'far', owner: 'Far', kind: 'human', credential, addresses: ['192.0.2.0/24'] },
  ];
}
