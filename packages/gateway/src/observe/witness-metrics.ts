import { Counter, Gauge } from 'prom-client';
import type { Registry } from 'prom-client';

/** What witnesses have seen, and how each of them does. */
export interface WitnessFigures {
  readonly window: { readonly leaves: number; readonly seconds: number; readonly witnessedSize: number };
  readonly witnesses: readonly {
    readonly name: string;
    readonly size: number;
    readonly failures: number;
    readonly isContradicting: boolean;
  }[];
  /** How often the thread that asks them died since the start. */
  readonly threadDeaths: number;
  /** Why the log cannot be trusted any more, if so. */
  readonly alarm?: string;
}

const NONE: WitnessFigures = {
  window: { leaves: 0, seconds: 0, witnessedSize: 0 },
  witnesses: [],
  threadDeaths: 0,
};

/** The unwitnessed window, and one series per configured witness. */
export function addWitnessMetrics(registry: Registry, source: (() => WitnessFigures) | undefined): void {
  const read = source ?? (() => NONE);
  const registers = [registry];
  const gauge = (name: string, help: string, value: (figures: WitnessFigures) => number): void => {
    const metric: Gauge = new Gauge({
      name: `countersign_${name}`,
      help,
      registers,
      collect: () => metric.set(value(read())),
    });
  };
  gauge('unwitnessed_leaves', 'Leaves that no quorum of witnesses has seen.', ({ window }) => window.leaves);
  gauge('unwitnessed_seconds', 'Age of the oldest of them.', ({ window }) => window.seconds);
  gauge('witnessed_size_leaves', 'Leaves that a quorum has seen.', ({ window }) => window.witnessedSize);
  gauge(
    'log_contradicted',
    "1 when a checkpoint that the log's own key signed contradicts the log.",
    ({ alarm }) => (alarm === undefined ? 0 : 1),
  );
  const deaths = new Counter({
    name: 'countersign_witness_thread_deaths_total',
    help: 'Times that the thread which asks witnesses died and was started again.',
    registers,
    collect: () => {
      deaths.reset();
      deaths.inc(read().threadDeaths);
    },
  });
  const perWitness = (
    name: string,
    help: string,
    value: (state: WitnessFigures['witnesses'][number]) => number,
  ): void => {
    const metric = new Gauge({
      name: `countersign_witness_${name}`,
      help,
      labelNames: ['witness'] as const,
      registers,
      collect: () => {
        for (const state of read().witnesses) metric.set({ witness: state.name }, value(state));
      },
    });
  };
  perWitness('size_leaves', 'Largest size that the witness has cosigned.', ({ size }) => size);
  perWitness('contradicts', '1 while the witness claims a tree that ours does not continue.', (state) =>
    state.isContradicting ? 1 : 0,
  );
  const failures = new Counter({
    name: 'countersign_witness_failures_total',
    help: 'Requests that brought no cosignature.',
    labelNames: ['witness'] as const,
    registers,
    collect: () => {
      failures.reset();
      for (const state of read().witnesses) failures.inc({ witness: state.name }, state.failures);
    },
  });
}
