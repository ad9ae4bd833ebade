/**
 * Reads the log from its first leaf for what it says of custody, and for what an erasure would touch. Nothing is believed
 * that does not lead to the root of a checkpoint signed by the log's key: entries that were edited on disk are found here, not
 * acted upon.
 */

import {
  checkLeaf,
  commitmentsOf,
  ContentClasses,
  directorySource,
  endOfPeriodUs,
  Frontier,
  hashLeaf,
  isCheckpointOf,
  iterateLeaves,
  parseVerifierKey,
  readCheckpoint,
  SCHEDULE_SLACK_US,
  SealingPeriods,
  type Leaf,
} from 'countersign-verify';
import type { ErasureScope } from '../events/custody.ts';
import { rangesOf, readBlockFiles, type BlockFile } from './block-index.ts';
import type { CustodyLeaf } from './custody-state.ts';
import { HoldMatcher } from './hold-match.ts';
import type {
  ErasurePlan,
  ErasureQuestion,
  ErasureTarget,
  ScanOptions,
  ScanResult,
} from './scan-protocol.ts';

/** Thrown when the log on disk is not what its key signed. */
export class UnprovenLogError extends Error {}

const TYPE = Buffer.from('"type":"');
const AT = Buffer.from('"at":');
const CUSTODY = /^(?:custody|erasure|hold|officers|retention)\./;

/** The type of a leaf, without decoding it: the last member of that name, since a quote inside a string is escaped. */
function typeOf(bytes: Buffer): string {
  const at = bytes.lastIndexOf(TYPE);
  return at < 0 ? '' : bytes.toString('latin1', at + TYPE.length, bytes.indexOf(0x22, at + TYPE.length));
}

function atOf(bytes: Buffer): number {
  const at = bytes.indexOf(AT);
  return at < 0 ? 0 : Number.parseInt(bytes.toString('latin1', at + AT.length, at + AT.length + 17), 10) || 0;
}

export async function scanLog(options: ScanOptions): Promise<ScanResult> {
  const source = directorySource(options.logDirectory);
  const checkpoint = await readCheckpoint(source);
  const isSigned = options.keys.some((key) => isCheckpointOf(checkpoint, parseVerifierKey(key)));
  if (!isSigned) throw new UnprovenLogError('the checkpoint of the log is not signed by its key');
  const planner =
    options.question && new Planner(options.question, await readBlockFiles(options.vaultDirectory));
  const tree = new Frontier();
  const leaves: CustodyLeaf[] = [];
  const last = new Map<string, number>();
  let maxAtUs = 0;
  let newest: Leaf | undefined;
  for await (const { bytes, index } of iterateLeaves(source, { size: checkpoint.size })) {
    tree.append(hashLeaf(bytes));
    maxAtUs = Math.max(maxAtUs, atOf(bytes));
    const isCustody = CUSTODY.test(typeOf(bytes));
    if (!isCustody && planner === undefined && tree.size < checkpoint.size) continue;
    const { isSound, leaf } = checkLeaf(bytes);
    if (leaf === undefined || !isSound) continue;
    newest = leaf;
    last.set(leaf.journal, leaf.jseq);
    if (isCustody) leaves.push(leaf);
    planner?.take(index, leaf);
  }
  if (!tree.root().equals(checkpoint.root))
    throw new UnprovenLogError('the leaves of the log do not lead to its signed root');
  if (newest !== undefined) last.set(newest.journal, newest.jseq);
  return {
    size: checkpoint.size,
    maxAtUs,
    leaves,
    last,
    ...(planner !== undefined && { plan: planner.finish(last) }),
  };
}

/** Finds out, leaf by leaf, what an erasure touches. */
class Planner {
  readonly #scope: ErasureScope;
  readonly #matcher: HoldMatcher;
  readonly #classes = new ContentClasses();
  readonly #files: readonly BlockFile[];
  readonly #ofPeriod: readonly BlockFile[];
  readonly #touched = new Set<BlockFile>();
  readonly #targets: ErasureTarget[] = [];
  readonly #sessions: ReadonlySet<string>;
  readonly #finishedBefore: number;
  readonly #spans = new Map<string, { from: number; to: number }>();
  #contents = 0;
  #isInUse = false;
  #isYounger = false;
  /** The latest time of all leaves so far, µs. */
  #notBeforeUs = 0;
  readonly #dueBeforeUs: number;
  readonly #periods = new SealingPeriods();

