/** CopyInResponse: the server is ready to receive copy data. */
import { BACKEND } from '../message-types.ts';
import { decodeCopyResponse, encodeCopyResponse } from './copy-response.ts';
import type { CopyResponse } from './copy-response.ts';

export function decodeCopyInResponse(buffer: Buffer, start: number, end: number): CopyResponse {
  return decodeCopyResponse('CopyInResponse', buffer, start, end);
}

export function encodeCopyInResponse(response: CopyResponse): Buffer {
  return encodeCopyResponse(BACKEND.copyInResponse, response);
}
