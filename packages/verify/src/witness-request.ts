/**
 * The request by which a log asks a witness for a cosignature, and the answer's size line: `add-checkpoint` of C2SP
 * tlog-witness (https://c2sp.org/tlog-witness).
 */

import { FormatError } from './errors.ts';
import { HASH_BYTES } from './merkle.ts';
import { MAX_NOTE_BYTES } from './note.ts';

/** The content type of the answer 409: the size of the newest tree that the witness knows of this log. */
export const TREE_SIZE_CONTENT_TYPE = 'text/x.tlog.size';
/** The specification's limit; a proof between trees below 2^53 leaves has fewer. */
export const MAX_PROOF_LINES = 63;
/** A request is a few kilobytes. Old size line, proof, empty line and the largest note that is read. */
export const MAX_ADD_CHECKPOINT_BYTES = 64 * 64 + MAX_NOTE_BYTES;

const SIZE = /^(0|[1-9][0-9]{0,15})$/;

export interface AddCheckpoint {
  /** Size of the tree that the witness cosigned last; 0: none. */
  readonly oldSize: number;
  /** Consistency proof from `oldSize` to the checkpoint, as `consistencyProof` makes it; empty from 0 or between equal sizes. */
  readonly proof: readonly Buffer[];
  /** The signed checkpoint, a note. */
  readonly checkpoint: string;
}

function parseSize(text: string): number {
  if (!SIZE.test(text) || !Number.isSafeInteger(Number(text))) throw new FormatError('not a tree size');
  return Number(text);
}

/** The body of a request. Throws `FormatError` for what no witness would accept. */
export function formatAddCheckpoint(request: AddCheckpoint): string {
  const { checkpoint, oldSize, proof } = request;
  if (!Number.isSafeInteger(oldSize) || oldSize < 0) throw new FormatError('not a tree size');
  if (proof.length > MAX_PROOF_LINES) throw new FormatError('the proof has too many hashes');
  if (proof.some((h) => h.length !== HASH_BYTES)) throw new FormatError('a hash does not have 32 bytes');
  const lines = proof.map((h) => `${h.toString('base64')}\n`).join('');
  return `old ${oldSize}\n${lines}\n${checkpoint}`;
}

/** Splits the body of a request. Throws `FormatError`; the checkpoint is neither decoded nor verified. */
export function parseAddCheckpoint(text: string): AddCheckpoint {
  const split = text.indexOf('\n\n');
  if (split < 0) throw new FormatError('the request has no checkpoint');
  const [old = '', ...lines] = text.slice(0, split).split('\n');
  if (!old.startsWith('old ')) throw new FormatError('the request does not begin with the old size');
  if (lines.length > MAX_PROOF_LINES) throw new FormatError('the proof has too many hashes');
  const proof = lines.map((line) => {
    const bytes = Buffer.from(line, 'base64');
    if (bytes.length !== HASH_BYTES || bytes.toString('base64') !== line)
      throw new FormatError('a hash is not 32 bytes in base64');
    return bytes;
  });
  return { oldSize: parseSize(old.slice('old '.length)), proof, checkpoint: text.slice(split + 2) };
}

/** The body of an answer 409. */
export function formatTreeSize(size: number): string {
  return `${size}\n`;
}

/** Throws `FormatError`. */
export function parseTreeSize(text: string): number {
  if (!text.endsWith('\n')) throw new FormatError('the tree size does not end in a newline');
  return parseSize(text.slice(0, -1));
}
