/** What each journal's own numbering and life cycle must satisfy: no holes in `jseq`, runs, declared gaps, heartbeats. */

import type { Finding, Findings } from './findings.ts';
import type { Leaf } from './leaf.ts';
import { RangeSet, type Range } from './range-set.ts';

/** Heartbeats come at most 60 s apart; a loaded machine gets 15 s of grace. In µs of the monotonic clock. */
export const MAX_HEARTBEAT_US = 75_000_000;

export interface JournalState {
  readonly name: string;
  /** The `jseq` that comes next. */
  next: number;
  /** Starts of the software so far; 0 before the first. */
  run: number;
  isStopped: boolean;
  /** Ranges of `jseq` that are declared lost; both ends included. */
  readonly lost: RangeSet;
  /** Ranges that are missing and not declared yet. */
  readonly holes: RangeSet;
  /** Highest mark that any heartbeat named for this journal, and where. */
  mark: number;
  markIndex: number;
}

export interface GapReport {
  readonly index: number;
  readonly kind: 'declared' | 'crash' | 'in-doubt';
  readonly cause: string;
  /** Wall clock of the leaf that declares it, µs since the epoch. */
  readonly atUs: number;
  readonly lost: number;
}

const MAX_LISTED_GAPS = 100;

/** Types that only a run writes: after its `software.started`, and never after its `software.stopped`. */
const OF_A_RUN: ReadonlySet<string> = new Set([
  'authn.result',
  'call.denied',
  'call.intent',
  'config.changed',
  'context',
  'grant.issued',
  'identity.registered',
  'log.read',
  'policy.activated',
  'session.opened',
  'token.issued',
]);

/** What recovery writes for the run before, with the clock of its own. */
export function isOwedByCrash(leaf: Leaf): boolean {
  return (
    (leaf.type === 'call.result' && leaf['cause'] === 'in-doubt') ||
    (leaf.type === 'session.closed' && leaf['reason'] === 'crash')
  );
}

