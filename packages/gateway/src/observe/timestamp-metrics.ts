import { Gauge } from 'prom-client';
import type { Registry } from 'prom-client';

/** How time stamping does. */
export interface TimestampFigures {
  /** Of the newest time stamp, µs since the epoch by the authority's clock. */
  readonly newestUs?: number;
  readonly failures: number;
}

/** Without an authority nothing is said. */
export function addTimestampMetrics(
  registry: Registry,
  source: () => TimestampFigures | undefined = () => undefined,
): void {
  const gauge = (
    name: string,
    help: string,
    value: (figures: TimestampFigures) => number | undefined,
  ): void => {
    const metric: Gauge = new Gauge({
      name: `countersign_${name}`,
      help,
      registers: [registry],
      collect: () => {
        metric.reset();
        const figures = source();
        const figure = figures === undefined ? undefined : value(figures);
        if (figure !== undefined) metric.set(figure);
      },
    });
  };
  gauge(
    'timestamp_newest_timestamp_seconds',
    'When the newest time-stamped checkpoint existed, by the clock of the authority, seconds since the epoch.',
    ({ newestUs }) => (newestUs === undefined ? undefined : newestUs / 1_000_000),
  );
  gauge(
    'timestamp_failures',
    'Attempts to have a checkpoint stamped that failed since the newest that did not.',
    ({ failures }) => failures,
  );
}
