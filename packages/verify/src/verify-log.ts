/** The whole check of a log: signatures, tree, leaves, and the comparison with what was known earlier. */

import { checkpointTimeUs, isCheckpointOf, parseCheckpoint, type Checkpoint } from './checkpoint.ts';
import { FormatError } from './errors.ts';
import { EXIT_CODES, Findings, type Finding, type Verdict } from './findings.ts';
import type { GapReport } from './journal-checks.ts';
import type { Leaf } from './leaf.ts';
import { decodeText, MissingFileError, readBundle, readCheckpoint } from './log-reader.ts';
import { SourceError, type LogSource } from './log-source.ts';
import { formatVerifierKey, parseVerifierKey, type NoteVerifier } from './note.ts';
import { RecordChecks } from './record-checks.ts';
import { TILE_WIDTH, tileWidth } from './tiles.ts';
import { reportFileError, TreeChecks } from './tree-checks.ts';
import {
  cosigningOrganisations,
  readWitnessedText,
  WITNESSED_CHECKPOINT,
  type WitnessVerifier,
} from './witnesses.ts';

/** Further checks that see every sound leaf, in log order (the vault's, for instance). */
export interface LeafVisitor {
  /** Before the first leaf, for what must be known of the whole log in advance. */
  begin?(source: LogSource): Promise<void>;
  visit(index: number, leaf: Leaf): Promise<void>;
  finish(): Promise<void>;
}

export interface VerifyOptions {
  /** The log's public key, obtained elsewhere. Absent: `log.vkey` beside the log is believed, and the report says so. */
  readonly key?: NoteVerifier;
  /** Texts of checkpoints of this log that were kept elsewhere. */
  readonly earlier?: readonly string[];
  /** Keys of witnesses (algorithm 0x04) whose cosignatures count. */
  readonly witnesses?: readonly WitnessVerifier[];
  /** How many of their organisations must have signed, the newest checkpoint or `checkpoint.witnessed`. Default 0. */
  readonly requireWitnesses?: number;
  /** Makes a further check; it adds to the same findings. */
  readonly visitor?: (findings: Findings) => LeafVisitor;
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

export interface VerifyReport {
  readonly verdict: Verdict;
  readonly exitCode: number;
  readonly source: string;
  readonly origin?: string;
  readonly size?: number;
  /** base64, as in the checkpoint. */
  readonly root?: string;
  /** When the checkpoint says it was signed, µs since the epoch. */
  readonly signedAtUs?: number;
  /** The key that was used, and whether the caller gave it. */
  readonly key?: string;
  readonly isKeyPinned: boolean;
  /** Organisations of the given witnesses that cosigned the newest checkpoint or `checkpoint.witnessed`, the larger number. */
  readonly witnessed: number;
  readonly witnessesRequired: number;
  readonly unwitnessed?: UnwitnessedWindow;
  readonly counts: {
    readonly leaves: number;
    readonly sessions: number;
    readonly openSessions: number;
    readonly calls: number;
    readonly openCalls: number;
    readonly denied: number;
    readonly voided: number;
    readonly inDoubt: number;
    readonly heartbeats: number;
    readonly gaps: number;
    /** `erasure.started` leaves. */
    readonly erasures: number;
  };
  /** Last `jseq` of each journal. */
  readonly journals: Readonly<Record<string, number>>;
  readonly gaps: readonly GapReport[];
  readonly findings: readonly Finding[];
  /** Findings in all; those beyond the listed ones are only counted. */
  readonly findingsTotal: number;
}

async function findKey(
  source: LogSource,
  options: VerifyOptions,
  findings: Findings,
): Promise<NoteVerifier | undefined> {
  if (options.key !== undefined) return options.key;
  try {
    const bytes = await source.read('log.vkey');
    if (bytes !== undefined) return parseVerifierKey(decodeText(bytes));
    findings.report('key-missing', 'CANNOT-VERIFY', 'no key was given and the log has no log.vkey');
  } catch (error) {
    if (!(error instanceof FormatError || error instanceof SourceError)) throw error;
    findings.report('key-unreadable', 'CANNOT-VERIFY', `log.vkey: ${error.message}`);
  }
  return undefined;
}

/** A signature of our key that fails is ALTERED; a note that this key never signed is another log's or another key's. */
function checkSignature(
  checkpoint: Checkpoint,
  key: NoteVerifier,
  what: string,
  findings: Findings,
): boolean {
  if (isCheckpointOf(checkpoint, key)) return true;
  const isClaimed = checkpoint.note.signatures.some((s) => s.name === key.name && s.keyId === key.keyId);
  if (isClaimed) findings.report('signature', 'ALTERED', `the signature of ${what} does not fit`);
  else findings.report('signature-missing', 'CANNOT-VERIFY', `${what} is not signed by this key`);
  return false;
}

/** A signed checkpoint beside the newest: the log must extend it. */
interface Earlier {
  readonly checkpoint: Checkpoint;
  /** For messages. */
  readonly what: string;
  /** Whether it was kept, or cosigned, by others than the holder of the log's key. */
  readonly isWitness: boolean;
}

/** Decodes and checks one such checkpoint; undefined with a finding. */
function readOther(
  text: string,
  what: string,
  key: NoteVerifier,
  findings: Findings,
): Checkpoint | undefined {
  try {
    const checkpoint = parseCheckpoint(text);
    return checkSignature(checkpoint, key, what, findings) ? checkpoint : undefined;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    findings.report('earlier-unreadable', 'CANNOT-VERIFY', `${what}: ${error.message}`);
    return undefined;
  }
}

function readEarlier(options: VerifyOptions, key: NoteVerifier, findings: Findings): Earlier[] {
  return (options.earlier ?? []).flatMap((text, i) => {
    const checkpoint = readOther(text, `earlier checkpoint ${i + 1}`, key, findings);
    return checkpoint === undefined ? [] : [{ checkpoint, what: 'an earlier checkpoint', isWitness: true }];
  });
}

/** `checkpoint.witnessed`: always compared, since the log's own key signed it; it covers only what witnesses in hand cosigned. */
function readWitnessed(
  text: string,
  options: VerifyOptions,
  key: NoteVerifier,
  findings: Findings,
): { readonly earlier: readonly Earlier[]; readonly organisations: number } {
  const checkpoint = readOther(text, WITNESSED_CHECKPOINT, key, findings);
  if (checkpoint === undefined) return { earlier: [], organisations: 0 };
  const organisations = cosigningOrganisations(checkpoint, options.witnesses ?? [], key).size;
  const isWitness = organisations >= Math.max(1, options.requireWitnesses ?? 0);
  return { earlier: [{ checkpoint, what: WITNESSED_CHECKPOINT, isWitness }], organisations };
}

interface WalkParts {
  readonly source: LogSource;
  readonly checkpoint: Checkpoint;
  readonly key: NoteVerifier;
  /** Whether the checkpoint is signed by this key. */
  readonly isSigned: boolean;
  /** What the log must extend. */
  readonly earlier: readonly Earlier[];
  readonly options: VerifyOptions;
  readonly findings: Findings;
}

/** Walks the leaves of one checkpoint. Holds what the walk learns; used once. */
class Walk {
  readonly findings: Findings;
  readonly record: RecordChecks;
  readonly tree: TreeChecks;
  /** `at` of the first leaf that no earlier checkpoint covers. */
  uncoveredFromUs: number | undefined;
  coveredLeaves = 0;
  readonly #source: LogSource;
  readonly #checkpoint: Checkpoint;
  readonly #earlier: Earlier[];
  readonly #visitor: LeafVisitor | undefined;

