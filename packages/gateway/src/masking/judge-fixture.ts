/** For tests of the judge: lineages in short, a budget in memory. */
import type { Flow, Lineage, OutputColumn, Source, StatementLineage } from './lineage.ts';
import type { ProbeAsk, ProbeBudget, ProbeCount } from './probe-budget.ts';
import {
  BUILT_IN_CLASSES,
  type ClassRule,
  type MaskingGrant,
  type MaskingRules,
  NO_UNMASK,
} from './rules.ts';

export const REDACT = { kind: 'redact' } as const;

export function rulesOf(change: Partial<MaskingRules> = {}, ...classes: readonly ClassRule[]): MaskingRules {
  const builtIn = BUILT_IN_CLASSES.map((name): ClassRule => ({ name, transform: REDACT, derived: 'redact' }));
  return {
    version: 'A'.repeat(43),
    classes: new Map([...builtIn, ...classes].map((rule) => [rule.name, rule])),
    minGroup: 5,
    aggregates: new Set(['avg', 'sum']),
    detect: 'none',
    maxRowBytes: 16 * 1024 * 1024,
    routines: new Map(),
    ...change,
  };
}

export function maskingGrant(change: Partial<MaskingGrant>): MaskingGrant {
  return { ...NO_UNMASK, ...change };
}

/** `ssn` of `bank.customers.ssn`; `ssn:bank.v.tax`; `?bank.f` unknown; `~t.x` temporary. */
export function sourceOf(text: string): Source {
  if (text.startsWith('?')) return { kind: 'unknown', object: text.slice(1) };
  if (text.startsWith('~')) {
    const [relation = '', column = ''] = text.slice(1).split('.');
    return { kind: 'temporary', relation, column };
  }
  const [name = '', object] = text.split(':');
  return { kind: 'column', class: name, object: object ?? `bank.customers.${name}` };
}

export const sourcesOf = (...texts: readonly string[]): readonly Source[] => texts.map(sourceOf);

export function direct(...texts: readonly string[]): OutputColumn {
  return { sources: sourcesOf(...texts), how: 'direct' };
}

export function derived(...texts: readonly string[]): OutputColumn {
  return { sources: sourcesOf(...texts), how: 'derived' };
}

/** Columns as they are into a column of a temporary relation. None: free values. */
export function intoTemporary(sources: readonly string[], relation: string, column: string): Flow {
  return {
    sources: sourcesOf(...sources),
    how: 'direct',
    to: { kind: 'temporary', relation, column, defines: 'column' },
  };
}

export function statementOf(change: Partial<StatementLineage>): StatementLineage {
  const outputs = change.outputs ?? 'none';
  const read = Array.isArray(outputs) ? (outputs as readonly OutputColumn[]) : [];
  return {
    outputs,
    touched: read.flatMap(({ sources }) => sources),
    probes: [],
    oracles: [],
    flows: [],
    writes: [],
    constants: [],
    ...change,
  };
}

export function lineageOf(...statements: readonly Partial<StatementLineage>[]): Lineage {
  return { statements: statements.map(statementOf), isFree: false };
}

/** Counts in memory; `spent` has what was spent, by class. */
export class MemoryBudget implements ProbeBudget {
  readonly spent = new Map<string, Set<string>>();
  #unknown = 0;

  claim(asks: readonly ProbeAsk[]): ReturnType<ProbeBudget['claim']> {
    const fresh = new Map<string, Set<string>>();
    const counts = asks.map((ask): ProbeCount => {
      const known = this.spent.get(ask.class) ?? new Set();
      const found = new Set(ask.values.map((value) => value ?? `unknown ${this.#unknown++}`));
      const values = new Set([...found].filter((value) => !known.has(value)));
      fresh.set(ask.class, values);
      const { class: name, limit, period } = ask;
      return { class: name, period, limit, used: known.size, fresh: values.size };
    });
    const exceeds = counts.some((count) => count.used + count.fresh > count.limit);
    const spend = (): undefined => {
      for (const [name, values] of fresh)
        this.spent.set(name, new Set([...(this.spent.get(name) ?? []), ...values]));
    };
    return { counts, exceeds, spend };
  }
}
