import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { formatVerifierKey } from 'countersign-verify';
import type { RecordConfig } from '../config/config.ts';
import { CountersignError } from '../errors.ts';
import { assertNotRestored } from './backup/restore-backup.ts';
import { createSystemClock, type Clock } from './clock.ts';
import type { LogGenesis } from './events.ts';
import type { Predecessor } from './events/witnessing.ts';
import type { IntegratorAnswer, IntegratorOptions, LogState } from './integrator/integrator-protocol.ts';
import { IntegratorThread } from './integrator/integrator-thread.ts';
import { logLeaves } from './integrator/log-leaves.ts';
import { JournalRecorder } from './journal-recorder.ts';
import { createFileLayer, type FileLayer } from './journal/file-layer.ts';
import { createAsyncFileLayer } from './journal/async-file-layer.ts';
import type { FaultSpec } from './journal/faulty-file-layer.ts';
import { KeyRegister } from './key-register.ts';
import { KeysInForce, type SigningKeys } from './keys-in-force.ts';
import { parseSigningKey, parseVaultPublicKey, vaultKeyFingerprint } from './keys.ts';
import { recordError } from './record-error.ts';
import { recoverJournal, type Recovered } from './recovery.ts';
import { SpoolClaims } from './vault/spool-claims.ts';
import { openVaultSpool, removeUnfinishedSpools, settleClaims } from './vault/spool.ts';
import { readPayloads, type VaultPayload } from './vault/read-payloads.ts';
import { VaultKeys } from './vault/vault-keys.ts';

export interface OpenRecorderOptions {
  /** Absolute; holds `journal/`, `log/` and `vault/`, which are made when missing (0700). */
  readonly stateDirectory: string;
  readonly node: string;
  /** Origin of the log: a schema-less URL. */
  readonly origin: string;
  /** Ed25519 key: PKCS#8 PEM, or `PRIVATE+KEY+…` (see `generateSigningKey`). */
  readonly signingKey: string;
  /** The log's key before this one, while the change is announced: signs as well. */
  readonly previousKey?: string;
  /** X25519 public key of the custodian: SPKI PEM or base64 of 32 bytes. */
  readonly custodianKey: string;
  /** Retention class of contents whose author names no other. Default `default`. */
  readonly retentionClass?: string;
  readonly record: RecordConfig;
  readonly software: { readonly version: string; readonly digest: string };
  readonly configDigest: string;
  /** Name of the journal. Default `w0`. */
  readonly journal?: string;
  readonly clock?: Clock;
  /** Start although acknowledged leaves are damaged; what is lost is declared. */
  readonly acceptLoss?: boolean;
  /** For the first leaf of a new log: the log that it takes the place of. */
  readonly succeeds?: Predecessor;
  /** Tests only. */
  readonly faults?: FaultSpec;
  /** Tests only: how long leaves may wait for the log before it is said to hang. Default: ten checkpoints, at least 30 s. */
  readonly logHangsAfterMs?: number;
}

/** What composition and command line need beyond the contract of the rooms. */
export interface OpenedRecorder extends JournalRecorder {
  /** The sealed contents behind leaves `from`..`to` of the journal, opened with the gateway's key of the current period. */
  readPayloads(from: number, to: number): AsyncIterable<VaultPayload>;
  readonly keys: KeysInForce;
  readonly vault: VaultKeys;
  readonly clock: Clock;
  /** The log's verifier keys: the one in force, and the one before while both sign. */
  readonly verifierKeys: readonly string[];
}

function bootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return 'unknown';
  }
}

interface Prepared {
  readonly integrator: IntegratorThread;
  readonly log: LogState;
  /** Where answers go once the recorder exists. */
  listen(onAnswer: (answer: IntegratorAnswer) => void, onDeath: (error: Error) => void): void;
}

