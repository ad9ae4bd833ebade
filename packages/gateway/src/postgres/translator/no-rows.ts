import type { Lineage } from '../../masking/lineage.ts';
import type { MaskPlan, ResultPlan, StatementPlan } from '../../masking/plan.ts';

/** What does not fit it is redacted: only what does may pass. */
const free = (columns: ResultPlan['columns'], isCopyOut: boolean): StatementPlan => ({
  result: { columns, origins: [], otherwise: { kind: 'pass' }, isFree: true },
  isCopyOut,
  withholdMessages: false,
});

/** It answers with a tag. Rows that come all the same are made by a rule, and nothing is known of them. */
const NO_ROWS = free([], false);
/** Nothing regulated is in its rows. */
const FREE_ROWS = free('unknown', false);
const FREE_COPY = free('unknown', true);

/**
 * A plan for a text of which nothing is masked, where something of it should have no rows at all: those that come are redacted. Undefined: there is nothing of
 * that kind in it, or nothing regulated is anywhere near.
 */
export function withoutRows({ statements }: Lineage): MaskPlan | undefined {
  if (!statements.some(({ outputs }) => outputs === 'none')) return undefined;
  return {
    statements: statements.map(({ outputs, isCopyOut }) => {
      if (isCopyOut === true) return FREE_COPY;
      return outputs === 'none' ? NO_ROWS : FREE_ROWS;
    }),
    isFree: false,
    unmasked: [],
  };
}
