import type { Socket } from 'node:net';
import { type BackendKeyData, encodeCancelRequest } from '../wire/index.ts';
import type { Host } from './connect-host.ts';
import { openSocket } from './open-socket.ts';

/**
 * Cancels what a session of ours runs, over a connection of its own under the same TLS rules. Resolves when the target has
 * closed it, or after the target's `connectTimeoutMs`. Never rejects.
 */
export async function cancelTarget(host: Host, key: BackendKeyData): Promise<void> {
  const { target, credentials } = host;
  const signal = AbortSignal.timeout(target.connectTimeoutMs);
  let socket: Socket;
  try {
    socket = await openSocket({ ...host.host, tls: target.tls, credentials, signal });
  } catch {
    return;
  }
  await new Promise<void>((resolve) => {
    const abort = (): void => {
      socket.destroy();
    };
    signal.addEventListener('abort', abort, { once: true });
    socket.once('close', () => {
      signal.removeEventListener('abort', abort);
      resolve();
    });
    socket.resume();
    socket.end(encodeCancelRequest(key));
    if (signal.aborted) abort();
  });
}
