/**
 * An erasure from plan to end. Order: (1) what is meant is wholly in the log and its segments are finished, (2) nothing of it is held,
 * (3) `erasure.started` is durable, (4) the files go, (5) `erasure.executed` is durable. A crash after (3) leaves an erasure that
 * `resume` completes; one before it leaves everything as it was.
 */

import type { KeyObject } from 'node:crypto';
import { CountersignError } from '../../errors.ts';
import type { ErasureScope } from '../events/custody.ts';
import type { RecordEvent } from '../events.ts';
import { uuidv7 } from '../random.ts';
import type { Sealing } from '../vault/sealing.ts';
import type { BegunErasure, Hold } from './custody-state.ts';
import { erasePeriod, rewriteFiles, sealedKeys, type DataKeySource, type Erased } from './erase-files.ts';
import type { ErasurePlan, ErasureQuestion, ScanResult } from './scan-protocol.ts';

/** What of the vault's keys an erasure needs. */
export interface EraserVault {
  /** Opens data keys of the current period. */
  readonly gatewayKey: KeyObject;
  sealing(): Sealing;
  /** From the next group commit on, contents are sealed in another segment. */
  renew(): void;
}

export interface EraserRecorder {
  readonly journal: string;
  /** Segments before it are wholly in the log and the vault. */
  readonly oldestSegment: number;
  health(): { readonly appendedJseq: number };
  heartbeat(): void;
  /** Resolves when leaf `jseq` is in the log. */
  covered(jseq: number): Promise<void>;
}

export interface EraserOptions {
  readonly vaultDirectory: string;
  readonly vault: EraserVault;
  readonly recorder: EraserRecorder;
  readonly nowUs: () => number;
  /** Appends a control event; resolves with its jseq when it is durable and taken into the state. */
  readonly record: (event: RecordEvent) => Promise<number>;
  readonly scan: (question: ErasureQuestion) => Promise<ScanResult>;
  readonly onStep?: ((step: string) => void) | undefined;
}

/** Data keys that one leaf can name. */
const MAX_KEYS = 1000;
const MAX_RANGES = 500;

export interface ErasureOrder {
  readonly scope: ErasureScope;
  readonly authority: 'request' | 'schedule';
  readonly request?: string;
}

export interface ErasureReport extends Erased {
  readonly erasure: string;
}

/** Why an erasure is not begun. */
export class ErasureRefusal extends Error {
  /** A word: `held`, `current`, `nothing`, `not-due`, `sealed`, `too-much`. */
  readonly reason: string;
  readonly holds: readonly string[];

  constructor(reason: string, holds: readonly string[] = []) {
    super(reason);
    this.reason = reason;
    this.holds = holds;
  }
}

export class Eraser {
  readonly #options: EraserOptions;
  #unlocked: ReadonlyMap<string, Buffer> = new Map();

  constructor(options: EraserOptions) {
    this.#options = options;
  }

  /** Data keys that the custodian opened, by id in hex, for what is done next; wiped when that is over. */
  async withKeys<T>(unlocked: ReadonlyMap<string, Buffer>, work: () => Promise<T>): Promise<T> {
    this.#unlocked = unlocked;
    try {
      return await work();
    } finally {
      this.#unlocked = new Map();
      for (const dataKey of unlocked.values()) dataKey.fill(0);
    }
  }

  get #keys(): DataKeySource {
    return { gatewayKey: this.#options.vault.gatewayKey, unlocked: this.#unlocked };
  }

