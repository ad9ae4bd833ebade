/** One pass over the leaves of a checkpoint: the tree, the record's rules, and what was known of the log earlier. */

import type { Checkpoint } from './checkpoint.ts';
import type { Findings } from './findings.ts';
import type { Leaf } from './leaf.ts';
import type { LogSource } from './log-source.ts';
import { readBundlesAhead } from './read-ahead.ts';
import { RecordChecks } from './record-checks.ts';
import type { TimestampChecks } from './timestamp-checks.ts';
import { reportFileError, TreeChecks } from './tree-checks.ts';

/** Further checks that see every sound leaf, in log order (the vault's, for instance). */
export interface LeafVisitor {
  /** Before the first leaf, for what must be known of the whole log in advance. */
  begin?(source: LogSource): Promise<void>;
  visit(index: number, leaf: Leaf): Promise<void>;
  finish(): Promise<void>;
}

export interface UnwitnessedWindow {
  /** Leaves that no witness and no earlier checkpoint vouches for: the holder of the log's key could have changed them. */
  readonly leaves: number;
  /** From the first to the last of them, by their own clock. */
  readonly fromUs?: number;
  readonly toUs?: number;
  /** Whole seconds, rounded up. */
  readonly seconds: number;
}

/** A signed checkpoint beside the newest: the log must extend it. */
export interface Earlier {
  readonly checkpoint: Checkpoint;
  /** For messages. */
  readonly what: string;
  /** Whether it was kept, or cosigned, by others than the holder of the log's key. */
  readonly isWitness: boolean;
}

export interface LogWalkParts {
  readonly source: LogSource;
  readonly checkpoint: Checkpoint;
  /** The verifier key that the first leaf must name; undefined leaves it unchecked. */
  readonly genesisKey: string | undefined;
  /** What the log must extend. */
  readonly earlier: readonly Earlier[];
  readonly visitor: LeafVisitor | undefined;
  readonly timestamps: TimestampChecks;
  readonly findings: Findings;
}

/** Witnessed sizes so far back that their roots cost a search in the tiles; more of them than any recorder writes. */
const MAX_OLD_ROOTS = 10_000;

/** Holds what the walk learns; used once. */
export class LogWalk {
  readonly findings: Findings;
  readonly record: RecordChecks;
  readonly tree: TreeChecks;
  /** Names that the log's own leaves give of its witnesses. */
  readonly namedWitnesses = new Set<string>();
  /** `at` of the first leaf that no earlier checkpoint covers. */
  #uncoveredFromUs: number | undefined;
  #coveredLeaves = 0;
  #rootsAsked = 0;
  readonly #source: LogSource;
  readonly #checkpoint: Checkpoint;
  readonly #earlier: Earlier[];
  readonly #visitor: LeafVisitor | undefined;
  readonly #timestamps: TimestampChecks;

  constructor(parts: LogWalkParts) {
    const { checkpoint, earlier, findings, genesisKey, source, timestamps, visitor } = parts;
    this.findings = findings;
    this.#source = source;
    this.#checkpoint = checkpoint;
    this.#earlier = earlier.toSorted((a, b) => a.checkpoint.size - b.checkpoint.size);
    this.#visitor = visitor;
    this.#timestamps = timestamps;
    const genesis = { origin: checkpoint.origin, ...(genesisKey !== undefined && { key: genesisKey }) };
    this.record = new RecordChecks(findings, genesis);
    this.tree = new TreeChecks(source, findings, checkpoint.size);
  }

