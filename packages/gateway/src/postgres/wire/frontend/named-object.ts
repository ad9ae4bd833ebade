/** What Describe and Close name: `S` and a prepared statement, or `P` and a portal. */
import { MessageReader } from '../reader.ts';
import { MessageWriter } from '../writer.ts';

const STATEMENT = 0x53; // S
const PORTAL = 0x50; // P

export interface NamedObject {
  readonly kind: 'statement' | 'portal';
  /** Empty: the unnamed one. */
  readonly name: string;
}

export function decodeNamedObject(message: string, buffer: Buffer, start: number, end: number): NamedObject {
  const reader = new MessageReader(message, buffer, start, end);
  const kind = reader.uint8();
  if (kind !== STATEMENT && kind !== PORTAL) throw reader.malformed('neither statement nor portal');
  const name = reader.string();
  reader.finish();
  return { kind: kind === STATEMENT ? 'statement' : 'portal', name };
}

export function encodeNamedObject(type: number, object: NamedObject): Buffer {
  return new MessageWriter(type)
    .uint8(object.kind === 'statement' ? STATEMENT : PORTAL)
    .string(object.name)
    .finish();
}