  constructor({ finishedBefore, holds, scope }: ErasureQuestion, files: readonly BlockFile[]) {
    this.#scope = scope;
    this.#finishedBefore = finishedBefore;
    this.#files = files;
    this.#matcher = new HoldMatcher(holds);
    this.#sessions = new Set(scope.sessions);
    this.#dueBeforeUs =
      scope.period === undefined ? Infinity : endOfPeriodUs(scope.period) + SCHEDULE_SLACK_US;
    this.#ofPeriod =
      scope.kind === 'period'
        ? files.filter((file) => file.retentionClass === scope.class && file.period === scope.period)
        : [];
  }

  take(index: number, leaf: Leaf): void {
    this.#matcher.follow(leaf);
    this.#periods.take(index, leaf);
    this.#notBeforeUs = Math.max(this.#notBeforeUs, leaf.at);
    const retentionClass = this.#classes.take(leaf);
    const fields = commitmentsOf(leaf)
      .map(({ field }) => field)
      .filter((field) => this.#isMeant(leaf, field));
    if (fields.length === 0) return;
    const isPeriod = this.#scope.kind === 'period';
    const files = (isPeriod ? this.#ofPeriod : this.#files).filter(
      (file) =>
        file.journal === leaf.journal &&
        leaf.jseq >= file.firstJseq &&
        leaf.jseq <= file.lastJseq &&
        // Where the log does not say, it may lie in any file of its segment.
        (retentionClass === undefined || retentionClass === file.retentionClass),
    );
    // Of other months that were erased before, no file says where they began: their leaves seem to lie in this one's.
    if (
      isPeriod &&
      files.length > 0 &&
      this.#notBeforeUs > this.#dueBeforeUs &&
      this.#periods.canBeOf(this.#scope.period!, index, leaf)
    )
      this.#isYounger = true;
    // What has no file yet is in the segment that is being written.
    if (!isPeriod && files.length === 0) this.#isInUse = true;
    const finished = files.filter(({ segment }) => segment < this.#finishedBefore);
    if (finished.length < files.length) this.#isInUse = true;
    if (finished.length === 0) return;
    this.#matcher.touch(leaf, finished);
    if (isPeriod) return;
    for (const file of finished) this.#touched.add(file);
    this.#targets.push({ journal: leaf.journal, jseq: leaf.jseq, fields });
    this.#contents += fields.length;
    const span = this.#spans.get(leaf.journal);
    if (span === undefined) this.#spans.set(leaf.journal, { from: leaf.jseq, to: leaf.jseq });
    else span.to = leaf.jseq;
  }

  finish(last: ReadonlyMap<string, number>): ErasurePlan {
    const held = this.#matcher.finish();
    if (this.#scope.kind !== 'period') {
      return {
        held,
        files: [...this.#touched],
        isInUse: this.#isInUse,
        isYounger: false,
        ranges: [...this.#spans].map(([journal, { from, to }]) => ({ journal, from, to })),
        targets: this.#targets,
        contents: this.#contents,
      };
    }
    return {
      held,
      files: this.#ofPeriod,
      isInUse: this.#ofPeriod.some(({ segment }) => segment >= this.#finishedBefore),
      isYounger: this.#isYounger,
      ranges: rangesOf(this.#ofPeriod, last),
      targets: [],
      contents: this.#ofPeriod.reduce((sum, { entries }) => sum + entries, 0),
    };
  }

  #isMeant(leaf: Leaf, field: string): boolean {
    if (this.#scope.kind === 'period') return true;
    if (this.#scope.kind === 'sessions')
      return typeof leaf['session'] === 'string' && this.#sessions.has(leaf['session']);
    return (this.#scope.leaves ?? []).some(
      ({ fields, from, journal, to }) =>
        journal === leaf.journal &&
        leaf.jseq >= from &&
        leaf.jseq <= to &&
        (fields === undefined || fields.includes(field)),
    );
  }
}
