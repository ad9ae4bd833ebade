import { randomBytes } from 'node:crypto';

import type { GrantConfig, PostgresTargetConfig } from '../config/config.ts';
import { LiveGrant } from '../grants/live-grant.ts';
import { SystemClock } from '../grants/system-clock.ts';
import type {
  RecordGatewayStatement,
  StatementWords,
  TargetConnection,
} from '../postgres/upstream/target-connection.ts';
import type { Recorder } from '../record/recorder.ts';
import type { Command } from '../session/command.ts';
import { Denied } from '../session/denied.ts';
import { Session } from '../session/session.ts';
import { CATALOG_DEMANDS, GATEWAY_AUTHORIZER, GATEWAY_PRINCIPAL, gatewayGrant } from './gateway-principal.ts';

type Target = Pick<PostgresTargetConfig, 'name' | 'retentionClass'>;
type Backend = Pick<TargetConnection, 'backendPid' | 'serverVersion' | 'protocolVersion'>;

const READ: StatementWords = { kind: 'select', effect: 'read' };

/**
 * Puts the gateway's own statements on the record before they are sent (decision 7): each in a short session of the
 * principal `gateway`, which names the backend so that the statement can be found in the target's log.
 */
export function recordGatewayStatements(
  recorder: Recorder,
  target: Target,
  login: string,
): RecordGatewayStatement {
  return async (statement, backend, words = READ) => {
    const session = openSession(recorder, target, gatewayGrant(target.name, login), backend);
    try {
      const recordOutcome = await recordStatement(session, statement, words);
      return (outcome) => {
        recordOutcome(outcome);
        session.close('client', Buffer.byteLength(statement), 0);
      };
    } catch (error) {
      // A session whose one statement may not run is over, and its end is on the record like that of any other.
      session.close('refused', 0, 0);
      throw error;
    }
  };
}

/** The record of a connection of the gateway's own that lasts: one session for all its statements. */
export interface GatewaySessionRecord {
  readonly record: RecordGatewayStatement;
  /** The connection has ended. The session is closed at once, or with the outcome of the statement under way. */
  close(): void;
}

/**
 * As `recordGatewayStatements`; the session is opened with the first statement.
 *
 * @param grant what its statements are done under, if that is not the gateway's standing one. Whoever made it has recorded it.
 */
export function recordGatewaySession(
  recorder: Recorder,
  target: Target,
  login: string,
  grant: GrantConfig = gatewayGrant(target.name, login),
): GatewaySessionRecord {
  let session: Session | undefined;
  let isEnded = false;
  let underWay = 0;
  let bytesUp = 0;
  const settle = (): void => {
    if (isEnded && underWay === 0) session?.close('client', bytesUp, 0);
  };
  return {
    record: async (statement, backend, words = READ) => {
      underWay += 1;
      try {
        session ??= openSession(recorder, target, grant, backend);
        const recordOutcome = await recordStatement(session, statement, words);
        return (outcome) => {
          underWay -= 1;
          bytesUp += Buffer.byteLength(statement);
          recordOutcome(outcome);
          settle();
        };
      } catch (error) {
        underWay -= 1;
        settle();
        throw error;
      }
    },
    close: () => {
      isEnded = true;
      settle();
    },
  };
}

function openSession(
  recorder: Recorder,
  target: Target,
  grantConfig: GrantConfig,
  backend: Backend,
): Session {
  const grant = new LiveGrant(grantConfig, new SystemClock());
  const { name: database } = target;
  return Session.open({
    recorder,
    principal: GATEWAY_PRINCIPAL,
    grant,
    authorization: GATEWAY_AUTHORIZER.authorize({ principal: GATEWAY_PRINCIPAL, grant, database }),
    role: 'configured',
    protocol: 'postgres',
    protocolVersion: backend.protocolVersion,
    channel: { binding: false, method: 'internal' },
    retentionClass: target.retentionClass,
    // Nobody connected: a random value, because every session has a commitment here.
    peer: `internal ${randomBytes(8).toString('hex')}`,
    backend: { pid: backend.backendPid, serverVersion: backend.serverVersion },
  });
}

/** Resolves when the statement is durable; what it gives records the outcome. */
async function recordStatement(
  session: Session,
  statement: string,
  words: StatementWords,
): Promise<(outcome: 'ok' | 'error') => void> {
  const command = begin(session, statement, words);
  const startedAt = process.hrtime.bigint();
  await command.durable();
  return (status) => {
    const durationUs = Number((process.hrtime.bigint() - startedAt) / 1_000n);
    command.end({ status, bytesUp: Buffer.byteLength(statement), bytesDown: 0, durationUs }, 'ride');
  };
}

/** Throws why the record refuses it, as the client is told. */
function begin(session: Session, statement: string, words: StatementWords): Command {
  const { kind, effect, demands = CATALOG_DEMANDS } = words;
  const text = session.commit(Buffer.from(statement));
  try {
    return session.begin(
      { kind, effect, statement: text.digest, txn: 'I' },
      [{ field: 'statement', commitment: text }],
      { demands },
    );
  } catch (error) {
    throw error instanceof Denied ? error.error : error;
  }
}
