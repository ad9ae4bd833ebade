/** The request for a time stamp (RFC 3161 section 2.4.1): SHA-256 of the data, a nonce, and the certificate wanted back. */

import { encodeDer, encodeInteger, TAG } from './der.ts';
import { sha256 } from './merkle.ts';

export const TIMESTAMP_QUERY_TYPE = 'application/timestamp-query';
export const TIMESTAMP_REPLY_TYPE = 'application/timestamp-reply';

const SHA256_OID = Buffer.from('608648016503040201', 'hex');

/** DER of a request that stamps `data`. `nonce`: some random bytes, without a leading zero byte. */
export function formatTimestampRequest(data: Uint8Array, nonce: Uint8Array): Buffer {
  const digest = encodeDer(TAG.sequence, encodeDer(TAG.oid, SHA256_OID), encodeDer(TAG.null));
  return encodeDer(
    TAG.sequence,
    encodeInteger(Buffer.from([1])),
    encodeDer(TAG.sequence, digest, encodeDer(TAG.octetString, sha256(data))),
    encodeInteger(nonce),
    encodeDer(TAG.boolean, Buffer.from([0xff])),
  );
}
