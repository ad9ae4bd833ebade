import type { PrincipalQuota } from '../config/config.ts';
import type { Appended, Recorder } from '../record/recorder.ts';
import { PrincipalShare, type PaceReason, type QuotaName } from './principal-share.ts';

export interface FairAdmissionOptions {
  readonly recorder: Pick<Recorder, 'onCommit' | 'onHealthChange' | 'health'>;
  /** The quota in force now; asked whenever a session begins. */
  readonly quota: () => PrincipalQuota;
  /** A principal is over a quota, which it was not for a minute. */
  readonly onOverQuota?: (principal: string, quota: QuotaName) => void;
  /** Monotonic ms. Default: the system's. */
  readonly nowMs?: () => number;
  /** Runs something in the next turn of the event loop, after what came from sockets. Default: `setImmediate`. */
  readonly nextTurn?: (work: () => void) => void;
}

/** How often sessions had to wait, by reason, since the start. */
export type PaceCounts = Readonly<Record<PaceReason, number>>;

/**
 * Decides whose commands are taken next, so that nobody's flood is everybody's (decision 20). Three rules, per principal and
 * over all its sessions:
 *
 * - **turn**: of one turn of the event loop a principal gets a slice; what it has more waits for the next one, in which every
 *   other principal has its slice first. With nobody else there, turns follow each other at once: nothing is lost.
 * - **commit**: of what waits for the disk only so much may be its own, so it cannot fill a group commit.
 * - **quota**: commands and record bytes per second, if configured.
 *
 * Who has to wait is not read from any more; nothing is thrown away. Results, closings and control events never wait.
 * Runs on the data thread; callbacks come from `setImmediate`, group commits and timers.
 */
export class FairAdmission {
  readonly #options: FairAdmissionOptions;
  readonly #nowMs: () => number;
  readonly #nextTurn: (work: () => void) => void;
  /** One per principal that ever came: as many as configurations name. */
  readonly #shares = new Map<string, PrincipalShare>();
  /** Those that used something of this turn. */
  readonly #active = new Set<PrincipalShare>();
  readonly #unsettled = new Set<PrincipalShare>();
  readonly #timers = new Map<PrincipalShare, NodeJS.Timeout>();
  readonly #counts: Record<PaceReason, number> = { turn: 0, commit: 0, commands: 0, 'record-bytes': 0 };
  #isTurnScheduled = false;
  /** While the record takes nothing, nobody waits for it: everybody is to be refused. */
  #isRecordDown = false;

