/** UNION, INTERSECT and EXCEPT: columns by position, each what it is in any part. */
import { spendWork } from '../../inspect/query/analyze-query.ts';
import type { LineageContext, QueryColumns } from '../port.ts';
import { UnknownLineage } from '../port.ts';
import { eitherOf, unionOf } from '../value.ts';
import { itemOfColumns, restOf } from './scope.ts';
import type { Scope } from './scope.ts';
import { lineageOfSelect, tellSorting } from './select.ts';
import type { Select } from './select.ts';

export const isSetOperation = ({ op }: Select): boolean => op !== undefined && op !== 'SETOP_NONE';

interface Part {
  readonly select: Select;
  /** The operation that takes it in removes what is alike. */
  readonly compares: boolean;
}

/** Chains of UNION lean to the left: the parts are collected, not recursed into. */
export function lineageOfSetOperation(
  select: Select,
  scope: Scope,
  context: LineageContext,
  onFirst: ((first: QueryColumns) => void) | undefined,
): QueryColumns {
  const parts: Part[] = [];
  let left = select;
  do {
    if (left.rarg === undefined || left.larg === undefined) throw new UnknownLineage('SetOperation');
    parts.push({ select: left.rarg, compares: left.op !== 'SETOP_UNION' || left.all !== true });
    left = left.larg;
  } while (isSetOperation(left) && isBare(left));
  let all = lineageOfSelect(left, scope, context, onFirst);
  onFirst?.(all);
  for (const part of parts.toReversed()) {
    all = together(all, lineageOfSelect(part.select, scope, context));
    if (part.compares) context.collector.oracle('group', restOf(all));
  }
  // ORDER BY sees the columns of the result and nothing else of this level.
  tellSorting(select, { ...scope, items: [itemOfColumns(all, undefined)] }, all, context);
  return all;
}

export function together(left: QueryColumns, right: QueryColumns): QueryColumns {
  const isOpen = left.isOpen || right.isOpen || left.columns.length !== right.columns.length;
  spendWork(left.columns.length);
  if (isOpen) return { columns: [], isOpen, rest: unionOf([restOf(left), restOf(right)]) };
  const columns = left.columns.map(({ name, value }, index) => ({
    name,
    // The server tells no origin of what comes from several queries.
    value: { ...eitherOf([value, right.columns[index]!.value]), origin: undefined },
  }));
  return { columns, isOpen };
}

/** A set operation without clauses of its own: brackets around it change nothing. */
function isBare(select: Select): boolean {
  const { withClause, sortClause, limitCount, limitOffset, lockingClause } = select;
  return [withClause, sortClause, limitCount, limitOffset, lockingClause].every(
    (clause) => clause === undefined,
  );
}
