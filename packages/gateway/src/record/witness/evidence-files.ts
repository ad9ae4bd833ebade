/**
 * Checkpoints that our own key signed and our log contradicts, as a witness showed them: `evidence/` in the state
 * directory. They stay until a person has decided, also while no witness can be reached.
 */

import { join } from 'node:path';
import { FormatError, parseCheckpoint, type Checkpoint } from 'countersign-verify';
import { readWhole, realFileLayer, replaceFile } from '../journal/file-layer.ts';
import type { OwnLog } from './own-log.ts';
import type { Evidence } from './witness-client.ts';

const FILE = /^log-(?:rolled-back|forked)-[0-9]{1,16}\.checkpoint$/;

export function evidenceDirectory(stateDirectory: string): string {
  return join(stateDirectory, 'evidence');
}

/** Keeps it, durably; the same evidence is kept once. */
export function keepEvidence(stateDirectory: string, evidence: Evidence): void {
  const directory = evidenceDirectory(stateDirectory);
  realFileLayer.makeDirectory(directory);
  const path = join(directory, `${evidence.kind}-${evidence.size}.checkpoint`);
  if (realFileLayer.exists(path)) return;
  replaceFile(realFileLayer, path, Buffer.from(evidence.text));
  realFileLayer.syncDirectory(directory);
}

/** What is kept of this log, largest first. Files that are no checkpoint of it are passed over. */
export function readEvidence(stateDirectory: string, log: OwnLog): readonly Checkpoint[] {
  const directory = evidenceDirectory(stateDirectory);
  const found: Checkpoint[] = [];
  for (const name of realFileLayer.list(directory)) {
    if (!FILE.test(name)) continue;
    try {
      const checkpoint = parseCheckpoint(
        (readWhole(realFileLayer, join(directory, name)) ?? Buffer.alloc(0)).toString('utf8'),
      );
      if (log.isOwn(checkpoint)) found.push(checkpoint);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
    }
  }
  return found.toSorted((a, b) => b.size - a.size);
}

/** How a checkpoint that our key signed stands to our log of `size` leaves; undefined when they agree. */
export async function contradictionOf(
  log: OwnLog,
  size: number,
  checkpoint: Checkpoint,
): Promise<Evidence['kind'] | undefined> {
  if (checkpoint.size > size) return 'log-rolled-back';
  const root = await log.rootAt(checkpoint.size);
  return root.equals(checkpoint.root) ? undefined : 'log-forked';
}
