import { Counter } from 'prom-client';
import type { Registry } from 'prom-client';

/** Since the start, by class (and transform), or by reason. Keys are names of the configuration and words of the gateway. */
export interface MaskingFigures {
  /** Values that left masked: `class transform`. */
  readonly masked: ReadonlyMap<string, number>;
  /** Commands to which a class was let out. */
  readonly unmasked: ReadonlyMap<string, number>;
  /** Distinct values that were asked for by equality. */
  readonly probed: ReadonlyMap<string, number>;
  /** Why commands were refused. */
  readonly refused: ReadonlyMap<string, number>;
}

/** Read when scraped. */
export function addMaskingMetrics(registry: Registry, source: (() => MaskingFigures) | undefined): void {
  if (source === undefined) return;
  const counter = (
    name: string,
    help: string,
    labels: readonly string[],
    values: (figures: MaskingFigures) => ReadonlyMap<string, number>,
  ): void => {
    const metric: Counter = new Counter({
      name: `countersign_${name}_total`,
      help,
      labelNames: [...labels],
      registers: [registry],
      collect: () => {
        metric.reset();
        for (const [key, count] of values(source())) {
          const words = key.split(' ');
          metric.inc(Object.fromEntries(labels.map((label, index) => [label, words[index] ?? ''])), count);
        }
      },
    });
  };
  counter('masked_values', 'Values that left masked.', ['class', 'transform'], ({ masked }) => masked);
  counter('unmasked_commands', 'Commands to which a class was let out.', ['class'], (each) => each.unmasked);
  counter(
    'probed_values',
    'Distinct regulated values that were asked for by equality.',
    ['class'],
    ({ probed }) => probed,
  );
  counter(
    'mask_refusals',
    'Reasons why commands were refused for what they would let out.',
    ['reason'],
    ({ refused }) => refused,
  );
}
