import { constants, X509Certificate } from 'node:crypto';
import type { Socket } from 'node:net';
import { createSecureContext, type SecureContext, TLSSocket } from 'node:tls';
import type { ListenerTlsConfig, Secrets } from '../config/config.ts';
import { CountersignError } from '../errors.ts';
import { tlsServerEndPoint } from './scram/end-point.ts';

/** The protocol's ALPN name ("SSL Session Encryption" in the manual's chapter on message flow). */
export const ALPN_POSTGRESQL = 'postgresql';

/** The certificate in force. A reload makes a new one; handshakes under way keep theirs. */
export interface ServerTls {
  readonly context: SecureContext;
  /** Channel-binding data of the certificate; absent when it has no hash to bind to. */
  readonly endPoint?: Buffer;
  readonly required: boolean;
}

/** Throws `CS_SECRET_UNAVAILABLE`, or `CS_CONFIG_INVALID` when certificate and key cannot be used together. */
export async function loadServerTls(config: ListenerTlsConfig, secrets: Secrets): Promise<ServerTls> {
  const [cert, key] = await Promise.all([secrets.read(config.cert), secrets.read(config.key)]);
  try {
    const context = createSecureContext({
      cert,
      key,
      minVersion: 'TLSv1.2',
      // No resumption, as in PostgreSQL: nothing of a session outlives it, and a ticket key would have to be rotated.
      secureOptions: constants.SSL_OP_NO_TICKET,
    });
    const endPoint = tlsServerEndPoint(new X509Certificate(cert));
    return { context, required: config.required, ...(endPoint === undefined ? {} : { endPoint }) };
  } catch (cause) {
    throw new CountersignError('CS_CONFIG_INVALID', {
      detail: 'the certificate and key of the listener cannot be used together',
      cause,
    });
  }
}

/** Puts TLS around an accepted socket. Bytes that were read and unshifted (direct TLS) are part of the handshake. */
export function wrapInTls(socket: Socket, tls: ServerTls): TLSSocket {
  const secure = new TLSSocket(socket, {
    isServer: true,
    secureContext: tls.context,
    ALPNProtocols: [ALPN_POSTGRESQL],
    requestCert: false,
  });
  secure.on('error', () => {});
  return secure;
}

/** Rejects with `CS_PROTOCOL_VIOLATION` when the handshake fails; the caller's deadline bounds it. */
export async function tlsEstablished(secure: TLSSocket): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const fail = (): void =>
      reject(new CountersignError('CS_PROTOCOL_VIOLATION', { detail: 'TLS handshake' }));
    secure.once('close', fail);
    secure.once('secure', () => {
      secure.off('close', fail);
      resolve();
    });
  });
}
