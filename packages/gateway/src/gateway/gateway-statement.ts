import { randomBytes } from 'node:crypto';

import type { PostgresTargetConfig } from '../config/config.ts';
import { LiveGrant } from '../grants/live-grant.ts';
import { SystemClock } from '../grants/system-clock.ts';
import type { RecordGatewayStatement } from '../postgres/upstream/target-connection.ts';
import type { Recorder } from '../record/recorder.ts';
import type { Command } from '../session/command.ts';
import { Denied } from '../session/denied.ts';
import { Session } from '../session/session.ts';
import { GATEWAY_PRINCIPAL, gatewayGrant } from './gateway-principal.ts';

/**
 * Puts the gateway's own statements on the record before they are sent (decision 7): each in a short session of the
 * principal `gateway`, which names the backend so that the statement can be found in the target's log.
 */
export function recordGatewayStatements(
  recorder: Recorder,
  { name, retentionClass }: Pick<PostgresTargetConfig, 'name' | 'retentionClass'>,
  login: string,
): RecordGatewayStatement {
  return async (statement, backend) => {
    const session = Session.open({
      recorder,
      principal: GATEWAY_PRINCIPAL,
      grant: new LiveGrant(gatewayGrant(name, login), new SystemClock()),
      protocol: 'postgres',
      protocolVersion: backend.protocolVersion,
      channel: { binding: false, method: 'internal' },
      retentionClass,
      // Nobody connected: a random value, because every session has a commitment here.
      peer: `internal ${randomBytes(8).toString('hex')}`,
      backend: { pid: backend.backendPid, serverVersion: backend.serverVersion },
    });
    const command = begin(session, statement);
    const startedAt = process.hrtime.bigint();
    await command.durable();
    return (outcome) => {
      const durationUs = Number((process.hrtime.bigint() - startedAt) / 1_000n);
      const bytesUp = Buffer.byteLength(statement);
      command.end({ status: outcome, bytesUp, bytesDown: 0, durationUs }, 'ride');
      session.close('client', bytesUp, 0);
    };
  };
}

/**
 * Throws why the record refuses it, as the client is told. A session whose one statement may not run is over, and its end is
 * on the record like that of any other.
 */
function begin(session: Session, statement: string): Command {
  const text = session.commit(Buffer.from(statement));
  try {
    return session.begin({ kind: 'select', effect: 'read', statement: text.digest, txn: 'I' }, [
      { field: 'statement', commitment: text },
    ]);
  } catch (error) {
    session.close('refused', 0, 0);
    throw error instanceof Denied ? error.error : error;
  }
}
