/**
 * C2SP tlog-proof (https://c2sp.org/tlog-proof): a leaf's place in the log as a text that is checked offline. Our
 * extra data is the leaf itself, in base64; it is authenticated by the proof, whose leaf hash it gives.
 */

import { isCheckpointOf, parseCheckpoint, type Checkpoint } from './checkpoint.ts';
import { FormatError } from './errors.ts';
import { decodeText, inclusionProof, readBundle } from './log-reader.ts';
import { SourceError, type LogSource } from './log-source.ts';
import { HASH_BYTES, hashLeaf, verifyInclusion } from './merkle.ts';
import type { NoteVerifier } from './note.ts';
import { TILE_WIDTH, tileWidth } from './tiles.ts';
import { readWitnessedText } from './witnesses.ts';

const HEADER = 'c2sp.org/tlog-proof@v1';
/** More than any tree below 2^53 leaves needs. */
const MAX_PROOF_HASHES = 64;

export interface LeafProof {
  readonly leaf: Buffer;
  readonly index: number;
  readonly hashes: readonly Buffer[];
  readonly checkpoint: Checkpoint;
  /** The checkpoint's text, signatures included. */
  readonly checkpointText: string;
}

/**
 * Proves leaf `index` under the newest checkpoint that witnesses signed, when that covers it, else under the log's current
 * one. Verifies no signature.
 */
export async function proveLeaf(source: LogSource, index: number): Promise<LeafProof> {
  const { checkpoint, checkpointText } = await checkpointFor(source, index);
  if (!Number.isSafeInteger(index) || index < 0 || index >= checkpoint.size)
    throw new FormatError('the index is not in the log');
  const bundle = Math.floor(index / TILE_WIDTH);
  const leaves = await readBundle(source, bundle, tileWidth(0, bundle, checkpoint.size));
  const hashes = await inclusionProof(source, index, checkpoint.size);
  return { leaf: leaves[index % TILE_WIDTH]!, index, hashes, checkpoint, checkpointText };
}

async function checkpointFor(
  source: LogSource,
  index: number,
): Promise<Pick<LeafProof, 'checkpoint' | 'checkpointText'>> {
  const witnessed = await readWitnessedText(source);
  if (witnessed !== undefined) {
    const checkpoint = parseCheckpoint(witnessed);
    if (index < checkpoint.size) return { checkpoint, checkpointText: witnessed };
  }
  const bytes = await source.read('checkpoint');
  if (bytes === undefined) throw new SourceError('checkpoint is missing');
  const checkpointText = decodeText(bytes);
  return { checkpoint: parseCheckpoint(checkpointText), checkpointText };
}

export function formatProof(proof: Omit<LeafProof, 'checkpoint'>): string {
  const hashes = proof.hashes.map((h) => `${h.toString('base64')}\n`).join('');
  return `${HEADER}\nextra ${proof.leaf.toString('base64')}\nindex ${proof.index}\n${hashes}\n${proof.checkpointText}`;
}

/** Decodes a proof that carries its leaf. Throws `FormatError`; verifies nothing. */
export function parseProof(text: string): LeafProof {
  const split = text.indexOf('\n\n');
  if (split < 0) throw new FormatError('the proof has no checkpoint');
  const [header, extra = '', indexLine = '', ...hashLines] = text.slice(0, split).split('\n');
  const leafText = /^extra ([A-Za-z0-9+/]*=*)$/.exec(extra)?.[1];
  const indexText = /^index (0|[1-9][0-9]{0,15})$/.exec(indexLine)?.[1];
  if (header !== HEADER || leafText === undefined || indexText === undefined) {
    throw new FormatError('not a tlog-proof with a leaf');
  }
  if (hashLines.length > MAX_PROOF_HASHES) throw new FormatError('the proof has too many hashes');
  const hashes = hashLines.map((line) => {
    const bytes = Buffer.from(line, 'base64');
    if (bytes.length !== HASH_BYTES || bytes.toString('base64') !== line)
      throw new FormatError('a hash is not 32 bytes in base64');
    return bytes;
  });
  const checkpointText = text.slice(split + 2);
  return {
    leaf: Buffer.from(leafText, 'base64'),
    index: Number(indexText),
    hashes,
    checkpoint: parseCheckpoint(checkpointText),
    checkpointText,
  };
}

/** Whether the proof holds under this log key: its signature, and the leaf's path to the signed root. */
export function verifyLeafProof(proof: LeafProof, verifier: NoteVerifier): boolean {
  const { checkpoint, hashes, index } = proof;
  if (!isCheckpointOf(checkpoint, verifier)) return false;
  return verifyInclusion(hashLeaf(proof.leaf), index, checkpoint.size, hashes, checkpoint.root);
}
