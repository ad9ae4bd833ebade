/**
 * The keys of a log, one after another. A key that takes another's place is on record (`key.rotated` of `log-signing`), and
 * `rotation/<n>` beside the log proves that leaf (a tlog-proof) under a checkpoint that both keys signed. So whoever holds any one
 * of the keys can follow the chain in both directions: the old key vouches for the new one, the new one for the old one.
 */

import { isCheckpointOf, type Checkpoint } from './checkpoint.ts';
import { FormatError } from './errors.ts';
import type { Findings } from './findings.ts';
import { checkLeaf } from './leaf.ts';
import { decodeText } from './log-reader.ts';
import { SourceError, type LogSource } from './log-source.ts';
import { formatVerifierKey, parseVerifierKey, type NoteVerifier } from './note.ts';
import { parseProof, verifyLeafProof, type LeafProof } from './proof.ts';

/** More than a log has in its life. */
const MAX_ROTATIONS = 1000;

/** Path of the proof of a log's nth change of key, from 0. */
export function rotationPath(n: number): string {
  return `rotation/${n}`;
}

export interface KeyRotation {
  readonly previous: NoteVerifier;
  readonly next: NoteVerifier;
  /** Of the leaf. */
  readonly index: number;
  /** What both keys signed. */
  readonly checkpoint: Checkpoint;
}

export class KeyChain {
  /** Oldest first; the one that was given is among them. */
  readonly keys: readonly NoteVerifier[];
  /** The changes between them, in order. */
  readonly rotations: readonly KeyRotation[];

  constructor(keys: readonly NoteVerifier[], rotations: readonly KeyRotation[] = []) {
    this.keys = keys;
    this.rotations = rotations;
  }

  /** The key that the log's first leaf names. */
  get oldest(): NoteVerifier {
    return this.keys[0]!;
  }

  get newest(): NoteVerifier {
    return this.keys.at(-1)!;
  }

  /**
   * The newest key of the chain that the checkpoint is signed by. One that covers a change of key counts only as signed by the
   * key that came after it: whoever holds a key that was given up must not write on.
   */
  signerOf(checkpoint: Checkpoint): NoteVerifier | undefined {
    const covered = this.rotations.filter(({ index }) => index < checkpoint.size).length;
    return this.keys.slice(covered).findLast((key) => isCheckpointOf(checkpoint, key));
  }

  /** Whether it is signed by a key of the chain, but only by one that had been given up before. */
  isSuperseded(checkpoint: Checkpoint): boolean {
    return (
      this.signerOf(checkpoint) === undefined && this.keys.some((key) => isCheckpointOf(checkpoint, key))
    );
  }
}

/** Follows the chain from a key that is known. What does not fit is a finding, and the chain ends before it. */
export async function readKeyChain(
  source: LogSource,
  known: NoteVerifier,
  findings: Findings,
): Promise<KeyChain> {
  const rotations: KeyRotation[] = [];
  for (let n = 0; n < MAX_ROTATIONS; n++) {
    const rotation = await readRotation(source, n, findings);
    if (rotation === undefined) break;
    rotations.push(rotation);
  }
  return chainThrough(rotations, known);
}

async function readRotation(
  source: LogSource,
  n: number,
  findings: Findings,
): Promise<KeyRotation | undefined> {
  const path = rotationPath(n);
  try {
    const bytes = await source.read(path);
    if (bytes === undefined) return undefined;
    const rotation = parseRotation(parseProof(decodeText(bytes)));
    if (rotation !== undefined) return rotation;
    findings.report('rotation', 'ALTERED', `${path} does not prove that one key took another's place`);
  } catch (error) {
    if (!(error instanceof FormatError || error instanceof SourceError)) throw error;
    findings.report('rotation', 'CANNOT-VERIFY', `${path}: ${error.message}`);
  }
  return undefined;
}

/** Undefined unless the proof is signed by both keys that its leaf names. */
function parseRotation(proof: LeafProof): KeyRotation | undefined {
  const { isSound, leaf } = checkLeaf(proof.leaf);
  if (!isSound || leaf?.type !== 'key.rotated' || leaf['purpose'] !== 'log-signing') return undefined;
  const previous = parseVerifierKey(leaf['previous'] as string);
  const next = parseVerifierKey(leaf['key'] as string);
  if (!verifyLeafProof(proof, previous) || !verifyLeafProof(proof, next)) return undefined;
  return { previous, next, index: proof.index, checkpoint: proof.checkpoint };
}

function isSame(one: NoteVerifier, other: NoteVerifier): boolean {
  return formatVerifierKey(one, one.algorithm) === formatVerifierKey(other, other.algorithm);
}

/** The unbroken part of the chain that the known key is in. */
function chainThrough(rotations: readonly KeyRotation[], known: NoteVerifier): KeyChain {
  const place = rotations.findIndex(({ next, previous }) => isSame(previous, known) || isSame(next, known));
  if (place < 0) return new KeyChain([known]);
  let first = place;
  while (first > 0 && isSame(rotations[first - 1]!.next, rotations[first]!.previous)) first--;
  let end = place + 1;
  while (end < rotations.length && isSame(rotations[end - 1]!.next, rotations[end]!.previous)) end++;
  const linked = rotations.slice(first, end);
  return new KeyChain([linked[0]!.previous, ...linked.map(({ next }) => next)], linked);
}
