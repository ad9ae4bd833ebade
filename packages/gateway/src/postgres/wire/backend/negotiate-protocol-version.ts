/** NegotiateProtocolVersion: the server supports less than the client asked for. */
import { BACKEND } from '../message-types.ts';
import { MessageReader } from '../reader.ts';
import { MessageWriter } from '../writer.ts';

export interface NegotiateProtocolVersion {
  /**
   * The newest version the server speaks, major in the upper 16 bits, as every server sends it and libpq reads it
   * (the manual speaks of the minor version only).
   */
  readonly protocolVersion: number;
  /** `_pq_.` options that the server does not know. */
  readonly unknownOptions: readonly string[];
}

export function decodeNegotiateProtocolVersion(
  buffer: Buffer,
  start: number,
  end: number,
): NegotiateProtocolVersion {
  const reader = new MessageReader('NegotiateProtocolVersion', buffer, start, end);
  const protocolVersion = reader.uint32();
  const count = reader.uint32();
  if (count > reader.remaining) throw reader.malformed('too short');
  const unknownOptions = Array.from({ length: count }, () => reader.string());
  reader.finish();
  return { protocolVersion, unknownOptions };
}

export function encodeNegotiateProtocolVersion(message: NegotiateProtocolVersion): Buffer {
  const writer = new MessageWriter(BACKEND.negotiateProtocolVersion).uint32(message.protocolVersion);
  writer.uint32(message.unknownOptions.length);
  for (const option of message.unknownOptions) writer.string(option);
  return writer.finish();
}
