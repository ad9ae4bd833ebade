/** What one statement turned out to tell, each thing once. */
import type { ClassifiedWrite, Flow, Oracle, OracleReason, Probe, Source } from '../../../masking/lineage.ts';
import type { LineageCollector } from '../port.ts';
import { UnknownLineage } from '../port.ts';
import { keyOf } from '../value.ts';

/** More different things than that are no statement that anyone could judge. */
const MAX_EVENTS = 20_000;

type Event =
  | { readonly kind: 'probe'; readonly value: Probe }
  | { readonly kind: 'oracle'; readonly value: Oracle }
  | { readonly kind: 'flow'; readonly value: Flow }
  | { readonly kind: 'write'; readonly value: ClassifiedWrite };

export class Collector implements LineageCollector {
  readonly #sources = new Map<string, Source>();
  readonly #touched = new Map<string, Source>();
  readonly #keys = new Set<string>();
  #events: { readonly key: string; readonly event: Event }[] = [];

  source(source: Source): Source {
    const key = keyOf(source);
    const known = this.#sources.get(key);
    if (known !== undefined) return known;
    this.#sources.set(key, source);
    return source;
  }

  probe(probe: Probe): void {
    if (probe.sources.length === 0) return;
    this.touch(probe.sources);
    const { kind, constants, parameters, arrays } = probe;
    this.#add(JSON.stringify(['p', kind, keysOf(probe.sources), constants, parameters, arrays]), {
      kind: 'probe',
      value: probe,
    });
  }

  oracle(reason: OracleReason, sources: readonly Source[]): void {
    if (sources.length === 0) return;
    this.touch(sources);
    this.#add(JSON.stringify(['o', reason, keysOf(sources)]), { kind: 'oracle', value: { reason, sources } });
  }

  /** A temporary relation is followed from the first value on that it is given, regulated or not. */
  flow(flow: Flow): void {
    if (flow.sources.length === 0 && flow.to.kind !== 'temporary') return;
    this.touch(flow.sources);
    this.#add(JSON.stringify(['f', flow.how, keysOf(flow.sources), flow.to]), { kind: 'flow', value: flow });
  }

  /** What is there already can stand in the error of a constraint. */
  write(write: ClassifiedWrite): void {
    this.touch([{ kind: 'column', object: write.object, class: write.class }]);
    this.#add(JSON.stringify(['w', write.object, write.class]), { kind: 'write', value: write });
  }

  touch(sources: readonly Source[]): void {
    for (const source of sources) this.#touched.set(keyOf(source), source);
  }

  /** They are taken from the whole text at once. */
  constant(): void {}

  mark(): number {
    return this.#events.length;
  }

  reset(mark: number): void {
    for (const { key } of this.#events.splice(mark)) this.#keys.delete(key);
  }

  get touched(): readonly Source[] {
    return [...this.#touched.values()];
  }

  get probes(): readonly Probe[] {
    return this.#events.flatMap(({ event }) => (event.kind === 'probe' ? [event.value] : []));
  }

  get oracles(): readonly Oracle[] {
    return this.#events.flatMap(({ event }) => (event.kind === 'oracle' ? [event.value] : []));
  }

  get flows(): readonly Flow[] {
    return this.#events.flatMap(({ event }) => (event.kind === 'flow' ? [event.value] : []));
  }

  get writes(): readonly ClassifiedWrite[] {
    return this.#events.flatMap(({ event }) => (event.kind === 'write' ? [event.value] : []));
  }

  #add(key: string, event: Event): void {
    if (this.#keys.has(key)) return;
    if (this.#events.length >= MAX_EVENTS) throw new UnknownLineage('too much');
    this.#keys.add(key);
    this.#events.push({ key, event });
  }
}

const keysOf = (sources: readonly Source[]): readonly string[] => sources.map((source) => keyOf(source));
