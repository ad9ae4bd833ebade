/**
 * Cosignatures on their way to the log's files. Only the integrator writes these, so a cosignature can never bring an
 * older checkpoint back.
 */

import {
  addSignatures,
  parseCheckpoint,
  parseSignatureLines,
  WITNESSED_CHECKPOINT,
} from 'countersign-verify';
import type { LogFiles } from './log-files.ts';

export interface CosignRequest {
  readonly kind: 'cosign';
  /** Text of the checkpoint that was cosigned, with the log's own signature. */
  readonly checkpoint: string;
  /** Signature lines of witnesses over it, verified. */
  readonly lines: string;
  /** They make a quorum: keep it as the newest witnessed checkpoint. */
  readonly isQuorum: boolean;
}

/** The checkpoint's cosignatures are on disk, or were not needed: a newer one is there. */
export interface Kept {
  readonly kind: 'kept';
  readonly size: number;
  readonly isQuorum: boolean;
}

/** They could not be written. Nothing else suffers; they are asked for again with the next checkpoint. */
export interface NotKept {
  readonly kind: 'not-kept';
  readonly message: string;
}

/**
 * Adds them to `checkpoint`, if that is still the same one, and, with a quorum, makes it `checkpoint.witnessed`, unless a
 * larger one is there. Each file is replaced as a whole and its directory synced.
 */
export function keepCosignatures(files: LogFiles, request: CosignRequest): Kept {
  const { checkpoint: text, isQuorum } = request;
  const lines = parseSignatureLines(request.lines);
  const cosigned = parseCheckpoint(addSignatures(text, lines));
  const newest = files.readCheckpoint();
  if (newest !== undefined && parseCheckpoint(newest).note.body === cosigned.note.body) {
    files.replace('checkpoint', addSignatures(newest, lines));
  }
  if (isQuorum) {
    const before = files.readText(WITNESSED_CHECKPOINT);
    if (before === undefined || parseCheckpoint(before).size <= cosigned.size) {
      files.replace(WITNESSED_CHECKPOINT, addSignatures(text, lines));
    }
  }
  return { kind: 'kept', size: cosigned.size, isQuorum };
}
