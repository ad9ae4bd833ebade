/** CopyOutResponse: the server is about to send copy data. */
import { BACKEND } from '../message-types.ts';
import { decodeCopyResponse, encodeCopyResponse } from './copy-response.ts';
import type { CopyResponse } from './copy-response.ts';

export function decodeCopyOutResponse(buffer: Buffer, start: number, end: number): CopyResponse {
  return decodeCopyResponse('CopyOutResponse', buffer, start, end);
}

export function encodeCopyOutResponse(response: CopyResponse): Buffer {
  return encodeCopyResponse(BACKEND.copyOutResponse, response);
}
