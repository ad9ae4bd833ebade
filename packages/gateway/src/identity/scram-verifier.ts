import { createHmac, hash, pbkdf2, randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { saslprep } from './saslprep.ts';

/**
 * The arithmetic of SCRAM-SHA-256 (RFC 5802 section 3, RFC 7677), and the verifier as PostgreSQL stores it in
 * `pg_authid.rolpassword`: `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`, parts in base64.
 */
export interface ScramVerifier {
  readonly iterations: number;
  readonly salt: Buffer;
  /** SHA-256(ClientKey). 32 bytes. */
  readonly storedKey: Buffer;
  readonly serverKey: Buffer;
}

export const SCRAM_KEY_BYTES = 32;
/** What PostgreSQL uses for new passwords (`SCRAM_SHA_256_DEFAULT_ITERATIONS`, `SCRAM_DEFAULT_SALT_LEN`). */
export const SCRAM_DEFAULT_ITERATIONS = 4096;
export const SCRAM_DEFAULT_SALT_BYTES = 16;
/** Above it a target could burn our time by naming a count: ten times what anyone configures. */
export const SCRAM_MAX_ITERATIONS = 1_000_000;

const deriveKey = promisify(pbkdf2);

const VERIFIER =
  /^SCRAM-SHA-256\$(\d{1,9}):([A-Za-z0-9+/]+={0,2})\$([A-Za-z0-9+/]{43}=):([A-Za-z0-9+/]{43}=)$/;

/** Undefined when the text is not a verifier. */
export function parseVerifier(text: string): ScramVerifier | undefined {
  const match = VERIFIER.exec(text);
  if (match === null) return undefined;
  const [, iterations = '', salt = '', storedKey = '', serverKey = ''] = match;
  const count = Number.parseInt(iterations, 10);
  const saltBytes = Buffer.from(salt, 'base64');
  if (count < 1 || saltBytes.length === 0) return undefined;
  return {
    iterations: count,
    salt: saltBytes,
    storedKey: Buffer.from(storedKey, 'base64'),
    serverKey: Buffer.from(serverKey, 'base64'),
  };
}

export function formatVerifier(verifier: ScramVerifier): string {
  const { iterations, salt, storedKey, serverKey } = verifier;
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey.toString('base64')}:${serverKey.toString('base64')}`;
}

export interface MakeVerifierOptions {
  /** Default 4,096. */
  readonly iterations?: number;
  /** Default 16 random bytes. Given only by tests. */
  readonly salt?: Uint8Array;
}

/** The verifier of a password in PostgreSQL's text form. */
export async function makeVerifier(password: string, options: MakeVerifierOptions = {}): Promise<string> {
  const iterations = options.iterations ?? SCRAM_DEFAULT_ITERATIONS;
  const salt = Buffer.from(options.salt ?? randomBytes(SCRAM_DEFAULT_SALT_BYTES));
  const salted = await saltedPassword(password, salt, iterations);
  return formatVerifier({
    iterations,
    salt,
    storedKey: sha256(clientKeyOf(salted)),
    serverKey: serverKeyOf(salted),
  });
}

/** Hi(Normalize(password), salt, i). Runs on the thread pool. */
export async function saltedPassword(
  password: string,
  salt: Uint8Array,
  iterations: number,
): Promise<Buffer> {
  return deriveKey(saslprep(password), salt, iterations, SCRAM_KEY_BYTES, 'sha256');
}

export function clientKeyOf(salted: Uint8Array): Buffer {
  return hmac(salted, 'Client Key');
}

export function serverKeyOf(salted: Uint8Array): Buffer {
  return hmac(salted, 'Server Key');
}

/** ClientProof = ClientKey XOR HMAC(StoredKey, AuthMessage). */
export function clientProof(clientKey: Buffer, authMessage: string): Buffer {
  return xor(clientKey, hmac(sha256(clientKey), authMessage));
}

/** The ClientKey that a proof claims; it is right when its SHA-256 is the StoredKey. */
export function claimedClientKey(proof: Buffer, storedKey: Buffer, authMessage: string): Buffer {
  return xor(proof, hmac(storedKey, authMessage));
}

export function serverSignature(serverKey: Buffer, authMessage: string): Buffer {
  return hmac(serverKey, authMessage);
}

export function sha256(bytes: Uint8Array): Buffer {
  return hash('sha256', bytes, 'buffer');
}

function hmac(key: Uint8Array, data: string): Buffer {
  return createHmac('sha256', key).update(data, 'utf8').digest();
}

function xor(a: Buffer, b: Buffer): Buffer {
  const out = Buffer.allocUnsafe(SCRAM_KEY_BYTES);
  for (let i = 0; i < SCRAM_KEY_BYTES; i++) out[i] = (a[i] ?? 0) ^ (b[i] ?? 0);
  return out;
}
