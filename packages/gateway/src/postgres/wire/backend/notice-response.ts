/** NoticeResponse: the server says something that is no failure. */
import { BACKEND } from '../message-types.ts';
import { decodeResponseFields, encodeResponseFields } from './response-fields.ts';
import type { ResponseFields } from './response-fields.ts';

export function decodeNoticeResponse(buffer: Buffer, start: number, end: number): ResponseFields {
  return decodeResponseFields('NoticeResponse', buffer, start, end);
}

export function encodeNoticeResponse(fields: ResponseFields): Buffer {
  return encodeResponseFields(BACKEND.noticeResponse, fields);
}