  async run(): Promise<void> {
    const { size, root } = this.#checkpoint;
    if (size === 0) this.findings.report('genesis', 'INCOMPLETE', 'the log has no leaves');
    this.#reportLonger();
    this.#compareEarlier();
    await this.#visitor?.begin?.(this.#source);
    const bundles = readBundlesAhead(this.#source, size);
    for (;;) {
      let next: IteratorResult<readonly Buffer[], void>;
      try {
        next = await bundles.next();
      } catch (error) {
        // Without these leaves neither the tree nor the numbering behind them can be followed.
        reportFileError(this.findings, error, this.tree.size);
        return;
      }
      if (next.done === true) break;
      await this.#consumeBundle(next.value);
      await this.tree.compare();
    }
    await this.tree.finish();
    if (!this.tree.root().equals(root)) {
      this.findings.report('root-mismatch', 'ALTERED', 'the leaves do not lead to the signed root');
    }
    this.record.finish();
    await this.#visitor?.finish();
  }

  async #consumeBundle(leaves: readonly Buffer[]): Promise<void> {
    for (const bytes of leaves) {
      const index = this.tree.size;
      this.tree.append(bytes);
      const leaf = this.record.consume(index, bytes);
      if (leaf?.type === 'checkpoint.witnessed') await this.#checkWitnessedRoot(index, leaf);
      if (leaf?.type === 'checkpoint.timestamped') this.#timestamps.visit(index, leaf);
      if (leaf !== undefined && this.#visitor !== undefined) await this.#visitor.visit(index, leaf);
      if (index === this.#coveredLeaves) this.#uncoveredFromUs = this.record.lastAtUs;
      if (this.#earlier.length > 0) this.#compareEarlier();
    }
  }

  /** Compares the tree as it stands with the earlier checkpoints of just this size. */
  #compareEarlier(): void {
    while (this.#earlier.length > 0 && this.#earlier[0]!.checkpoint.size === this.tree.size) {
      const { checkpoint, isWitness, what } = this.#earlier.shift()!;
      const { size, root } = checkpoint;
      if (!this.tree.root().equals(root)) {
        const message = `the log's first ${size} leaves are not those of ${what}`;
        this.findings.report('forked', 'FORKED', message);
      } else if (isWitness) {
        this.#coveredLeaves = size;
        this.#uncoveredFromUs = undefined;
      }
    }
  }

  /** A leaf says that witnesses saw the log with this root at this size. Whoever changes older leaves must change these too. */
  async #checkWitnessedRoot(index: number, leaf: Leaf): Promise<void> {
    for (const name of leaf['witnesses'] as unknown as readonly string[]) {
      if (this.namedWitnesses.size < 100) this.namedWitnesses.add(name);
    }
    const size = leaf['size'] as number;
    if (size > index) {
      const message = 'a leaf says that witnesses saw more leaves than come before it';
      this.findings.report('witnessed-root', 'ALTERED', message, index);
      return;
    }
    if (!this.tree.remembers(size) && ++this.#rootsAsked > MAX_OLD_ROOTS) {
      const message = 'more old checkpoints are named as witnessed than are looked up';
      this.findings.report('witnessed-root', 'INCOMPLETE', message, index);
      return;
    }
    try {
      if ((await this.tree.rootAt(size)).toString('base64url') === leaf['root']) return;
      const message = `the log's first ${size} leaves are not those that a leaf says were witnessed`;
      this.findings.report('witnessed-root', 'ALTERED', message, index);
    } catch (error) {
      reportFileError(this.findings, error, index);
    }
  }

  /** One with more leaves than the log has now: its tail was cut off. */
  #reportLonger(): void {
    while (this.#earlier.length > 0 && this.#earlier.at(-1)!.checkpoint.size > this.#checkpoint.size) {
      const { checkpoint, what } = this.#earlier.pop()!;
      const message = `${what} has ${checkpoint.size} leaves, the log only ${this.#checkpoint.size}`;
      this.findings.report('cut-off', 'ALTERED', message);
    }
  }

  /** `isNewestWitnessed`: enough organisations cosigned the newest checkpoint itself. */
  unwitnessed(isNewestWitnessed: boolean): UnwitnessedWindow {
    const leaves = isNewestWitnessed ? 0 : this.tree.size - this.#coveredLeaves;
    const fromUs = this.#uncoveredFromUs;
    const toUs = this.record.lastAtUs;
    if (leaves === 0 || fromUs === undefined || toUs === undefined) return { leaves, seconds: 0 };
    return { leaves, fromUs, toUs, seconds: Math.ceil(Math.max(0, toUs - fromUs) / 1_000_000) };
  }
}
