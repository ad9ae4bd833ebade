/**
 * Where requests about the contents of the record are decided: who signed, whether it is in time, whether it was carried out
 * before, whether something is held. Everything is recorded before it is done; requests are taken one after another, so that
 * nothing changes between decision and deed.
 *
 * What is in force comes from the log (`custody-state.ts`). Configuration only proposes: the first officers and longer
 * retention take effect by themselves, all else needs a request that the officers in force signed.
 */

import { join } from 'node:path';
import {
  approvalsFor,
  decodeCustodyRequest,
  endOfPeriodUs,
  FormatError,
  isApprovalValid,
  unwrapDataKey,
  type Approval,
  type CustodyRequest,
} from 'countersign-verify';
import type { CustodyConfig, RetentionConfig } from '../../config/config.ts';
import { CountersignError } from '../../errors.ts';
import type { Clock } from '../clock.ts';
import type { RecordEvent } from '../events.ts';
import { encodeEvent } from '../leaf-encoder.ts';
import type { Payload, Recorder } from '../recorder.ts';
import { CustodyState, type BegunErasure, type CustodyLeaf, type Hold } from './custody-state.ts';
import { duePeriods, type DuePeriod } from './due-periods.ts';
import { SealedKeyError } from './erase-files.ts';
import {
  Eraser,
  ErasureRefusal,
  type EraserRecorder,
  type EraserVault,
  type ErasureReport,
} from './eraser.ts';
import { isSameOfficers, officersOfConfig } from './officers.ts';
import {
  parseErasureScope,
  parseHoldScope,
  parseOfficersScope,
  parseReleaseScope,
  parseRetentionScope,
  type OfficersScope,
} from './scopes.ts';
import type { ErasureQuestion, ScanResult } from './scan-protocol.ts';
import { scanInThread } from './scan-thread.ts';

/** A request may be made on a machine whose clock is ahead of ours by so much. */
const CLOCK_TOLERANCE_US = 5 * 60_000_000;

export type CustodyRecorder = EraserRecorder & Pick<Recorder, 'append' | 'commit'>;

export interface CustodyDeskOptions {
  readonly stateDirectory: string;
  /** Origin of the log: requests for another are refused. */
  readonly origin: string;
  /** Verifier keys of the log. */
  readonly keys: () => readonly string[];
  readonly recorder: CustodyRecorder;
  readonly vault: EraserVault;
  readonly clock: Clock;
  readonly custody: CustodyConfig | undefined;
  readonly retention: RetentionConfig | undefined;
  /** Tests only: called before each step of an erasure; throwing is a crash at that point. */
  readonly onStep?: (step: string) => void;
}

/** An action that requests may ask for. */
export interface CustodyAction {
  /** A word why it cannot be, or undefined. Nothing is done or recorded here. */
  refuse(request: CustodyRequest): string | undefined;
  /** After `custody.approved` is durable. The first leaf that it records names the request. */
  execute(request: CustodyRequest): Promise<unknown>;
}

export interface CustodyStatus {
  readonly log: string;
  /** The time that requests are judged by, µs: ahead of the clock when the record once was. */
  readonly nowUs: number;
  /** The gateway's vault key of this month, base64url: to it the custodian wraps keys for an erasure. */
  readonly gatewayKey: string;
  readonly officers: readonly { readonly officer: string; readonly key: string; readonly owner: number }[];
  readonly approvals: number;
  readonly unattended: boolean;
  readonly holds: readonly Hold[];
  readonly retention: readonly { readonly class: string; readonly keepDays: number }[];
  readonly due: readonly DuePeriod[];
  /** Erasures that were begun and are not known to have ended. */
  readonly unfinished: readonly string[];
  /** What the configuration asks for and nobody approved: sentences. */
  readonly proposals: readonly string[];
}

/** What a hold or an erasure answers is told to who asked, beside the code. */
class Refusal {
  readonly cause: string;
  readonly holds: readonly string[] | undefined;

  constructor(cause: string, holds?: readonly string[]) {
    this.cause = cause;
    this.holds = holds;
  }
}

export class CustodyDesk {
  readonly #options: CustodyDeskOptions;
  readonly #eraser: Eraser;
  readonly #actions = new Map<string, CustodyAction>();
  #state: CustodyState | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  /** The latest time that the record shows, and the monotonic clock when that was read. */
  #floor = { atUs: 0, monoUs: 0 };
  #custody: CustodyConfig | undefined;
  #retention: RetentionConfig | undefined;

