import { Counter, Gauge } from 'prom-client';
import type { Registry } from 'prom-client';

/** What is shown of one export. */
export interface ExportFigures {
  readonly name: string;
  readonly lagLeaves: number;
  readonly lagSeconds: number;
  readonly failures: number;
  readonly isStalled: boolean;
}

/** Read when scraped; labels are configured names. */
export function addExportMetrics(registry: Registry, exports: () => readonly ExportFigures[]): void {
  const gauge = (name: string, help: string, value: (figures: ExportFigures) => number): void => {
    const metric = new Gauge({
      name: `countersign_export_${name}`,
      help,
      labelNames: ['export'] as const,
      registers: [registry],
      collect: () => {
        metric.reset();
        for (const figures of exports()) metric.set({ export: figures.name }, value(figures));
      },
    });
  };
  gauge('lag_leaves', 'Leaves in the log that the export has not delivered.', (each) => each.lagLeaves);
  gauge('lag_seconds', 'Age of the oldest leaf that is not delivered.', (each) => each.lagSeconds);
  gauge('stalled', '1 while the export lags beyond its limit or has stopped.', (each) =>
    each.isStalled ? 1 : 0,
  );
  const failures = new Counter({
    name: 'countersign_export_failures_total',
    help: 'Deliveries that failed and were tried again.',
    labelNames: ['export'] as const,
    registers: [registry],
    collect: () => {
      failures.reset();
      for (const each of exports()) failures.inc({ export: each.name }, each.failures);
    },
  });
}

/** Totals of traces since the start. */
export interface SpanTotals {
  readonly sent: number;
  readonly dropped: number;
}

export function addTraceMetrics(registry: Registry, spans: () => SpanTotals): void {
  const total = (name: string, help: string, value: (totals: SpanTotals) => number): void => {
    const counter = new Counter({
      name: `countersign_spans_${name}_total`,
      help,
      registers: [registry],
      collect: () => {
        counter.reset();
        counter.inc(value(spans()));
      },
    });
  };
  total('sent', 'Spans that the receiver took.', (totals) => totals.sent);
  total(
    'dropped',
    'Spans that were given up: the queue was full, or the receiver did not take them.',
    (totals) => totals.dropped,
  );
}
