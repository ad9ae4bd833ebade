/**
 * A log that was put back from a backup takes the leaves that it lacks from a mirror of itself. Nothing is signed: the
 * mirror's checkpoint, which this log's own key signed, is put in place once every leaf under it is. The journal begins
 * anew behind the last of them.
 */

import { join } from 'node:path';
import {
  checkLeaf,
  decodeText,
  encodeEntryBundle,
  hashLeaf,
  hashReaderFromTiles,
  iterateLeaves,
  parseCheckpoint,
  periodOf,
  readBundle,
  readTile,
  readWitnessedText,
  TileBuilder,
  TILE_WIDTH,
  tileWidth,
  treeRoot,
  WITNESSED_CHECKPOINT,
  type Checkpoint,
  type LogSource,
} from 'countersign-verify';
import { CountersignError } from '../errors.ts';
import { LogFiles } from './integrator/log-files.ts';
import { readWhole, realFileLayer, replaceFile, type FileLayer } from './journal/file-layer.ts';
import {
  closeFrame,
  decodeFrame,
  FRAME_OVERHEAD_BYTES,
  writeFrameHeader,
  type Frame,
} from './journal/frame.ts';
import {
  encodeSegmentHeader,
  isSpareFileName,
  parseSegmentFileName,
  SEGMENT_HEADER_BYTES,
  segmentFileName,
} from './journal/segment.ts';
import { SessionLedger } from './session-ledger.ts';
import type { OwnLog } from './witness/own-log.ts';

export interface CatchUpOptions {
  readonly stateDirectory: string;
  readonly log: OwnLog;
  readonly mirror: LogSource;
  /**
   * Checkpoints that the log's key signed, from elsewhere: a mirror that contradicts one is another history, whoever signed it. Those
   * beyond its end say nothing yet.
   */
  readonly known?: readonly Checkpoint[];
  /** Default `w0`. */
  readonly journal?: string;
  /** Where the journal that is replaced goes; must not exist. */
  readonly oldJournal: string;
  /** Wall clock, µs. */
  readonly atUs: number;
}

export interface CaughtUp {
  /** Leaves that were here. */
  readonly before: number;
  readonly size: number;
}

/** What all leaves together say: who is open, and the number of the newest. */
interface Replayed {
  readonly ledger: SessionLedger;
  readonly jseq: number;
  /** Leaf hashes from the bundle on in which the first missing leaf is. */
  readonly hashes: readonly Buffer[];
}

/**
 * The caller has verified the mirror as a whole and holds the state lock. It may be cut off anywhere and run again.
 *
 * @throws CountersignError `CS_LOG_FORKED` when the mirror is not a continuation of what is here, the journal included;
 *   `CS_INPUT_UNUSABLE` when it has nothing that is missing here, or is not signed by the log's key.
 */
export async function catchUp(options: CatchUpOptions): Promise<CaughtUp> {
  const { log, mirror, stateDirectory } = options;
  const journal = options.journal ?? 'w0';
  const layer = realFileLayer;
  const bytes = await mirror.read('checkpoint');
  if (bytes === undefined) throw unusable('the mirror has no checkpoint');
  const text = decodeText(bytes);
  const checkpoint = parseCheckpoint(text);
  if (!log.isOwn(checkpoint)) throw unusable("the mirror's checkpoint is not signed by this log's key");
  const before = (await log.newest())?.size ?? 0;
  if (checkpoint.size < before) throw unusable('the mirror has fewer leaves than are here');
  await assertPrefix(log, mirror, before, checkpoint);
  await assertKnown(mirror, options.known ?? [], checkpoint);
  const places = { log: join(stateDirectory, 'log'), journals: join(stateDirectory, 'journal') };
  const known = new Map<number, Buffer>();
  const replayed = await replayAll(mirror, checkpoint.size, before, known);
  assertJournalContained(layer, join(places.journals, journal), replayed.jseq, known);
  layer.makeDirectory(places.log);
  await writeLog(new LogFiles(layer, places.log), mirror, before, checkpoint, {
    text,
    hashes: replayed.hashes,
  });
  replaceJournal(layer, { ...options, journals: places.journals, journal }, replayed);
  return { before, size: checkpoint.size };
}

