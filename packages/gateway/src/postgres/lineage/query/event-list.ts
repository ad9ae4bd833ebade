/** What following a text of the catalog tells, kept so that each reader of it is told the same. */
import type { ClassifiedWrite, Flow, OracleReason, Probe, Source } from '../../../masking/lineage.ts';
import type { LineageCollector } from '../port.ts';
import { unionOf } from '../value.ts';

type Event =
  | { readonly kind: 'probe'; readonly probe: Probe }
  | { readonly kind: 'oracle'; readonly reason: OracleReason; readonly sources: readonly Source[] }
  | { readonly kind: 'flow'; readonly flow: Flow }
  | { readonly kind: 'write'; readonly write: ClassifiedWrite };

/**
 * What an owner's own text can tell whoever reads a view depends on nothing that the reader chooses, as far as it is a matter of the values alone: which rows fail, which
 * are alike, what an own function makes of one. An order and a comparison with something else are different: a reader who writes a row of its own sees where it comes.
 */
const KEPT: ReadonlySet<OracleReason> = new Set(['order', 'comparison', 'range', 'pattern']);

/** Constants are left out: they are not the caller's. */
export class EventList implements LineageCollector {
  readonly #events: Event[] = [];
  #touched: readonly Source[] = [];

  get events(): readonly Event[] {
    return this.#events;
  }

  get touched(): readonly Source[] {
    return this.#touched;
  }

  source(source: Source): Source {
    return source;
  }

  probe(probe: Probe): void {
    this.#events.push({ kind: 'probe', probe });
  }

  oracle(reason: OracleReason, sources: readonly Source[]): void {
    if (sources.length > 0 && KEPT.has(reason)) this.#events.push({ kind: 'oracle', reason, sources });
  }

  flow(flow: Flow): void {
    this.#events.push({ kind: 'flow', flow });
  }

  write(write: ClassifiedWrite): void {
    this.#events.push({ kind: 'write', write });
  }

  touch(sources: readonly Source[]): void {
    if (sources.length > 0) this.#touched = unionOf([this.#touched, sources]);
  }

  constant(): void {}

  mark(): number {
    return this.#events.length;
  }

  reset(mark: number): void {
    this.#events.length = mark;
  }
}

export function replay({ events, touched }: EventList, collector: LineageCollector): void {
  collector.touch(touched);
  for (const event of events) {
    switch (event.kind) {
      case 'probe':
        collector.probe(event.probe);
        break;
      case 'oracle':
        collector.oracle(event.reason, event.sources);
        break;
      case 'flow':
        collector.flow(event.flow);
        break;
      default:
        collector.write(event.write);
    }
  }
}
