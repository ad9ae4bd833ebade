/** Close: the client gives up a prepared statement or portal. */
import { FRONTEND } from '../message-types.ts';
import { decodeNamedObject, encodeNamedObject } from './named-object.ts';
import type { NamedObject } from './named-object.ts';

export function decodeClose(buffer: Buffer, start: number, end: number): NamedObject {
  return decodeNamedObject('Close', buffer, start, end);
}

export function encodeClose(object: NamedObject): Buffer {
  return encodeNamedObject(FRONTEND.close, object);
}
