/** The whole check of a log: signatures, tree, leaves, and the comparison with what was known earlier. */

import type { X509Certificate } from 'node:crypto';
import { checkpointTimeUs, parseCheckpoint, type Checkpoint } from './checkpoint.ts';
import { FormatError } from './errors.ts';
import { EXIT_CODES, Findings, type Finding, type Verdict } from './findings.ts';
import type { GapReport } from './journal-checks.ts';
import { readKeyChain, rotationPath, type KeyChain } from './key-chain.ts';
import { decodeText, MissingFileError, readCheckpoint } from './log-reader.ts';
import { SourceError, type LogSource } from './log-source.ts';
import { LogWalk, type Earlier, type LeafVisitor, type UnwitnessedWindow } from './log-walk.ts';
import { formatVerifierKey, parseVerifierKey, type NoteVerifier } from './note.ts';
import { TimestampChecks, type TimestampReport } from './timestamp-checks.ts';
import { judgeWitnessing, newestCosignatureTime, witnessDemand } from './witnessing.ts';
import {
  cosigningOrganisations,
  readWitnessedText,
  WITNESSED_CHECKPOINT,
  type WitnessVerifier,
} from './witnesses.ts';

export type { LeafVisitor, UnwitnessedWindow } from './log-walk.ts';

export interface VerifyOptions {
  /** The log's public key, obtained elsewhere. Absent: `log.vkey` beside the log is believed, and the report says so. */
  readonly key?: NoteVerifier;
  /** Texts of checkpoints of this log that were kept elsewhere. */
  readonly earlier?: readonly string[];
  /** Keys of witnesses (algorithm 0x04) whose cosignatures count. */
  readonly witnesses?: readonly WitnessVerifier[];
  /**
   * How many of their organisations must have signed one checkpoint: the newest, `checkpoint.witnessed` or an earlier one. Default:
   * 1 when witnesses are given; 0 says that none are wanted.
   */
  readonly requireWitnesses?: number;
  /** Longest time that leaves behind that checkpoint may span, when witnesses are required. Default 90. */
  readonly maxUnwitnessedSeconds?: number;
  /** Certificates that authorities of time stamps (RFC 3161) must lead to. Without any, only that tokens fit is checked. */
  readonly timestampAuthorities?: readonly X509Certificate[];
  /** Makes a further check; it adds to the same findings. */
  readonly visitor?: (findings: Findings) => LeafVisitor;
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
  /** Newest cosignature of the given witnesses, seconds since the epoch by the witness's clock. */
  readonly witnessedAt?: number;
  /** Witnesses that the log's own leaves name, whether or not their keys were given. */
  readonly witnessesNamed: readonly string[];
  readonly unwitnessed?: UnwitnessedWindow;
  /** Absent when the leaves could not be walked. */
  readonly timestamps?: TimestampReport;
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
function checkSignature(checkpoint: Checkpoint, keys: KeyChain, what: string, findings: Findings): boolean {
  if (keys.signerOf(checkpoint) !== undefined) return true;
  const isClaimed = checkpoint.note.signatures.some((s) =>
    keys.keys.some((key) => s.name === key.name && s.keyId === key.keyId),
  );
  if (keys.isSuperseded(checkpoint)) {
    const message = `${what} is signed only by a key that the log had given up before`;
    findings.report('key-superseded', 'ALTERED', message);
  } else if (isClaimed) findings.report('signature', 'ALTERED', `the signature of ${what} does not fit`);
  else findings.report('signature-missing', 'CANNOT-VERIFY', `${what} is not signed by this key`);
  return false;
}

/** Decodes and checks one such checkpoint; undefined with a finding. */
function readOther(text: string, what: string, keys: KeyChain, findings: Findings): Checkpoint | undefined {
  try {
    const checkpoint = parseCheckpoint(text);
    return checkSignature(checkpoint, keys, what, findings) ? checkpoint : undefined;
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    findings.report('earlier-unreadable', 'CANNOT-VERIFY', `${what}: ${error.message}`);
    return undefined;
  }
}

/** Checkpoints that the caller kept. They vouch for what they cover, and their cosignatures count like any other's. */
function readEarlier(options: VerifyOptions, keys: KeyChain, findings: Findings): Earlier[] {
  return (options.earlier ?? []).flatMap((text, i) => {
    const checkpoint = readOther(text, `earlier checkpoint ${i + 1}`, keys, findings);
    return checkpoint === undefined ? [] : [{ checkpoint, what: 'an earlier checkpoint', isWitness: true }];
  });
}

/** `checkpoint.witnessed`: always compared, since the log's own key signed it; it covers only what witnesses in hand cosigned. */
function readWitnessed(text: string, options: VerifyOptions, keys: KeyChain, findings: Findings): Earlier[] {
  const checkpoint = readOther(text, WITNESSED_CHECKPOINT, keys, findings);
  if (checkpoint === undefined) return [];
  const organisations = cosigningOrganisations(checkpoint, options.witnesses ?? [], keys.newest).size;
  const isWitness = organisations >= Math.max(1, witnessDemand(options).required);
  return [{ checkpoint, what: WITNESSED_CHECKPOINT, isWitness }];
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
  readonly walk?: LogWalk | undefined;
  /** The most organisations that cosigned one checkpoint. */
  readonly witnessed: number;
  readonly witnessedAt?: number | undefined;
  readonly unwitnessed?: UnwitnessedWindow;
  readonly timestamps?: TimestampReport;
}

function buildReport(parts: ReportParts): VerifyReport {
  const { checkpoint, findings, key, options, unwitnessed, walk, witnessed, witnessedAt } = parts;
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
    witnessesRequired: witnessDemand(options).required,
    ...(witnessedAt !== undefined && { witnessedAt }),
    witnessesNamed: [...(walk?.namedWitnesses ?? [])],
    ...(unwitnessed !== undefined && { unwitnessed }),
    ...(parts.timestamps !== undefined && { timestamps: parts.timestamps }),
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

/** Whatever the log must extend, beside what the caller kept: `checkpoint.witnessed` and what was signed when keys changed. */
function readOwnEarlier(
  witnessedText: string | undefined,
  options: VerifyOptions,
  keys: KeyChain,
  findings: Findings,
): Earlier[] {
  const rotations = keys.rotations.map((rotation, i) => ({
    checkpoint: rotation.checkpoint,
    what: rotationPath(i),
    isWitness: false,
  }));
  const witnessed = witnessedText === undefined ? [] : readWitnessed(witnessedText, options, keys, findings);
  return [...witnessed, ...rotations];
}

/** How far witnesses vouch for what was walked; judges it. */
function assessWitnesses(
  walk: LogWalk,
  checkpoint: Checkpoint,
  others: readonly Checkpoint[],
  options: VerifyOptions,
  keys: KeyChain,
): Pick<ReportParts, 'witnessed' | 'witnessedAt' | 'unwitnessed'> {
  const witnesses = options.witnesses ?? [];
  const demand = witnessDemand(options);
  const organisationsOf = (one: Checkpoint): number =>
    cosigningOrganisations(one, witnesses, keys.newest).size;
  const witnessedNewest = organisationsOf(checkpoint);
  const witnessed = Math.max(witnessedNewest, ...others.map(organisationsOf));
  const times = [checkpoint, ...others]
    .map((one) => newestCosignatureTime(one, witnesses, keys.newest))
    .filter((time) => time !== undefined);
  const unwitnessed = walk.unwitnessed(witnessedNewest >= Math.max(1, demand.required));
  judgeWitnessing(demand, { witnessed, window: unwitnessed, named: walk.namedWitnesses }, walk.findings);
  return { witnessed, witnessedAt: times.length === 0 ? undefined : Math.max(...times), unwitnessed };
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
    return buildReport({ source, findings, options, checkpoint, key, witnessed: 0 });
  }
  const keys = await readKeyChain(source, key, findings);
  const isSigned = checkSignature(checkpoint, keys, 'the checkpoint', findings);
  const earlier = [
    ...readEarlier(options, keys, findings),
    ...readOwnEarlier(witnessedText, options, keys, findings),
  ];
  const timestampChecks = new TimestampChecks(findings, keys, options.timestampAuthorities ?? []);
  const walk = new LogWalk({
    source,
    checkpoint,
    // With the wrong key in hand, that the log names another one says nothing against the log.
    genesisKey: isSigned ? formatVerifierKey(keys.oldest, keys.oldest.algorithm) : undefined,
    earlier,
    visitor: options.visitor?.(findings),
    timestamps: timestampChecks,
    findings,
  });
  await walk.run();
  const timestamps = await timestampChecks.check(source, walk.tree);
  const others = earlier.map((one) => one.checkpoint);
  const witnessing = assessWitnesses(walk, checkpoint, others, options, keys);
  return buildReport({ source, findings, options, checkpoint, key, walk, timestamps, ...witnessing });
}
