import type { PrincipalQuota } from '../config/config.ts';
import type { Appended } from '../record/recorder.ts';
import { TokenBucket } from './token-bucket.ts';

/** What a command costs of a turn beside its bytes: deciding and recording it takes as long as looking at so many bytes. */
export const COMMAND_COST = 4096;
/** What a principal may have of one turn of the event loop: 8 small commands, a fraction of a millisecond. */
export const TURN_COST = 8 * COMMAND_COST;
/** What of a principal may wait for the disk: no group commit holds much more of one principal. */
export const COMMIT_COST = 128 * COMMAND_COST;
/** What a refusal that is only counted costs of a quota: nobody needs many of them. */
const COUNTED_DENIAL_COMMANDS = 10;
/** Recording a result. */
const RESULT_COST = COMMAND_COST / 4;

/** What a principal's sessions may put together at a time of messages that are longer than a read; always one message. */
export const ASSEMBLY_BYTES = 8 * 1024 * 1024;

/** Of refusals, so many have a leaf of their own at once, and one more every second; others are counted together. */
const DENIALS_AT_ONCE = 100;
const DENIALS_PER_SECOND = 1;
/** A principal over its quota is reported once, and again only after it was not over it for so long. */
const QUIET_MS = 60_000;

/** Why a principal waits: for others' turn, for the disk, or for its quota. */
export type PaceReason = 'turn' | 'commit' | QuotaName;
export type QuotaName = 'commands' | 'record-bytes';

interface Assembler {
  readonly bytes: number;
  readonly start: () => void;
}

/** Leaves that were appended in one turn and wait for the disk. */
interface Unsettled {
  jseq: number;
  cost: number;
}

/** What one principal has had, over all its sessions. Knows no timer: `FairAdmission` lets the time pass. */
export class PrincipalShare {
  readonly principal: string;
  /** Sessions that wait, first come first served, each by what continues it. */
  readonly waiting = new Set<() => void>();
  /** Readers of answers that wait for the next turn only. */
  readonly readers = new Set<() => void>();
  /** Sessions that wait for room to put a long message together. */
  readonly assemblers = new Set<Assembler>();
  #assembling = 0;
  #spent = 0;
  #unsettled: Unsettled[] = [];
  #unsettledCost = 0;
  #commands: TokenBucket | undefined;
  #recordBytes: TokenBucket | undefined;
  #overSince: QuotaName | undefined;
  #lastOverMs = Number.NEGATIVE_INFINITY;
  #isRefusing = false;
  readonly #denials: TokenBucket;

  constructor(principal: string, nowMs: number) {
    this.principal = principal;
    this.#denials = new TokenBucket(DENIALS_PER_SECOND, DENIALS_AT_ONCE, nowMs);
  }

  /** Takes over the quota in force. 0 = none. */
  setQuota(quota: PrincipalQuota, nowMs: number): void {
    this.#isRefusing = quota.overQuota === 'refuse';
    this.#commands = adjust(this.#commands, quota.commandsPerSecond, quota, nowMs);
    this.#recordBytes = adjust(this.#recordBytes, quota.recordBytesPerSecond, quota, nowMs);
  }

  /**
   * A leaf of this principal was appended. Gives the quota that it crossed, if that is news.
   * @param leaf undefined: a refusal that is only counted.
   * @param commands 1 for a command, admitted or refused; 0 for what follows from one.
   */
  charge(leaf: Appended | undefined, commands: 0 | 1, nowMs: number): QuotaName | undefined {
    const bytes = leaf?.bytes ?? 0;
    const cost = bytes + (commands === 1 ? COMMAND_COST : RESULT_COST);
    this.#spent += cost;
    if (leaf !== undefined && !leaf.isDurable) this.#addUnsettled(leaf.jseq, cost);
    if (commands > 0) this.#commands?.spend(leaf === undefined ? COUNTED_DENIAL_COMMANDS : 1, nowMs);
    this.#recordBytes?.spend(bytes, nowMs);
    return this.#noteOver(nowMs);
  }

  /** Bytes that went to the vault beside the journal. */
  chargeSpooled(bytes: number, nowMs: number): QuotaName | undefined {
    this.#spent += bytes;
    this.#recordBytes?.spend(bytes, nowMs);
    return this.#noteOver(nowMs);
  }

