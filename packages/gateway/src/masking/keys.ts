/** Key material of masking, derived once at the start from `masking.key` (HKDF-SHA-256). Rotating it makes tokens and redactions of before unknown. */
export interface MaskingKeys {
  /** AES-256-SIV style key of tokens: 64 bytes. */
  readonly token: Buffer;
  /** AES key of FF1: 32 bytes. */
  readonly fpe: Buffer;
  /** HMAC key under which redactions authenticate themselves: 32 bytes. */
  readonly redaction: Buffer;
  /** HMAC key of the digests by which distinct probed values are counted: 32 bytes. */
  readonly probe: Buffer;
}
