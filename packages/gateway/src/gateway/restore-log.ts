import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';

import {
  checkLeaf,
  directorySource,
  FormatError,
  iterateLeaves,
  parseCheckpoint,
  parseVerifierKey,
  verifyLog,
  type Checkpoint,
  type Leaf,
  type LogSource,
  type Verdict,
} from 'countersign-verify';

import type { CountersignConfig, Secrets } from '../config/config.ts';
import { CountersignError } from '../errors.ts';
import { settleRestored } from '../record/backup/restore-backup.ts';
import { catchUp, type CaughtUp } from '../record/catch-up.ts';
import { eraseAgain, type ErasedAgain } from '../record/custody/erase-again.ts';
import type { Predecessor } from '../record/events/witnessing.ts';
import { realFileLayer } from '../record/journal/file-layer.ts';
import { contradictionOf, readEvidence } from '../record/witness/evidence-files.ts';
import { OwnLog } from '../record/witness/own-log.ts';
import { WitnessClient } from '../record/witness/witness-client.ts';
import { lockState } from './state-lock.ts';
import { archivedCheckpoints, readSuccession, writeRecovery, writeSuccession } from './succession.ts';
import { witnessParts } from './witness-start.ts';

/** Verdicts under which a mirror may be taken over: what it has is authentic. */
const SOUND: ReadonlySet<Verdict> = new Set([
  'VERIFIED',
  'VERIFIED-WITH-GAPS',
  'UNWITNESSED',
  'DISPOSED',
  'INCOMPLETE',
]);

/**
 * Takes the leaves that a restored log lacks from a mirror of it. The gateway must not run. Contents are not in a mirror of a
 * log: those of the leaves that come back are lost unless the vault was backed up later. `isComplete`: the operator says that the
 * mirror has everything that was ever signed; where witnesses are configured, they are asked that before the next start.
 *
 * @throws CountersignError `CS_INPUT_UNUSABLE` for a mirror that does not help, `CS_LOG_FORKED` for one that contradicts.
 */
export async function recoverLog(
  config: CountersignConfig,
  secrets: Secrets,
  mirror: LogSource,
  isComplete: boolean,
): Promise<CaughtUp & { readonly erased: ErasedAgain }> {
  const lock = lockState(config.stateDirectory);
  try {
    const { keys, log } = await witnessParts(config, secrets);
    const report = await verifyLog(mirror, { key: parseVerifierKey(keys[0]!) });
    if (!SOUND.has(report.verdict)) {
      throw new CountersignError('CS_INPUT_UNUSABLE', {
        detail: `the mirror is ${report.verdict}`,
        hint: 'countersign log verify on the mirror says what is wrong with it.',
      });
    }
    const known = await knownOf(config, secrets, log, []);
    const archive = join(config.stateDirectory, 'archive');
    mkdirSync(archive, { recursive: true, mode: 0o700 });
    const caught = await catchUp({
      stateDirectory: config.stateDirectory,
      log,
      mirror,
      known,
      oldJournal: join(archive, `journal-${stamp()}`),
      atUs: Date.now() * 1000,
    });
    if (caught.size > caught.before) writeRecovery(config.stateDirectory, caught.before);
    // A vault from before an erasure: what the log says is gone goes again, before anything else can read it.
    const erased = await eraseAgain(config.stateDirectory);
    // That nothing newer was signed is for the witnesses to say, at the next start, or for the operator.
    if (config.witness !== undefined || isComplete) await settleRestored(config.stateDirectory);
    return { ...caught, erased };
  } finally {
    lock.release();
  }
}

export interface SucceedOptions {
  /** Texts of checkpoints of the old log that were kept elsewhere. */
  readonly known: readonly string[];
  /** Go on although leaves of the old log are lost. */
  readonly acceptLoss: boolean;
}

export interface Succeeded {
  readonly predecessor: Predecessor;
  /** Where the old log, its journal and its vault are now, read-only. */
  readonly archive: string;
}

/**
 * Puts the old log away and leaves word for the first leaf of the new one, which has the origin of the configuration: another
 * than the old one's, so that nothing that is signed from now on can contradict what was signed before. The gateway must not run.
 *
 * @throws CountersignError `CS_CONFIG_INVALID` when the origin is still the old one's, `CS_LOG_ROLLED_BACK` when leaves are lost and
 *   that was not accepted, `CS_RECORD_CORRUPT` when there is no log to succeed.
 */
export async function succeedLog(
  config: CountersignConfig,
  secrets: Secrets,
  options: SucceedOptions,
): Promise<Succeeded> {
  const lock = lockState(config.stateDirectory);
  try {
    const { stateDirectory } = config;
    // Cut off after it was written: what is left is to finish.
    const begun = readSuccession(stateDirectory, config.log.origin);
    const predecessor = begun ?? (await findPredecessor(config, secrets, options));
    const lost = predecessor.size - predecessor.kept;
    if (lost > 0 && !options.acceptLoss) {
      throw new CountersignError('CS_LOG_ROLLED_BACK', {
        detail: `${predecessor.origin} had ${predecessor.size} leaves, and ${predecessor.kept} are here: ${lost} would be lost`,
        hint: 'countersign log recover takes them from a mirror. If there is none, add --accept-loss: the loss is put on the record.',
      });
    }
    const archive = join(stateDirectory, 'archive', predecessor.origin.replaceAll(/[^A-Za-z0-9._-]/g, '_'));
    if (begun === undefined) {
      if (existsSync(archive))
        throw new CountersignError('CS_FILE_EXISTS', { detail: archive, hint: 'Move it elsewhere first.' });
      writeSuccession(stateDirectory, config.log.origin, predecessor);
    }
    putAway(stateDirectory, archive);
    return { predecessor, archive };
  } finally {
    lock.release();
  }
}

