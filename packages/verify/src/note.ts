/**
 * C2SP signed notes (https://c2sp.org/signed-note): a text, an empty line, and one line per signature. Ed25519 log
 * keys (algorithm 0x01) sign the text as it is; witness keys (algorithm 0x04, https://c2sp.org/tlog-cosignature)
 * sign it together with a time. Lines of keys that are not known are kept and not judged.
 */

import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { FormatError } from './errors.ts';
import { sha256 } from './merkle.ts';

export const ALGORITHM_ED25519 = 0x01;
export const ALGORITHM_COSIGNATURE = 0x04;
/** Limits of what is read: a checkpoint is a few hundred bytes. */
export const MAX_NOTE_BYTES = 1_000_000;
export const MAX_SIGNATURES = 100;

const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');

/** A public key with its name. */
export interface NoteVerifier {
  readonly name: string;
  readonly algorithm: typeof ALGORITHM_ED25519 | typeof ALGORITHM_COSIGNATURE;
  /** Four bytes in lower-case hex. */
  readonly keyId: string;
  readonly publicKey: Buffer;
  readonly keyObject: KeyObject;
}

/** A private Ed25519 key with its name. */
export interface NoteSigner {
  readonly name: string;
  readonly keyId: string;
  readonly publicKey: Buffer;
  readonly privateKey: KeyObject;
}

export interface NoteSignature {
  readonly name: string;
  /** Four bytes in lower-case hex. */
  readonly keyId: string;
  /** What follows the key id. */
  readonly signature: Buffer;
}

export interface Note {
  /** With its final newline; this is what is signed. */
  readonly body: string;
  readonly signatures: readonly NoteSignature[];
}

export function isKeyName(name: string): boolean {
  return name.length > 0 && name.length <= 255 && name.isWellFormed() && !/[\s+]/u.test(name);
}

function assertKeyName(name: string): void {
  if (!isKeyName(name)) throw new FormatError('a key name is empty, too long, or holds a space or a plus');
}

/** SHA-256(name ‖ 0x0A ‖ algorithm ‖ public key), the first four bytes in hex. */
export function noteKeyId(name: string, algorithm: number, publicKey: Uint8Array): string {
  const input = Buffer.concat([Buffer.from(`${name}\n`), Buffer.from([algorithm]), publicKey]);
  return sha256(input).subarray(0, 4).toString('hex');
}

/** Strict base64: what decodes to the same text again. */
function decodeBase64(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) throw new FormatError('not strict base64');
  return bytes;
}

export function createVerifier(
  name: string,
  publicKey: Uint8Array,
  algorithm: NoteVerifier['algorithm'] = ALGORITHM_ED25519,
): NoteVerifier {
  assertKeyName(name);
  if (publicKey.length !== 32) throw new FormatError('an Ed25519 public key has 32 bytes');
  const der = Buffer.concat([SPKI_PREFIX, publicKey]);
  const keyObject = createPublicKey({ key: der, format: 'der', type: 'spki' });
  return {
    name,
    algorithm,
    keyId: noteKeyId(name, algorithm, publicKey),
    publicKey: Buffer.from(publicKey),
    keyObject,
  };
}

/** `<name>+<hex id>+<base64(algorithm ‖ public key)>`. */
export function formatVerifierKey(
  verifier: Pick<NoteVerifier, 'name' | 'keyId' | 'publicKey'>,
  algorithm = 1,
): string {
  const key = Buffer.concat([Buffer.from([algorithm]), verifier.publicKey]);
  return `${verifier.name}+${verifier.keyId}+${key.toString('base64')}`;
}

export function parseVerifierKey(text: string): NoteVerifier {
  const match = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(text.trim());
  if (match === null) throw new FormatError('not a verifier key');
  const key = decodeBase64(match[3]!);
  const algorithm = key[0];
  if (algorithm !== ALGORITHM_ED25519 && algorithm !== ALGORITHM_COSIGNATURE) {
    throw new FormatError('the algorithm of the verifier key is not known');
  }
  const verifier = createVerifier(match[1]!, key.subarray(1), algorithm);
  if (verifier.keyId !== match[2]) throw new FormatError('the key id does not fit the key');
  return verifier;
}

function rawPublicKey(privateKey: KeyObject): Buffer {
  const der = createPublicKey(privateKey).export({ format: 'der', type: 'spki' });
  return Buffer.from(der.subarray(SPKI_PREFIX.length));
}

export function createSigner(name: string, privateKey: KeyObject): NoteSigner {
  assertKeyName(name);
  if (privateKey.asymmetricKeyType !== 'ed25519') throw new FormatError('a log key is an Ed25519 key');
  const publicKey = rawPublicKey(privateKey);
  return { name, keyId: noteKeyId(name, ALGORITHM_ED25519, publicKey), publicKey, privateKey };
}

export function createSignerFromSeed(name: string, seed: Uint8Array): NoteSigner {
  if (seed.length !== 32) throw new FormatError('an Ed25519 seed has 32 bytes');
  const der = Buffer.concat([PKCS8_PREFIX, seed]);
  return createSigner(name, createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }));
}

export function verifierOf(signer: NoteSigner): NoteVerifier {
  return createVerifier(signer.name, signer.publicKey);
}

