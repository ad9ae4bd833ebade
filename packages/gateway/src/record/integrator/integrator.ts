/**
 * From the journal to the log: reads acknowledged frames, appends their leaves to the tree and their sealed blocks to
 * the vault, makes all of that durable, and only then signs and publishes a checkpoint.
 *
 * Everything it knows comes from the log on disk, so it may be cut off anywhere: the next run starts at the last
 * checkpoint and writes the same bytes again.
 */

import { join } from 'node:path';
import {
  decodeEntryBundle,
  hashLeaf,
  parseCheckpoint,
  TileBuilder,
  TILE_WIDTH,
  timeExtension,
} from 'countersign-verify';
import { CountersignError } from '../../errors.ts';
import { noteDamage } from '../journal/damage-note.ts';
import type { FileLayer } from '../journal/file-layer.ts';
import { decodeFrame, frameBlocks, type Frame } from '../journal/frame.ts';
import type { SegmentMark } from '../journal/journal.ts';
import { SEGMENT_HEADER_BYTES, segmentFileName } from '../journal/segment.ts';
import { BlockFiles } from '../vault/block-files.ts';
import type { IntegrateRequest, Integrated, IntegratorOptions, LogState } from './integrator-protocol.ts';
import { keepCosignatures, type CosignRequest, type Kept } from './kept-cosignatures.ts';
import { LogFiles } from './log-files.ts';
import { LogSigner } from './log-signer.ts';
import { SegmentPool } from './segment-pool.ts';

interface Cursor {
  segment: number;
  offset: number;
  /** Hash of the last frame that was read; undefined at the start, where recovery has checked the chain. */
  hash: Buffer | undefined;
}

/** What is read of the journal at a time. */
const PIECE_BYTES = 1024 * 1024;

export class Integrator {
  readonly #options: IntegratorOptions;
  readonly #layer: FileLayer;
  readonly #signer: LogSigner;
  readonly #pool: SegmentPool;
  #files: LogFiles;
  #blocks: BlockFiles;
  #builder: TileBuilder;
  /** The bundle that is not full yet: its entries, encoded. */
  #bundle = Buffer.alloc(128 * 1024);
  #bundleBytes = 0;
  #bundleCount = 0;
  #piece = Buffer.alloc(PIECE_BYTES);
  #jseq = -1;
  /** As of the present request. */
  #durableJseq = -1;
  #cursor: Cursor | undefined;
  /** As of the last checkpoint. */
  #committed: { readonly cursor: Cursor | undefined } = { cursor: undefined };
  #isLoaded = false;

  constructor(options: IntegratorOptions, layer: FileLayer) {
    this.#options = options;
    this.#layer = layer;
    this.#signer = new LogSigner(options, layer);
    this.#pool = new SegmentPool(layer, options.journalDirectory, options.segmentBytes);
    this.#files = new LogFiles(layer, options.logDirectory);
    this.#blocks = new BlockFiles(layer, options.vaultDirectory);
    this.#builder = new TileBuilder((tile) => this.#files.writeTile(tile));
  }

  /** Takes up the log from its checkpoint. Throws `CS_RECORD_CORRUPT` when the log does not fit its checkpoint. */
  async load(): Promise<LogState> {
    this.#blocks.close();
    this.#files = new LogFiles(this.#layer, this.#options.logDirectory);
    this.#signer.reset();
    this.#bundleBytes = 0;
    this.#bundleCount = 0;
    this.#jseq = -1;
    const text = this.#files.readCheckpoint();
    const size = text === undefined ? 0 : this.#checkedSize(text);
    // Not before: a start that is refused leaves the key of the log that is there.
    this.#files.writeKey(`${this.#signer.key}\n`);
    if (text !== undefined) this.#files.syncNames();
    this.#builder = await TileBuilder.resume(
      size,
      (level, index, width) => this.#files.readTile(level, index, width),
      (tile) => this.#files.writeTile(tile),
    );
    if (text !== undefined && !this.#builder.root().equals(parseCheckpoint(text).root)) {
      throw corrupt('the tiles of the log do not have the root of its checkpoint');
    }
    if (size > 0) this.#loadLastBundle(size);
    this.#cursor = this.#committed.cursor === undefined ? undefined : { ...this.#committed.cursor };
    this.#isLoaded = true;
    return { size, jseq: this.#jseq };
  }