  /** Throws `ErasureRefusal`; then nothing was touched. */
  async erase(order: ErasureOrder, holds: () => readonly Hold[]): Promise<ErasureReport> {
    const { scope } = order;
    const plan = await this.#plan(scope, holds());
    if (plan.held.length > 0) throw new ErasureRefusal('held', plan.held);
    if (plan.files.length === 0) throw new ErasureRefusal('nothing');
    if (order.authority === 'schedule' && plan.isYounger) throw new ErasureRefusal('not-due');
    const keys = await this.#keysOf(plan, scope);
    const erasure = uuidv7(Math.floor(this.#options.nowUs() / 1000));
    const { contents, ranges } = plan;
    const jseq = await this.#options.record({
      type: 'erasure.started',
      erasure,
      ...order,
      ranges,
      ...(keys.length > 0 && { keys }),
      contents,
    });
    const begun = { erasure, scope, ranges, keys, contents, jseq, journal: this.#options.recorder.journal };
    return this.#execute({ ...begun, authority: order.authority, isExecuted: false }, plan);
  }

  /** Completes what a crash or a disk cut short. */
  async resume(begun: BegunErasure): Promise<ErasureReport> {
    if (begun.scope.kind === 'period') return this.#execute(begun, undefined);
    return this.#execute(begun, await this.#ask(begun.scope, []));
  }

  async #execute(begun: BegunErasure, plan: ErasurePlan | undefined): Promise<ErasureReport> {
    const erased = await this.#touch(begun, plan);
    await this.#options.record({ type: 'erasure.executed', erasure: begun.erasure, ...erased });
    return { erasure: begun.erasure, ...erased };
  }

  async #touch(begun: BegunErasure, plan: ErasurePlan | undefined): Promise<Erased> {
    const { onStep, vault, vaultDirectory } = this.#options;
    if (plan === undefined || begun.scope.kind === 'period') {
      const scope = { retentionClass: begun.scope.class!, period: begun.scope.period! };
      return erasePeriod(scope, begun.contents, { vaultDirectory, onStep });
    }
    const isMeant = ({ journal, jseq }: { journal: string; jseq: number }): boolean =>
      begun.ranges.some((range) => range.journal === journal && jseq >= range.from && jseq <= range.to);
    const { custodian, gateway, period } = vault.sealing();
    const erased = await rewriteFiles(
      [...new Set(plan.files.map(({ file }) => file))],
      plan.targets.filter(isMeant),
      begun.keys,
      {
        vaultDirectory,
        onStep,
        keys: this.#keys,
        currentPeriod: period,
        recipients: { custodian, gateway },
        onDataKey: async (place, key) => {
          await this.#options.record({
            type: 'key.created',
            purpose: 'vault-data',
            key,
            class: place.retentionClass,
            period: place.period,
          });
        },
      },
    );
    // What an attempt before this one took out is counted with the rest.
    return { contents: Math.max(erased.contents, begun.contents), keys: erased.keys };
  }

  /** What the erasure touches, once all of that is finished and in the log. */
  async #plan(scope: ErasureScope, holds: readonly Hold[]): Promise<ErasurePlan> {
    if (scope.kind === 'period' && scope.period === this.#options.vault.sealing().period)
      throw new ErasureRefusal('current');
    const plan = await this.#ask(scope, holds);
    if (!plan.isInUse) return plan;
    this.#options.vault.renew();
    return this.#ask(scope, holds);
  }

  async #ask(scope: ErasureScope, holds: readonly Hold[]): Promise<ErasurePlan> {
    const { recorder, scan } = this.#options;
    recorder.heartbeat();
    await recorder.covered(recorder.health().appendedJseq);
    const finishedBefore = recorder.oldestSegment;
    const { plan } = await scan({ scope, holds, finishedBefore });
    if (plan === undefined) throw new CountersignError('CS_INTERNAL', { detail: 'a scan gave no plan' });
    return plan;
  }

  /** The data keys that go with rewritten files; all must open, or nothing is begun. */
  async #keysOf(plan: ErasurePlan, scope: ErasureScope): Promise<string[]> {
    if (plan.ranges.length > MAX_RANGES) throw new ErasureRefusal('too-much');
    if (scope.kind === 'period') return [];
    const keys = [...new Set(plan.files.flatMap((file) => file.keys))];
    if (keys.length > MAX_KEYS) throw new ErasureRefusal('too-much');
    const sealed = await sealedKeys(this.#options.vaultDirectory, plan.files, this.#keys);
    if (sealed.length > 0) throw new ErasureRefusal('sealed');
    return keys;
  }
}
