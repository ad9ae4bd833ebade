/** What the statements are given, and what they give. */
import type { OutputColumn, Source, StatementLineage } from '../../../masking/lineage.ts';
import type { Access } from '../../../policy/access.ts';
import type { Node } from '../../inspect/parse/tree.ts';
import type { LineageContext, NamedValue, QueryColumns } from '../port.ts';
import { restOfQuery } from './sources.ts';
import type { Collector } from './collector.ts';

export interface StatementContext extends LineageContext {
  readonly collector: Collector;
  /** What the analysis found that the statement demands and reaches. */
  readonly accesses: readonly Access[];
  /** A statement inside of this one: what it tells is told of this one. */
  readonly inner: (node: Node) => Found;
  /** As if it stood alone, told of nobody. */
  readonly alone: (node: Node) => StatementLineage;
}

/** What a statement says besides what the collector has. */
export type Found = Pick<
  StatementLineage,
  'outputs' | 'isCopyOut' | 'copyIn' | 'declares' | 'cursorOutputs' | 'prepares'
>;

export type StatementLineageOf<Fields> = (fields: Fields, context: StatementContext) => Found;

export const NO_ROWS: Found = { outputs: 'none' };

/** Rows of a query as they leave. */
export function outputsOf(
  query: QueryColumns,
  context: StatementContext,
): readonly OutputColumn[] | 'unknown' {
  const { columns, isOpen } = query;
  for (const { value } of columns) context.collector.touch(value.sources);
  if (isOpen) {
    context.collector.touch(restOfQuery(query));
    return 'unknown';
  }
  return columns.map((column) => outputOf(column));
}

function outputOf({ name, value }: NamedValue): OutputColumn {
  const { sources, how, typeOid, origin, fields } = value;
  if (sources.length === 0) return { sources, how: 'direct', name, origin, typeOid };
  const isDirect = how === 'direct' && sources.length === 1 && fields === undefined;
  return isDirect ? { sources, how, name, origin, typeOid } : { sources, how: 'derived', name, typeOid };
}

/** One column of text, which may show any of these. */
export function textOutput(name: string, sources: readonly Source[]): readonly OutputColumn[] {
  return [{ sources, how: sources.length === 0 ? 'direct' : 'derived', name }];
}
