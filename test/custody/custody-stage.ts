/** A record with officers, and a desk that takes their requests: for tests of holds, retention and erasure. */

import { generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';
import {
  encodeCustodyRequest,
  iterateLeaves,
  directorySource,
  officerKeyText,
  readCheckpoint,
  signApproval,
  type Approval,
  type CanonicalObject,
  type CustodyRequest,
  type VerifyReport,
} from 'countersign-verify';
import { join } from 'node:path';
import type { CustodyConfig, RetentionConfig } from '../../packages/gateway/src/config/config.ts';
import { createSystemClock, type Clock } from '../../packages/gateway/src/record/clock.ts';
import { CustodyDesk } from '../../packages/gateway/src/record/custody/custody-desk.ts';
import type { OpenedRecorder } from '../../packages/gateway/src/record/open-recorder.ts';
import { ORIGIN, RecordFixture } from '../../packages/gateway/src/record/record-fixture.ts';

export interface TestOfficer {
  readonly name: string;
  readonly owner: string;
  readonly privateKey: KeyObject;
}

export function makeOfficer(name: string, owner: string): TestOfficer {
  return { name, owner, privateKey: generateKeyPairSync('ed25519').privateKey };
}

export const records = makeOfficer('records', 'Records Management');
export const privacy = makeOfficer('privacy', 'Data Protection Officer');
export const legal = makeOfficer('legal', 'Legal Department');
/** A second name and key of an owner who has one. */
export const recordsAgain = makeOfficer('records-again', 'records  management');
export const stranger = makeOfficer('stranger', 'Nobody we know');
export const OFFICERS = [records, privacy, legal, recordsAgain];

export function custodyOf(officers: readonly TestOfficer[], approvals = 2): CustodyConfig {
  return {
    approvals,
    readers: [],
    officers: officers.map(({ name, owner, privateKey }) => ({
      name,
      owner,
      key: officerKeyText(privateKey),
    })),
  };
}

/** The system's clock, set to another time. */
export class SetClock implements Clock {
  readonly source = 'system';
  offsetUs = 0;
  readonly #clock = createSystemClock();

  set(iso: string): void {
    this.offsetUs = Date.parse(iso) * 1000 - this.#clock.atUs();
  }

  atUs(): number {
    return this.#clock.atUs() + this.offsetUs;
  }

  monoUs(): number {
    return this.#clock.monoUs();
  }

  nowMs(): number {
    return this.#clock.nowMs();
  }
}

export interface StageSettings {
  readonly custody?: CustodyConfig;
  readonly retention?: RetentionConfig;
  readonly onStep?: (step: string) => void;
}

export class Stage {
  readonly fixture: RecordFixture;
  readonly clock = new SetClock();
  recorder!: OpenedRecorder;
  desk!: CustodyDesk;

  constructor(fixture = new RecordFixture({ checkpointMs: 20 })) {
    this.fixture = fixture;
  }

  /** Opens recorder and desk; `open` again after `close` is a restart. */
  async open(settings: StageSettings = {}): Promise<this> {
    this.recorder = await this.fixture.open({ clock: this.clock });
    this.desk = this.makeDesk(settings);
    await this.desk.start();
    return this;
  }

  makeDesk(settings: StageSettings = {}): CustodyDesk {
    return new CustodyDesk({
      stateDirectory: this.fixture.directory,
      origin: ORIGIN,
      keys: () => this.recorder.verifierKeys,
      recorder: this.recorder,
      vault: this.recorder.vault,
      clock: this.clock,
      custody: settings.custody ?? custodyOf(OFFICERS),
      retention: settings.retention,
      ...(settings.onStep !== undefined && { onStep: settings.onStep }),
    });
  }

  /** A request as the command line would make it. */
  request(action: string, scope: CanonicalObject, more: Partial<CustodyRequest> = {}): CustodyRequest {
    const now = this.clock.atUs();
    return encodeCustodyRequest({
      action,
      scope,
      log: ORIGIN,
      reason: 'asked for by a test',
      nonce: randomBytes(32).toString('base64url'),
      requestedAtUs: now,
      expiresAtUs: now + 3_600_000_000,
      ...more,
    });
  }

  approve(request: CustodyRequest, ...officers: readonly TestOfficer[]): Approval[] {
    return officers.map(({ name, privateKey }) => ({
      officer: name,
      key: officerKeyText(privateKey),
      signature: signApproval(request, privateKey),
    }));
  }

  /** Signs by two officers of different owners (one for a hold) and submits. */
  submit(action: string, scope: CanonicalObject): Promise<unknown> {
    const request = this.request(action, scope);
    return this.desk.submit(request.document, this.approve(request, records, privacy));
  }

  async verify(): Promise<VerifyReport> {
    await this.recorder.covered(this.recorder.health().appendedJseq);
    return this.fixture.verify();
  }

  /** Leaves of some types that are in the log. */
  async leaves(...types: readonly string[]): Promise<Record<string, unknown>[]> {
    await this.recorder.covered(this.recorder.health().appendedJseq);
    const source = directorySource(join(this.fixture.directory, 'log'));
    const found: Record<string, unknown>[] = [];
    const { size } = await readCheckpoint(source);
    for await (const { bytes } of iterateLeaves(source, { size })) {
      const leaf = JSON.parse(bytes.toString('utf8')) as Record<string, unknown>;
      if (types.includes(leaf['type'] as string)) found.push(leaf);
    }
    return found;
  }

  async close(): Promise<void> {
    await this.recorder.close('test');
  }

  remove(): void {
    this.fixture.remove();
  }
}
