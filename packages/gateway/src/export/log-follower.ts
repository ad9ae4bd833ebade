import {
  checkLeaf,
  checkpointTimeUs,
  consistencyProof,
  Frontier,
  frontierNodes,
  hashLeaf,
  hashReaderFromTiles,
  isCheckpointOf,
  parseCheckpoint,
  proveInclusion,
  readBundle,
  readCheckpoint,
  readTile,
  TILE_WIDTH,
  tileWidth,
  verifyConsistency,
  verifyInclusion,
} from 'countersign-verify';
import type { Checkpoint, HashReader, LogSource, NoteVerifier } from 'countersign-verify';

import { CountersignError } from '../errors.ts';
import type { Provenance, ProvenLeaf, TreeHead } from './proven-leaf.ts';

/** Tiles kept in memory: the right edge has at most one per level, and a walk stays within one at a time. */
const MAX_TILES = 16;

/**
 * The log is not the one that was exported before: another history, or another log. Exporting on would mix two records
 * under one name, so whoever meets this stops.
 */
export class LogReplacedError extends CountersignError {
  constructor(detail: string) {
    super('CS_RECORD_CORRUPT', { detail });
    this.name = 'LogReplacedError';
  }
}

/**
 * Reads a log as it grows, and gives nothing that is not proved: the checkpoint is signed by the log's key, continues the
 * one before, and covers each leaf by an inclusion proof. Used by one reader at a time.
 */
export class LogFollower {
  readonly #source: LogSource;
  readonly #verifiers: readonly NoteVerifier[];
  #head: TreeHead | undefined;
  #witnessedSize = 0;
  readonly #tiles = new Map<string, Buffer>();

  /** `verifiers`: keys of the log, one of which must have signed. With none, signatures are not checked. */
  constructor(source: LogSource, verifiers: readonly NoteVerifier[]) {
    this.#source = source;
    this.#verifiers = verifiers;
  }

