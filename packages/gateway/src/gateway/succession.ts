import { join } from 'node:path';

import { FormatError, parseCheckpoint, type Checkpoint } from 'countersign-verify';

import { CountersignError } from '../errors.ts';
import type { Predecessor } from '../record/events/witnessing.ts';
import { readWhole, realFileLayer, replaceFile } from '../record/journal/file-layer.ts';
import type { Recorder } from '../record/recorder.ts';

/**
 * `succession.json` in the state directory: written by `countersign log succeed`, read when the new log gets its first leaf, and
 * removed once that is on disk.
 */
const FILE = 'succession.json';

interface Succession extends Predecessor {
  /** Origin of the new log. */
  readonly successor: string;
}

/** Leaves word for the first leaf of log `successor`, durably. */
export function writeSuccession(stateDirectory: string, successor: string, predecessor: Predecessor): void {
  const succession: Succession = { successor, ...predecessor };
  replaceFile(realFileLayer, join(stateDirectory, FILE), Buffer.from(`${JSON.stringify(succession)}\n`));
  realFileLayer.syncDirectory(stateDirectory);
}

/**
 * Whom a new log of this origin succeeds. Throws `CS_RECORD_CORRUPT` when the file is there and cannot be understood, and
 * `CS_CONFIG_INVALID` when it is meant for a log of another name: a third one would begin without a word of the first.
 */
export function readSuccession(stateDirectory: string, origin: string): Predecessor | undefined {
  const bytes = readWhole(realFileLayer, join(stateDirectory, FILE));
  if (bytes === undefined) return undefined;
  const found = parse(bytes);
  if (found === undefined) {
    throw new CountersignError('CS_RECORD_CORRUPT', { detail: `${FILE} cannot be read`, fatal: true });
  }
  const { successor, ...predecessor } = found;
  if (successor !== origin) {
    throw new CountersignError('CS_CONFIG_INVALID', {
      detail: `log.origin: ${successor} is to succeed ${predecessor.origin} here, and not ${origin}`,
      hint: `Start ${successor} once; it can be succeeded in its turn.`,
    });
  }
  return predecessor;
}

/** Checkpoints of logs that `countersign log succeed` put away here. What cannot be read is passed over. */
export function archivedCheckpoints(stateDirectory: string): readonly Checkpoint[] {
  const archive = join(stateDirectory, 'archive');
  return realFileLayer.list(archive).flatMap((name) => {
    const bytes = readWhole(realFileLayer, join(archive, name, 'log', 'checkpoint'));
    if (bytes === undefined) return [];
    try {
      return [parseCheckpoint(bytes.toString('utf8'))];
    } catch (error) {
      if (error instanceof FormatError) return [];
      throw error;
    }
  });
}

/** The first leaf is on disk. */
export function forgetSuccession(stateDirectory: string): void {
  if (!realFileLayer.exists(join(stateDirectory, FILE))) return;
  realFileLayer.remove(join(stateDirectory, FILE));
  realFileLayer.syncDirectory(stateDirectory);
}

function parse(bytes: Buffer): Succession | undefined {
  try {
    const { kept, origin, root, size, successor } = JSON.parse(bytes.toString('utf8')) as Record<
      string,
      unknown
    >;
    if (typeof origin !== 'string' || typeof root !== 'string' || typeof successor !== 'string')
      return undefined;
    if (!isCount(size) || !isCount(kept)) return undefined;
    return { successor, origin, size, root, kept };
  } catch {
    return undefined;
  }
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

/** `recovered.json`: written by `countersign log recover`, put on the record by the next start, removed then. */
const RECOVERY_FILE = 'recovered.json';

/** Leaves word that leaves `from` and on came back from a mirror, durably. */
export function writeRecovery(stateDirectory: string, from: number): void {
  replaceFile(
    realFileLayer,
    join(stateDirectory, RECOVERY_FILE),
    Buffer.from(`${JSON.stringify({ from })}\n`),
  );
  realFileLayer.syncDirectory(stateDirectory);
}

/** Puts it on the record, if there is such word. Resolves when that is on disk. */
export async function recordRecovery(stateDirectory: string, recorder: Recorder): Promise<void> {
  const path = join(stateDirectory, RECOVERY_FILE);
  const bytes = readWhole(realFileLayer, path);
  if (bytes === undefined) return;
  const { from } = JSON.parse(bytes.toString('utf8')) as { readonly from: number };
  await recorder
    .append({ type: 'alert', code: 'log-recovered', size: from }, [], { control: true })
    .durable();
  realFileLayer.remove(path);
  realFileLayer.syncDirectory(stateDirectory);
}
