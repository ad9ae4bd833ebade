/** GSSENCRequest: the client asks, before start-up, for GSSAPI encryption. Length word, then the code 80877104. */
import { MessageWriter } from '../writer.ts';

export const GSSENC_REQUEST_CODE = 80_877_104;

export function encodeGSSENCRequest(): Buffer {
  return new MessageWriter().uint32(GSSENC_REQUEST_CODE).finish();
}