async function assertPrefix(
  log: OwnLog,
  mirror: LogSource,
  size: number,
  checkpoint: Checkpoint,
): Promise<void> {
  if (size === 0) return;
  const read = hashReaderFromTiles(checkpoint.size, (level, index, width) =>
    readTile(mirror, level, index, width),
  );
  if ((await treeRoot(size, read)).equals(await log.rootAt(size))) return;
  throw forked(`the mirror's first ${size} leaves are not those of this log`);
}

/** Before anything is written: leaves that were taken from a forged mirror would contradict the true one for ever. */
async function assertKnown(
  mirror: LogSource,
  known: readonly Checkpoint[],
  checkpoint: Checkpoint,
): Promise<void> {
  const read = hashReaderFromTiles(checkpoint.size, (level, index, width) =>
    readTile(mirror, level, index, width),
  );
  for (const { root, size } of known) {
    if (size === 0 || size > checkpoint.size) continue;
    if (!(await treeRoot(size, read)).equals(root))
      throw forked(`the mirror's first ${size} leaves are not those that the log's key has signed`);
  }
}

/** `known` gets the leaf hashes behind `before` by jseq, to compare the journal with. */
async function replayAll(
  mirror: LogSource,
  size: number,
  before: number,
  known: Map<number, Buffer>,
): Promise<Replayed> {
  const ledger = new SessionLedger();
  const hashes: Buffer[] = [];
  const first = before - (before % TILE_WIDTH);
  let jseq = -1;
  for await (const { bytes, index } of iterateLeaves(mirror, { size })) {
    const { leaf } = checkLeaf(bytes);
    if (leaf === undefined) throw unusable(`leaf ${index} of the mirror cannot be read`);
    ledger.replay(leaf, bytes);
    jseq = leaf.jseq;
    if (index < first) continue;
    const hash = hashLeaf(bytes);
    hashes.push(hash);
    if (index >= before) known.set(jseq, hash);
  }
  return { ledger, jseq, hashes };
}

/** What the journal here has beyond the log must be in the mirror, word for word: nothing acknowledged is dropped. */
function assertJournalContained(
  layer: FileLayer,
  directory: string,
  lastJseq: number,
  known: ReadonlyMap<number, Buffer>,
): void {
  for (const frame of framesIn(layer, directory)) {
    let jseq = frame.firstJseq;
    for (let at = 0; at < frame.leaves.length; jseq++) {
      const end = at + 2 + frame.leaves.readUInt16BE(at);
      const mirrored = known.get(jseq);
      if (mirrored === undefined && jseq > lastJseq)
        throw unusable(`the journal here goes on behind the mirror, to leaf ${jseq} of the journal`);
      if (mirrored !== undefined && !mirrored.equals(hashLeaf(frame.leaves.subarray(at + 2, end))))
        throw forked(`the journal here has another leaf ${jseq} than the mirror`);
      at = end;
    }
  }
}

/** Whole frames with leaves, of each segment's newest use. */
function* framesIn(layer: FileLayer, directory: string): Generator<Frame> {
  for (const name of layer.list(directory)) {
    const number = parseSegmentFileName(name);
    if (number === undefined) continue;
    const bytes = readWhole(layer, join(directory, name)) ?? Buffer.alloc(0);
    for (let at = SEGMENT_HEADER_BYTES; ;) {
      const frame = decodeFrame(bytes, at);
      if (frame === undefined || frame.segment !== number) break;
      if (frame.kind === 'leaves') yield frame;
      at = frame.end;
    }
  }
}

/**
 * (1) the root of what was read, compared, (2) bundles and tiles, (3) their directories, (4) the checkpoint, (5) the newest with a
 * quorum. A mirror that shows other leaves when they are read again leaves nothing here that the true ones would not.
 */
