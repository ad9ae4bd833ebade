/**
 * What a log did that it should not have: `evidence/<origin hash>/<kind>-<size>-<root>/` with both checkpoints, `known` and
 * `offered`, as they were signed, and the proof that came with the offered one.
 *
 * - `fork`: two roots for one size, both signed by the log. Proof by itself.
 * - `rollback`: a smaller tree that the log says it signed later than the larger one that is known. Proof by itself.
 * - `smaller`: a smaller tree of a log that does not say when it signs. Whoever replays an old checkpoint causes this too.
 * - `unproven`: a larger tree that was not shown to contain the known one. Whoever replays a checkpoint with a wrong proof
 *   causes this too.
 */

import { join } from 'node:path';

import { checkpointTimeUs } from 'countersign-verify';
import type { AddCheckpoint, Checkpoint } from 'countersign-verify';

import { replaceFile } from '../record/journal/file-layer.ts';
import type { FileLayer } from '../record/journal/file-layer.ts';
import { originHash } from './witness-store.ts';
import type { Known } from './witness-store.ts';

export const EVIDENCE_KINDS = ['fork', 'rollback', 'smaller', 'unproven'] as const;
export type EvidenceKind = (typeof EVIDENCE_KINDS)[number];

/** Of one log and kind; more say nothing new and could fill the disk. */
const MAX_KEPT = 64;

/** Written when the other two files are durable. */
const LAST = 'proof';

export class EvidenceFiles {
  readonly #layer: FileLayer;
  readonly #directory: string;

  constructor(layer: FileLayer, stateDirectory: string) {
    this.#layer = layer;
    this.#directory = join(stateDirectory, 'evidence');
  }

  /** Keeps both checkpoints. Gives the directory's name, or undefined when it was there before or there is no more room. Throws what the disk throws. */
  keep(kind: EvidenceKind, known: Known, request: AddCheckpoint, offered: Checkpoint): string | undefined {
    const log = join(this.#directory, originHash(offered.origin));
    const name = `${kind}-${offered.size}-${offered.root.subarray(0, 8).toString('hex')}`;
    const present = this.#layer.list(log);
    if (present.includes(name)) {
      if (this.#isWhole(log, name)) return undefined;
    } else if (present.filter((other) => other.startsWith(`${kind}-`)).length >= MAX_KEPT) {
      return undefined;
    }
    const directory = join(log, name);
    this.#layer.makeDirectory(directory);
    const proof = request.proof.map((h) => `${h.toString('base64')}\n`).join('');
    replaceFile(this.#layer, join(directory, 'known'), Buffer.from(known.text));
    replaceFile(this.#layer, join(directory, 'offered'), Buffer.from(request.checkpoint));
    this.#layer.syncDirectory(directory);
    replaceFile(this.#layer, join(directory, LAST), Buffer.from(`old ${request.oldSize}\n${proof}`));
    this.#layer.syncDirectory(directory);
    return name;
  }

  /** What a failing disk cut off is no evidence, and is tried again when the log shows the same once more. */
  #isWhole(log: string, name: string): boolean {
    return this.#layer.exists(join(log, name, LAST));
  }

  /** How much is kept of a log, by kind. */
  counts(origin: string): Readonly<Record<EvidenceKind, number>> {
    const log = join(this.#directory, originHash(origin));
    const names = this.#layer.list(log).filter((name) => this.#isWhole(log, name));
    const count = (kind: string): number => names.filter((name) => name.startsWith(`${kind}-`)).length;
    return {
      fork: count('fork'),
      rollback: count('rollback'),
      smaller: count('smaller'),
      unproven: count('unproven'),
    };
  }
}

/** What a smaller tree than the known one says of its log; undefined for what was simply signed earlier. */
export function judgeSmaller(known: Checkpoint, offered: Checkpoint): EvidenceKind | undefined {
  const before = checkpointTimeUs(known);
  const after = checkpointTimeUs(offered);
  if (before === undefined || after === undefined) return 'smaller';
  return after > before ? 'rollback' : undefined;
}
