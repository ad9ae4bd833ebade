/** The attributes of RFC 5802 section 5.1, and the tokens that both sides of an exchange read. */

export const SCRAM = 'SCRAM-SHA-256';
export const SCRAM_PLUS = 'SCRAM-SHA-256-PLUS';

/** Raw bytes of a nonce; PostgreSQL's `SCRAM_RAW_NONCE_LEN`. */
export const NONCE_BYTES = 18;

/** Printable ASCII except comma, as RFC 5802 defines the nonce; the upper bound is ours. */
export function isNonce(text: string): boolean {
  return /^[\x21-\x2b\x2d-\x7e]{1,1024}$/.test(text);
}

/** Strict base64 with padding; undefined for anything else. */
export function parseBase64(text: string): Buffer | undefined {
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) return undefined;
  return Buffer.from(text, 'base64');
}
