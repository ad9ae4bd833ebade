import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { CountersignError, isCountersignError } from '../errors.ts';
import type { IdentityKeys } from '../identity/identity-keys.ts';
import type { AuthenticatedClient, ListenerSettings, Peer } from './authenticated-client.ts';
import type { CancelRegistry } from './cancel.ts';
import { authenticate, type AuthnAccepted, type AuthnRefused } from './client-auth/authenticate.ts';
import type { AuthnAttempt, AuthnRecord } from './client-auth/authn-record.ts';
import { sendFatalAndClose } from './farewell.ts';
import { HandshakeReader } from './handshake-reader.ts';
import type { ConnectionCounter } from './limits.ts';
import type { SourceLimits } from './source-limits.ts';
import { negotiateVersion, type Opening, readOpening } from './startup.ts';
import { readStartupRequest, type StartupRequest } from './startup-request.ts';
import { judgeStartupSettings } from './startup-settings.ts';
import { tlsInfo } from './tls-info.ts';
import type { ServerTls } from './tls-server.ts';

/** One accepted connection and what it is measured against. */
export interface HandshakeContext {
  readonly socket: Socket;
  readonly peer: Peer;
  readonly settings: ListenerSettings;
  readonly tls: ServerTls | undefined;
  /** There is no room for it: it may cancel, or be told so. */
  readonly isOverLimit: boolean;
  readonly keys: IdentityKeys;
  readonly cancels: CancelRegistry;
  readonly authnRecord: AuthnRecord;
  readonly counter: ConnectionCounter;
  readonly sources: SourceLimits;
  /** Where it comes from, as limits count it (`networkOf`). */
  readonly source: string;
  readonly pending: Set<(error: CountersignError) => void>;
  readonly onRefused: (error: CountersignError, principal?: string) => void;
}

/** The peer went away by itself: nothing to tell it, nothing to count. */
class PeerLeft extends Error {}

/**
 * Takes a connection from its first byte to an authenticated client, or ends it: with a proper FATAL where the client can
 * read one. Undefined: it ended (refused, cancelled, gone). The deadline covers everything in here.
 */
export async function admitClient(context: HandshakeContext): Promise<AuthenticatedClient | undefined> {
  const handshake = new Handshake(context);
  return handshake.run();
}

class Handshake {
  readonly #context: HandshakeContext;
  readonly #reader: HandshakeReader;
  /** Plain, or TLS around the plain one: the socket that the client listens on now. */
  #socket: Socket;
  /** False during a TLS handshake: nothing that we write then could be read. */
  #canTell = true;
  #principalName: string | undefined;
  /** As sent, once it was. */
  #user: string | undefined;
  /** The outcome is on its way to the record, or must not get there. */
  #isRecorded = false;

  constructor(context: HandshakeContext) {
    this.#context = context;
    this.#socket = context.socket;
    this.#reader = new HandshakeReader(context.socket, () => new PeerLeft());
  }

  async run(): Promise<AuthenticatedClient | undefined> {
    const { pending, counter, settings, source } = this.#context;
    const end = (error: CountersignError): void => this.#reader.fail(error);
    pending.add(end);
    const settle = counter.await(source, () => end(new CountersignError('CS_CONNECTION_LIMIT')));
    const deadline = setTimeout(
      () => end(new CountersignError('CS_HANDSHAKE_TIMEOUT')),
      settings.limits.handshakeTimeoutMs,
    );
    try {
      return await this.#admit();
    } catch (error) {
      this.#end(error);
      return undefined;
    } finally {
      clearTimeout(deadline);
      pending.delete(end);
      settle();
    }
  }

  async #admit(): Promise<AuthenticatedClient | undefined> {
    const opening = await this.#open();
    if (opening.kind === 'cancel') {
      this.#context.cancels.request({ pid: opening.cancel.processId, key: opening.cancel.key });
      // The server closes without an answer, so nobody learns which keys are right.
      this.#socket.end();
      this.#socket.destroySoon();
      return undefined;
    }
    if (this.#context.isOverLimit) throw new CountersignError('CS_CONNECTION_LIMIT');
    const negotiation = negotiateVersion(opening.startup);
    if (negotiation !== undefined) this.#socket.write(negotiation);
    const request = readStartupRequest(opening.startup);
    this.#user = request.user;
    this.#assertNoBackoff(request.user);
    const verdict = await this.#authenticate(request);
    const accepted = await this.#settle(request, verdict);
    if (accepted.finalMessage !== undefined) this.#socket.write(accepted.finalMessage);
    return this.#client(request, accepted, opening.tls);
  }