/** The newest checkpoint of the old log that anyone knows, and how much of it is here. */
async function findPredecessor(
  config: CountersignConfig,
  secrets: Secrets,
  options: SucceedOptions,
): Promise<Predecessor> {
  const directory = join(config.stateDirectory, 'log');
  const { key, origin } = await readGenesis(directorySource(directory));
  if (archivedCheckpoints(config.stateDirectory).some((old) => old.origin === config.log.origin)) {
    throw new CountersignError('CS_CONFIG_INVALID', {
      detail: `log.origin: a log of the name ${config.log.origin} was succeeded here before`,
      hint: 'Give the new log a name that none had.',
    });
  }
  if (origin === config.log.origin) {
    throw new CountersignError('CS_CONFIG_INVALID', {
      detail: `log.origin: the log here is ${origin} itself`,
      hint: 'Give the new log a name of its own, and a key of its own if you can.',
    });
  }
  const vkey = await directorySource(directory).read('log.vkey');
  const keys = [key, ...(vkey === undefined ? [] : [vkey.toString('utf8').trim()])];
  const log = new OwnLog(directory, origin, keys);
  const here = await log.newest();
  if (here === undefined || !log.isOwn(here)) throw noLog('its checkpoint is not signed by its key');
  let newest: Checkpoint = here;
  let kept = here.size;
  for (const checkpoint of await knownOf(config, secrets, log, options.known)) {
    const kind = await contradictionOf(log, here.size, checkpoint);
    // A tree that is no continuation of the one here: none of the leaves here can be said to be in it.
    if (kind === 'log-forked') kept = 0;
    if (checkpoint.size > newest.size || kind === 'log-forked') newest = checkpoint;
  }
  return { origin, size: newest.size, root: newest.root.toString('base64url'), kept };
}

/** Checkpoints of the old log from everywhere, signed by its key. */
async function knownOf(
  config: CountersignConfig,
  secrets: Secrets,
  log: OwnLog,
  texts: readonly string[],
): Promise<readonly Checkpoint[]> {
  const given = texts.map((text, index) => {
    const checkpoint = parseKnown(text, index);
    if (!log.isOwn(checkpoint)) {
      throw new CountersignError('CS_INPUT_UNUSABLE', {
        detail: `checkpoint ${index + 1} is not signed by the key of ${log.origin}`,
      });
    }
    return checkpoint;
  });
  const witnessed = await log.witnessed();
  const { witnesses } = await witnessParts(config, secrets);
  const here = (await log.newest())?.size ?? 0;
  const shown: Checkpoint[] = [];
  for (const target of witnesses) {
    const client = new WitnessClient(log, target, config.witness?.timeoutMs ?? 0);
    const evidence = await client.lookForEvidence(here);
    client.close();
    if (evidence !== undefined) shown.push(parseCheckpoint(evidence.text));
  }
  return [
    ...given,
    ...shown,
    ...readEvidence(config.stateDirectory, log),
    ...(witnessed === undefined ? [] : [witnessed]),
  ];
}

function parseKnown(text: string, index: number): Checkpoint {
  try {
    return parseCheckpoint(text);
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    throw new CountersignError('CS_INPUT_UNUSABLE', { detail: `checkpoint ${index + 1}: ${error.message}` });
  }
}

async function readGenesis(
  source: LogSource,
): Promise<Leaf & { readonly origin: string; readonly key: string }> {
  if ((await source.read('checkpoint')) === undefined) throw noLog('there is no checkpoint');
  for await (const { bytes } of iterateLeaves(source, { size: 1 })) {
    const { leaf } = checkLeaf(bytes);
    if (leaf?.type === 'log.genesis' && typeof leaf['origin'] === 'string' && typeof leaf['key'] === 'string')
      return leaf as Leaf & { readonly origin: string; readonly key: string };
  }
  throw noLog('its first leaf cannot be read');
}

function noLog(reason: string): CountersignError {
  return new CountersignError('CS_RECORD_CORRUPT', { detail: `there is no log to succeed: ${reason}` });
}

/** Journal first: without it the log cannot be gone on with, whatever comes in between. */
function putAway(stateDirectory: string, archive: string): void {
  realFileLayer.makeDirectory(archive);
  for (const part of ['journal', 'log', 'vault']) {
    const from = join(stateDirectory, part);
    const to = join(archive, part);
    if (!existsSync(from) || existsSync(to)) continue;
    renameSync(from, to);
    realFileLayer.syncDirectory(stateDirectory);
    realFileLayer.syncDirectory(archive);
  }
  makeReadOnly(archive);
}

function makeReadOnly(directory: string): void {
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) makeReadOnly(path);
    else if (entry.isFile()) chmodSync(path, 0o400);
  }
  chmodSync(directory, 0o500);
}

function stamp(): string {
  return new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
}
