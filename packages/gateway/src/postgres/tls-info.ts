import type { TLSSocket } from 'node:tls';
import type { TlsInfo } from './authenticated-client.ts';

/** What the record and the log say of an encrypted connection. */
export function tlsInfo(socket: TLSSocket): TlsInfo {
  return { version: socket.getProtocol() ?? 'unknown', cipher: socket.getCipher().standardName };
}