  /** Before any exchange: neither we nor the client spend anything on an attempt that will not be looked at. */
  #assertNoBackoff(user: string): void {
    const { sources, source, settings } = this.#context;
    if (!sources.mustWait(source, user, settings.limits)) return;
    this.#principalName = settings.principals.find(user)?.name;
    throw new CountersignError('CS_AUTHN_BACKOFF');
  }

  async #open(): Promise<Opening> {
    return this.#unlessEnded(
      readOpening({
        socket: this.#context.socket,
        reader: this.#reader,
        tls: this.#context.tls,
        onTlsStarted: (socket) => {
          this.#socket = socket;
          this.#canTell = false;
        },
        onTlsEstablished: () => {
          this.#canTell = true;
        },
      }),
    );
  }

  /** A TLS handshake does not read through the reader; this ends it as well. */
  async #unlessEnded<T>(work: Promise<T>): Promise<T> {
    return Promise.race([work, this.#reader.failed]);
  }

  async #authenticate(request: StartupRequest): Promise<AuthnAccepted | AuthnRefused> {
    const { peer, settings, keys, tls } = this.#context;
    const isEncrypted = this.#socket !== this.#context.socket;
    return authenticate({
      socket: this.#socket,
      reader: this.#reader,
      request,
      isEncrypted,
      endPoint: isEncrypted ? tls?.endPoint : undefined,
      address: peer.address,
      principals: settings.principals,
      tokenKey: keys.token,
      mockKey: keys.mock,
    });
  }

  /** Puts the outcome on record. What else may keep an authenticated client out is decided before, so that it is in it. */
  async #settle(request: StartupRequest, verdict: AuthnAccepted | AuthnRefused): Promise<AuthnAccepted> {
    const { authnRecord, peer, sources, source, settings } = this.#context;
    this.#isRecorded = true;
    const attempt: AuthnAttempt = {
      address: peer.address,
      attempted: request.user,
      method: verdict.method,
      ...(verdict.principal === undefined ? {} : { principal: verdict.principal.name }),
      ...(verdict.tokenId === undefined ? {} : { tokenId: verdict.tokenId }),
    };
    this.#principalName = verdict.principal?.name;
    if (verdict.outcome === 'refused') {
      sources.failed(source, request.user, settings.limits);
      await this.#recordRefusal({ ...attempt, reason: verdict.reason });
      throw verdict.error;
    }
    sources.succeeded(source, request.user);
    const obstacle = this.#obstacle(request, verdict.principal.name);
    if (obstacle !== undefined) {
      await this.#recordRefusal({ ...attempt, reason: obstacle.code });
      throw obstacle;
    }
    await authnRecord.accepted(attempt);
    return verdict;
  }

  /** A refusal stands whether or not it could be recorded; that it could not is reported. */
  async #recordRefusal(attempt: AuthnAttempt): Promise<void> {
    try {
      await this.#context.authnRecord.refused(attempt);
    } catch (error) {
      if (isCountersignError(error)) this.#context.onRefused(error, attempt.principal);
    }
  }

  #obstacle(request: StartupRequest, principal: string): CountersignError | undefined {
    const { settings, counter, socket } = this.#context;
    const denied = judgeStartupSettings(
      request.settings,
      settings.allowedSettings.get(request.targetName) ?? [],
    );
    if (denied !== undefined) return denied;
    if (!counter.enterPrincipal(principal, settings.limits))
      return new CountersignError('CS_CONNECTION_LIMIT');
    if (socket.closed) counter.leavePrincipal(principal);
    else socket.once('close', () => counter.leavePrincipal(principal));
    return undefined;
  }

  #client(request: StartupRequest, accepted: AuthnAccepted, tls: TLSSocket | undefined): AuthenticatedClient {
    const socket = this.#socket;
    const { principal, method, tokenId } = accepted;
    const { targetName, database, grantId, applicationName, settings, protocolVersion } = request;
    return {
      socket,
      principal,
      method,
      targetName,
      startupSettings: settings,
      protocolVersion,
      peer: this.#context.peer,
      leftover: this.#reader.rest(),
      sendFatal: (error) => sendFatalAndClose(socket, error),
      noteRefused: (error) => {
        const { authnRecord, peer } = this.#context;
        authnRecord.note({
          address: peer.address,
          principal: principal.name,
          method,
          reason: error.code,
          ...(tokenId === undefined ? {} : { tokenId }),
        });
      },
      ...(database === undefined ? {} : { database }),
      ...(grantId === undefined ? {} : { grantId }),
      ...(applicationName === undefined ? {} : { applicationName }),
      ...(tokenId === undefined ? {} : { tokenId }),
      ...(tls === undefined ? {} : { tls: tlsInfo(tls) }),
    };
  }

  /** What came before an exchange was decided: limits, deadlines, broken messages. */
  #note({ code }: CountersignError): void {
    if (this.#isRecorded || code === 'CS_SHUTTING_DOWN') return;
    this.#context.authnRecord.note({
      address: this.#context.peer.address,
      method: 'none',
      reason: code,
      ...(this.#principalName === undefined ? {} : { principal: this.#principalName }),
      ...(this.#user === undefined ? {} : { attempted: this.#user }),
    });
  }

  #end(error: unknown): void {
    this.#reader.detach();
    if (error instanceof PeerLeft) {
      this.#socket.destroy();
      return;
    }
    const reported = isCountersignError(error)
      ? error
      : new CountersignError('CS_INTERNAL', { cause: error });
    this.#note(reported);
    this.#context.onRefused(reported, this.#principalName);
    if (this.#canTell) sendFatalAndClose(this.#socket, reported);
    else this.#socket.destroy();
  }
}
