import { CountersignError } from '../../errors.ts';

/**
 * The error for bytes that do not follow the protocol. It is always fatal for the connection.
 *
 * @param what names the message and the rule it broke; never a value from the wire.
 */
export function protocolViolation(what: string): CountersignError {
  return new CountersignError('CS_PROTOCOL_VIOLATION', { detail: what });
}
