/**
 * `damage.json` beside the segments: what the integrator knew when it could not read back what was acknowledged. Nothing on the disk
 * says so otherwise where a write was lost: the journal just ends earlier.
 */

import { join } from 'node:path';
import { readWhole, replaceFile, type FileLayer } from './file-layer.ts';

export interface DamageNote {
  readonly journal: string;
  /** Where the first frame is missing. */
  readonly segment: number;
  readonly offset: number;
  /** Leaves up to this number were acknowledged, at least. */
  readonly acknowledged: number;
}

const NAME = 'damage.json';

/** Durable if the disk lets it: what fails here changes nothing. */
export function noteDamage(layer: FileLayer, directory: string, note: DamageNote): void {
  try {
    replaceFile(layer, join(directory, NAME), Buffer.from(`${JSON.stringify(note)}\n`));
    layer.syncDirectory(directory);
  } catch {
    // The process stops, and says why, in any case.
  }
}

/** Undefined when there is none for this journal, or it cannot be read. */
export function readDamageNote(layer: FileLayer, directory: string, journal: string): DamageNote | undefined {
  const bytes = readWhole(layer, join(directory, NAME));
  if (bytes === undefined) return undefined;
  try {
    const note = JSON.parse(bytes.toString('utf8')) as DamageNote;
    const isUsable = note.journal === journal && Number.isSafeInteger(note.acknowledged);
    return isUsable ? note : undefined;
  } catch {
    return undefined;
  }
}
