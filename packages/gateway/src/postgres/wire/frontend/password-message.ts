/** PasswordMessage: the client answers a cleartext or MD5 password request. */
import { FRONTEND } from '../message-types.ts';
import { MessageReader } from '../reader.ts';
import { MessageWriter } from '../writer.ts';

export interface PasswordMessage {
  /** A copy of the bytes, without the NUL; the caller may overwrite it after use. */
  readonly password: Buffer;
}

export function decodePasswordMessage(buffer: Buffer, start: number, end: number): PasswordMessage {
  const reader = new MessageReader('PasswordMessage', buffer, start, end);
  const range = reader.stringRange();
  reader.finish();
  return { password: Buffer.from(buffer.subarray(range.start, range.end)) };
}

export function encodePasswordMessage(password: Uint8Array | string): Buffer {
  return new MessageWriter(FRONTEND.password).string(password).finish();
}