  constructor(options: FairAdmissionOptions) {
    this.#options = options;
    this.#nowMs = options.nowMs ?? (() => performance.now());
    this.#nextTurn = options.nextTurn ?? ((work) => void setImmediate(work));
    options.recorder.onCommit(() => this.#onCommit());
    options.recorder.onHealthChange(({ ready, takesCommands = ready }) => this.#onHealth(takesCommands));
  }

  /** For a session that begins. */
  enter(principal: string): Pace {
    const nowMs = this.#nowMs();
    let share = this.#shares.get(principal);
    if (share === undefined) {
      share = new PrincipalShare(principal, nowMs);
      this.#shares.set(principal, share);
    }
    share.setQuota(this.#options.quota(), nowMs);
    return new Pace(this, share);
  }

  get counts(): PaceCounts {
    return this.#counts;
  }

  /** Sessions that wait now. */
  get waiting(): number {
    let sum = 0;
    for (const share of this.#shares.values()) sum += share.waiting.size;
    return sum;
  }

  /** For `Pace`. */
  charge(share: PrincipalShare, leaf: Appended | undefined, commands: 0 | 1): void {
    const news = share.charge(leaf, commands, this.#nowMs());
    this.#noteCharge(share, news);
    if (this.#isRecordDown) share.settle(Number.MAX_SAFE_INTEGER);
    else if (share.hasUnsettled) this.#unsettled.add(share);
  }

  /** For `Pace`. */
  chargeSpooled(share: PrincipalShare, bytes: number): void {
    this.#noteCharge(share, share.chargeSpooled(bytes, this.#nowMs()));
  }

  /** For `Pace`. */
  reasonToWait(share: PrincipalShare): PaceReason | undefined {
    return share.reasonToWait(this.#nowMs);
  }

  /** For `Pace`. */
  isRefused(share: PrincipalShare): boolean {
    return share.isRefused(this.#nowMs());
  }

  /** For `Pace`. */
  mayRecordDenial(share: PrincipalShare): boolean {
    return share.mayRecordDenial(this.#nowMs());
  }

  /** For `Pace`. */
  wait(share: PrincipalShare, resume: () => void): () => void {
    share.waiting.add(resume);
    const reason = this.reasonToWait(share) ?? 'turn';
    this.#counts[reason] += 1;
    this.#arm(share, reason);
    return () => void share.waiting.delete(resume);
  }

  /** For `Pace`. */
  waitForTurn(share: PrincipalShare, resume: () => void): () => void {
    share.readers.add(resume);
    this.#arm(share, 'turn');
    return () => void share.readers.delete(resume);
  }

  #noteCharge(share: PrincipalShare, news: QuotaName | undefined): void {
    this.#active.add(share);
    this.#scheduleTurn();
    if (news !== undefined) this.#options.onOverQuota?.(share.principal, news);
  }

  #scheduleTurn(): void {
    if (this.#isTurnScheduled) return;
    this.#isTurnScheduled = true;
    this.#nextTurn(() => this.#onTurn());
  }

  /** Everybody's slice first, and then one principal after the other, so that none is served twice. */
  #onTurn(): void {
    this.#isTurnScheduled = false;
    const active = [...this.#active];
    for (const share of active) {
      share.nextTurn();
      if (!share.isActive) this.#active.delete(share);
    }
    if (this.#active.size > 0) this.#scheduleTurn();
    for (const share of active) {
      this.#readOn(share);
      this.#advance(share);
    }
  }

  /** Answers come first: what was sent is not held back by what is still to be sent. */
  #readOn(share: PrincipalShare): void {
    for (const resume of share.readers) {
      if (share.isOutOfTurn) break;
      share.readers.delete(resume);
      resume();
    }
    if (share.readers.size > 0) this.#arm(share, 'turn');
  }

  #onCommit(): void {
    if (this.#unsettled.size === 0) return;
    const { durableJseq } = this.#options.recorder.health();
    for (const share of Array.from(this.#unsettled)) {
      share.settle(durableJseq);
      if (!share.hasUnsettled) this.#unsettled.delete(share);
      this.#advance(share);
    }
  }

  #onHealth(takesCommands: boolean): void {
    if (this.#isRecordDown === !takesCommands) return;
    this.#isRecordDown = !takesCommands;
    for (const share of Array.from(this.#unsettled)) {
      share.settle(Number.MAX_SAFE_INTEGER);
      this.#unsettled.delete(share);
      this.#advance(share);
    }
  }

  /** Continues its sessions in their order, as long as it may take commands. */
  #advance(share: PrincipalShare): void {
    for (const resume of share.waiting) {
      const reason = this.reasonToWait(share);
      if (reason !== undefined) {
        this.#arm(share, reason);
        return;
      }
      share.waiting.delete(resume);
      resume();
    }
  }

  /** Sees to it that who waits is continued. A commit needs nothing: there is one whenever something is unsettled. */
  #arm(share: PrincipalShare, reason: PaceReason): void {
    if (reason === 'turn') {
      this.#active.add(share);
      this.#scheduleTurn();
    } else if (reason !== 'commit' && !this.#timers.has(share)) {
      const waitMs = Math.max(1, Math.ceil(share.quotaWaitMs(this.#nowMs())));
      const timer = setTimeout(() => {
        this.#timers.delete(share);
        this.#advance(share);
      }, waitMs);
      this.#timers.set(share, timer);
    }
  }
}

/** One session's view of its principal's share. */
export class Pace {
  readonly #admission: FairAdmission;
  readonly #share: PrincipalShare;

  constructor(admission: FairAdmission, share: PrincipalShare) {
    this.#admission = admission;
    this.#share = share;
  }

  /** A command was taken: recorded as `leaf`, or (a refusal that is only counted) not. */
  chargeCommand(leaf: Appended | undefined): void {
    this.#admission.charge(this.#share, leaf, 1);
  }

  /** A leaf that follows from a command: it never waits, but it counts. */
  chargeLeaf(leaf: Appended): void {
    this.#admission.charge(this.#share, leaf, 0);
  }

  /** Bytes of a value that was too large to hold. */
  chargeSpooled(bytes: number): void {
    this.#admission.chargeSpooled(this.#share, bytes);
  }

  /** Whether the session must take no further command now; `wait` says when it may. */
  get mustWait(): boolean {
    return this.#admission.reasonToWait(this.#share) !== undefined;
  }

  /** Whether no more answers should be read in this turn of the event loop. */
  get isOutOfTurn(): boolean {
    return this.#share.isOutOfTurn;
  }

  /** Whether a command is to be refused, because its principal is over its quota and configuration says so. */
  get isRefused(): boolean {
    return this.#admission.isRefused(this.#share);
  }

  /** Whether a refusal of this principal gets a leaf of its own. */
  mayRecordDenial(): boolean {
    return this.#admission.mayRecordDenial(this.#share);
  }

  /**
   * Asks for room to put a message of so many bytes together; `start` is called once there is, perhaps at once. The returned function
   * gives the room back, or ends the wait for it.
   */
  assemble(bytes: number, start: () => void): () => void {
    return this.#share.assemble(bytes, start);
  }

  /** Calls `resume` once, in a later turn of the event loop in which answers may be read; not if the returned function was called before. */
  waitForTurn(resume: () => void): () => void {
    return this.#admission.waitForTurn(this.#share, resume);
  }

  /** Calls `resume` once, later, when the session may go on; not if the returned function was called before. */
  wait(resume: () => void): () => void {
    return this.#admission.wait(this.#share, resume);
  }
}
