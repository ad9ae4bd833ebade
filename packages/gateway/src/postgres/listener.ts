import { createServer, type BlockList, type Server, type Socket } from 'node:net';
import { CountersignError } from '../errors.ts';
import { addressIn, addressList, plainAddress } from '../identity/principal-registry.ts';
import type { IdentityKeys } from '../identity/identity-keys.ts';
import type { Recorder } from '../record/recorder.ts';
import type {
  AuthenticatedClient,
  ConnectionCounts,
  ListenerSettings,
  PostgresListener,
} from './authenticated-client.ts';
import type { CancelRegistry } from './cancel.ts';
import { AuthnRecord } from './client-auth/authn-record.ts';
import { admitClient, type HandshakeContext } from './handshake.ts';
import { sendFatalAndClose } from './farewell.ts';
import { TokenBucket } from '../session/token-bucket.ts';
import { ConnectionCounter } from './limits.ts';
import { networkOf } from './network.ts';
import { SourceLimits } from './source-limits.ts';
import { loadServerTls, type ServerTls } from './tls-server.ts';

export interface ListenOptions {
  readonly settings: ListenerSettings;
  readonly recorder: Recorder;
  readonly keys: IdentityKeys;
  readonly cancels: CancelRegistry;
  /** Owns the connection from then on. What it throws or rejects with ends the connection as an internal error. */
  readonly onClient: (client: AuthenticatedClient) => void | Promise<void>;
  /**
   * For the log: a connection was refused before it was authenticated, or authentication failed. Twenty at once, then two a second;
   * `ConnectionRefusal.omitted` counts the others. Metrics and the record have all of them.
   */
  readonly onRefused?: (refusal: ConnectionRefusal) => void;
}

export interface ConnectionRefusal {
  readonly error: CountersignError;
  /** Where from. Personal data: for the operator's own log, never for a leaf in clear. */
  readonly address: string;
  /** Name of a configured principal, never what a client merely claimed. */
  readonly principal?: string;
  /** Refusals since the one before that were not told. */
  readonly omitted: number;
}

/** Refusals that are told to the log. */
const TOLD_PER_SECOND = 2;
const TOLD_AT_ONCE = 20;

/** Everything that a reload exchanges, as one object, so that a connection sees all of the old or all of the new. */
interface Snapshot {
  readonly settings: ListenerSettings;
  readonly tls: ServerTls | undefined;
  readonly allow: BlockList | undefined;
}

/** Listens on `settings.listener`. Rejects with the system's error, `CS_CONFIG_INVALID` or `CS_SECRET_UNAVAILABLE`. */
export async function listenPostgres(options: ListenOptions): Promise<PostgresListener> {
  const listener = new Listener(options, await takeSnapshot(options.settings));
  await listener.listen();
  return listener;
}

async function takeSnapshot(settings: ListenerSettings): Promise<Snapshot> {
  const { tls, allow } = settings.listener;
  return {
    settings,
    tls: tls === undefined ? undefined : await loadServerTls(tls, settings.secrets),
    allow: allow.length === 0 ? undefined : addressList(allow),
  };
}

class Listener implements PostgresListener {
  readonly #options: ListenOptions;
  readonly #server: Server;
  readonly #counter = new ConnectionCounter();
  readonly #sources = new SourceLimits();
  readonly #told = new TokenBucket(TOLD_PER_SECOND, TOLD_AT_ONCE, performance.now());
  #omitted = 0;
  readonly #authnRecord: AuthnRecord;
  readonly #refused = new Map<string, number>();
  /** Handshakes under way, each by what ends it. */
  readonly #pending = new Set<(error: CountersignError) => void>();
  /** The same handshakes, each until its outcome is on record. */
  readonly #admissions = new Set<Promise<unknown>>();
  /** Replaced as a whole by `reload`. */
  #snapshot: Snapshot;
  #isStopping = false;

  constructor(options: ListenOptions, snapshot: Snapshot) {
    this.#options = options;
    this.#snapshot = snapshot;
    this.#authnRecord = new AuthnRecord({ recorder: options.recorder });
    this.#server = createServer({ noDelay: true, pauseOnConnect: false }, (socket) => this.#accept(socket));
  }