/** Starts the integrator and waits until it has taken up the log. */
async function startIntegrator(options: IntegratorOptions): Promise<Prepared> {
  let onAnswer: (answer: IntegratorAnswer) => void;
  let onDeath: (error: Error) => void;
  const first = new Promise<IntegratorAnswer>((resolve, reject) => {
    onAnswer = resolve;
    onDeath = reject;
  });
  const integrator = new IntegratorThread(
    options,
    (answer) => onAnswer(answer),
    (error) => onDeath(error),
  );
  const answer = await first;
  if (answer.kind === 'failed') {
    await integrator.close();
    throw new CountersignError(answer.isFatal ? 'CS_RECORD_CORRUPT' : 'CS_RECORD_FAILED', {
      detail: answer.message,
    });
  }
  return {
    integrator,
    log: answer as LogState,
    listen(nextAnswer, nextDeath) {
      onAnswer = nextAnswer;
      onDeath = nextDeath;
    },
  };
}

interface Places {
  readonly journalDirectory: string;
  readonly logDirectory: string;
  readonly vaultDirectory: string;
}

function makePlaces(layer: FileLayer, stateDirectory: string, journal: string): Places {
  const places = {
    journalDirectory: join(stateDirectory, 'journal', journal),
    logDirectory: join(stateDirectory, 'log'),
    vaultDirectory: join(stateDirectory, 'vault'),
  };
  for (const directory of Object.values(places)) layer.makeDirectory(directory);
  return places;
}

/** Verifier keys, as texts. */
function signingKeys({ origin, previousKey, signingKey }: OpenRecorderOptions): SigningKeys {
  const key = formatVerifierKey(parseSigningKey(signingKey, origin));
  if (previousKey === undefined) return { key };
  return { key, previous: formatVerifierKey(parseSigningKey(previousKey, origin, 'log.previousKey')) };
}

/** The first leaves of this run. */
async function appendStart(
  recorder: JournalRecorder,
  recovered: Recovered,
  genesis: Omit<LogGenesis, 'type'>,
  software: {
    readonly version: string;
    readonly software: string;
    readonly node: string;
    readonly boot: string;
    readonly class: string;
  },
): Promise<void> {
  if (recovered.isNew) recorder.append({ type: 'log.genesis', ...genesis });
  for (const damage of recovered.damages) recorder.append({ type: 'gap.declared', ...damage });
  await recorder.closeCutSessions();
  const previous = recovered.isNew ? 'first' : recovered.wasStopped ? 'stopped' : 'crashed';
  recorder.append({ type: 'software.started', ...software, previous });
}

/**
 * Opens the record: recovers what a crash left, starts its two threads, and appends `log.genesis` (first run),
 * `gap.declared`, what is owed to cut sessions, and `software.started`. All of it is durable when this returns.
 *
 * @throws CountersignError `CS_RECORD_CORRUPT` when what was acknowledged is damaged (see `acceptLoss`),
 *   `CS_RECORD_FAILED` or `CS_RECORD_FULL` when the directory cannot be written, `CS_SECRET_UNAVAILABLE` for bad keys.
 */
export async function openRecorder(options: OpenRecorderOptions): Promise<OpenedRecorder> {
  try {
    return await open(options);
  } catch (error) {
    throw recordError(error);
  }
}

