import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { checkServerIdentity, connect as connectTls, type TLSSocket } from 'node:tls';
import { CountersignError } from '../../errors.ts';
import type { TargetTlsConfig } from '../../config/config.ts';
import { ALPN_POSTGRESQL } from '../tls-server.ts';
import { encodeSSLRequest } from '../wire/index.ts';
import type { Credentials } from './credentials.ts';

export interface OpenSocketOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: TargetTlsConfig;
  readonly credentials: Credentials;
  /** Destroys the socket; the promise then rejects. */
  readonly signal: AbortSignal;
}

const ACCEPTED = 0x53;
const REFUSED = 0x4e;

/**
 * A TCP connection to one host of a target, encrypted as its `tls.mode` wants, before any start-up packet. A cancel
 * goes the same way. As libpq, with two differences: `prefer` does not try again in clear when a TLS handshake that the
 * target agreed to fails, and without `ca` the certificate is checked against the runtime's own list of authorities.
 */
export async function openSocket(options: OpenSocketOptions): Promise<Socket> {
  const { host, port, tls, signal } = options;
  const socket = connectTcp({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: 60_000 });
  socket.on('error', () => {});
  const abort = (): void => {
    socket.destroy();
  };
  signal.addEventListener('abort', abort, { once: true });
  try {
    signal.throwIfAborted();
    await firstEvent(socket, 'connect');
    if (tls.mode === 'disable') return socket;
    if (!tls.direct && !(await asksForTls(socket))) {
      if (tls.mode === 'prefer') return socket;
      throw unavailable('the target does not offer TLS');
    }
    return await startTls(socket, options);
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

async function asksForTls(socket: Socket): Promise<boolean> {
  socket.write(encodeSSLRequest());
  await firstEvent(socket, 'readable');
  const answer = socket.read(1) as Buffer | null;
  if (answer?.[0] !== ACCEPTED && answer?.[0] !== REFUSED) throw unavailable('the target broke the protocol');
  // Bytes behind the answer were put there by someone in the middle (CVE-2021-23222).
  if (socket.readableLength > 0)
    throw unavailable('unencrypted bytes after the answer to a request for encryption');
  return answer[0] === ACCEPTED;
}

async function startTls(socket: Socket, options: OpenSocketOptions): Promise<TLSSocket> {
  const { tls, credentials } = options;
  const serverName = tls.serverName ?? options.host;
  // As in libpq, a configured authority makes `require` check the chain.
  const verifies = tls.mode.startsWith('verify') || (tls.mode === 'require' && credentials.ca !== undefined);
  const secure = connectTls({
    socket,
    ALPNProtocols: [ALPN_POSTGRESQL],
    minVersion: 'TLSv1.2',
    rejectUnauthorized: verifies,
    checkServerIdentity: (_name, certificate) =>
      tls.mode === 'verify-full' ? checkServerIdentity(serverName, certificate) : undefined,
    ...(isIP(serverName) === 0 ? { servername: serverName } : {}),
    ...(credentials.ca === undefined ? {} : { ca: credentials.ca }),
    ...(credentials.cert === undefined ? {} : { cert: credentials.cert }),
    ...(credentials.key === undefined ? {} : { key: credentials.key }),
  });
  secure.on('error', () => {});
  try {
    await firstEvent(secure, 'secureConnect');
  } catch (cause) {
    secure.destroy();
    throw unavailable('TLS with the target failed', cause);
  }
  if (tls.direct && secure.alpnProtocol !== ALPN_POSTGRESQL) {
    secure.destroy();
    throw unavailable('the target does not speak direct TLS');
  }
  return secure;
}

/** Resolves at the event; rejects with the socket's error, or when it closes first. */
async function firstEvent(socket: Socket, event: 'connect' | 'readable' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    let failure: Error | undefined;
    const onError = (error: Error): void => {
      failure = error;
    };
    const onClose = (): void => {
      settle();
      reject(failure ?? new Error('connection closed'));
    };
    const onEvent = (): void => {
      settle();
      resolve();
    };
    const settle = (): void => {
      socket.off('error', onError);
      socket.off('close', onClose);
      socket.off(event, onEvent);
    };
    socket.on('error', onError);
    socket.once('close', onClose);
    socket.once(event, onEvent);
  });
}

function unavailable(detail: string, cause?: unknown): CountersignError {
  return new CountersignError('CS_TARGET_UNAVAILABLE', { detail, cause });
}