export class JournalChecks {
  readonly journals = new Map<string, JournalState>();
  readonly gaps: GapReport[] = [];
  gapCount = 0;
  heartbeats = 0;
  readonly #findings: Findings;
  readonly #waiting: {
    readonly state: JournalState;
    readonly missing: Range & { readonly count: number };
    readonly finding: Finding;
  }[] = [];
  /** Monotonic time of the newest heartbeat or start of this run, and of the newest leaf. */
  #lastBeatUs: number | undefined;
  #lastMonoUs = 0;
  /** The leaf before the newest one of this run. */
  #monoBeforeUs = 0;
  /** Since the newest heartbeat or start: time for which the process stood still, as it recorded. */
  #stoodStillUs = 0;
  #isSilenceExplained = false;

  constructor(findings: Findings) {
    this.#findings = findings;
  }

  journal(name: string): JournalState {
    let state = this.journals.get(name);
    if (state === undefined) {
      const [lost, holes] = [new RangeSet(), new RangeSet()];
      state = { name, next: 0, run: 0, isStopped: false, lost, holes, mark: -1, markIndex: 0 };
      this.journals.set(name, state);
    }
    return state;
  }

  /**
   * Something is missing of what lay at `from`..`to` of a journal, `count` leaves of it. Loss that an operator accepted explains it,
   * as far as it covers those numbers; it is declared behind the leaves that survived it, so the finding may have to wait for the end.
   * Gives false when nothing is missing there, declared or not: then the finding is made at once.
   */
  accuseUnlessLost(
    state: JournalState,
    missing: Range & { readonly count: number },
    finding: Finding,
  ): boolean {
    const lost = state.lost.count(missing, missing.count);
    if (lost >= missing.count) return true;
    const isPossible = lost + state.holes.count(missing, missing.count - lost) >= missing.count;
    if (isPossible) this.#waiting.push({ state, missing, finding });
    else this.#findings.add(finding);
    return isPossible;
  }

  addGap(gap: GapReport): void {
    this.gapCount++;
    if (this.gaps.length < MAX_LISTED_GAPS) this.gaps.push(gap);
    const what = {
      declared: 'a gap is declared',
      crash: 'a run ended without stopping',
      'in-doubt': 'the outcome of a call is in doubt',
    };
    this.#findings.report(
      `gap-${gap.kind}`,
      'VERIFIED-WITH-GAPS',
      `${what[gap.kind]} (${gap.cause})`,
      gap.index,
    );
  }

  /** For each leaf with a sound envelope, in log order. */
  consumeEnvelope(index: number, leaf: Leaf): JournalState {
    const state = this.journal(leaf.journal);
    if (leaf.jseq > state.next) {
      state.holes.add({ from: state.next, to: leaf.jseq - 1 });
    } else if (leaf.jseq < state.next) {
      this.#findings.report(
        'jseq-order',
        'ALTERED',
        `jseq ${leaf.jseq} comes where ${state.next} was due`,
        index,
      );
    }
    state.next = Math.max(state.next, leaf.jseq + 1);
    const isOfThisRun =
      !isOwedByCrash(leaf) && leaf.type !== 'gap.declared' && leaf.type !== 'software.started';
    if (isOfThisRun) {
      this.#monoBeforeUs = this.#lastMonoUs;
      this.#lastMonoUs = leaf.mono;
    }
    return state;
  }

  /** For each leaf that fits its schema, after `consumeEnvelope`. */
  consume(index: number, leaf: Leaf, state: JournalState): void {
    if (OF_A_RUN.has(leaf.type) && (state.run === 0 || state.isStopped)) {
      this.#findings.report('run-order', 'INCOMPLETE', `a ${leaf.type} comes while nothing runs`, index);
    }
    switch (leaf.type) {
      case 'software.started':
        this.#started(index, leaf, state);
        break;
      case 'software.stopped':
        this.#checkSilence(index);
        this.#lastBeatUs = undefined;
        state.isStopped = true;
        break;
      case 'heartbeat':
        this.#heartbeat(index, leaf, state);
        break;
      case 'gap.declared':
        this.#gap(index, leaf, state);
        break;
      case 'alert':
        if (leaf['code'] === 'suspended') this.#suspended(index, leaf);
        break;
      case 'recorder.degraded':
      case 'recorder.restored':
        this.#isSilenceExplained = true;
        break;
      default:
    }
  }

  /** After the last leaf. */
  finish(): void {
    this.#checkSilence();
    for (const { state, missing, finding } of this.#waiting) {
      if (state.lost.count(missing, missing.count) < missing.count) this.#findings.add(finding);
    }
    for (const state of this.journals.values()) {
      for (const { from, to } of state.holes) {
        this.#findings.report('jseq-hole', 'INCOMPLETE', `journal ${state.name} lacks jseq ${from} to ${to}`);
      }
      if (state.mark >= state.next) {
        const message = `a heartbeat names jseq ${state.mark} of journal ${state.name}, the log ends at ${state.next - 1}`;
        this.#findings.report('high-water-mark', 'INCOMPLETE', message, state.markIndex);
      }
    }
  }

  #started(index: number, leaf: Leaf, state: JournalState): void {
    const { previous } = leaf;
    // A run that a crash ended owes its heartbeats up to its last leaf.
    if (!state.isStopped) this.#checkSilence(index);
    const isFirst = state.run === 0;
    if (isFirst !== (previous === 'first') || (previous === 'stopped' && !state.isStopped)) {
      this.#findings.report(
        'run-order',
        'INCOMPLETE',
        'the software started in another way than it says',
        index,
      );
    }
    if (previous === 'crashed')
      this.addGap({ index, kind: 'crash', cause: 'crashed', atUs: leaf.at, lost: 0 });
    state.run++;
    state.isStopped = false;
    this.#lastBeatUs = leaf.mono;
    this.#lastMonoUs = leaf.mono;
    this.#stoodStillUs = 0;
    this.#isSilenceExplained = false;
  }

  #heartbeat(index: number, leaf: Leaf, own: JournalState): void {
    this.heartbeats++;
    this.#checkSilence(index);
    this.#lastBeatUs = leaf.mono;
    this.#stoodStillUs = 0;
    this.#isSilenceExplained = false;
    const marks = leaf['journals'] as unknown as readonly { journal: string; jseq: number }[];
    if (!marks.some((mark) => mark.journal === own.name && mark.jseq === leaf.jseq - 1)) {
      const message = 'a heartbeat does not name the leaf before it';
      this.#findings.report('high-water-mark', 'INCOMPLETE', message, index);
    }
    for (const { journal, jseq } of marks) {
      const state = this.journal(journal);
      if (jseq <= state.mark) continue;
      state.mark = jseq;
      state.markIndex = index;
    }
  }

  #gap(index: number, leaf: Leaf, state: JournalState): void {
    const { from, to, lost, cause } = leaf as unknown as {
      from: number;
      to: number;
      lost: number;
      cause: string;
    };
    this.#isSilenceExplained = true;
    this.addGap({ index, kind: 'declared', cause, atUs: leaf.at, lost });
    if (cause !== 'corruption') return;
    if (lost !== Math.max(0, to - from + 1)) {
      const message = 'a gap states another number of leaves than it has';
      this.#findings.report('gap-without-hole', 'INCOMPLETE', message, index);
    }
    if (!state.holes.delete({ from, to })) {
      if (to >= from)
        this.#findings.report(
          'gap-without-hole',
          'INCOMPLETE',
          'a gap is declared where no leaf is missing',
          index,
        );
      return;
    }
    state.lost.add({ from, to });
  }

  /** A standstill explains the silence before it, and no more than that. The clock of the run stops while the machine sleeps. */
  #suspended(index: number, leaf: Leaf): void {
    const stoppedUs = Number(leaf['for_us'] ?? 0) - Number(leaf['asleep_us'] ?? 0);
    this.#stoodStillUs += Math.max(0, Math.min(stoppedUs, this.#lastMonoUs - this.#monoBeforeUs));
    this.addGap({ index, kind: 'declared', cause: 'suspended', atUs: leaf.at, lost: 0 });
  }

  #checkSilence(index?: number): void {
    if (this.#lastBeatUs === undefined || this.#isSilenceExplained) return;
    const silence = this.#lastMonoUs - this.#lastBeatUs - this.#stoodStillUs;
    if (silence <= MAX_HEARTBEAT_US) return;
    const message = `no heartbeat for ${Math.round(silence / 1_000_000)} s`;
    this.#findings.report('heartbeat-missing', 'INCOMPLETE', message, index);
  }
}
