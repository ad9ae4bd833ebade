/** The log that is witnessed, as its files show it: read while the integrator writes them. */

import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import {
  checkLeaf,
  consistencyProof,
  directorySource,
  EMPTY_ROOT,
  formatNote,
  hashReaderFromTiles,
  isCheckpointOf,
  iterateLeaves,
  parseCheckpoint,
  parseVerifierKey,
  readTile,
  readWitnessedText,
  treeRoot,
  type Checkpoint,
  type LogSource,
  type NoteVerifier,
} from 'countersign-verify';

/** A checkpoint with its text, which has only the log's own signatures. */
export interface OwnCheckpoint extends Checkpoint {
  readonly text: string;
}

/** Name and time of one leaf. */
export interface LeafPlace {
  readonly jseq: number;
  /** Wall clock, µs. */
  readonly atUs: number;
}

export class OwnLog {
  readonly origin: string;
  readonly #directory: string;
  readonly #source: LogSource;
  readonly #keys: readonly NoteVerifier[];

  /** `keys`: verifier keys of the log, as texts; while it changes its key there are two. */
  constructor(directory: string, origin: string, keys: readonly string[]) {
    this.origin = origin;
    this.#directory = directory;
    this.#source = directorySource(directory);
    this.#keys = keys.map(parseVerifierKey);
  }

  /** SHA-256 of the origin in hex: its name where witnesses show what they cosigned. */
  get originHash(): string {
    return createHash('sha256').update(this.origin).digest('hex');
  }

  /** The newest checkpoint on disk; undefined for a log that has none yet. Throws `FormatError`, `SourceError`. */
  async newest(): Promise<OwnCheckpoint | undefined> {
    const text = await this.newestText();
    return text === undefined ? undefined : this.ownOnly(text);
  }

  /**
   * The newest checkpoint, once it would outlive a power failure: a witness that has seen one which this disk then loses says
   * rightly that the log was rolled back.
   */
  async newestDurable(): Promise<OwnCheckpoint | undefined> {
    const newest = await this.newest();
    if (newest === undefined) return undefined;
    // Its bytes were synced before it got its name. Whoever gave it the name may still be about to sync that.
    const directory = await open(this.#directory, 'r');
    try {
      await directory.sync();
    } finally {
      await directory.close();
    }
    return newest;
  }

  /** The same with whatever cosignatures it has. */
  async newestText(): Promise<string | undefined> {
    return (await this.#source.read('checkpoint'))?.toString('utf8');
  }

  /** The newest checkpoint that had its quorum, with its cosignatures. */
  async witnessed(): Promise<Checkpoint | undefined> {
    const text = await readWitnessedText(this.#source);
    if (text === undefined) return undefined;
    const checkpoint = parseCheckpoint(text);
    return this.isOwn(checkpoint) ? checkpoint : undefined;
  }

  /** The same checkpoint without the signatures of others. */
  ownOnly(text: string): OwnCheckpoint {
    const checkpoint = parseCheckpoint(text);
    const { body, signatures } = checkpoint.note;
    const note = { body, signatures: signatures.filter(({ name }) => name === this.origin) };
    return { ...checkpoint, note, text: formatNote(note) };
  }

  /** Whether this log's key signed it. */
  isOwn(checkpoint: Checkpoint): boolean {
    return this.#keys.some((key) => isCheckpointOf(checkpoint, key));
  }

  /** Hashes that prove the tree of `first` leaves a prefix of that of `second`; empty from 0. */
  async proof(first: number, second: number): Promise<Buffer[]> {
    return first === 0 || first === second ? [] : await consistencyProof(this.#source, first, second);
  }

  /** Our root at a size that our log has. */
  async rootAt(size: number): Promise<Buffer> {
    if (size === 0) return EMPTY_ROOT;
    return await treeRoot(
      size,
      hashReaderFromTiles(size, (level, index, width) => readTile(this.#source, level, index, width)),
    );
  }

  /** Leaf `index` of the log of `size` leaves. */
  async place(index: number, size: number): Promise<LeafPlace | undefined> {
    for await (const { bytes } of iterateLeaves(this.#source, { size, from: index, to: index + 1 })) {
      const { leaf } = checkLeaf(bytes);
      if (leaf !== undefined) return { jseq: leaf.jseq, atUs: leaf.at };
    }
    return undefined;
  }
}
