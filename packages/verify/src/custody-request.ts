/**
 * A custody request: what officers sign before something is erased, released from a hold, or changed in who may decide that.
 *
 * The document is canonical JSON with exactly these members:
 *
 *   v                 1
 *   action            `erase`, `place-hold`, `release-hold`, `shorten-retention`, `change-officers`, …
 *   log               origin of the log it is for
 *   scope             an object that says what; its members depend on the action
 *   reason            printable text, 1 to 500 characters
 *   nonce             32 random bytes, base64url: the digest of the document says nothing about its contents
 *   requested_at_us   wall clock, µs since the epoch
 *   expires_at_us     not more than 31 days later
 *
 * An approval is an Ed25519 signature of the text
 *
 *   countersign custody request v1 \n <origin of the log> \n <action> \n <digest of the scope> \n <expires_at_us> \n <digest of the document> \n
 *
 * (digests: base64url SHA-256 of the canonical JSON; of the scope without its member `owners`, which is personal). So who signed
 * what can be checked from the log alone, also when the document, which lies sealed in the vault, is no more.
 */

import { createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { assertCanonical, encodeCanonical, type CanonicalObject } from './canonical-json.ts';
import { FormatError } from './errors.ts';
import { sha256 } from './merkle.ts';

export const MAX_REQUEST_BYTES = 32 * 1024;
export const MAX_REQUEST_LIFE_US: number = 31 * 86_400_000_000;
/** Protecting something needs one officer; everything else what the log says (`officers.changed`), at least two. */
export const SINGLE_APPROVAL_ACTIONS: readonly string[] = ['place-hold'];

const DIGEST = /^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/;
const SIGNATURE = /^[A-Za-z0-9_-]{86}$/;
const ACTION = /^[a-z][a-z-]{0,62}$/;
/** Nothing that moves a cursor, hides, or turns text around: an officer must see what is signed. */
const PLAIN_TEXT = /^[^\p{Cc}\p{Cf}\p{Co}\p{Cn}\p{Zl}\p{Zp}]{1,500}$/u;
const MEMBERS = 'action,expires_at_us,log,nonce,reason,requested_at_us,scope,v';

export interface CustodyRequest {
  readonly action: string;
  readonly log: string;
  readonly scope: CanonicalObject;
  readonly reason: string;
  readonly nonce: string;
  readonly requestedAtUs: number;
  readonly expiresAtUs: number;
  /** The canonical document. */
  readonly document: Buffer;
  /** base64url SHA-256 of the document: the id of the request. */
  readonly digest: string;
  readonly scopeDigest: string;
}

/** What is signed of a request. Its end is, too: the leaf that states it must not be able to say another. */
export type SignedParts = Pick<CustodyRequest, 'action' | 'digest' | 'expiresAtUs' | 'log' | 'scopeDigest'>;

export interface Approval {
  /** Name of the officer. */
  readonly officer: string;
  /** Ed25519 public key, 32 bytes, base64url. */
  readonly key: string;
  /** 64 bytes, base64url. */
  readonly signature: string;
}

export type RequestFields = Omit<CustodyRequest, 'document' | 'digest' | 'scopeDigest'>;

/** How many officers of different owners must have signed. */
export function approvalsFor(action: string, approvals: number): number {
  return SINGLE_APPROVAL_ACTIONS.includes(action) ? 1 : Math.max(2, approvals);
}

/** Makes the document. Throws `FormatError` when a field is not as it must be. */
export function encodeCustodyRequest(fields: RequestFields): CustodyRequest {
  const { action, expiresAtUs, log, nonce, reason, requestedAtUs, scope } = fields;
  const text = encodeCanonical({
    v: 1,
    action,
    log,
    scope,
    reason,
    nonce,
    requested_at_us: requestedAtUs,
    expires_at_us: expiresAtUs,
  });
  return decodeCustodyRequest(Buffer.from(text));
}

/** Reads a document. Throws `FormatError`, naming the field and not its value. */
export function decodeCustodyRequest(document: Uint8Array): CustodyRequest {
  if (document.length > MAX_REQUEST_BYTES) throw new FormatError('a request is too long');
  const value = assertCanonical(document);
  if (typeof value !== 'object' || Array.isArray(value)) throw new FormatError('a request is not an object');
  const fields = value as CanonicalObject;
  if (Object.keys(fields).sort().join(',') !== MEMBERS)
    throw new FormatError('a request does not have just the members it must have');
  const { action, log, nonce, reason, scope, v } = fields;
  if (v !== 1) throw new FormatError('the version of a request is not known');
  const requestedAtUs = integerOf(fields, 'requested_at_us');
  const expiresAtUs = integerOf(fields, 'expires_at_us');
  const life = expiresAtUs - requestedAtUs;
  if (life <= 0 || life > MAX_REQUEST_LIFE_US) throw new FormatError('a request lives longer than it may');
  if (typeof scope !== 'object' || Array.isArray(scope))
    throw new FormatError('the scope of a request is not an object');
  return {
    action: textOf(action, ACTION, 'action'),
    log: textOf(log, PLAIN_TEXT, 'log'),
    scope: scope as CanonicalObject,
    reason: textOf(reason, PLAIN_TEXT, 'reason'),
    nonce: textOf(nonce, DIGEST, 'nonce'),
    requestedAtUs,
    expiresAtUs,
    document: Buffer.from(document),
    digest: sha256(document).toString('base64url'),
    scopeDigest: scopeDigest(scope as CanonicalObject),
  };
}

/** Digest of a scope: what a leaf that carries out a request must have been asked for. */
export function scopeDigest(scope: CanonicalObject): string {
  const { owners: _owners, ...rest } = scope;
  return sha256(Buffer.from(encodeCanonical(rest))).toString('base64url');
}

function integerOf(fields: CanonicalObject, name: string): number {
  const value = fields[name];
  if (typeof value !== 'number' || value < 0) throw new FormatError(`${name} of a request is not a time`);
  return value;
}

function textOf(value: unknown, pattern: RegExp, name: string): string {
  if (typeof value !== 'string' || !pattern.test(value))
    throw new FormatError(`${name} of a request is not as it must be`);
  return value;
}

/** What is signed. */
export function approvalMessage(request: SignedParts): Buffer {
  const { action, digest, expiresAtUs, log, scopeDigest: scope } = request;
  const lines = ['countersign custody request v1', log, action, scope, expiresAtUs, digest];
  return Buffer.from(lines.map((line) => `${line}\n`).join(''));
}

/** An officer's signature, base64url. `privateKey`: Ed25519. */
export function signApproval(request: SignedParts, privateKey: KeyObject): string {
  return sign(undefined, approvalMessage(request), privateKey).toString('base64url');
}

export function isApprovalValid(
  request: SignedParts,
  approval: Pick<Approval, 'key' | 'signature'>,
): boolean {
  if (!SIGNATURE.test(approval.signature)) return false;
  try {
    const key = officerPublicKey(approval.key);
    return verify(undefined, approvalMessage(request), key, Buffer.from(approval.signature, 'base64url'));
  } catch {
    return false;
  }
}

/** The key behind 32 bytes in base64url. Throws `FormatError`. */
export function officerPublicKey(key: string): KeyObject {
  if (!DIGEST.test(key)) throw new FormatError('not an Ed25519 public key in base64url');
  try {
    return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: key }, format: 'jwk' });
  } catch (error) {
    throw new FormatError('not an Ed25519 public key', { cause: error });
  }
}

/** 32 bytes in base64url of a private or public Ed25519 key. Throws `FormatError` for any other kind. */
export function officerKeyText(key: KeyObject): string {
  if (key.asymmetricKeyType !== 'ed25519') throw new FormatError('not an Ed25519 key');
  const { x } = (key.type === 'private' ? createPublicKey(key) : key).export({ format: 'jwk' });
  return x!;
}
