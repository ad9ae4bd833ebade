import type { Socket } from 'node:net';
import type { Limits, PostgresListenerConfig, Secrets } from '../config/config.ts';
import type { CountersignError } from '../errors.ts';
import type { Principal } from '../identity/principal.ts';
import type { PrincipalRegistry } from '../identity/principal-registry.ts';

export type ClientProtocolVersion = '3.0' | '3.2';

export type AuthnMethod = 'scram-sha-256' | 'scram-sha-256-plus' | 'token';

export interface TlsInfo {
  /** As the TLS library names them: `TLSv1.3`, `TLS_AES_256_GCM_SHA384`. */
  readonly version: string;
  readonly cipher: string;
}

export interface Peer {
  readonly address: string;
  readonly port: number;
}

/**
 * A client that proved who it is, and that was not told so yet: its `authn.result` is durable, but AuthenticationOk is
 * still to be sent (`welcomeClient`), after grant, target and `session.opened`.
 *
 * The socket is paused and has no `data` listener; who takes over reads `leftover` first. It keeps an `error`
 * listener of the listener's, so an error of the socket never becomes an uncaught exception; take `close` for the end.
 */
export interface AuthenticatedClient {
  /** A plain socket, or a `TLSSocket` after its handshake. */
  readonly socket: Socket;
  readonly principal: Principal;
  /** As the client named it: not looked up yet. */
  readonly targetName: string;
  /** Absent: the target's default database. */
  readonly database?: string;
  /** From `options=-c countersign.grant=<id>`. */
  readonly grantId?: string;
  /** The client's own application_name, at most 64 bytes of printable ASCII as PostgreSQL cleans it. */
  readonly applicationName?: string;
  /** Settings that the client gave at start-up (also by `options`), already judged against the built-in list and the
   *  target's own: put them into the target's start-up packet as they are. Names in lower case; without user, database,
   *  application_name, `countersign.*` and the pins. */
  readonly startupSettings: ReadonlyMap<string, string>;
  readonly protocolVersion: ClientProtocolVersion;
  readonly tls?: TlsInfo;
  readonly peer: Peer;
  readonly method: AuthnMethod;
  /** `jti` of the token that was used. */
  readonly tokenId?: string;
  /** Bytes that came after the authentication's last message. Usually empty. */
  readonly leftover: Buffer;
  /** Sends a FATAL ErrorResponse and ends the connection. Never throws; does nothing on a closed socket. */
  sendFatal(error: CountersignError): void;
  /** Puts on record, or counts (decision 20), that it got nowhere although it is authenticated. Never throws. */
  noteRefused(error: CountersignError): void;
}

/** The part of the configuration that a reload may change. */
export interface ListenerSettings {
  readonly listener: PostgresListenerConfig;
  readonly limits: Limits;
  readonly principals: PrincipalRegistry;
  /** `settings.allow` of each target, for start-up settings; a target that is not there has only the built-in list. */
  readonly allowedSettings: ReadonlyMap<string, readonly string[]>;
  readonly secrets: Secrets;
}

/** What a client presents in a CancelRequest. */
export interface BackendKey {
  readonly pid: number;
  /** 4 bytes for protocol 3.0, 32 bytes for 3.2. */
  readonly key: Buffer;
}

/**
 * `listenPostgres(options)` in `listener.ts` gives one of these. For every client that authenticated it calls
 * `options.onClient(client)`, which owns the connection from then on:
 *
 * 1. find grant and target, `dialTarget(target, login, …)` in `upstream/dial.ts`; on error `client.sendFatal(error)`
 * 2. open the session (durable)
 * 3. `const registration = cancels.register(client.protocolVersion, cancel)` with `CancelRegistry` in `cancel.ts`
 * 4. `welcomeClient(client, targetConnection, registration.key)` in `welcome.ts`: AuthenticationOk to ReadyForQuery
 * 5. relay; at the end `registration.release()` and destroy both sockets.
 */
export interface PostgresListener {
  readonly host: string;
  readonly port: number;
  /** Takes new certificates, allow-list, limits and principals for connections from now on; sessions stay. All or
   *  nothing: rejects without a change when a certificate cannot be read or does not fit its key. */
  reload(settings: ListenerSettings): Promise<void>;
  /** Stops accepting, ends connections that have not authenticated yet with `CS_SHUTTING_DOWN`, and resolves when all that is
   *  known of authentications has been appended. Sessions stay. */
  stopAccepting(): Promise<void>;
  /** For metrics. */
  readonly counts: ConnectionCounts;
}

export interface ConnectionCounts {
  readonly open: number;
  readonly pending: number;
  /** Refused before or during authentication, by error code, since the start. */
  readonly refused: ReadonlyMap<string, number>;
  /** CancelRequests: those with a key that we gave out, and all others. */
  readonly cancelsKnown: number;
  readonly cancelsUnknown: number;
}