  async listen(): Promise<void> {
    const { host, port } = this.#snapshot.settings.listener;
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, backlog: 511 }, () => {
        this.#server.off('error', reject);
        // Out of file descriptors, mostly: the connection is lost, the listener is not.
        this.#server.on('error', () => this.#count('CS_INTERNAL'));
        resolve();
      });
    });
  }

  get host(): string {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.address : '';
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  get counts(): ConnectionCounts {
    const { known, unknown } = this.#options.cancels.counts;
    const { open, pending } = this.#counter;
    return { open, pending, refused: this.#refused, cancelsKnown: known, cancelsUnknown: unknown };
  }

  async reload(settings: ListenerSettings): Promise<void> {
    this.#snapshot = await takeSnapshot(settings);
  }

  async stopAccepting(): Promise<void> {
    this.#isStopping = true;
    // Its callback would wait for the sessions, which have their own end.
    this.#server.close();
    for (const end of this.#pending) end(new CountersignError('CS_SHUTTING_DOWN'));
    await Promise.allSettled(this.#admissions);
    this.#authnRecord.flush();
  }

  #accept(socket: Socket): void {
    // Errors of a socket are followed by its `close`, which is what everybody acts on.
    socket.on('error', () => {});
    const address = socket.remoteAddress === undefined ? '' : plainAddress(socket.remoteAddress);
    const { settings, allow, tls } = this.#snapshot;
    if (address === '' || this.#isStopping) {
      socket.destroy();
      return;
    }
    const source = networkOf(address);
    const rate = this.#sources.connect(source, settings.limits);
    if (rate === 'drop') {
      this.#drop(socket, address);
      return;
    }
    if (allow !== undefined && !addressIn(allow, address)) {
      this.#refuse(socket, new CountersignError('CS_ADDRESS_DENIED'), address);
      return;
    }
    const admission = this.#counter.admit(source, settings.limits);
    if (admission === 'drop') {
      this.#drop(socket, address);
      return;
    }
    socket.setKeepAlive(true, settings.limits.tcpKeepaliveMs);
    socket.once('close', () => this.#counter.leave(source));
    const peer = { address, port: socket.remotePort ?? 0 };
    const isOverLimit = admission === 'over' || rate === 'over';
    void this.#handshake({ socket, peer, source, settings, tls, isOverLimit });
  }

  /** Closes it unread, with a reset: nothing of it stays behind in the kernel. */
  #drop(socket: Socket, address: string): void {
    this.#count('CS_CONNECTION_LIMIT');
    this.#authnRecord.note({ address, method: 'none', reason: 'CS_CONNECTION_LIMIT' });
    socket.resetAndDestroy();
  }

  async #handshake(
    connection: Pick<HandshakeContext, 'socket' | 'peer' | 'source' | 'settings' | 'tls' | 'isOverLimit'>,
  ): Promise<void> {
    const { peer } = connection;
    const { keys, cancels, onClient } = this.#options;
    const context: HandshakeContext = {
      ...connection,
      keys,
      cancels,
      authnRecord: this.#authnRecord,
      counter: this.#counter,
      sources: this.#sources,
      pending: this.#pending,
      onRefused: (error, principal) =>
        this.#report({ error, address: peer.address, ...(principal === undefined ? {} : { principal }) }),
    };
    let client: AuthenticatedClient | undefined;
    try {
      client = await this.#admit(context);
      if (client !== undefined) await onClient(client);
    } catch (cause) {
      client?.sendFatal(new CountersignError('CS_INTERNAL', { cause }));
      if (client === undefined) connection.socket.destroy();
      this.#report({ error: new CountersignError('CS_INTERNAL', { cause }), address: peer.address });
    }
  }

  async #admit(context: HandshakeContext): Promise<AuthenticatedClient | undefined> {
    const admission = admitClient(context);
    this.#admissions.add(admission);
    try {
      return await admission;
    } finally {
      this.#admissions.delete(admission);
    }
  }

  #refuse(socket: Socket, error: CountersignError, address: string): void {
    this.#authnRecord.note({ address, method: 'none', reason: error.code });
    this.#report({ error, address });
    sendFatalAndClose(socket, error);
  }

  #report(refusal: Omit<ConnectionRefusal, 'omitted'>): void {
    this.#count(refusal.error.code);
    if (!this.#told.take(1, performance.now())) {
      this.#omitted += 1;
      return;
    }
    this.#options.onRefused?.({ ...refusal, omitted: this.#omitted });
    this.#omitted = 0;
  }

  #count(code: string): void {
    this.#refused.set(code, (this.#refused.get(code) ?? 0) + 1);
  }
}
