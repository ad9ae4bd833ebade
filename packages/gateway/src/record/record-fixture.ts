/** For tests of the record: a state directory with keys, some traffic, and the check of everything by countersign-verify. */

import { createPrivateKey, randomBytes } from 'node:crypto';
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  directorySource,
  formatVerifierKey,
  parseVerifierKey,
  readBundle,
  readCheckpoint,
  TILE_WIDTH,
  tileWidth,
  VaultChecks,
  VaultReader,
  verifyLog,
  type Leaf,
  type VerifyReport,
} from 'countersign-verify';
import type { RecordConfig } from '../config/config.ts';
import type { FaultSpec } from './journal/faulty-file-layer.ts';
import { generateSigningKey, generateVaultKeyPair, parseSigningKey } from './keys.ts';
import { openRecorder, type OpenedRecorder, type OpenRecorderOptions } from './open-recorder.ts';
import type { Appended, LeafRef, Payload, Recorder } from './recorder.ts';

export const ORIGIN = 'log.test/record';
const DIGEST = 'A'.repeat(43);
const signingKey = generateSigningKey();
const vaultKeys = generateVaultKeyPair();
/** PEM of the custodian's private key. */
export const CUSTODIAN_KEY: string = vaultKeys.privateKey;
/** Ids of sessions differ between processes, too: a log lives through several. */
const sessionPrefix = randomBytes(3).toString('hex');
let sessions = 0;
const COPY_ATTEMPTS = 20;

export const testRecordConfig: RecordConfig = {
  timeoutMs: 2000,
  segmentBytes: 256 * 1024,
  resultDelayMs: 20,
  heartbeatMs: 60_000,
  checkpointMs: 100,
  minFreeBytes: 1024 * 1024,
};

/** Verifies log and vault of a state directory with both keys (PEM), and against checkpoints that somebody has seen. */
export async function verifyState(
  directory: string,
  keys: { readonly signingKey: string; readonly custodianKey: string },
  earlier?: readonly string[],
): Promise<VerifyReport> {
  const custodian = createPrivateKey(keys.custodianKey);
  return verifyLog(directorySource(join(directory, 'log')), {
    key: parseVerifierKey(formatVerifierKey(parseSigningKey(keys.signingKey, ORIGIN))),
    ...(earlier === undefined ? {} : { earlier }),
    visitor: (findings) => new VaultChecks(new VaultReader(join(directory, 'vault'), custodian), findings),
  });
}

/** Every leaf of the log in a state directory, as it stands on disk. */
export async function readState(directory: string): Promise<Leaf[]> {
  const source = directorySource(join(directory, 'log'));
  const { size } = await readCheckpoint(source);
  const leaves: Leaf[] = [];
  for (let index = 0; index * TILE_WIDTH < size; index++) {
    for (const bytes of await readBundle(source, index, tileWidth(0, index, size)))
      leaves.push(JSON.parse(bytes.toString('utf8')) as Leaf);
  }
  return leaves;
}

export class RecordFixture {
  readonly directory: string;
  readonly #config: Partial<RecordConfig>;

  constructor(config: Partial<RecordConfig> = {}) {
    this.directory = mkdtempSync(join(tmpdir(), 'countersign-record-'));
    this.#config = config;
  }

  get controlFile(): string {
    return join(this.directory, 'faults.json');
  }

  get journalDirectory(): string {
    return join(this.directory, 'journal', 'w0');
  }

