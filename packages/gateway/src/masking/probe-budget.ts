/**
 * How many distinct regulated values may be asked for by equality (decision 28). The count belongs to the accountable owner, the class and the period: it
 * outlives grants, sessions and restarts. Who keeps it is told the values and keeps keyed digests of them.
 */
import type { ClassName } from './rules.ts';

export type BudgetPeriod = 'hour' | 'day' | 'week' | 'month';

/** One class of one statement. */
export interface ProbeAsk {
  readonly class: ClassName;
  readonly period: BudgetPeriod;
  /** What the grant allows in a period. */
  readonly limit: number;
  /** As the statement has them. Undefined: not known, and so counted as one that was never asked for. */
  readonly values: readonly (string | undefined)[];
}

export interface ProbeCount {
  readonly class: ClassName;
  readonly period: BudgetPeriod;
  readonly limit: number;
  /** Asked for in this period before. */
  readonly used: number;
  /** Of this statement, never asked for before in this period. */
  readonly fresh: number;
}

/** On its way to the disk: nothing of the statement may be forwarded before. */
export interface Spending {
  readonly isDurable: boolean;
  /** Calls back once, at once where the outcome is known. */
  onDurable(callback: (error?: Error) => void): void;
}

export interface ProbeClaim {
  readonly counts: readonly ProbeCount[];
  /** More than is left. Then nothing may be spent. */
  readonly exceeds: boolean;
  /** Counts them. Undefined: none is new, so there is nothing to write. In the same turn as the claim was made. */
  spend(): Spending | undefined;
}

/** Of one accountable owner. */
export interface ProbeBudget {
  claim(asks: readonly ProbeAsk[]): ProbeClaim;
}
