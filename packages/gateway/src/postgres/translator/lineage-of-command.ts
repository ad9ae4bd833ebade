import type { Lineage, StatementLineage } from '../../masking/lineage.ts';
import type { Touched } from '../../session/touched.ts';
import type { BoundParameters } from './bound-parameters.ts';
import type { Exchange } from './exchange.ts';
import type { Judgement } from './judgement.ts';

const UNKNOWN_STATEMENT: StatementLineage = {
  outputs: 'unknown',
  touched: [{ kind: 'unknown', object: 'not read' }],
  probes: [],
  oracles: [],
  flows: [],
  writes: [],
  constants: [],
};

/** A command of which nothing is known: whatever it answers is masked. */
const UNKNOWN: Lineage = { statements: [UNKNOWN_STATEMENT], isFree: false };

export interface Subject {
  readonly parameters?: BoundParameters | undefined;
  /** An Execute of a portal that SQL opened: its name. */
  readonly cursor?: string;
}

/**
 * `touched` with where the values of the command come from and go, if anything of the target is regulated. What was not read is told as unknown, which is masked.
 */
export function withLineage(
  { mask }: Exchange,
  touched: Touched,
  { reading }: Judgement,
  { parameters, cursor }: Subject = {},
): Touched {
  if (mask?.isClassified !== true) return touched;
  const lineage = cursor === undefined ? (reading.lineage ?? UNKNOWN) : rowsOf(cursor);
  if (lineage.isFree) return { ...touched, lineage };
  const classification = mask.classification?.digest;
  return {
    ...touched,
    lineage,
    ...(classification === undefined ? {} : { classification }),
    ...(parameters === undefined
      ? {}
      : {
          parameter: (number) => parameters.text(number),
          parameterCount: parameters.count,
          parameterElements: (number) => parameters.elements(number),
        }),
  };
}

function rowsOf(cursor: string): Lineage {
  return { statements: [{ ...UNKNOWN_STATEMENT, outputs: { rowsOf: cursor } }], isFree: false };
}