  constructor(options: CustodyDeskOptions) {
    this.#options = options;
    this.#custody = options.custody;
    this.#retention = options.retention;
    const { recorder, vault } = options;
    this.#eraser = new Eraser({
      vaultDirectory: this.#vaultDirectory,
      vault,
      recorder,
      nowUs: () => this.#nowUs(),
      record: (event) => this.#record(event),
      scan: (question) => this.#scan(question),
      onStep: options.onStep,
    });
    this.#registerOwn();
  }

  /** Adds an action. `refuse` is asked before anything is recorded. */
  register(action: string, handler: CustodyAction): void {
    this.#actions.set(action, handler);
  }

  /**
   * Reads what the record says, completes erasures that were cut short, and puts in force what configuration may put in
   * force by itself. What waits for keys that only the custodian has stays unfinished. Throws what reading the log throws; then every request is refused until a later call succeeds.
   */
  start(): Promise<void> {
    return this.#serialised(async () => {
      const state = await this.#load();
      await this.#applyOfficers(state);
      await this.#applyRetention(state);
      let problem: unknown;
      for (const begun of state.unfinished()) {
        // One that waits for the custodian's keys does not keep the others waiting, and trying again would not help it.
        await this.#eraser.resume(begun).catch((error: unknown) => {
          if (!(error instanceof SealedKeyError)) problem ??= error;
        });
      }
      if (problem !== undefined) throw problem;
    });
  }

  /** Another configuration is in force; `start` looks at what it may change by itself. */
  propose(custody: CustodyConfig | undefined, retention: RetentionConfig | undefined): void {
    this.#custody = custody;
    this.#retention = retention;
  }

  /**
   * Takes a request with its approvals. Throws `CS_CUSTODY_REFUSED` with the reason as a word, `CS_CONTENTS_HELD`, `CS_RECORD_*`.
   * Whatever the outcome, it is on the record when this settles.
   */
  submit(
    document: Uint8Array,
    approvals: readonly Approval[],
    wrappedKeys: readonly Uint8Array[] = [],
  ): Promise<unknown> {
    return this.#serialised(() =>
      this.#eraser.withKeys(this.#unwrap(wrappedKeys), () => this.#take(document, approvals)),
    );
  }

  /** Data keys that the custodian wrapped to the gateway's key of this month. One that does not open is left out. */
  #unwrap(wrappedKeys: readonly Uint8Array[]): Map<string, Buffer> {
    const unlocked = new Map<string, Buffer>();
    for (const wrapped of wrappedKeys) {
      try {
        const { dataKey, keyId } = unwrapDataKey(Buffer.from(wrapped), this.#options.vault.gatewayKey);
        unlocked.set(keyId.toString('hex'), dataKey);
      } catch (error) {
        if (!(error instanceof FormatError)) throw error;
      }
    }
    return unlocked;
  }

  async #take(document: Uint8Array, approvals: readonly Approval[]): Promise<unknown> {
    const state = await this.#load();
    let request: CustodyRequest;
    try {
      request = decodeCustodyRequest(document);
    } catch (error) {
      if (!(error instanceof FormatError)) throw error;
      return this.#refuse(undefined, new Refusal('malformed'));
    }
    // Begun and cut short: the same request, now with the keys that were wanting, completes it.
    const begun = state.unfinished().find((each) => each.request === request.digest);
    if (begun !== undefined) return this.#eraser.resume(begun);
    const cause = this.#judge(request, approvals, state);
    if (cause !== undefined) return this.#refuse(request, new Refusal(cause));
    await this.#approve(request, approvals);
    try {
      return await this.#actions.get(request.action)!.execute(request);
    } catch (error) {
      if (!(error instanceof ErasureRefusal)) throw error;
      return this.#refuse(request, new Refusal(error.reason, error.holds));
    }
  }

  status(): Promise<CustodyStatus> {
    return this.#serialised(async () => {
      const state = await this.#load();
      return {
        log: this.#options.origin,
        nowUs: this.#nowUs(),
        gatewayKey: Buffer.from(this.#options.vault.sealing().gateway).toString('base64url'),
        officers: state.officers?.officers ?? [],
        approvals: state.officers?.approvals ?? 0,
        unattended: state.officers?.unattended ?? false,
        holds: [...state.holds.values()],
        retention: [...state.retention].map(([name, keepDays]) => ({ class: name, keepDays })),
        due: await this.#due(state),
        unfinished: state.unfinished().map(({ erasure }) => erasure),
        proposals: this.#proposals(state),
      };
    });
  }

  /** The scope of a request that would put the configured officers in force. */
  officersProposal(): OfficersScope | undefined {
    return officersOfConfig(this.#custody, this.#retention);
  }

  /** Erases what is due, where the officers let the schedule do so. Held periods are passed over. */
  runSchedule(): Promise<readonly ErasureReport[]> {
    return this.#serialised(async () => {
      const state = await this.#load();
      if (state.officers?.unattended !== true) return [];
      const reports: ErasureReport[] = [];
      for (const { class: name, period } of await this.#due(state)) {
        const scope = { kind: 'period', class: name, period } as const;
        try {
          reports.push(await this.#eraser.erase({ scope, authority: 'schedule' }, () => this.#holds()));
        } catch (error) {
          if (!(error instanceof ErasureRefusal)) throw error;
        }
      }
      return reports;
    });
  }

  /** Erasures whose ranges meet a range of leaves (jseq, both included). */
  erasuresIn(journal: string, from: number, to: number): Promise<BegunErasure[]> {
    return this.#serialised(async () => {
      const state = await this.#load();
      return [...state.erasures.values()].filter(({ ranges }) =>
        ranges.some((range) => range.journal === journal && range.from <= to && range.to >= from),
      );
    });
  }

  get #vaultDirectory(): string {
    return join(this.#options.stateDirectory, 'vault');
  }

  #holds(): readonly Hold[] {
    return [...(this.#state?.holds.values() ?? [])];
  }

  #serialised<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /** Not before anything that the record shows, and not slower than the monotonic clock: setting a clock back wins nothing. */
  #nowUs(): number {
    const { clock } = this.#options;
    return Math.max(clock.atUs(), this.#floor.atUs + clock.monoUs() - this.#floor.monoUs);
  }

  #scan(question?: ErasureQuestion): Promise<ScanResult> {
    return scanInThread({
      logDirectory: join(this.#options.stateDirectory, 'log'),
      vaultDirectory: this.#vaultDirectory,
      keys: this.#options.keys(),
      ...(question !== undefined && { question }),
    });
  }

  async #load(): Promise<CustodyState> {
    if (this.#state !== undefined) return this.#state;
    const { clock, recorder } = this.#options;
    await recorder.covered(recorder.health().appendedJseq);
    const { leaves, maxAtUs } = await this.#scan();
    const state = new CustodyState();
    for (const leaf of leaves) state.take(leaf);
    this.#floor = { atUs: maxAtUs, monoUs: clock.monoUs() };
    this.#state = state;
    return state;
  }

  async #record(event: RecordEvent, payloads: readonly Payload[] = []): Promise<number> {
    const { clock, recorder } = this.#options;
    const leaf = recorder.append(event, payloads, { control: true });
    await leaf.durable();
    const { id, journal, jseq } = leaf;
    const text = encodeEvent(event, { id, journal, jseq, atUs: clock.atUs(), monoUs: 0, seq: 0 });
    this.#state?.take(JSON.parse(text) as CustodyLeaf);
    return jseq;
  }

  #judge(request: CustodyRequest, approvals: readonly Approval[], state: CustodyState): string | undefined {
    const now = this.#nowUs();
    if (request.log !== this.#options.origin) return 'other-log';
    if (state.officers === undefined) return 'no-officers';
    if (request.expiresAtUs <= now) return 'expired';
    if (request.requestedAtUs > now + CLOCK_TOLERANCE_US) return 'not-yet';
    if (state.used.has(request.digest)) return 'replayed';
    const handler = this.#actions.get(request.action);
    if (handler === undefined) return 'unknown-action';
    const owners = new Set<number>();
    for (const approval of approvals) {
      const officer = state.officers.officers.find(({ key, officer: name }) => {
        return name === approval.officer && key === approval.key;
      });
      if (officer === undefined) return 'unknown-officer';
      if (!isApprovalValid(request, approval)) return 'bad-signature';
      owners.add(officer.owner);
    }
    if (owners.size < approvalsFor(request.action, state.officers.approvals)) return 'too-few-approvals';
    return handler.refuse(request);
  }

  async #approve(request: CustodyRequest, approvals: readonly Approval[]): Promise<void> {
    const { action, digest, document: bytes, expiresAtUs, scopeDigest: scope } = request;
    const document = this.#options.recorder.commit(bytes);
    await this.#record(
      {
        type: 'custody.approved',
        request: digest,
        action,
        scope,
        document: document.digest,
        approvals: approvals.map(({ key, officer, signature }) => ({ officer, key, signature })),
        expiresAtUs,
      },
      [{ field: 'document', commitment: document }],
    );
  }

  async #refuse(request: CustodyRequest | undefined, { cause, holds }: Refusal): Promise<never> {
    await this.#record({
      type: 'custody.refused',
      ...(request !== undefined && { request: request.digest, action: request.action }),
      cause,
      ...(holds !== undefined && holds.length > 0 && { holds }),
    });
    if (cause === 'held')
      throw new CountersignError('CS_CONTENTS_HELD', { detail: `held by ${(holds ?? []).join(', ')}` });
    throw new CountersignError('CS_CUSTODY_REFUSED', { detail: cause });
  }

  #registerOwn(): void {
    this.register('place-hold', {
      refuse: ({ scope }) => (parseHoldScope(scope) === undefined ? 'bad-scope' : undefined),
      execute: async ({ digest, scope }) => {
        const hold = `hold-${digest.replaceAll(/[^A-Za-z0-9]/g, '').slice(0, 12)}`;
        await this.#record({ type: 'hold.placed', hold, request: digest, scope: parseHoldScope(scope)! });
        return { hold };
      },
    });
    this.register('release-hold', {
      refuse: ({ scope }) => {
        const release = parseReleaseScope(scope);
        if (release === undefined) return 'bad-scope';
        return this.#state!.holds.has(release.hold) ? undefined : 'no-such-hold';
      },
      execute: async ({ digest, scope }) => {
        const { hold } = parseReleaseScope(scope)!;
        await this.#record({ type: 'hold.released', hold, request: digest });
        return { hold };
      },
    });
    this.register('erase', {
      refuse: ({ scope }) => (parseErasureScope(scope) === undefined ? 'bad-scope' : undefined),
      execute: ({ digest, scope }) =>
        this.#eraser.erase({ scope: parseErasureScope(scope)!, authority: 'request', request: digest }, () =>
          this.#holds(),
        ),
    });
    this.register('set-retention', {
      refuse: ({ scope }) => (parseRetentionScope(scope) === undefined ? 'bad-scope' : undefined),
      execute: async ({ digest, scope }) => {
        const { class: name, keep_days: keepDays } = parseRetentionScope(scope)!;
        await this.#record({ type: 'retention.changed', class: name, keepDays, request: digest });
        return { class: name, keepDays };
      },
    });
    this.register('change-officers', {
      refuse: ({ scope }) => (parseOfficersScope(scope) === undefined ? 'bad-scope' : undefined),
      execute: ({ digest, scope }) => this.#changeOfficers(parseOfficersScope(scope)!, digest),
    });
  }

  async #changeOfficers(scope: OfficersScope, request?: string): Promise<unknown> {
    const { approvals, officers, unattended } = scope;
    const owners = scope.owners.map((owner) => this.#options.recorder.commit(Buffer.from(owner)));
    await this.#record(
      {
        type: 'officers.changed',
        officers,
        owners: owners.map(({ digest }) => digest),
        approvals,
        unattended,
        ...(request !== undefined && { request }),
      },
      owners.map((commitment, i) => ({ field: `owners.${i}`, commitment })),
    );
    return { officers: officers.length, approvals };
  }

  async #applyOfficers(state: CustodyState): Promise<void> {
    const proposal = this.officersProposal();
    if (proposal !== undefined && state.officers === undefined) await this.#changeOfficers(proposal);
  }

  /** The first schedule of a log, and longer times; a class of contents that nobody limited before is for the officers. */
  async #applyRetention(state: CustodyState): Promise<void> {
    const isFirst = state.retention.size === 0;
    for (const { class: name, keepDays } of this.#retention?.classes ?? []) {
      const inForce = state.retention.get(name);
      if (inForce === undefined ? isFirst : keepDays > inForce)
        await this.#record({ type: 'retention.changed', class: name, keepDays });
    }
  }

  #proposals(state: CustodyState): string[] {
    const proposals: string[] = [];
    const officers = this.officersProposal();
    if (officers !== undefined && !isSameOfficers(officers, state.officers))
      proposals.push('the configured officers are not those in force');
    for (const { class: name, keepDays } of this.#retention?.classes ?? []) {
      const inForce = state.retention.get(name);
      if (inForce === keepDays) continue;
      const now = inForce === undefined ? 'without limit' : `${inForce} days`;
      proposals.push(`class ${name}: ${keepDays} days are configured, kept ${now}`);
    }
    return proposals;
  }

  async #due(state: CustodyState): Promise<DuePeriod[]> {
    // By the clock as it is: a leaf that once showed a later time must not make anything due earlier.
    const now = this.#options.clock.atUs();
    const current = this.#options.vault.sealing().period;
    const periods = await duePeriods(this.#vaultDirectory, state.retention, now);
    return periods.filter(({ period }) => period !== current && endOfPeriodUs(period) <= now);
  }
}
