import { Counter, Gauge } from 'prom-client';
import type { Registry } from 'prom-client';

/** What is shown of the catalogs of one target. */
export interface CatalogMetricFigures {
  readonly target: string;
  /** Undefined: no session uses one. */
  readonly ageSeconds: number | undefined;
  readonly loads: number;
  readonly failures: number;
  readonly lastLoadSeconds: number;
  readonly relations: number;
}

/** Read when scraped; labels are configured names. */
export function addCatalogMetrics(registry: Registry, figures: () => readonly CatalogMetricFigures[]): void {
  const labelNames = ['target'] as const;
  const gauge = (
    name: string,
    help: string,
    value: (each: CatalogMetricFigures) => number | undefined,
  ): void => {
    const metric = new Gauge({
      name: `countersign_catalog_${name}`,
      help,
      labelNames,
      registers: [registry],
      collect: () => {
        metric.reset();
        for (const each of figures()) {
          const shown = value(each);
          if (shown !== undefined) metric.set({ target: each.target }, shown);
        }
      },
    });
  };
  gauge(
    'age_seconds',
    'Since the oldest catalog snapshot in use was last known to be right.',
    (each) => each.ageSeconds,
  );
  gauge('relations', 'Relations in the catalog snapshots in use.', (each) => each.relations);
  gauge(
    'load_seconds',
    'How long it took to load the catalog that was loaded last.',
    (each) => each.lastLoadSeconds,
  );
  const total = (name: string, help: string, value: (each: CatalogMetricFigures) => number): void => {
    const counter = new Counter({
      name: `countersign_catalog_${name}_total`,
      help,
      labelNames,
      registers: [registry],
      collect: () => {
        counter.reset();
        for (const each of figures()) counter.inc({ target: each.target }, value(each));
      },
    });
  };
  total('loads', 'Catalog snapshots that differed from the one before.', (each) => each.loads);
  total('failures', 'Questions about a catalog that the target did not answer.', (each) => each.failures);
}
