import { isIP, type Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import { CountersignError, isCountersignError } from '../../errors.ts';
import type { LoginConfig, PostgresTargetConfig } from '../../config/config.ts';
import { isLoopback } from '../../identity/principal-registry.ts';
import { HandshakeReader } from '../handshake-reader.ts';
import { tlsServerEndPoint } from '../scram/end-point.ts';
import {
  AUTH_MESSAGE_LIMIT,
  BACKEND,
  decodeErrorResponse,
  decodeNegotiateProtocolVersion,
  encodeStartupMessage,
  FIELD,
  PROTOCOL_3_0,
  PROTOCOL_3_2,
  SMALL_BACKEND_MESSAGE_LIMIT,
} from '../wire/index.ts';
import type { Credentials } from './credentials.ts';
import { openSocket } from './open-socket.ts';
import { PreparedSession, readUntilReady } from './prepared-session.ts';
import { answerAuthentication } from './target-authn.ts';
import type { DialOptions } from './target-connection.ts';
import { TryNextHost } from './try-next-host.ts';

export { TryNextHost } from './try-next-host.ts';

/** One host of a target and what is needed to become its client. */
export interface Host {
  readonly target: PostgresTargetConfig;
  readonly login: LoginConfig;
  readonly options: DialOptions;
  readonly credentials: Credentials;
  readonly host: { readonly host: string; readonly port: number };
}

const MAX_APPLICATION_NAME_BYTES = 63;

/** The host does not know how to answer a request for protocol 3.2 (some poolers). */
class OldProtocolOnly extends Error {}

/**
 * Connects, encrypts, authenticates and waits for ReadyForQuery. The target's `connectTimeoutMs` covers that and what the
 * session is asked before it is handed over. Throws
 * `TryNextHost` when the host cannot be reached or cannot serve now.
 */
export async function connectHost(host: Host): Promise<PreparedSession> {
  try {
    return await connectWith(host, PROTOCOL_3_2);
  } catch (error) {
    if (!(error instanceof OldProtocolOnly)) throw error;
    return connectWith(host, PROTOCOL_3_0);
  }
}

async function connectWith(host: Host, protocolVersion: number): Promise<PreparedSession> {
  const { target, credentials, options } = host;
  const timeout = AbortSignal.timeout(target.connectTimeoutMs);
  const signal = options.signal === undefined ? timeout : AbortSignal.any([timeout, options.signal]);
  const lost = (): Error =>
    new TryNextHost(
      new CountersignError('CS_TARGET_UNAVAILABLE', {
        detail: signal.aborted ? 'no answer in time' : 'the target closed the connection',
      }),
    );
  let socket: Socket;
  try {
    socket = await openSocket({ ...host.host, tls: target.tls, credentials, signal });
  } catch (cause) {
    if (signal.aborted) throw lost();
    throw new TryNextHost(
      isCountersignError(cause) ? cause : new CountersignError('CS_TARGET_UNAVAILABLE', { cause }),
    );
  }
  const reader = new HandshakeReader(socket, lost);
  const abort = (): void => reader.fail(lost());
  signal.addEventListener('abort', abort, { once: true });
  if (signal.aborted) abort();
  const settle = (): void => signal.removeEventListener('abort', abort);
  try {
    return await startSession({ host, protocolVersion, socket, reader, settle });
  } catch (error) {
    settle();
    reader.detach();
    socket.destroy();
    throw error;
  }
}

interface Start {
  readonly host: Host;
  readonly protocolVersion: number;
  readonly socket: Socket;
  readonly reader: HandshakeReader;
  /** Takes the deadline away. */
  readonly settle: () => void;
}

async function startSession(start: Start): Promise<PreparedSession> {
  const { host, protocolVersion, socket, reader, settle } = start;
  socket.write(encodeStartupMessage({ protocolVersion, parameters: startupParameters(host) }));
  const { version, first } = await negotiatedVersion(reader, protocolVersion);
  await answerAuthentication(first, {
    socket,
    reader,
    user: host.login.user,
    password: host.credentials.password,
    endPoint: endPointOf(socket),
    mayShowPassword: mayShowPassword(host, socket),
  });
  const state = await readUntilReady(reader);
  return new PreparedSession({ host, socket, reader, protocolVersion: version, state, settle });
}

/** Pins last (decision 2): nothing that a client asked for can come after them. */
function startupParameters(host: Host): ReadonlyMap<string, string> {
  const { target, login, options } = host;
  return new Map([
    ...(options.settings ?? []),
    ['user', login.user],
    ['database', options.database ?? target.database],
    ['application_name', applicationName(options)],
    ['client_encoding', 'UTF8'],
    ['standard_conforming_strings', 'on'],
  ]);
}

/** The target would cut it as well, in the middle of a character. */
function applicationName(options: DialOptions): string {
  const suffix = options.applicationName === undefined ? '' : ` ${options.applicationName}`;
  const name = Buffer.from(`countersign/${options.principal}${suffix}`, 'utf8');
  return name
    .subarray(0, MAX_APPLICATION_NAME_BYTES)
    .toString('utf8')
    .replace(/\uFFFD$/, '');
}

interface Negotiated {
  readonly version: '3.0' | '3.2';
  /** The first message after the negotiation. */
  readonly first: Buffer;
}

async function negotiatedVersion(reader: HandshakeReader, asked: number): Promise<Negotiated> {
  let version = asked;
  let first = await reader.message(AUTH_MESSAGE_LIMIT);
  if (asked > PROTOCOL_3_0 && first[0] === BACKEND.errorResponse) {
    const sqlState = decodeErrorResponse(first, 0, first.length).get(FIELD.sqlState) ?? '';
    if (sqlState === '08P01' || sqlState === '0A000') throw new OldProtocolOnly();
  }
  if (first[0] === BACKEND.negotiateProtocolVersion) {
    const answer = decodeNegotiateProtocolVersion(first, 0, first.length);
    if (answer.protocolVersion > asked || answer.protocolVersion < PROTOCOL_3_0) {
      throw new CountersignError('CS_PROTOCOL_VIOLATION', { detail: 'NegotiateProtocolVersion' });
    }
    version = answer.protocolVersion;
    first = await reader.message(SMALL_BACKEND_MESSAGE_LIMIT);
  }
  return { version: version >= PROTOCOL_3_2 ? '3.2' : '3.0', first };
}

function endPointOf(socket: Socket): Buffer | undefined {
  if (!(socket instanceof TLSSocket)) return undefined;
  const certificate = socket.getPeerX509Certificate();
  return certificate === undefined ? undefined : tlsServerEndPoint(certificate);
}

function mayShowPassword(host: Host, socket: Socket): boolean {
  if (socket instanceof TLSSocket) return true;
  const address = socket.remoteAddress ?? '';
  return host.target.tls.mode === 'disable' && isIP(address) !== 0 && isLoopback(address);
}
