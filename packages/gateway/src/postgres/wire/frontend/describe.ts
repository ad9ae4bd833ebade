/** Describe: the client asks for the parameters or columns of a statement or portal. */
import { FRONTEND } from '../message-types.ts';
import { decodeNamedObject, encodeNamedObject } from './named-object.ts';
import type { NamedObject } from './named-object.ts';

export function decodeDescribe(buffer: Buffer, start: number, end: number): NamedObject {
  return decodeNamedObject('Describe', buffer, start, end);
}

export function encodeDescribe(object: NamedObject): Buffer {
  return encodeNamedObject(FRONTEND.describe, object);
}
