/** StartupMessage: the client's first message of a session: protocol version and parameters. */
import { MessageReader } from '../reader.ts';
import { MessageWriter } from '../writer.ts';

/** Major version in the upper, minor version in the lower 16 bits. */
export const PROTOCOL_3_0 = 0x0003_0000;
export const PROTOCOL_3_2 = 0x0003_0002;

export interface StartupMessage {
  readonly protocolVersion: number;
  /** In the order of the message. Names are not empty and occur once. */
  readonly parameters: ReadonlyMap<string, string>;
}

/**
 * `[start, end)`: the whole packet with its length word.
 *
 * @throws CS_PROTOCOL_VIOLATION also for a name that occurs twice: the server takes the last one, other readers the
 * first, and a gateway must not have to guess.
 */
export function decodeStartupMessage(buffer: Buffer, start: number, end: number): StartupMessage {
  const reader = new MessageReader('StartupMessage', buffer, start, end, 4);
  const protocolVersion = reader.uint32();
  const parameters = new Map<string, string>();
  for (let name = reader.string(); name !== ''; name = reader.string()) {
    if (parameters.has(name)) throw reader.malformed('a parameter occurs twice');
    parameters.set(name, reader.string());
  }
  reader.finish();
  return { protocolVersion, parameters };
}

export function encodeStartupMessage(message: StartupMessage): Buffer {
  const writer = new MessageWriter().uint32(message.protocolVersion);
  for (const [name, value] of message.parameters) writer.string(name).string(value);
  return writer.uint8(0).finish();
}