  constructor(parts: WalkParts) {
    const { checkpoint, earlier, findings, isSigned, key, options, source } = parts;
    this.findings = findings;
    this.#source = source;
    this.#checkpoint = checkpoint;
    this.#earlier = earlier.toSorted((a, b) => a.checkpoint.size - b.checkpoint.size);
    this.#visitor = options.visitor?.(findings);
    // With the wrong key in hand, that the log names another one says nothing against the log.
    const expectedKey = isSigned ? { key: formatVerifierKey(key, key.algorithm) } : {};
    this.record = new RecordChecks(findings, { origin: checkpoint.origin, ...expectedKey });
    this.tree = new TreeChecks(source, findings);
  }

  async run(): Promise<void> {
    const { size, root } = this.#checkpoint;
    if (size === 0) this.findings.report('genesis', 'INCOMPLETE', 'the log has no leaves');
    this.#reportLonger();
    this.#compareEarlier();
    await this.#visitor?.begin?.(this.#source);
    for (let bundle = 0; bundle * TILE_WIDTH < size; bundle++) {
      let leaves: Buffer[];
      try {
        leaves = await readBundle(this.#source, bundle, tileWidth(0, bundle, size));
      } catch (error) {
        // Without these leaves neither the tree nor the numbering behind them can be followed.
        reportFileError(this.findings, error, bundle * TILE_WIDTH);
        return;
      }
      for (const [i, leaf] of leaves.entries()) await this.#consume(bundle * TILE_WIDTH + i, leaf);
      await this.tree.compare();
    }
    await this.tree.finish();
    if (!this.tree.root().equals(root)) {
      this.findings.report('root-mismatch', 'ALTERED', 'the leaves do not lead to the signed root');
    }
    this.record.finish();
    await this.#visitor?.finish();
  }

  async #consume(index: number, bytes: Buffer): Promise<void> {
    this.tree.append(bytes);
    const leaf = this.record.consume(index, bytes);
    if (leaf !== undefined) await this.#visitor?.visit(index, leaf);
    if (index === this.coveredLeaves) this.uncoveredFromUs = this.record.lastAtUs;
    this.#compareEarlier();
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
        this.coveredLeaves = size;
        this.uncoveredFromUs = undefined;
      }
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
    const leaves = isNewestWitnessed ? 0 : this.tree.size - this.coveredLeaves;
    const fromUs = this.uncoveredFromUs;
    const toUs = this.record.lastAtUs;
    if (leaves === 0 || fromUs === undefined || toUs === undefined) return { leaves, seconds: 0 };
    return { leaves, fromUs, toUs, seconds: Math.ceil(Math.max(0, toUs - fromUs) / 1_000_000) };
  }
}

