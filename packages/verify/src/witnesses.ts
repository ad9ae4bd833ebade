/** Cosignatures by witnesses, counted by organisation: two nodes of one owner are one pair of eyes. */

import type { Checkpoint } from './checkpoint.ts';
import { FormatError } from './errors.ts';
import { decodeText } from './log-reader.ts';
import type { LogSource } from './log-source.ts';
import { ALGORITHM_COSIGNATURE, cosignatureTime, verifySignature, type NoteVerifier } from './note.ts';

/** Where a log keeps its newest checkpoint with a whole quorum of cosignatures, beside `checkpoint`. */
export const WITNESSED_CHECKPOINT = 'checkpoint.witnessed';

/** A witness's key (algorithm 0x04), and whose it is. Without `organisation` the key stands for one of its own. */
export interface WitnessVerifier extends NoteVerifier {
  readonly organisation?: string;
}

/** Splits `ORG=KEY`; a key (or file) alone has no organisation. An equals sign behind the first plus belongs to the key. */
export function splitWitness(text: string): { readonly organisation?: string; readonly key: string } {
  const equals = text.indexOf('=');
  const plus = text.indexOf('+');
  if (equals <= 0 || (plus >= 0 && plus < equals)) return { key: text };
  return { organisation: text.slice(0, equals), key: text.slice(equals + 1) };
}

/** Gives a key its organisation. Throws `FormatError` when it is not the key of a witness. */
export function witnessOf(verifier: NoteVerifier, organisation?: string): WitnessVerifier {
  if (verifier.algorithm !== ALGORITHM_COSIGNATURE)
    throw new FormatError('the key of a witness has algorithm 0x04');
  return organisation === undefined ? verifier : { ...verifier, organisation };
}

/** Organisations whose witnesses cosigned the checkpoint validly. A key counts once, and the log's own never. */
export function cosigningOrganisations(
  checkpoint: Checkpoint,
  witnesses: readonly WitnessVerifier[],
  logKey?: NoteVerifier,
): ReadonlySet<string> {
  const { note } = checkpoint;
  const seen = new Set<string>();
  const organisations = new Set<string>();
  for (const witness of witnesses) {
    const publicKey = witness.publicKey.toString('hex');
    if (seen.has(publicKey) || logKey?.publicKey.equals(witness.publicKey) === true) continue;
    const line = note.signatures.find((s) => verifySignature(note.body, s, witness));
    if (line === undefined || cosignatureTime(line) === undefined) continue;
    seen.add(publicKey);
    organisations.add(witness.organisation ?? `key ${publicKey}`);
  }
  return organisations;
}

/**
 * The text of `checkpoint.witnessed`, if the log has one. Whoever also reads `checkpoint` reads this one first: it is never
 * newer, so a log that grows meanwhile does not look cut off.
 */
export async function readWitnessedText(source: LogSource): Promise<string | undefined> {
  const bytes = await source.read(WITNESSED_CHECKPOINT);
  return bytes === undefined ? undefined : decodeText(bytes);
}