/** `PRIVATE+KEY+<name>+<hex id>+<base64(0x01 ‖ seed)>`, the form that Go's note package reads. A secret. */
export function formatSignerKey(signer: NoteSigner): string {
  const der = signer.privateKey.export({ format: 'der', type: 'pkcs8' });
  const key = Buffer.concat([Buffer.from([ALGORITHM_ED25519]), der.subarray(PKCS8_PREFIX.length)]);
  return `PRIVATE+KEY+${signer.name}+${signer.keyId}+${key.toString('base64')}`;
}

export function parseSignerKey(text: string): NoteSigner {
  const match = /^PRIVATE\+KEY\+([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]+=*)$/.exec(text.trim());
  if (match === null) throw new FormatError('not a signer key');
  const key = decodeBase64(match[3]!);
  if (key[0] !== ALGORITHM_ED25519) throw new FormatError('the algorithm of the signer key is not known');
  const signer = createSignerFromSeed(match[1]!, key.subarray(1));
  if (signer.keyId !== match[2]) throw new FormatError('the key id does not fit the key');
  return signer;
}

function assertBody(body: string): void {
  if (!body.endsWith('\n') || !body.isWellFormed())
    throw new FormatError('the text of a note ends in a newline');
  // eslint-disable-next-line no-control-regex
  if (/[\u0000-\u0009\u000b-\u001f]/u.test(body))
    throw new FormatError('the text of a note holds a control character');
}

/** One signature line, without its newline. Throws `FormatError`; verifies nothing. */
export function parseSignatureLine(line: string): NoteSignature {
  const match = /^\u2014 ([^\s+]+) ([A-Za-z0-9+/]+=*)$/u.exec(line);
  if (match === null) throw new FormatError('a signature line is malformed');
  const bytes = decodeBase64(match[2]!);
  if (bytes.length < 5) throw new FormatError('a signature is too short');
  return { name: match[1]!, keyId: bytes.subarray(0, 4).toString('hex'), signature: bytes.subarray(4) };
}

/** Splits a note. Throws `FormatError`; verifies nothing. */
export function parseNote(text: string): Note {
  if (text.length > MAX_NOTE_BYTES) throw new FormatError('the note is too long');
  const split = text.lastIndexOf('\n\n');
  if (split < 0 || !text.endsWith('\n')) throw new FormatError('the note has no signature part');
  const body = text.slice(0, split + 1);
  assertBody(body);
  const lines = text.slice(split + 2, -1).split('\n');
  if (lines.length > MAX_SIGNATURES) throw new FormatError('the note has too many signatures');
  const signatures = lines.map(parseSignatureLine);
  return { body, signatures };
}

export function formatNote(note: Note): string {
  let text = `${note.body}\n`;
  for (const { name, keyId, signature } of note.signatures) {
    text += `\u2014 ${name} ${Buffer.concat([Buffer.from(keyId, 'hex'), signature]).toString('base64')}\n`;
  }
  return text;
}

/** Signs a text (which ends in a newline) and appends the given other signatures unchanged. */
export function signNote(body: string, signer: NoteSigner, others: readonly NoteSignature[] = []): string {
  assertBody(body);
  const signature = sign(null, Buffer.from(body), signer.privateKey);
  return formatNote({ body, signatures: [{ name: signer.name, keyId: signer.keyId, signature }, ...others] });
}

/** Whether one signature line is valid for this key over this text. */
export function verifySignature(body: string, line: NoteSignature, verifier: NoteVerifier): boolean {
  if (line.name !== verifier.name || line.keyId !== verifier.keyId) return false;
  if (verifier.algorithm === ALGORITHM_ED25519) {
    return (
      line.signature.length === 64 && verify(null, Buffer.from(body), verifier.keyObject, line.signature)
    );
  }
  const time = cosignatureTime(line);
  if (time === undefined) return false;
  return verify(null, cosignedMessage(body, time), verifier.keyObject, line.signature.subarray(8));
}

/** What a cosignature (algorithm 0x04) signs: header, time in seconds since the epoch, and the whole text of the checkpoint. */
export function cosignedMessage(body: string, seconds: number): Buffer {
  return Buffer.from(`cosignature/v1\ntime ${seconds}\n${body}`);
}

/** The largest time of a cosignature, in the year 2255: the record counts microseconds within 2^53. */
export const MAX_COSIGNATURE_SECONDS = Math.floor(Number.MAX_SAFE_INTEGER / 1_000_000);

/**
 * Seconds since the epoch that a cosignature (algorithm 0x04) states; undefined when the line has another length, or states a
 * time that nothing can show: such a line verifies for nobody.
 */
export function cosignatureTime(line: NoteSignature): number | undefined {
  if (line.signature.length !== 72) return undefined;
  const seconds = line.signature.readBigUInt64BE(0);
  return seconds <= BigInt(MAX_COSIGNATURE_SECONDS) ? Number(seconds) : undefined;
}

/**
 * Whether the note carries a valid signature of this key. A line of this very key that does not verify makes the
 * answer false even if another line of it does: such a note is damaged.
 */
export function isSignedBy(note: Note, verifier: NoteVerifier): boolean {
  const own = note.signatures.filter((s) => s.name === verifier.name && s.keyId === verifier.keyId);
  return own.length > 0 && own.every((s) => verifySignature(note.body, s, verifier));
}