  /**
   * Asks for room to put a message of `bytes` together; `start` is called once there is, perhaps at once. Gives what ends it, or the
   * wait for it.
   */
  assemble(bytes: number, start: () => void): () => void {
    const assembler: Assembler = { bytes, start };
    this.assemblers.add(assembler);
    let isHeld = true;
    this.#startAssemblers();
    return () => {
      if (!isHeld) return;
      isHeld = false;
      if (!this.assemblers.delete(assembler)) this.#assembling -= bytes;
      this.#startAssemblers();
    };
  }

  /** First come first served: a long message is not overtaken by shorter ones for ever. */
  #startAssemblers(): void {
    for (const assembler of this.assemblers) {
      const { bytes, start } = assembler;
      if (this.#assembling > 0 && this.#assembling + bytes > ASSEMBLY_BYTES) return;
      this.assemblers.delete(assembler);
      this.#assembling += bytes;
      start();
    }
  }

  /** Whether anything of this turn is used up. */
  get isActive(): boolean {
    return this.#spent > 0;
  }

  /** Its part of this turn is used up. */
  get isOutOfTurn(): boolean {
    return this.#spent >= TURN_COST;
  }

  /** Another turn of the event loop. What was too much is paid off turn by turn. */
  nextTurn(): void {
    this.#spent = Math.max(0, this.#spent - TURN_COST);
  }

  get hasUnsettled(): boolean {
    return this.#unsettled.length > 0;
  }

  /** The journal is on disk up to here. */
  settle(durableJseq: number): void {
    let count = 0;
    for (const { jseq, cost } of this.#unsettled) {
      if (jseq > durableJseq) break;
      this.#unsettledCost -= cost;
      count++;
    }
    if (count > 0) this.#unsettled.splice(0, count);
  }

  /** The quota that it is over, if any. */
  overQuota(nowMs: number): QuotaName | undefined {
    if (this.#overSince === undefined) return undefined;
    if (this.quotaWaitMs(nowMs) > 0) return this.#overSince;
    this.#overSince = undefined;
    return undefined;
  }

  /** Until it is within its quota. */
  quotaWaitMs(nowMs: number): number {
    return Math.max(this.#commands?.waitMs(nowMs) ?? 0, this.#recordBytes?.waitMs(nowMs) ?? 0);
  }

  /** Why it may take no further command now. */
  reasonToWait(nowMs: () => number): PaceReason | undefined {
    if (this.#spent >= TURN_COST) return 'turn';
    if (this.#unsettledCost >= COMMIT_COST) return 'commit';
    if (this.#overSince === undefined || this.#isRefusing) return undefined;
    return this.overQuota(nowMs());
  }

  /** Whether it is over a quota for which commands are refused. */
  isRefused(nowMs: number): boolean {
    return this.#isRefusing && this.overQuota(nowMs) !== undefined;
  }

  /** Whether a refusal gets a leaf of its own. */
  mayRecordDenial(nowMs: number): boolean {
    return this.#denials.take(1, nowMs);
  }

  #addUnsettled(jseq: number, cost: number): void {
    const last = this.#unsettled.at(-1);
    this.#unsettledCost += cost;
    // Bounded: few entries, whose leaves become durable together or nearly so.
    if (last !== undefined && last.cost < COMMIT_COST / 16) {
      last.jseq = jseq;
      last.cost += cost;
    } else this.#unsettled.push({ jseq, cost });
  }

  #noteOver(nowMs: number): QuotaName | undefined {
    if (this.#commands === undefined && this.#recordBytes === undefined) return undefined;
    const quota = (this.#commands?.waitMs(nowMs) ?? 0) > 0 ? 'commands' : 'record-bytes';
    if (quota === 'record-bytes' && (this.#recordBytes?.waitMs(nowMs) ?? 0) === 0) return undefined;
    const isNews = nowMs - this.#lastOverMs > QUIET_MS;
    this.#overSince = quota;
    this.#lastOverMs = nowMs;
    return isNews ? quota : undefined;
  }
}

function adjust(
  bucket: TokenBucket | undefined,
  perSecond: number,
  quota: PrincipalQuota,
  nowMs: number,
): TokenBucket | undefined {
  if (perSecond === 0) return undefined;
  const burst = (perSecond * quota.burstMs) / 1000;
  if (bucket === undefined) return new TokenBucket(perSecond, burst, nowMs);
  bucket.change(perSecond, burst, nowMs);
  return bucket;
}