  options(more: Partial<OpenRecorderOptions> = {}): OpenRecorderOptions {
    return {
      stateDirectory: this.directory,
      node: 'node-1',
      origin: ORIGIN,
      signingKey,
      custodianKey: vaultKeys.publicKey,
      record: { ...testRecordConfig, ...this.#config },
      software: { version: '0.1.0', digest: DIGEST },
      configDigest: DIGEST,
      ...more,
    };
  }

  open(more: Partial<OpenRecorderOptions> = {}): Promise<OpenedRecorder> {
    return openRecorder(this.options(more));
  }

  openFaulty(faults: FaultSpec = {}): Promise<OpenedRecorder> {
    return this.open({ faults: { controlFile: this.controlFile, ...faults } });
  }

  /** The same state in another directory. A recorder may be at work: it renames files, so one listed may be gone when its turn comes. */
  copy(): RecordFixture {
    for (let attempt = 1; ; attempt++) {
      const copy = new RecordFixture(this.#config);
      try {
        cpSync(this.directory, copy.directory, { recursive: true });
        return copy;
      } catch (error) {
        copy.remove();
        if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || attempt === COPY_ATTEMPTS) throw error;
      }
    }
  }

  /** Verifies log and vault with the pinned key and the custodian's key. */
  async verify(): Promise<VerifyReport> {
    return verifyState(this.directory, { signingKey, custodianKey: vaultKeys.privateKey });
  }

  /** Every leaf of the log, as it stands on disk. */
  async leaves(): Promise<Leaf[]> {
    return readState(this.directory);
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** One session that runs statements. */
export class TestSession {
  readonly id: string;
  readonly #recorder: Recorder;
  readonly #context: LeafRef;
  readonly #sealed: { readonly retentionClass: string | undefined };
  #seq = 0;
  calls = 0;

  /** `retentionClass`: of its contents. Default: that of the record. */
  constructor(recorder: Recorder, retentionClass?: string) {
    sessions++;
    this.#sealed = { retentionClass };
    this.id = `0190a000-0000-7000-8000-${sessionPrefix}${String(sessions).padStart(6, '0')}`;
    this.#recorder = recorder;
    this.#context = recorder.openContext({ principal: 'alice', analysis: 'lexical', class: retentionClass });
    const peer = recorder.commit(Buffer.from('127.0.0.1:1'));
    const digestKey = recorder.commit(Buffer.alloc(32, 7));
    recorder.append(
      {
        type: 'session.opened',
        session: this.id,
        seq: this.#seq++,
        context: this.#context,
        protocol: 'postgres',
        protocolVersion: '3.0',
        channel: { binding: false, method: 'scram-sha-256' },
        peer: peer.digest,
        backend: { pid: 1, serverVersion: '15.1' },
        digestKey: digestKey.digest,
      },
      [
        { field: 'peer', commitment: peer },
        { field: 'digest_key', commitment: digestKey },
      ],
      this.#sealed,
    );
  }

  intent(text = `select ${this.calls}`): Appended {
    const statement = this.#recorder.commit(Buffer.from(text));
    return this.intentWith({ statement: statement.digest }, [{ field: 'statement', commitment: statement }]);
  }

  /** An intent with these commitments. */
  intentWith(
    fields: { readonly statement?: string; readonly message?: string },
    payloads: readonly Payload[],
  ): Appended {
    const leaf = this.#recorder.append(
      {
        type: 'call.intent',
        session: this.id,
        seq: this.#seq,
        context: this.#context,
        decision: { effect: 'permit', policies: ['grant-1'], reasons: [] },
        kind: 'select',
        effect: 'read',
        txn: 'I',
        ...fields,
      },
      payloads,
      this.#sealed,
    );
    this.#seq++;
    this.calls++;
    return leaf;
  }

  result(call: string, urgency: 'sync' | 'ride' = 'ride'): Appended {
    return this.#recorder.append(
      {
        type: 'call.result',
        session: this.id,
        seq: this.#seq++,
        call,
        status: 'ok',
        rows: 1,
        bytesUp: 30,
        bytesDown: 80,
        durationUs: 250,
        delivered: DIGEST,
      },
      undefined,
      { urgency },
    );
  }

  /** A statement from intent to result, the result on its way. */
  async run(text?: string): Promise<Appended> {
    const intent = this.intent(text);
    await intent.durable();
    return this.result(intent.id);
  }

  close(): Appended {
    return this.#recorder.append({
      type: 'session.closed',
      session: this.id,
      seq: this.#seq++,
      context: this.#context,
      reason: 'client',
      calls: this.calls,
      bytesUp: 30 * this.calls,
      bytesDown: 80 * this.calls,
    });
  }
}

/** Waits for a condition; fails with the process's test timeout, not with a clock of its own. */
export async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}
