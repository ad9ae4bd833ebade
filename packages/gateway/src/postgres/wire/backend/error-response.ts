/** ErrorResponse: the server says that something failed. */
import { BACKEND } from '../message-types.ts';
import { decodeResponseFields, encodeResponseFields } from './response-fields.ts';
import type { ResponseFields } from './response-fields.ts';

export function decodeErrorResponse(buffer: Buffer, start: number, end: number): ResponseFields {
  return decodeResponseFields('ErrorResponse', buffer, start, end);
}

export function encodeErrorResponse(fields: ResponseFields): Buffer {
  return encodeResponseFields(BACKEND.errorResponse, fields);
}
