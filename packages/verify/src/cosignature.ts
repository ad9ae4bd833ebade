/**
 * Cosignatures of witnesses, C2SP tlog-cosignature (https://c2sp.org/tlog-cosignature), the Ed25519 form: "as of this
 * second, this is the largest consistent tree of this log that I have seen". Checking is `verifySignature` of `note.ts`.
 */

import { sign } from 'node:crypto';
import { FormatError } from './errors.ts';
import {
  ALGORITHM_COSIGNATURE,
  cosignedMessage,
  createVerifier,
  formatNote,
  MAX_COSIGNATURE_SECONDS,
  MAX_SIGNATURES,
  noteKeyId,
  parseSignatureLine,
  type NoteSignature,
  type NoteSigner,
  type NoteVerifier,
} from './note.ts';

/** The private key of a witness; its `keyId` is that of algorithm 0x04. */
export interface Cosigner extends NoteSigner {
  readonly algorithm: typeof ALGORITHM_COSIGNATURE;
}

/**
 * The witness key that a signer's name and private key make. The same private key must not sign a log or serve a second
 * witness: the signed text does not name the cosigner.
 */
export function createCosigner(signer: Pick<NoteSigner, 'name' | 'publicKey' | 'privateKey'>): Cosigner {
  const { name, privateKey, publicKey } = signer;
  const keyId = noteKeyId(name, ALGORITHM_COSIGNATURE, publicKey);
  return { name, keyId, publicKey, privateKey, algorithm: ALGORITHM_COSIGNATURE };
}

export function cosignatureVerifierOf(cosigner: Cosigner): NoteVerifier {
  return createVerifier(cosigner.name, cosigner.publicKey, ALGORITHM_COSIGNATURE);
}

/**
 * Cosigns the text of a checkpoint (which ends in a newline). The caller has checked that it is consistent with all that
 * this key cosigned before. `seconds` since the epoch, more than 0. Throws `FormatError`.
 */
export function cosign(body: string, cosigner: Cosigner, seconds: number): NoteSignature {
  if (!Number.isSafeInteger(seconds) || seconds <= 0 || seconds > MAX_COSIGNATURE_SECONDS)
    throw new FormatError('the time of a cosignature is not a number of seconds');
  if (!body.endsWith('\n')) throw new FormatError('the text of a note ends in a newline');
  const signature = Buffer.alloc(8 + 64);
  signature.writeBigUInt64BE(BigInt(seconds));
  signature.set(sign(null, cosignedMessage(body, seconds), cosigner.privateKey), 8);
  return { name: cosigner.name, keyId: cosigner.keyId, signature };
}

/** Signature lines alone, as a witness answers: `— <name> <base64>` and a newline each. */
export function formatSignatureLines(signatures: readonly NoteSignature[]): string {
  return formatNote({ body: '', signatures }).slice(1);
}

/** Splits the answer of a witness. Verifies nothing; lines of unknown keys are the caller's to ignore. Throws `FormatError`. */
export function parseSignatureLines(text: string): NoteSignature[] {
  if (!text.endsWith('\n')) throw new FormatError('the signature lines do not end in a newline');
  const lines = text.slice(0, -1).split('\n');
  if (lines.length > MAX_SIGNATURES) throw new FormatError('there are too many signatures');
  return lines.map(parseSignatureLine);
}
