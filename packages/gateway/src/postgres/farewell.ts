import type { Socket } from 'node:net';
import type { CountersignError } from '../errors.ts';
import { encodeGatewayError } from './gateway-error.ts';

/** How long a client may take to read the last message before the connection is dropped. */
const LINGER_MS = 1000;

/**
 * Says why and ends the connection. What the client still sends is read and thrown away meanwhile: closing with unread
 * bytes would reset the connection, and the client might never see the message.
 */
export function sendFatalAndClose(socket: Socket, error: CountersignError): void {
  if (socket.destroyed || !socket.writable) {
    socket.destroy();
    return;
  }
  socket.removeAllListeners('data');
  socket.removeAllListeners('readable');
  socket.end(encodeGatewayError(error, 'FATAL'));
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), LINGER_MS);
  socket.once('end', () => socket.destroySoon());
  socket.once('close', () => clearTimeout(timer));
}
