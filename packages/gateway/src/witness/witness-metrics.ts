import { Counter, Gauge, Registry } from 'prom-client';

import { EVIDENCE_KINDS } from './evidence.ts';
import type { Witness } from './witness.ts';

export interface WitnessMetrics {
  readonly registry: Registry;
  /** Counts one answered request. */
  count(status: number, reason: string): void;
}

/** Prometheus metrics of a witness. Labels are configured origins and fixed words only. */
export function createWitnessMetrics(witness: Witness, failure: () => boolean): WitnessMetrics {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Counter({
    name: 'countersign_witness_requests_total',
    help: 'Requests by HTTP status and reason.',
    labelNames: ['status', 'reason'],
    registers,
  });
  const perLog = (name: string, help: string, value: (origin: string) => number | undefined): void => {
    const gauge: Gauge = new Gauge({
      name,
      help,
      labelNames: ['origin'],
      registers,
      collect: () => {
        gauge.reset();
        for (const { origin } of witness.logs) {
          const figure = value(origin);
          if (figure !== undefined) gauge.set({ origin }, figure);
        }
      },
    });
  };
  perLog(
    'countersign_witness_tree_size',
    'Leaves of the newest checkpoint that was cosigned.',
    (origin) => witness.store.get(origin)?.checkpoint.size,
  );
  perLog(
    'countersign_witness_cosigned_timestamp_seconds',
    'Time of the newest cosignature, seconds since the epoch.',
    (origin) => witness.store.get(origin)?.cosignedAt,
  );
  const evidence: Gauge = new Gauge({
    name: 'countersign_witness_evidence',
    help: 'Contradictory checkpoints that are kept. fork and rollback: alarm at once.',
    labelNames: ['origin', 'kind'],
    registers,
    collect: () => {
      evidence.reset();
      for (const { origin } of witness.logs) {
        const counts = witness.evidence.counts(origin);
        for (const kind of EVIDENCE_KINDS) evidence.set({ origin, kind }, counts[kind]);
      }
    },
  });
  const failing: Gauge = new Gauge({
    name: 'countersign_witness_state_failing',
    help: '1 while the newest attempt to write the state failed; nothing is cosigned then.',
    registers,
    collect: () => failing.set(failure() ? 1 : 0),
  });
  return { registry, count: (status, reason) => requests.inc({ status: String(status), reason }) };
}
