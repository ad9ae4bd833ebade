/** A record on its own: keys that can be kept for a replay, a state directory, and the check of everything that it must hold. */

import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Leaf, VerifyReport } from 'countersign-verify';
import type { RecordConfig } from '../../packages/gateway/src/config/config.ts';
import type { FaultSpec } from '../../packages/gateway/src/record/journal/faulty-file-layer.ts';
import { generateSigningKey, generateVaultKeyPair } from '../../packages/gateway/src/record/keys.ts';
import { openRecorder, type OpenedRecorder } from '../../packages/gateway/src/record/open-recorder.ts';
import {
  ORIGIN,
  readState,
  testRecordConfig,
  verifyState,
} from '../../packages/gateway/src/record/record-fixture.ts';

const DIGEST = 'A'.repeat(43);

/** Where states are put that live for a moment only: in memory, if there is such a place. */
export const SCRATCH = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();

export interface StageKeys {
  readonly signingKey: string;
  readonly custodianPrivate: string;
  readonly custodianPublic: string;
}

export function createKeys(): StageKeys {
  const custodian = generateVaultKeyPair();
  return {
    signingKey: generateSigningKey(),
    custodianPrivate: custodian.privateKey,
    custodianPublic: custodian.publicKey,
  };
}

export interface StageOptions {
  readonly faults?: FaultSpec;
  readonly acceptLoss?: boolean;
  readonly record?: Partial<RecordConfig>;
}

export class Stage {
  /** Holds `state` and whatever belongs to a run. */
  readonly folder: string;
  readonly keys: StageKeys;

  constructor(keys: StageKeys, folder: string = mkdtempSync(join(SCRATCH, 'countersign-faults-'))) {
    this.folder = folder;
    this.keys = keys;
  }

  get state(): string {
    return join(this.folder, 'state');
  }

  get controlFile(): string {
    return join(this.folder, 'control.json');
  }

  get traceFile(): string {
    return join(this.folder, 'trace.jsonl');
  }

  open({ record, ...options }: StageOptions = {}): Promise<OpenedRecorder> {
    return openRecorder({
      stateDirectory: this.state,
      node: 'node-1',
      origin: ORIGIN,
      signingKey: this.keys.signingKey,
      custodianKey: this.keys.custodianPublic,
      record: { ...testRecordConfig, segmentBytes: 16 * 1024, checkpointMs: 20, minFreeBytes: 0, ...record },
      software: { version: '0.1.0', digest: DIGEST },
      configDigest: DIGEST,
      ...options,
    });
  }

  /** Log and vault, with pinned key and custodian's key, held against checkpoints that somebody has seen. */
  verify(earlier: readonly string[] = []): Promise<VerifyReport> {
    const { signingKey, custodianPrivate } = this.keys;
    return verifyState(this.state, { signingKey, custodianKey: custodianPrivate }, earlier);
  }

  leaves(): Promise<Leaf[]> {
    return readState(this.state);
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
