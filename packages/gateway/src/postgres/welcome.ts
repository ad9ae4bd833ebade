import type { AuthenticatedClient, BackendKey } from './authenticated-client.ts';
import type { TargetConnection } from './upstream/target-connection.ts';
import {
  encodeAuthenticationOk,
  encodeBackendKeyData,
  encodeParameterStatus,
  encodeReadyForQuery,
} from './wire/index.ts';

/**
 * Tells the client that it is in: AuthenticationOk, the target's ParameterStatus values, a cancel key of our own (the
 * target's never leaves us) and ReadyForQuery, in one write. Call it once `session.opened` is durable.
 */
export function welcomeClient(client: AuthenticatedClient, target: TargetConnection, key: BackendKey): void {
  const messages = [encodeAuthenticationOk()];
  for (const [name, value] of target.parameters) messages.push(encodeParameterStatus({ name, value }));
  messages.push(encodeBackendKeyData({ processId: key.pid, key: key.key }));
  messages.push(encodeReadyForQuery(target.initialStatus));
  client.socket.write(Buffer.concat(messages));
}