async function writeLog(
  files: LogFiles,
  mirror: LogSource,
  before: number,
  checkpoint: Checkpoint,
  { hashes, text }: { readonly hashes: readonly Buffer[]; readonly text: string },
): Promise<void> {
  const { size } = checkpoint;
  const first = before - (before % TILE_WIDTH);
  await assertRoot(files, before, hashes, checkpoint);
  const builder = await TileBuilder.resume(
    before,
    (level, index, width) => files.readTile(level, index, width),
    (tile) => files.writeTile(tile),
  );
  for (let bundle = Math.floor(before / TILE_WIDTH); bundle * TILE_WIDTH < size; bundle++) {
    const width = tileWidth(0, bundle, size);
    const leaves = await readBundle(mirror, bundle, width);
    const isSame = (leaf: Buffer, at: number): boolean =>
      hashes[bundle * TILE_WIDTH - first + at]?.equals(hashLeaf(leaf)) === true;
    if (!leaves.every(isSame)) throw unusable('the mirror changes while it is read');
    files.writeEntries(bundle, width, encodeEntryBundle(leaves));
    for (const leaf of leaves.slice(builder.size - bundle * TILE_WIDTH)) builder.append(hashLeaf(leaf));
  }
  for (const tile of builder.partials()) files.writeTile(tile);
  files.syncTiles();
  if (size > before) files.writeCheckpoint(text);
  const witnessed = await readWitnessedText(mirror);
  if (witnessed !== undefined && parseCheckpoint(witnessed).size <= size)
    files.replace(WITNESSED_CHECKPOINT, witnessed);
}

/** Nothing is written: leaves that are here already are those of our tile, and all together have the mirror's root. */
async function assertRoot(
  files: LogFiles,
  before: number,
  hashes: readonly Buffer[],
  checkpoint: Checkpoint,
): Promise<void> {
  const width = before % TILE_WIDTH;
  const here = width === 0 ? Buffer.alloc(0) : files.readTile(0, Math.floor(before / TILE_WIDTH), width);
  const builder = await TileBuilder.resume(
    before,
    (level, index, tile) => files.readTile(level, index, tile),
    () => {},
  );
  for (const hash of hashes.slice(width)) builder.append(hash);
  const isPrefix = Buffer.concat(hashes.slice(0, width)).equals(here);
  if (!isPrefix || !builder.root().equals(checkpoint.root))
    throw forked('the leaves of the mirror do not have its root');
}

interface JournalPlace {
  readonly journals: string;
  readonly journal: string;
  readonly oldJournal: string;
  readonly atUs: number;
}

/** (1) the new one is made whole beside, (2) the old one put away, (3) the new one gets its name. */
function replaceJournal(layer: FileLayer, place: JournalPlace, { jseq, ledger }: Replayed): void {
  const directory = join(place.journals, place.journal);
  const numbers = layer.list(directory).map(numberOf);
  const number = Math.max(0, ...numbers) + 1;
  const fresh = join(place.journals, `${place.journal}.new`);
  layer.makeDirectory(fresh);
  const segment = Buffer.concat([
    encodeSegmentHeader({
      journal: place.journal,
      number,
      firstJseq: jseq + 1,
      sequence: 0,
      previousSegment: 0,
      previousHash: Buffer.alloc(32),
      keyId: Buffer.alloc(16),
      period: periodOf(place.atUs),
    }),
    snapshotFrame(number, jseq, ledger.snapshot(jseq)),
  ]);
  replaceFile(layer, join(fresh, segmentFileName(number)), segment);
  layer.syncDirectory(fresh);
  if (layer.exists(directory)) layer.rename(directory, place.oldJournal);
  layer.rename(fresh, directory);
  layer.syncDirectory(place.journals);
}

function numberOf(name: string): number {
  if (isSpareFileName(name)) return Number.parseInt(name.slice('spare-'.length), 10);
  return parseSegmentFileName(name) ?? 0;
}

function snapshotFrame(segment: number, jseq: number, snapshot: Buffer): Buffer {
  const frame = Buffer.alloc(FRAME_OVERHEAD_BYTES + snapshot.length);
  writeFrameHeader(frame, {
    kind: 'snapshot',
    segment,
    leafCount: 0,
    sequence: 0,
    offset: SEGMENT_HEADER_BYTES,
    firstJseq: jseq + 1,
    leavesBytes: snapshot.length,
    blockBytes: 0,
    previousHash: Buffer.alloc(32),
  });
  snapshot.copy(frame, FRAME_OVERHEAD_BYTES - 32);
  closeFrame(frame, frame.length);
  return frame;
}

function unusable(detail: string): CountersignError {
  return new CountersignError('CS_INPUT_UNUSABLE', { detail });
}

function forked(detail: string): CountersignError {
  return new CountersignError('CS_LOG_FORKED', { detail });
}
