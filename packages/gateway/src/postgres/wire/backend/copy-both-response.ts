/** CopyBothResponse: copy data in both directions (replication only). */
import { BACKEND } from '../message-types.ts';
import { decodeCopyResponse, encodeCopyResponse } from './copy-response.ts';
import type { CopyResponse } from './copy-response.ts';

export function decodeCopyBothResponse(buffer: Buffer, start: number, end: number): CopyResponse {
  return decodeCopyResponse('CopyBothResponse', buffer, start, end);
}

export function encodeCopyBothResponse(response: CopyResponse): Buffer {
  return encodeCopyResponse(BACKEND.copyBothResponse, response);
}
