/** SSLRequest: the client asks, before start-up, for TLS. Length word, then the code 80877103. */
import { MessageWriter } from '../writer.ts';

export const SSL_REQUEST_CODE = 80_877_103;

export function encodeSSLRequest(): Buffer {
  return new MessageWriter().uint32(SSL_REQUEST_CODE).finish();
}
