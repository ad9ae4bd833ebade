/**
 * What a witness must never forget: the newest checkpoint that it cosigned of each log.
 *
 *     witness.json                   made by `init`: a directory without it is not taken for an empty memory
 *     origins                        one line `<origin hash> <origin>` per log that was ever cosigned
 *     logs/<origin hash>/checkpoint  the note: the log's signature as it was verified, and our cosignatures
 *
 * The order of a new checkpoint: (1) its file is written aside, synced, renamed, (2) its directory is synced, (3) for a log
 * seen for the first time, `origins` likewise; then the cosignature may leave. A crash before the end leaves the old
 * checkpoint or the new one, and nobody has a cosignature that is not there. A checkpoint without its line in `origins` is
 * such a crash, a line without its checkpoint is damage.
 *
 * All of it is synchronous: comparing with what is known and replacing it is one step that nothing can come between.
 */

import { hash } from 'node:crypto';
import { join } from 'node:path';

import { cosignatureTime, FormatError, parseCheckpoint, verifySignature } from 'countersign-verify';
import type { Checkpoint, NoteVerifier } from 'countersign-verify';

import { CountersignError } from '../errors.ts';
import { readWhole, replaceFile } from '../record/journal/file-layer.ts';
import type { FileLayer } from '../record/journal/file-layer.ts';

const MARKER = 'witness.json';
const MARKER_TEXT = '{"format":"countersign witness","version":1}\n';

/** The newest cosigned checkpoint of a log. */
export interface Known {
  /** The note as it is on disk and as monitors get it. */
  readonly text: string;
  readonly checkpoint: Checkpoint;
  /** Seconds since the epoch, as our newest cosignature of it says. */
  readonly cosignedAt: number;
}

/** Lower-case hex SHA-256 of the origin: its name in URLs and on disk. */
export function originHash(origin: string): string {
  return hash('sha256', origin);
}

export class WitnessStore {
  readonly #layer: FileLayer;
  readonly #directory: string;
  readonly #known = new Map<string, Known>();

  private constructor(layer: FileLayer, directory: string) {
    this.#layer = layer;
    this.#directory = directory;
  }

  /** Makes the directory of a new witness. Throws `CS_FILE_EXISTS` when one is there. */
  static create(layer: FileLayer, directory: string): void {
    if (layer.exists(join(directory, MARKER))) {
      throw new CountersignError('CS_FILE_EXISTS', {
        detail: directory,
        hint: 'It is the memory of a witness; give the new one a directory of its own.',
      });
    }
    layer.makeDirectory(join(directory, 'logs'));
    replaceFile(layer, join(directory, MARKER), Buffer.from(MARKER_TEXT));
    layer.syncDirectory(directory);
  }

  /**
   * Reads the memory and writes nothing. Throws `CS_RECORD_CORRUPT` when any part of it is missing or damaged: a witness that forgot could be
   * shown another past. Every checkpoint must carry a cosignature of one of `ownKeys`.
   */
  static open(layer: FileLayer, directory: string, ownKeys: readonly NoteVerifier[]): WitnessStore {
    const store = new WitnessStore(layer, directory);
    if (readWhole(layer, join(directory, MARKER))?.toString('utf8') !== MARKER_TEXT)
      throw corrupt(`${directory} is not the state of a witness`);
    const listed = store.#readOrigins();
    for (const name of layer.list(join(directory, 'logs'))) {
      const text = readWhole(layer, join(directory, 'logs', name, 'checkpoint'))?.toString('utf8');
      if (text === undefined) continue;
      const known = readKnown(name, text, ownKeys);
      store.#known.set(known.checkpoint.origin, known);
      listed.delete(name);
    }
    const [lost] = listed;
    if (lost !== undefined) throw corrupt(`logs/${lost}/checkpoint is missing`);
    return store;
  }

  /** Lists a log whose checkpoint a crash left without its line. */
  completeOrigins(): void {
    this.#writeOrigins();
  }

  get(origin: string): Known | undefined {
    return this.#known.get(origin);
  }

  all(): IterableIterator<Known> {
    return this.#known.values();
  }

  /** By lower-case hex SHA-256 of the origin. */
  byHash(name: string): Known | undefined {
    for (const known of this.#known.values()) {
      if (originHash(known.checkpoint.origin) === name) return known;
    }
    return undefined;
  }

  /** Makes `known` the newest checkpoint of its log, durably. Throws what the disk throws; then the old one stays in force. */
  put(known: Known): void {
    const { origin } = known.checkpoint;
    const directory = join(this.#directory, 'logs', originHash(origin));
    const isNew = !this.#known.has(origin);
    // It syncs the directory above too, which costs; what is known lies in a directory that is durable.
    if (isNew) this.#layer.makeDirectory(directory);
    replaceFile(this.#layer, join(directory, 'checkpoint'), Buffer.from(known.text));
    this.#layer.syncDirectory(directory);
    if (isNew) this.#writeOrigins(origin);
    this.#known.set(origin, known);
  }

  #readOrigins(): Set<string> {
    const text = readWhole(this.#layer, join(this.#directory, 'origins'))?.toString('utf8') ?? '';
    const names = new Set<string>();
    for (const line of text.split('\n').slice(0, -1)) {
      const [name = '', ...rest] = line.split(' ');
      if (originHash(rest.join(' ')) !== name) throw corrupt('origins is damaged');
      names.add(name);
    }
    if (text !== '' && !text.endsWith('\n')) throw corrupt('origins is damaged');
    return names;
  }

  #writeOrigins(fresh?: string): void {
    const origins = [...this.#known.keys(), ...(fresh === undefined ? [] : [fresh])].toSorted();
    const text = origins.map((origin) => `${originHash(origin)} ${origin}\n`).join('');
    const path = join(this.#directory, 'origins');
    if ((readWhole(this.#layer, path)?.toString('utf8') ?? '') === text) return;
    replaceFile(this.#layer, path, Buffer.from(text));
    this.#layer.syncDirectory(this.#directory);
  }
}

/** The newest of our valid cosignatures on a checkpoint, seconds since the epoch; undefined when there is none. */
export function cosignedAt(checkpoint: Checkpoint, ownKeys: readonly NoteVerifier[]): number | undefined {
  const { body, signatures } = checkpoint.note;
  const times = signatures
    .filter((line) => ownKeys.some((key) => verifySignature(body, line, key)))
    .map((line) => cosignatureTime(line) ?? 0);
  return times.length === 0 ? undefined : Math.max(...times);
}

function readKnown(name: string, text: string, ownKeys: readonly NoteVerifier[]): Known {
  try {
    const checkpoint = parseCheckpoint(text);
    if (originHash(checkpoint.origin) !== name) throw corrupt(`logs/${name}/checkpoint is of another log`);
    const at = cosignedAt(checkpoint, ownKeys);
    if (at === undefined) {
      throw new CountersignError('CS_RECORD_CORRUPT', {
        detail: `logs/${name}/checkpoint carries no cosignature of this witness`,
        hint: 'While a key is being replaced, list both keys until every log has been cosigned with the new one.',
        fatal: true,
      });
    }
    return { text, checkpoint, cosignedAt: at };
  } catch (error) {
    if (error instanceof FormatError) throw corrupt(`logs/${name}/checkpoint is damaged`, error);
    throw error;
  }
}

function corrupt(detail: string, cause?: unknown): CountersignError {
  return new CountersignError('CS_RECORD_CORRUPT', {
    detail,
    hint: 'A witness does not start without its memory: see docs/witness.md, "When the memory is damaged".',
    fatal: true,
    cause,
  });
}