async function openCheckpoint(source: LogSource, findings: Findings): Promise<Checkpoint | undefined> {
  try {
    return await readCheckpoint(source);
  } catch (error) {
    if (!(error instanceof SourceError || error instanceof FormatError)) throw error;
    const message = error instanceof MissingFileError ? error.message : `checkpoint: ${error.message}`;
    findings.report('checkpoint-unreadable', 'CANNOT-VERIFY', message);
    return undefined;
  }
}

async function openWitnessed(source: LogSource, findings: Findings): Promise<string | undefined> {
  try {
    return await readWitnessedText(source);
  } catch (error) {
    if (!(error instanceof SourceError || error instanceof FormatError)) throw error;
    findings.report('earlier-unreadable', 'CANNOT-VERIFY', `${WITNESSED_CHECKPOINT}: ${error.message}`);
    return undefined;
  }
}

interface ReportParts {
  readonly source: LogSource;
  readonly findings: Findings;
  readonly options: VerifyOptions;
  readonly checkpoint?: Checkpoint | undefined;
  readonly key?: NoteVerifier | undefined;
  readonly walk?: Walk | undefined;
  /** Organisations that cosigned the newest checkpoint, and the most that cosigned one checkpoint. */
  readonly witnessedNewest: number;
  readonly witnessed: number;
}

function buildReport(parts: ReportParts): VerifyReport {
  const { checkpoint, findings, key, options, walk, witnessed, witnessedNewest } = parts;
  const required = options.requireWitnesses ?? 0;
  const signedAtUs = checkpoint === undefined ? undefined : checkpointTimeUs(checkpoint);
  const sessions = walk?.record.sessions;
  const journals = [...(walk?.record.journals.journals.values() ?? [])];
  return {
    verdict: findings.verdict,
    exitCode: EXIT_CODES[findings.verdict],
    source: parts.source.name,
    ...(checkpoint !== undefined && {
      origin: checkpoint.origin,
      size: checkpoint.size,
      root: checkpoint.root.toString('base64'),
    }),
    ...(signedAtUs !== undefined && { signedAtUs }),
    ...(key !== undefined && { key: formatVerifierKey(key, key.algorithm) }),
    isKeyPinned: options.key !== undefined,
    witnessed,
    witnessesRequired: required,
    ...(walk !== undefined && { unwitnessed: walk.unwitnessed(witnessedNewest >= Math.max(1, required)) }),
    counts: {
      leaves: walk?.tree.size ?? 0,
      sessions: sessions?.sessions ?? 0,
      openSessions: sessions?.openSessions ?? 0,
      calls: sessions?.calls ?? 0,
      openCalls: sessions?.openCalls ?? 0,
      denied: sessions?.denied ?? 0,
      voided: sessions?.voided ?? 0,
      inDoubt: sessions?.inDoubt ?? 0,
      heartbeats: walk?.record.journals.heartbeats ?? 0,
      gaps: walk?.record.journals.gapCount ?? 0,
      erasures: walk?.record.custody.erasures ?? 0,
    },
    journals: Object.fromEntries(journals.filter((j) => j.next > 0).map((j) => [j.name, j.next - 1])),
    gaps: walk?.record.journals.gaps ?? [],
    findings: findings.listed,
    findingsTotal: findings.total,
  };
}

/**
 * Checks a whole log offline, in one pass with memory for the ids of its leaves and what is open. Never throws for
 * what a log contains: every problem is a finding, and the report begins with one word. A log that grows while it is
 * checked is checked at the size of the checkpoint that was read first.
 */
export async function verifyLog(source: LogSource, options: VerifyOptions = {}): Promise<VerifyReport> {
  const findings = new Findings();
  // Before the newest checkpoint, which is never older: a log that grows meanwhile must not look cut off.
  const witnessedText = await openWitnessed(source, findings);
  const checkpoint = await openCheckpoint(source, findings);
  const key = await findKey(source, options, findings);
  if (checkpoint === undefined || key === undefined) {
    return buildReport({ source, findings, options, checkpoint, key, witnessedNewest: 0, witnessed: 0 });
  }
  const isSigned = checkSignature(checkpoint, key, 'the checkpoint', findings);
  const older =
    witnessedText === undefined
      ? { earlier: [], organisations: 0 }
      : readWitnessed(witnessedText, options, key, findings);
  const earlier = [...readEarlier(options, key, findings), ...older.earlier];
  const witnessedNewest = cosigningOrganisations(checkpoint, options.witnesses ?? [], key).size;
  const witnessed = Math.max(witnessedNewest, older.organisations);
  const required = options.requireWitnesses ?? 0;
  if (witnessed < required) {
    findings.report(
      'witnesses',
      'UNWITNESSED',
      `${witnessed} of ${required} required organisations signed a checkpoint as witnesses`,
    );
  }
  const walk = new Walk({ source, checkpoint, key, isSigned, earlier, options, findings });
  await walk.run();
  return buildReport({ source, findings, options, checkpoint, key, walk, witnessedNewest, witnessed });
}
