import type { TargetSessionAttrs } from '../../config/config.ts';
import type { PreparedSession } from './prepared-session.ts';

/**
 * Whether a session has the attributes wanted, as libpq decides it: by the ParameterStatus values that servers send from 14
 * on, else by asking. Asking needs leave to send a statement (see `recordGatewayStatement`); without it the answer is no.
 */
export async function hasSessionAttrs(
  session: PreparedSession,
  attrs: Exclude<TargetSessionAttrs, 'prefer-standby'>,
): Promise<boolean> {
  switch (attrs) {
    case 'any':
      return true;
    case 'read-write':
      return (await isReadOnly(session)) === false;
    case 'read-only':
      return (await isReadOnly(session)) === true;
    case 'primary':
      return (await isStandby(session)) === false;
    case 'standby':
      return (await isStandby(session)) === true;
    default:
      throw new TypeError(attrs satisfies never);
  }
}

async function isReadOnly(session: PreparedSession): Promise<boolean | undefined> {
  const hotStandby = session.parameters.get('in_hot_standby');
  const readOnly = session.parameters.get('default_transaction_read_only');
  if (hotStandby !== undefined && readOnly !== undefined) return hotStandby === 'on' || readOnly === 'on';
  const answer = await session.ask('SHOW transaction_read_only');
  return answer === undefined ? undefined : answer === 'on';
}

async function isStandby(session: PreparedSession): Promise<boolean | undefined> {
  const hotStandby = session.parameters.get('in_hot_standby');
  if (hotStandby !== undefined) return hotStandby === 'on';
  const answer = await session.ask('SELECT pg_catalog.pg_is_in_recovery()');
  return answer === undefined ? undefined : answer === 't';
}
