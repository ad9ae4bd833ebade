/** Lineage of single queries, and how it is written in the tests. */
import { defaultRules } from '../../packages/gateway/src/config/masking-section.ts';
import type {
  ClassifiedWrite,
  Flow,
  OracleReason,
  Probe,
  Source,
} from '../../packages/gateway/src/masking/lineage.ts';
import type { Classification, MaskingRules } from '../../packages/gateway/src/masking/rules.ts';
import type { Catalog } from '../../packages/gateway/src/postgres/catalog/catalog.ts';
import type { SessionNames } from '../../packages/gateway/src/postgres/inspect/meaning.ts';
import { parseStatement } from '../../packages/gateway/src/postgres/inspect/parse/parse-statement.ts';
import {
  BY_CALLER,
  Demands,
  withinWork,
} from '../../packages/gateway/src/postgres/inspect/query/analyze-query.ts';
import type {
  LineageCollector,
  LineageContext,
  QueryColumns,
  Value,
} from '../../packages/gateway/src/postgres/lineage/port.ts';
import { queryLineage } from '../../packages/gateway/src/postgres/lineage/query/lineage-of-query.ts';
import { ROUTINES } from '../../packages/gateway/src/postgres/lineage/routines/routines.ts';
import { unionOf } from '../../packages/gateway/src/postgres/lineage/value.ts';
import { CLASSIFICATION } from './schema.ts';

const encoder = new TextEncoder();

export const RULES: MaskingRules = defaultRules();

/** Keeps everything in the order in which it came. */
class Notes implements LineageCollector {
  readonly probes: Probe[] = [];
  readonly oracles: { readonly reason: OracleReason; readonly sources: readonly Source[] }[] = [];
  readonly flows: Flow[] = [];
  readonly writes: ClassifiedWrite[] = [];
  readonly constants: string[] = [];
  touched: readonly Source[] = [];
  #order: (readonly unknown[])[] = [];

  source(source: Source): Source {
    return source;
  }

  probe(probe: Probe): void {
    this.#put(this.probes, probe);
  }

  oracle(reason: OracleReason, sources: readonly Source[]): void {
    if (sources.length > 0) this.#put(this.oracles, { reason, sources });
  }

  flow(flow: Flow): void {
    if (flow.sources.length > 0) this.#put(this.flows, flow);
  }

  write(write: ClassifiedWrite): void {
    this.#put(this.writes, write);
  }

  touch(sources: readonly Source[]): void {
    this.touched = unionOf([this.touched, sources]);
  }

  constant(text: string): void {
    this.constants.push(text);
  }

  mark(): number {
    return this.#order.length;
  }

  reset(mark: number): void {
    for (const list of this.#order.splice(mark)) (list as unknown[]).pop();
  }

  #put<T>(list: T[], one: T): void {
    list.push(one);
    this.#order.push(list);
  }
}

export interface QueryFindings {
  readonly query: QueryColumns;
  readonly notes: Notes;
}

export const NAMES: SessionNames = { searchPath: ['bank'], temporary: new Set(['tmp']) };

/** @throws UnknownLineage and whatever the walk does not know. */
export function followQuery(
  sql: string,
  catalog: Catalog,
  names: SessionNames = NAMES,
  classification: Classification = CLASSIFICATION,
): QueryFindings {
  const outcome = parseStatement(encoder.encode(sql));
  if (!('parsed' in outcome)) throw new Error(`the parser does not take: ${sql}`);
  const notes = new Notes();
  const context: LineageContext = {
    catalog,
    names,
    sessionNames: names,
    classification,
    rules: RULES,
    collector: notes,
    query: { ...BY_CALLER, catalog, names, demands: new Demands(catalog), depth: 0, onWrite: () => {} },
    isCatalogText: false,
    depth: 0,
    open: [],
    routines: ROUTINES,
    queries: queryLineage,
  };
  const node = outcome.parsed.statements[0]!.node;
  return { query: withinWork(() => queryLineage.lineageOfQuery(node, undefined, context)), notes };
}

const short = (object: string): string => object.replace(/^bank\./u, '');

export function writtenSource(source: Source): string {
  switch (source.kind) {
    case 'column':
      return short(source.object);
    case 'temporary':
      return `temp ${source.relation}.${source.column}`;
    default:
      return `? ${source.object}`;
  }
}

const writtenSources = (sources: readonly Source[]): string =>
  sources
    .map((source) => writtenSource(source))
    .toSorted()
    .join('+');

/** `customers.ssn`: that column as it is. `~customers.ssn`: made of it. `-`: free. */
function writtenValue({ sources, how }: Value): string {
  if (sources.length === 0) return '-';
  return `${how === 'direct' ? '' : '~'}${writtenSources(sources)}`;
}

/** `customers.ssn, ~customers.name, - | probe customers.ssn = a,$1 | order customers.dob`. */
export function outcomeOf({ query, notes }: QueryFindings): string {
  const columns = query.columns.map(({ value }) => writtenValue(value));
  if (query.isOpen) columns.push(`open ${writtenSources(query.rest ?? [])}`.trim());
  const told = [
    ...notes.probes.map(
      ({ kind, sources, constants, parameters, arrays }) =>
        `${kind === 'unique' ? 'unique' : 'probe'} ${writtenSources(sources)} = ${[
          ...constants,
          ...parameters.map((number) => `$${number}${arrays.includes(number) ? '[]' : ''}`),
        ].join(',')}`,
    ),
    ...notes.oracles.map(({ reason, sources }) => `${reason} ${writtenSources(sources)}`),
    ...notes.flows.map(({ sources, how, to }) => {
      const where =
        to.kind === 'column'
          ? short(to.object)
          : to.kind === 'sink'
            ? to.what
            : `temp ${to.relation}.${to.column}`;
      return `flow ${how === 'direct' ? '' : '~'}${writtenSources(sources)} > ${where}`;
    }),
    ...notes.writes.map(({ object }) => `write ${short(object)}`),
  ];
  return [columns.join(', '), ...new Set(told)].join(' | ');
}
