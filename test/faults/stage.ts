/** A record on its own: keys that can be kept for a replay, a state directory, and the check of everything that it must hold. */

import { createPrivateKey } from 'node:crypto';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
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
import type { RecordConfig } from '../../packages/gateway/src/config/config.ts';
import type { FaultSpec } from '../../packages/gateway/src/record/journal/faulty-file-layer.ts';
import {
  generateSigningKey,
  generateVaultKeyPair,
  parseSigningKey,
} from '../../packages/gateway/src/record/keys.ts';
import { openRecorder, type OpenedRecorder } from '../../packages/gateway/src/record/open-recorder.ts';
import { ORIGIN, testRecordConfig } from '../../packages/gateway/src/record/record-fixture.ts';

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
    const custodian = createPrivateKey(this.keys.custodianPrivate);
    return verifyLog(directorySource(join(this.state, 'log')), {
      key: parseVerifierKey(formatVerifierKey(parseSigningKey(this.keys.signingKey, ORIGIN))),
      earlier,
      visitor: (findings) => new VaultChecks(new VaultReader(join(this.state, 'vault'), custodian), findings),
    });
  }

  async leaves(): Promise<Leaf[]> {
    const source = directorySource(join(this.state, 'log'));
    const { size } = await readCheckpoint(source);
    const leaves: Leaf[] = [];
    for (let index = 0; index * TILE_WIDTH < size; index++) {
      for (const bytes of await readBundle(source, index, tileWidth(0, index, size)))
        leaves.push(JSON.parse(bytes.toString('utf8')) as Leaf);
    }
    return leaves;
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