async function open(options: OpenRecorderOptions): Promise<OpenedRecorder> {
  const journal = options.journal ?? 'w0';
  const layer = createFileLayer(options.faults);
  const clock = options.clock ?? createSystemClock();
  const signing = signingKeys(options);
  assertNotRestored(layer, options.stateDirectory, options.origin);
  const custodian = parseVaultPublicKey(options.custodianKey);
  const retentionClass = options.retentionClass ?? 'default';
  const places = makePlaces(layer, options.stateDirectory, journal);
  const { vaultDirectory } = places;
  const vaultKeys = VaultKeys.open({ layer, vaultDirectory, clock, retentionClass, custodian });
  const register = new KeyRegister(layer, options.stateDirectory, options.origin);
  const { segmentBytes } = options.record;
  const { faults } = options;
  const files = createAsyncFileLayer(faults);
  const claims = new SpoolClaims(files);
  await removeUnfinishedSpools(places.vaultDirectory, files);
  const prepared = await startIntegrator({
    ...places,
    journal,
    origin: options.origin,
    signingKey: options.signingKey,
    previousKey: options.previousKey,
    segmentBytes,
    faults,
  });
  let recovered: Recovered;
  try {
    recovered = recoverJournal({
      layer,
      journalDirectory: places.journalDirectory,
      journal,
      integratedJseq: prepared.log.jseq,
      acceptLoss: options.acceptLoss ?? false,
      logLeaves: () => logLeaves(layer, places.logDirectory, prepared.log.size),
    });
    if (recovered.isNew && layer.exists(join(places.logDirectory, 'tile'))) {
      throw new CountersignError('CS_RECORD_CORRUPT', {
        detail: 'the log has tiles, but there is neither a checkpoint nor a journal',
        fatal: true,
        hint: 'Restore the state directory. A new log needs an empty directory: another first leaf under the same key is a fork.',
      });
    }
    // Its first leaf names the key in force; a change of key behind it would name another as the first one, and the log be ALTERED.
    if (recovered.isNew && signing.previous !== undefined) {
      throw new CountersignError('CS_CONFIG_INVALID', {
        detail: 'log.previousKey is set, but the log is new: no key was before log.signingKey',
        hint: 'Remove log.previousKey and start again.',
      });
    }
    await settleClaims(files, { ...places, marks: recovered.marks });
  } catch (error) {
    await prepared.integrator.close();
    throw error;
  }
  const identity = {
    node: options.node,
    version: options.software.version,
    software: options.software.digest,
    boot: bootId(),
  };
  const recorder = new JournalRecorder({
    journal,
    identity,
    config: options.record,
    clock,
    ledger: recovered.ledger,
    log: prepared.log,
    start: recovered.start,
    marks: recovered.marks,
    configDigest: options.configDigest,
    logHangsAfterMs: options.logHangsAfterMs,
    freeBytes: () => layer.freeBytes(places.journalDirectory),
    sync: {
      journalDirectory: places.journalDirectory,
      vaultDirectory: places.vaultDirectory,
      journal,
      segmentBytes,
      faults,
    },
    sealing: () => vaultKeys.sealing(),
    retentionClass,
    openSpool: (spoolClass, admit) =>
      openVaultSpool(places.vaultDirectory, {
        sealing: vaultKeys.sealing(),
        retentionClass: spoolClass,
        clock,
        admit,
        files,
        claims,
      }),
    onSpoolNamed: (id, leaf) => claims.name(id, leaf),
  });
  prepared.listen(
    (answer) => recorder.onIntegratorAnswer(answer),
    (error) => recorder.fail(`the integrator died: ${error.message}`),
  );
  try {
    await recorder.open(prepared.integrator);
  } catch (error) {
    await recorder.abandon();
    await prepared.integrator.close();
    throw error;
  }
  await appendStart(
    recorder,
    recovered,
    {
      origin: options.origin,
      key: signing.key,
      custodian: vaultKeyFingerprint(custodian),
      ...(options.succeeds === undefined ? {} : { succeeds: options.succeeds }),
    },
    { ...identity, class: retentionClass },
  );
  recorder.announceDataKeys();
  const keys = new KeysInForce({
    register,
    vault: vaultKeys,
    append: (event) => recorder.append(event, [], { control: true }),
    signing,
    custodian,
  });
  await recorder.drained();
  try {
    await keys.start();
  } catch (error) {
    await recorder.close('start failed');
    throw error;
  }
  return Object.assign(recorder, {
    keys,
    vault: vaultKeys,
    clock,
    verifierKeys: signing.previous === undefined ? [signing.key] : [signing.key, signing.previous],
    readPayloads: (from: number, to: number) =>
      readPayloads({ vaultDirectory, gatewayKey: vaultKeys.gatewayKey, journal, from, to }),
  });
}
