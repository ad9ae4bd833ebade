import { hash, randomBytes } from 'node:crypto';
import type {
  BudgetPeriod,
  ProbeAsk,
  ProbeBudget,
  ProbeClaim,
  ProbeCount,
  Spending,
} from '../masking/probe-budget.ts';
import { framed, KeyedHash } from '../masking/transforms/keyed-hash.ts';
import type { FaultSpec } from '../record/journal/faulty-file-layer.ts';
import { ProbeFile, readProbeFile, type ProbeEntry } from './probe-file.ts';

export interface ProbeBudgetsOptions {
  readonly stateDirectory: string;
  /** `MaskingKeys.probe`. */
  readonly key: Buffer;
  /** Longest wait of a command for the disk: `record.timeout`. */
  readonly timeoutMs: number;
  /** Wall clock, ms since the epoch. Default `Date.now`. */
  readonly now?: () => number;
  /** Tests only. */
  readonly faults?: FaultSpec | undefined;
}

interface Counter {
  readonly class: string;
  readonly period: BudgetPeriod;
  start: string;
  readonly digests: Set<string>;
}

/** Of 256 bits: two of a billion values have the same with probability 2^-69. */
const DIGEST_BYTES = 16;

/**
 * Counts which regulated values were asked for by equality (decision 28): by accountable owner, class and calendar period in UTC, whatever grant, session
 * or target it was under. A value counts once a period. What is spent is spent, also by a command that fails; under another masking key the values of before
 * are not known again, and count as they did.
 *
 * On the data thread. A period never goes back: a clock that is set back stays in the newest period that was counted in.
 * RISK: one that is set forward begins a new period early; the record has the step (`alert`, `clock-step`).
 */
export class ProbeBudgets {
  readonly #hash: KeyedHash;
  readonly #now: () => number;
  readonly #file: ProbeFile;
  readonly #owners = new Map<string, Map<string, Counter>>();

  /** Throws `CS_RECORD_CORRUPT`, `CS_RECORD_FAILED` and `CS_RECORD_FULL`. */
  static async open(options: ProbeBudgetsOptions): Promise<ProbeBudgets> {
    const budgets = new ProbeBudgets(options);
    for (const entry of await readProbeFile(options.stateDirectory)) budgets.#take(entry);
    await budgets.#file.open();
    return budgets;
  }

  private constructor(options: ProbeBudgetsOptions) {
    const { stateDirectory, timeoutMs, faults } = options;
    this.#hash = new KeyedHash(options.key);
    this.#now = options.now ?? Date.now;
    this.#file = new ProbeFile({ stateDirectory, timeoutMs, faults, live: () => this.#live() });
  }

  /** What belongs to one accountable owner, over all that it answers for. */
  of(owner: string): ProbeBudget {
    const key = hash('sha256', `countersign probe owner v1\0${owner}`, 'base64url');
    return { claim: (asks) => this.#claim(key, asks) };
  }

  /** Waits for what is on its way to the disk. */
  close(): Promise<void> {
    return this.#file.close();
  }

  #claim(owner: string, asks: readonly ProbeAsk[]): ProbeClaim {
    const fresh: { readonly counter: Counter; readonly digests: readonly string[] }[] = [];
    const counts = asks.map((ask): ProbeCount => {
      const counter = this.#counter(owner, ask.class, ask.period);
      const digests = this.#freshOf(ask, counter);
      fresh.push({ counter, digests });
      const { class: name, period, limit } = ask;
      return { class: name, period, limit, used: counter.digests.size, fresh: digests.length };
    });
    const exceeds = counts.some((count) => count.used + count.fresh > count.limit);
    return { counts, exceeds, spend: () => this.#spend(owner, fresh) };
  }

  #freshOf({ class: name, values }: ProbeAsk, counter: Counter): readonly string[] {
    const digests = new Set<string>();
    for (const value of values) {
      // What is not known was never asked for before.
      const digest =
        value === undefined ? randomBytes(DIGEST_BYTES) : this.#hash.digest(framed('probe', name, value));
      const text = digest.toString('base64url', 0, DIGEST_BYTES);
      if (!counter.digests.has(text)) digests.add(text);
    }
    return [...digests];
  }

  #spend(
    owner: string,
    fresh: readonly { readonly counter: Counter; readonly digests: readonly string[] }[],
  ): Spending | undefined {
    const entries: ProbeEntry[] = [];
    for (const { counter, digests } of fresh) {
      if (digests.length === 0) continue;
      for (const digest of digests) counter.digests.add(digest);
      const { class: name, period, start } = counter;
      entries.push({ owner, class: name, period, start, digests });
    }
    // A value that another command asks for at this moment may not be on disk yet.
    return entries.length === 0 ? this.#file.outstanding() : this.#file.append(entries);
  }

  #counter(owner: string, name: string, period: BudgetPeriod): Counter {
    const start = periodStart(period, this.#now());
    const counter = this.#obtain(owner, name, period, start);
    if (start > counter.start) {
      counter.start = start;
      counter.digests.clear();
    }
    return counter;
  }

  #obtain(owner: string, name: string, period: BudgetPeriod, start: string): Counter {
    let counters = this.#owners.get(owner);
    if (counters === undefined) this.#owners.set(owner, (counters = new Map()));
    const key = `${period} ${name}`;
    let counter = counters.get(key);
    if (counter === undefined) {
      counter = { class: name, period, start, digests: new Set() };
      counters.set(key, counter);
    }
    return counter;
  }

  /** Of the file. The newest period is the one that counts. */
  #take({ owner, class: name, period, start, digests }: ProbeEntry): void {
    const counter = this.#obtain(owner, name, period, start);
    if (start < counter.start) return;
    if (start > counter.start) {
      counter.start = start;
      counter.digests.clear();
    }
    for (const digest of digests) counter.digests.add(digest);
  }

  #live(): readonly ProbeEntry[] {
    const now = this.#now();
    const entries: ProbeEntry[] = [];
    for (const [owner, counters] of this.#owners) {
      for (const [key, counter] of counters) {
        const { class: name, period, start, digests } = counter;
        if (start < periodStart(period, now)) counters.delete(key);
        else if (digests.size > 0) entries.push({ owner, class: name, period, start, digests: [...digests] });
      }
    }
    return entries;
  }
}

/** The beginning of the calendar period in UTC: hours `2026-11-23T09`, months `2026-11`, else the day; weeks begin on Monday. */
export function periodStart(period: BudgetPeriod, nowMs: number): string {
  const text = new Date(nowMs).toISOString();
  switch (period) {
    case 'hour':
      return text.slice(0, 13);
    case 'day':
      return text.slice(0, 10);
    case 'month':
      return text.slice(0, 7);
    default: {
      const day = new Date(`${text.slice(0, 10)}T00:00:00Z`);
      day.setUTCDate(day.getUTCDate() - ((day.getUTCDay() + 6) % 7));
      return day.toISOString().slice(0, 10);
    }
  }
}