  #checkedSize(text: string): number {
    const checkpoint = parseCheckpoint(text);
    if (!this.#signer.accepts(checkpoint)) {
      throw corrupt(
        'the checkpoint of the log is signed neither by log.signingKey nor by log.previousKey; to change the key, name the one before as log.previousKey',
      );
    }
    return checkpoint.size;
  }

  #loadLastBundle(size: number): void {
    const index = Math.floor((size - 1) / TILE_WIDTH);
    const width = size - index * TILE_WIDTH;
    const bundle = this.#files.readEntries(index, width);
    const entries = decodeEntryBundle(bundle);
    const newest = entries[width - 1];
    if (newest === undefined) throw corrupt('the newest entries of the log are cut short');
    const tile = this.#files.readTile(0, index, width);
    for (const [i, entry] of entries.slice(0, width).entries()) {
      if (hashLeaf(entry).compare(tile, i * 32, i * 32 + 32) !== 0)
        throw corrupt('the newest entries of the log are not those of its tile');
    }
    this.#jseq = (JSON.parse(newest.toString('utf8')) as { jseq: number }).jseq;
    if (width === TILE_WIDTH) return;
    this.#reserve(bundle.length);
    bundle.copy(this.#bundle);
    this.#bundleBytes = bundle.length;
    this.#bundleCount = width;
  }

  /** Brings the log up to the marks. After an error the next call starts again from the checkpoint. */
  async integrate(request: IntegrateRequest): Promise<Integrated> {
    if (!this.#isLoaded) await this.load();
    this.#isLoaded = false;
    const before = this.#builder.size;
    const covered = this.#jseq;
    this.#durableJseq = request.durableJseq;
    for (const [i, mark] of request.marks.entries()) {
      if (this.#cursor !== undefined && mark.segment < this.#cursor.segment) continue;
      this.#readSegment(mark, i + 1 < request.marks.length, covered);
    }
    if (this.#builder.size > before) await this.#publish(request.atUs);
    this.#committed = { cursor: this.#cursor === undefined ? undefined : { ...this.#cursor } };
    this.#isLoaded = true;
    const oldest = this.#cursor?.segment ?? 0;
    this.#pool.tidy(oldest, request.wantSpare);
    return {
      kind: 'integrated',
      size: this.#builder.size,
      jseq: this.#jseq,
      oldestSegment: oldest,
      freeBytes: this.#layer.freeBytes(this.#options.journalDirectory),
    };
  }

  /** Keeps what witnesses signed. Touches nothing of the tree, so it may come between any two steps. */
  cosign(request: CosignRequest): Kept {
    return keepCosignatures(this.#files, request);
  }

  close(): void {
    this.#blocks.close();
  }

  #readSegment(mark: SegmentMark, isFinished: boolean, covered: number): void {
    if (this.#cursor?.segment !== mark.segment) {
      this.#cursor = { segment: mark.segment, offset: SEGMENT_HEADER_BYTES, hash: this.#cursor?.hash };
    }
    const cursor = this.#cursor;
    if (cursor.offset < mark.end && !this.#readFrames(mark, cursor, covered)) return;
    if (isFinished)
      this.#cursor = {
        segment: mark.segment + 1,
        offset: SEGMENT_HEADER_BYTES,
        hash: mark.isBroken === true ? undefined : cursor.hash,
      };
  }

  #fits(frame: Frame | undefined, segment: number): frame is Frame {
    if (frame === undefined || frame.segment !== segment) return false;
    const expected = this.#cursor?.hash;
    return expected === undefined || expected.equals(frame.previousHash);
  }

  /**
   * In pieces, so that a busy second costs time and not memory: the same buffer serves all of them. False: nothing more to
   * be read for now.
   */
  #readFrames(mark: SegmentMark, cursor: Cursor, covered: number): boolean {
    const path = join(this.#options.journalDirectory, segmentFileName(mark.segment));
    const handle = this.#layer.open(path, 'read');
    try {
      while (cursor.offset < mark.end) {
        if (this.#readPiece(handle, mark, cursor, covered)) continue;
        // A frame larger than the buffer, or none at all.
        if (this.#piece.length < mark.end - cursor.offset) this.#piece = Buffer.alloc(this.#piece.length * 2);
        // In the build that only pretends to sync, the bytes may come later.
        else if (this.#options.faults?.lazySyncMs !== undefined) return false;
        else throw this.#damaged(mark.segment, cursor.offset);
      }
      if (this.#piece.length > PIECE_BYTES) this.#piece = Buffer.alloc(PIECE_BYTES);
      return true;
    } finally {
      this.#layer.close(handle);
    }
  }

  /** What was acknowledged is not there. A start would take it for a journal that ends here, so it is written down. */
  #damaged(segment: number, offset: number): CountersignError {
    const { journal, journalDirectory } = this.#options;
    const note = { journal, segment, offset, acknowledged: this.#durableJseq };
    noteDamage(this.#layer, journalDirectory, note);
    return corrupt(`segment ${segment} is damaged at ${offset}`);
  }

  /** Takes the frames that lie wholly in the next piece. False when there is none. */
  #readPiece(handle: number, mark: SegmentMark, cursor: Cursor, covered: number): boolean {
    const start = cursor.offset;
    const wanted = Math.min(this.#piece.length, mark.end - start);
    const bytes = this.#piece.subarray(0, this.#layer.read(handle, this.#piece, wanted, start));
    while (cursor.offset < start + bytes.length) {
      const frame = decodeFrame(bytes, cursor.offset - start, cursor.offset);
      if (!this.#fits(frame, mark.segment)) break;
      if (frame.kind === 'leaves') this.#takeFrame(frame, covered);
      cursor.offset = frame.end;
      cursor.hash = Buffer.from(frame.hash);
    }
    // The next piece overwrites this one.
    this.#blocks.write();
    return cursor.offset > start;
  }

  #takeFrame(frame: Frame, covered: number): void {
    if (frame.firstJseq + frame.leafCount - 1 <= covered) return;
    for (const block of frameBlocks(frame)) this.#blocks.append(frame.segment, block, covered);
    const { leaves } = frame;
    let jseq = frame.firstJseq;
    for (let at = 0; at < leaves.length; jseq++) {
      const end = at + 2 + leaves.readUInt16BE(at);
      if (jseq > covered) this.#appendLeaf(leaves.subarray(at, end), jseq);
      at = end;
    }
  }

  /** `entry`: two bytes of length and the leaf, as a bundle holds it. */
  #appendLeaf(entry: Buffer, jseq: number): void {
    this.#reserve(entry.length);
    entry.copy(this.#bundle, this.#bundleBytes);
    this.#bundleBytes += entry.length;
    this.#bundleCount++;
    const index = Math.floor(this.#builder.size / TILE_WIDTH);
    this.#builder.append(hashLeaf(entry.subarray(2)));
    this.#signer.watch(this.#builder.size - 1, entry.subarray(2));
    this.#jseq = jseq;
    if (this.#bundleCount < TILE_WIDTH) return;
    this.#files.writeEntries(index, TILE_WIDTH, this.#bundle.subarray(0, this.#bundleBytes));
    this.#bundleBytes = 0;
    this.#bundleCount = 0;
  }

  #reserve(more: number): void {
    if (this.#bundleBytes + more <= this.#bundle.length) return;
    const larger = Buffer.alloc(Math.max(this.#bundle.length * 2, this.#bundleBytes + more));
    this.#bundle.copy(larger, 0, 0, this.#bundleBytes);
    this.#bundle = larger;
  }

  /** (1) vault, (2) partial tiles and bundle, (3) directories, (4) proofs of changed keys, (5) checkpoint. */
  async #publish(atUs: number): Promise<void> {
    this.#blocks.sync();
    for (const tile of this.#builder.partials()) this.#files.writeTile(tile);
    if (this.#bundleCount > 0) {
      const index = Math.floor(this.#builder.size / TILE_WIDTH);
      this.#files.writeEntries(index, this.#bundleCount, this.#bundle.subarray(0, this.#bundleBytes));
    }
    this.#files.syncTiles();
    const checkpoint = this.#signer.sign({
      origin: this.#options.origin,
      size: this.#builder.size,
      root: this.#builder.root(),
      extensions: [timeExtension(atUs)],
    });
    await this.#signer.prove(checkpoint);
    this.#files.writeCheckpoint(checkpoint);
  }
}

function corrupt(detail: string): CountersignError {
  return new CountersignError('CS_RECORD_CORRUPT', { detail, fatal: true });
}