  /** The newest checkpoint that `refresh` read. */
  get head(): TreeHead {
    if (this.#head === undefined) throw new Error('refresh comes first');
    return this.#head;
  }

  /**
   * Reads the newest checkpoints.
   *
   * @throws LogReplacedError when it contradicts the one before; `SourceError`, `FormatError` when it cannot be read.
   */
  async refresh(): Promise<TreeHead> {
    const checkpoint = await readCheckpoint(this.#source);
    if (!this.#isSigned(checkpoint)) {
      // Not final: a key that was just replaced signs no new checkpoint before the gateway runs.
      throw new CountersignError('CS_LOG_UNREADABLE', {
        detail: 'the checkpoint is not signed by the key of the log',
      });
    }
    const { origin, size, root } = checkpoint;
    const before = this.#head;
    if (before !== undefined && (before.size !== size || before.origin !== origin)) {
      if (before.origin !== origin) throw new LogReplacedError('the origin of the log has changed');
      if (size < before.size) throw new LogReplacedError('the log is shorter than it was');
      await this.#assertPrefix(before.size, before.root, size, root);
    }
    const signedAtUs = checkpointTimeUs(checkpoint);
    this.#head = { origin, size, root, ...(signedAtUs === undefined ? {} : { signedAtUs }) };
    this.#witnessedSize = Math.max(this.#witnessedSize, await this.#readWitnessedSize(origin, size));
    return this.#head;
  }

  /**
   * The right edge of the tree of `size` leaves, after checking that this tree has `root` and is a prefix of the log.
   *
   * @throws LogReplacedError when it is not.
   */
  async resume(size: number, root: Buffer): Promise<Frontier> {
    const { size: whole, root: wholeRoot } = this.head;
    if (size > whole) throw new LogReplacedError('the log is shorter than what was exported of it');
    await this.#assertPrefix(size, root, whole, wholeRoot);
    const frontier = await this.frontierAt(size);
    if (!frontier.root().equals(root)) throw new LogReplacedError('the log is not the one exported before');
    return frontier;
  }

  /** The right edge of the tree of the first `size` leaves. */
  async frontierAt(size: number): Promise<Frontier> {
    const read = this.#hashReader(this.head.size);
    const hashes: Buffer[] = [];
    for (const node of frontierNodes(size)) hashes.push(await read(node));
    return Frontier.resume(size, hashes);
  }

  /**
   * Leaves from `from` to the end of its bundle (at most 256), or as far as the newest checkpoint goes; none at its end.
   *
   * @throws CountersignError `CS_RECORD_CORRUPT` when a leaf is not in the signed tree or is not a leaf.
   */
  async read(from: number): Promise<readonly ProvenLeaf[]> {
    const { size, root } = this.head;
    if (from >= size) return [];
    const bundle = Math.floor(from / TILE_WIDTH);
    const first = bundle * TILE_WIDTH;
    const entries = await readBundle(this.#source, bundle, tileWidth(0, bundle, size));
    const hashes = entries.map((entry) => hashLeaf(entry));
    // The proof of the bundle's first leaf is made of all its other hashes: it proves every leaf of the bundle.
    const proof = await proveInclusion(first, size, this.#hashReader(size, { bundle, hashes }));
    if (!verifyInclusion(hashes[0]!, first, size, proof, root)) {
      throw new CountersignError('CS_RECORD_CORRUPT', {
        detail: `leaves ${first} to ${first + entries.length - 1} are not those of the checkpoint`,
      });
    }
    return entries.slice(from - first).map((bytes, offset) => {
      const index = from + offset;
      const { leaf } = checkLeaf(bytes);
      if (leaf === undefined) {
        throw new CountersignError('CS_RECORD_CORRUPT', { detail: `leaf ${index} cannot be read` });
      }
      return { index, bytes, leafHash: hashes[index - first]!, leaf };
    });
  }

  /** How far the leaf is vouched for now. `nowUs`: wall clock, µs since the epoch. */
  provenanceOf(index: number, atUs: number, nowUs: number): Provenance {
    const { origin, size } = this.head;
    const isWitnessed = index < this.#witnessedSize;
    const window = isWitnessed ? 0 : Math.ceil(Math.max(0, nowUs - atUs) / 1_000_000);
    return { origin, treeSize: size, isWitnessed, unwitnessedSeconds: window };
  }

  async #assertPrefix(first: number, firstRoot: Buffer, second: number, secondRoot: Buffer): Promise<void> {
    const proof = first === 0 ? [] : await consistencyProof(this.#source, first, second);
    if (!verifyConsistency(first, second, proof, firstRoot, secondRoot)) {
      throw new LogReplacedError('the log does not continue what was exported of it');
    }
  }

  #isSigned(checkpoint: Checkpoint): boolean {
    return this.#verifiers.length === 0 || this.#verifiers.some((key) => isCheckpointOf(checkpoint, key));
  }

  /** The size of `checkpoint.witnessed`: the newest checkpoint that has its full quorum. */
  async #readWitnessedSize(origin: string, size: number): Promise<number> {
    const bytes = await this.#source.read('checkpoint.witnessed');
    if (bytes === undefined) return 0;
    const witnessed = parseCheckpoint(bytes.toString('utf8'));
    const isOurs = witnessed.origin === origin && this.#isSigned(witnessed);
    // It may be newer than the checkpoint that was read a moment before.
    return isOurs ? Math.min(witnessed.size, size) : 0;
  }

  #hashReader(
    size: number,
    known?: { readonly bundle: number; readonly hashes: readonly Buffer[] },
  ): HashReader {
    return hashReaderFromTiles(size, async (level, index, width) => {
      if (level === 0 && known !== undefined && index === known.bundle) return Buffer.concat(known.hashes);
      const key = `${level}/${index}/${width}`;
      const cached = this.#tiles.get(key);
      if (cached !== undefined) return cached;
      const tile = await readTile(this.#source, level, index, width);
      if (this.#tiles.size >= MAX_TILES) this.#tiles.delete(this.#tiles.keys().next().value!);
      this.#tiles.set(key, tile);
      return tile;
    });
  }
}
