import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/**
 * Short-lived tokens (decision 31): `cst1.<payload>.<mac>`, both base64url without padding. The payload is JSON
 * `{"principal","target","exp","jti"}`; the MAC is HMAC-SHA-256 over `cst1.<payload>` as sent. A token is for one principal
 * and one target, for at most 15 minutes, and may be used more than once in that time (a pool opens several connections).
 */
export interface TokenClaims {
  readonly principal: string;
  readonly target: string;
  /** End, ms since the epoch. */
  readonly exp: number;
  /** 128 random bits, base64url. Goes into the record; the token itself never does. */
  readonly jti: string;
}

export const TOKEN_MAX_TTL_MS = 15 * 60_000;
/** A principal and a target of 63 characters each stay far below it. */
export const TOKEN_MAX_CHARACTERS = 1024;

const PREFIX = 'cst1';
const MAC_BYTES = 32;

export type TokenRefusal = 'malformed' | 'mac' | 'expired' | 'principal' | 'target';

export type TokenVerdict =
  | { readonly ok: true; readonly claims: TokenClaims }
  | { readonly ok: false; readonly reason: TokenRefusal; readonly jti?: string };

export interface IssuedToken {
  readonly token: string;
  readonly claims: TokenClaims;
}

/** `ttlMs` is cut to 15 minutes. */
export function issueToken(
  key: Uint8Array,
  subject: { readonly principal: string; readonly target: string },
  ttlMs: number,
  nowMs: number = Date.now(),
): IssuedToken {
  const { principal, target } = subject;
  const exp = nowMs + Math.min(Math.max(0, Math.floor(ttlMs)), TOKEN_MAX_TTL_MS);
  const claims: TokenClaims = { principal, target, exp, jti: randomBytes(16).toString('base64url') };
  const signed = `${PREFIX}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`;
  return { token: `${signed}.${mac(key, signed).toString('base64url')}`, claims };
}

/**
 * Checks the MAC in constant time before anything inside is looked at, then the end, and that the token was made for
 * this principal and target. An `exp` further away than 15 minutes is refused too: no clock of ours made it.
 */
export function verifyToken(
  key: Uint8Array,
  token: string,
  subject: { readonly principal: string; readonly target: string },
  nowMs: number = Date.now(),
): TokenVerdict {
  if (token.length > TOKEN_MAX_CHARACTERS) return { ok: false, reason: 'malformed' };
  const match = /^(cst1\.([A-Za-z0-9_-]+))\.([A-Za-z0-9_-]{43})$/.exec(token);
  if (match === null) return { ok: false, reason: 'malformed' };
  const [, signed = '', payload = '', given = ''] = match;
  const presented = Buffer.from(given, 'base64url');
  const expected = mac(key, signed);
  if (presented.length !== MAC_BYTES || !timingSafeEqual(presented, expected))
    return { ok: false, reason: 'mac' };
  const claims = parseClaims(payload);
  if (claims === undefined) return { ok: false, reason: 'malformed' };
  const { jti } = claims;
  if (nowMs >= claims.exp || claims.exp - nowMs > TOKEN_MAX_TTL_MS)
    return { ok: false, reason: 'expired', jti };
  if (claims.principal !== subject.principal) return { ok: false, reason: 'principal', jti };
  if (claims.target !== subject.target) return { ok: false, reason: 'target', jti };
  return { ok: true, claims };
}

function parseClaims(payload: string): TokenClaims | undefined {
  try {
    const value = JSON.parse(
      Buffer.from(payload, 'base64url').toString('utf8'),
    ) as Partial<TokenClaims> | null;
    if (value === null || typeof value !== 'object') return undefined;
    const { principal, target, exp, jti } = value;
    if (typeof principal !== 'string' || typeof target !== 'string' || typeof jti !== 'string')
      return undefined;
    if (typeof exp !== 'number' || !Number.isSafeInteger(exp)) return undefined;
    return { principal, target, exp, jti };
  } catch {
    return undefined;
  }
}

function mac(key: Uint8Array, signed: string): Buffer {
  return createHmac('sha256', key).update(signed).digest();
}
