import { join } from 'node:path';

import { formatVerifierKey, parseVerifierKey } from 'countersign-verify';

import type { CountersignConfig, Secrets } from '../config/config.ts';
import type { WitnessConfig } from '../config/witness-section.ts';
import { CountersignError } from '../errors.ts';
import type { Logger } from '../observe/logger.ts';
import { keepCosignatures } from '../record/integrator/kept-cosignatures.ts';
import { LogFiles } from '../record/integrator/log-files.ts';
import { realFileLayer } from '../record/journal/file-layer.ts';
import { parseSigningKey } from '../record/keys.ts';
import { askOnce } from '../record/witness/ask-once.ts';
import type { AskedOnce } from '../record/witness/ask-once.ts';
import { contradictionOf, keepEvidence, readEvidence } from '../record/witness/evidence-files.ts';
import { makeClients } from '../record/witness/make-clients.ts';
import { OwnLog } from '../record/witness/own-log.ts';
import type { Evidence, WitnessClient, WitnessTarget } from '../record/witness/witness-client.ts';
import { readRecordKeys } from './record-keys.ts';
import { archivedCheckpoints } from './succession.ts';

/** Longest wait for witnesses before a start: a start must not hang on whoever is away. */
const START_PATIENCE_MS = 10_000;

/** What witnesses said before a start. */
export type StartFindings = Pick<AskedOnce, 'objections' | 'forgetful'>;

/** The log of a configuration, and whom it asks. Certificates are read. */
export interface WitnessParts {
  readonly log: OwnLog;
  readonly logDirectory: string;
  /** Verifier keys of the log. */
  readonly keys: readonly string[];
  readonly witnesses: readonly WitnessTarget[];
}

/** Throws `CS_SECRET_UNAVAILABLE`, or `CS_CONFIG_INVALID` when a witness has the key of the log. */
export async function witnessParts(config: CountersignConfig, secrets: Secrets): Promise<WitnessParts> {
  const { previousKey, signingKey } = await readRecordKeys(config, secrets);
  const signers = [signingKey, previousKey]
    .filter((key) => key !== undefined)
    .map((key) => parseSigningKey(key, config.log.origin));
  const witnesses = await Promise.all(
    (config.witness?.witnesses ?? []).map(async ({ ca, ...witness }) =>
      ca === undefined ? witness : Object.assign(witness, { ca: (await secrets.read(ca)).toString('utf8') }),
    ),
  );
  const keys = signers.map((signer) => formatVerifierKey(signer));
  const own = new Set(signers.map(({ publicKey }) => publicKey.toString('base64')));
  for (const { key } of witnesses) {
    const { name, publicKey } = parseVerifierKey(key);
    if (own.has(publicKey.toString('base64'))) {
      throw new CountersignError('CS_CONFIG_INVALID', {
        detail: `${name} has the log's own key`,
        hint: 'A log does not witness itself.',
      });
    }
  }
  const logDirectory = join(config.stateDirectory, 'log');
  return { log: new OwnLog(logDirectory, config.log.origin, keys), logDirectory, keys, witnesses };
}

/**
 * Before anything is written to the record: is this the log that the witnesses know? A state directory that was put back
 * from a backup, or a second one under the same key, would go on with other leaves at numbers that are taken. What
 * cosignatures come along are kept.
 *
 * Gives what is to be put on the record once it is open: objections that have nothing but a witness's word behind them, and
 * witnesses that lost their memory. They stop nothing.
 *
 * @throws CountersignError `CS_LOG_ROLLED_BACK` or `CS_LOG_FORKED` when a checkpoint that this log's own key signed says so.
 */
export async function askBeforeStart(
  config: CountersignConfig,
  parts: WitnessParts,
  logger: Logger,
): Promise<StartFindings> {
  const { log, logDirectory } = parts;
  const size = (await log.newest())?.size ?? 0;
  await checkKept(config.stateDirectory, log, size);
  const { witness } = config;
  if (witness === undefined) return { objections: [], forgetful: [] };
  const { clients } = await makeClients(log, { ...parts, timeoutMs: witness.timeoutMs });
  try {
    const asked = await askOnce(log, clients, Math.min(START_PATIENCE_MS, 2 * witness.timeoutMs));
    for (const { evidence } of asked.objections) {
      if (evidence !== undefined) keepEvidence(config.stateDirectory, evidence);
    }
    const proven = asked.objections.find(({ evidence }) => evidence !== undefined);
    if (proven?.evidence !== undefined) throw contradicted(proven.evidence, size, proven.witness);
    keepAnswers(logDirectory, asked, witness);
    for (const name of asked.silent) logger.warn('witness does not answer', { witness: name });
    return asked;
  } finally {
    for (const client of clients) client.close();
  }
}

/** After the record was closed: the last leaves are shown to those witnesses who answered until now. Never rejects. */
export async function askAfterStop(
  parts: WitnessParts,
  witness: WitnessConfig,
  isTalking: (client: WitnessClient) => boolean,
  patienceMs: number,
): Promise<void> {
  try {
    const timeoutMs = Math.min(witness.timeoutMs, patienceMs);
    const { clients } = await makeClients(parts.log, { ...parts, timeoutMs });
    const asked = await askOnce(parts.log, clients.filter(isTalking), patienceMs);
    for (const client of clients) client.close();
    keepAnswers(parts.logDirectory, asked, witness);
  } catch {
    // They are asked again before the next start.
  }
}

/**
 * What lies on disk may contradict the log without any witness: kept evidence, the newest checkpoint with a quorum, and a log of
 * this name that was put away.
 */
async function checkKept(stateDirectory: string, log: OwnLog, size: number): Promise<void> {
  const witnessed = await log.witnessed();
  // A log that was succeeded is over, whatever key its name comes back with.
  const archived = archivedCheckpoints(stateDirectory).filter(({ origin }) => origin === log.origin);
  const kept = [
    ...readEvidence(stateDirectory, log),
    ...(witnessed === undefined ? [] : [witnessed]),
    ...archived,
  ];
  for (const checkpoint of kept) {
    const kind = await contradictionOf(log, size, checkpoint);
    if (kind !== undefined) throw contradicted({ kind, size: checkpoint.size }, size, undefined);
  }
}

/** The refusal to start. `witness` undefined: the evidence was on disk. */
function contradicted(
  { kind, size }: Pick<Evidence, 'kind' | 'size'>,
  ownSize: number,
  witness: string | undefined,
): CountersignError {
  const source = witness === undefined ? 'kept in the state directory' : `shown by witness ${witness}`;
  const hint =
    'See "Restore" in docs/witness.md: countersign log recover takes the missing leaves from a mirror; countersign log succeed begins a new log.';
  return kind === 'log-rolled-back'
    ? new CountersignError('CS_LOG_ROLLED_BACK', {
        detail: `the log here has ${ownSize} leaves; its key has signed ${size} (${source})`,
        hint,
      })
    : new CountersignError('CS_LOG_FORKED', {
        detail: `the first ${size} leaves here are not those that the log's key has signed (${source})`,
        hint,
      });
}

/** No integrator runs: the files are ours. */
function keepAnswers(logDirectory: string, asked: AskedOnce, witness: WitnessConfig): void {
  if (asked.checkpoint === undefined || asked.lines === '') return;
  keepCosignatures(new LogFiles(realFileLayer, logDirectory), {
    kind: 'cosign',
    checkpoint: asked.checkpoint.text,
    lines: asked.lines,
    isQuorum: asked.organisations >= witness.quorum,
  });
}
