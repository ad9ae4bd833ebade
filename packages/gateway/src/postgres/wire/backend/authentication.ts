/** Authentication*: the server asks for a proof of identity, or is satisfied. One type byte, told apart by a code. */
import { BACKEND } from '../message-types.ts';
import { MessageReader } from '../reader.ts';
import { MessageWriter } from '../writer.ts';

const OK = 0;
const CLEARTEXT_PASSWORD = 3;
const MD5_PASSWORD = 5;
const SASL = 10;
const SASL_CONTINUE = 11;
const SASL_FINAL = 12;

export type Authentication =
  | { readonly kind: 'ok' }
  | { readonly kind: 'cleartext-password' }
  | { readonly kind: 'md5-password'; /** 4 bytes. */ readonly salt: Buffer }
  | { readonly kind: 'sasl'; readonly mechanisms: readonly string[] }
  | { readonly kind: 'sasl-continue'; readonly data: Buffer }
  | { readonly kind: 'sasl-final'; readonly data: Buffer }
  /** Kerberos, GSSAPI, SSPI and whatever comes later: not offered by the gateway. */
  | { readonly kind: 'other'; readonly code: number };

export function decodeAuthentication(buffer: Buffer, start: number, end: number): Authentication {
  const reader = new MessageReader('Authentication', buffer, start, end);
  const code = reader.uint32();
  if (code !== OK && code !== CLEARTEXT_PASSWORD) return decodeWithData(reader, code);
  reader.finish();
  return { kind: code === OK ? 'ok' : 'cleartext-password' };
}

function decodeWithData(reader: MessageReader, code: number): Authentication {
  switch (code) {
    case MD5_PASSWORD: {
      const salt = reader.copy(4);
      reader.finish();
      return { kind: 'md5-password', salt };
    }
    case SASL:
      return { kind: 'sasl', mechanisms: readMechanisms(reader) };
    case SASL_CONTINUE:
      return { kind: 'sasl-continue', data: reader.copy(reader.remaining) };
    case SASL_FINAL:
      return { kind: 'sasl-final', data: reader.copy(reader.remaining) };
    default:
      return { kind: 'other', code };
  }
}

function readMechanisms(reader: MessageReader): readonly string[] {
  const mechanisms: string[] = [];
  for (let name = reader.string(); name !== ''; name = reader.string()) mechanisms.push(name);
  reader.finish();
  return mechanisms;
}

export function encodeAuthenticationOk(): Buffer {
  return new MessageWriter(BACKEND.authentication).uint32(OK).finish();
}

export function encodeAuthenticationCleartextPassword(): Buffer {
  return new MessageWriter(BACKEND.authentication).uint32(CLEARTEXT_PASSWORD).finish();
}

export function encodeAuthenticationMD5Password(salt: Uint8Array): Buffer {
  return new MessageWriter(BACKEND.authentication).uint32(MD5_PASSWORD).bytes(salt).finish();
}

/** `mechanisms`: in order of preference. */
export function encodeAuthenticationSASL(mechanisms: readonly string[]): Buffer {
  const writer = new MessageWriter(BACKEND.authentication).uint32(SASL);
  for (const name of mechanisms) writer.string(name);
  return writer.uint8(0).finish();
}

export function encodeAuthenticationSASLContinue(data: Uint8Array): Buffer {
  return new MessageWriter(BACKEND.authentication).uint32(SASL_CONTINUE).bytes(data).finish();
}

export function encodeAuthenticationSASLFinal(data: Uint8Array): Buffer {
  return new MessageWriter(BACKEND.authentication).uint32(SASL_FINAL).bytes(data).finish();
}
