/**
 * The packets without a type byte that may open a connection: StartupMessage, SSLRequest, GSSENCRequest and
 * CancelRequest, told apart by the 32-bit code after the length word.
 */
import { CANCEL_REQUEST_CODE, decodeCancelRequest } from './cancel-request.ts';
import type { CancelRequest } from './cancel-request.ts';
import { GSSENC_REQUEST_CODE } from './gssenc-request.ts';
import { SSL_REQUEST_CODE } from './ssl-request.ts';
import { decodeStartupMessage } from './startup-message.ts';
import type { StartupMessage } from './startup-message.ts';
import { protocolViolation } from '../violation.ts';

/** `MAX_STARTUP_PACKET_LENGTH` (libpq/pqcomm.h): what may follow the length word. */
export const MAX_STARTUP_BODY_BYTES = 10_000;

export type StartupPacket =
  | { readonly kind: 'startup'; readonly startup: StartupMessage }
  | { readonly kind: 'cancel'; readonly cancel: CancelRequest }
  | { readonly kind: 'ssl' }
  | { readonly kind: 'gssenc' }
  /** A protocol other than major version 3; nothing further is known of its layout. */
  | { readonly kind: 'unsupported'; readonly protocolVersion: number };

/**
 * Length of the packet at `start`, its length word included, or undefined while fewer than 4 bytes are there.
 *
 * @throws CS_PROTOCOL_VIOLATION when the length is out of bounds (which garbage and other protocols usually are).
 */
export function startupPacketLength(buffer: Buffer, start: number, end: number): number | undefined {
  if (end - start < 4) return undefined;
  const length = buffer.readUInt32BE(start);
  if (length < 8 || length > 4 + MAX_STARTUP_BODY_BYTES) {
    throw protocolViolation('start-up packet: length out of bounds');
  }
  return length;
}

/** Decode the whole packet `[start, end)`; `end - start` is what `startupPacketLength` said. */
export function decodeStartupPacket(buffer: Buffer, start: number, end: number): StartupPacket {
  if (startupPacketLength(buffer, start, end) !== end - start) {
    throw protocolViolation('start-up packet: length out of bounds');
  }
  const code = buffer.readUInt32BE(start + 4);
  switch (code) {
    case SSL_REQUEST_CODE:
    case GSSENC_REQUEST_CODE:
      if (end - start !== 8) throw protocolViolation('start-up packet: bytes after the last field');
      return { kind: code === SSL_REQUEST_CODE ? 'ssl' : 'gssenc' };
    case CANCEL_REQUEST_CODE:
      return { kind: 'cancel', cancel: decodeCancelRequest(buffer, start, end) };
    default:
      if (code >>> 16 !== 3) return { kind: 'unsupported', protocolVersion: code };
      return { kind: 'startup', startup: decodeStartupMessage(buffer, start, end) };
  }
}
