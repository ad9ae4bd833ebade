import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { CountersignError } from '../errors.ts';
import type { HandshakeReader } from './handshake-reader.ts';
import { ALPN_POSTGRESQL, type ServerTls, tlsEstablished, wrapInTls } from './tls-server.ts';
import {
  type CancelRequest,
  decodeStartupPacket,
  encodeNegotiateProtocolVersion,
  MAX_STARTUP_BODY_BYTES,
  PROTOCOL_3_2,
  protocolViolation,
  type StartupMessage,
} from './wire/index.ts';

/** First byte of a TLS record that carries a ClientHello: the client starts TLS without asking. */
const TLS_HANDSHAKE_RECORD = 0x16;

const REFUSED_ENCRYPTION = Buffer.from('N');
const ACCEPTED_TLS = Buffer.from('S');

export type Opening =
  | { readonly kind: 'cancel'; readonly cancel: CancelRequest }
  | {
      readonly kind: 'startup';
      readonly startup: StartupMessage;
      /** The socket to go on with: plain, or TLS around the first one. */
      readonly socket: Socket;
      readonly tls?: TLSSocket;
    };

export interface OpeningOptions {
  readonly socket: Socket;
  readonly reader: HandshakeReader;
  /** Undefined: the listener has no certificate. */
  readonly tls: ServerTls | undefined;
  /** From now on the connection is the TLS socket's. */
  readonly onTlsStarted: (socket: TLSSocket) => void;
  /** From now on the client can read what is written to it. */
  readonly onTlsEstablished: () => void;
}

/**
 * The opening of a connection up to its StartupMessage or CancelRequest: TLS by request or at once, GSS encryption
 * declined, each asked for at most once. Throws `CS_PROTOCOL_VIOLATION`, `CS_PROTOCOL_UNSUPPORTED` (protocol 2),
 * `CS_TLS_REQUIRED`.
 */
export async function readOpening(options: OpeningOptions): Promise<Opening> {
  const { reader } = options;
  let socket = options.socket;
  let tls: TLSSocket | undefined;
  const startTls = async (context: ServerTls): Promise<void> => {
    tls = wrapInTls(socket, context);
    socket = tls;
    options.onTlsStarted(tls);
    await tlsEstablished(tls);
    reader.switchTo(tls);
    options.onTlsEstablished();
  };
  if ((await reader.peekByte()) === TLS_HANDSHAKE_RECORD) {
    await startTls(directTls(options.tls));
    requireAlpn(tls);
  }
  const asked = { ssl: tls !== undefined, gssenc: false };
  for (;;) {
    const packet = await reader.untyped(4 + MAX_STARTUP_BODY_BYTES);
    const opening = decodeStartupPacket(packet, 0, packet.length);
    switch (opening.kind) {
      case 'cancel':
        return opening;
      case 'startup':
        if (tls === undefined && options.tls?.required === true)
          throw new CountersignError('CS_TLS_REQUIRED');
        return { kind: 'startup', startup: opening.startup, socket, ...(tls === undefined ? {} : { tls }) };
      case 'unsupported':
        throw new CountersignError('CS_PROTOCOL_UNSUPPORTED', { detail: 'only protocol 3 is spoken here' });
      case 'gssenc':
        if (asked.gssenc || tls !== undefined)
          throw protocolViolation('GSSENCRequest: asked for at the wrong time');
        asked.gssenc = true;
        refuseEarlyBytes(reader);
        socket.write(REFUSED_ENCRYPTION);
        break;
      case 'ssl':
        if (asked.ssl) throw protocolViolation('SSLRequest: asked for twice');
        asked.ssl = true;
        refuseEarlyBytes(reader);
        if (options.tls === undefined) socket.write(REFUSED_ENCRYPTION);
        else {
          socket.write(ACCEPTED_TLS);
          await startTls(options.tls);
        }
    }
  }
}

/**
 * Bytes behind a request for encryption were sent before its answer: by someone in the middle, who wants them taken for
 * the start of the encrypted stream (CVE-2021-23214).
 */
function refuseEarlyBytes(reader: HandshakeReader): void {
  if (reader.buffered > 0) throw protocolViolation('unencrypted bytes after a request for encryption');
}

function directTls(tls: ServerTls | undefined): ServerTls {
  if (tls === undefined) throw protocolViolation('TLS without a certificate');
  return tls;
}

/** Direct TLS is for PostgreSQL's protocol by name only (ALPACA attacks), as the server has it. */
function requireAlpn(tls: TLSSocket | undefined): void {
  if (tls?.alpnProtocol !== ALPN_POSTGRESQL) throw protocolViolation('direct TLS without ALPN');
}

/** What to tell a client that asked for more than we speak; undefined when it did not. */
export function negotiateVersion(startup: StartupMessage): Buffer | undefined {
  const unknownOptions = [...startup.parameters.keys()].filter((name) => name.startsWith('_pq_.'));
  if (startup.protocolVersion <= PROTOCOL_3_2 && unknownOptions.length === 0) return undefined;
  return encodeNegotiateProtocolVersion({
    protocolVersion: Math.min(startup.protocolVersion, PROTOCOL_3_2),
    unknownOptions,
  });
}
