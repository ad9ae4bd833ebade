/** What two readings of a command tell together: an EXECUTE and what it executes, a prepared statement now and before. */
import type { Lineage, OutputColumn, StatementLineage } from '../../masking/lineage.ts';
import { unionOf } from './value.ts';

/**
 * @param one of the command. @param other may be missing where a reading is older than the classification, or has no values (a type's): it adds nothing then.
 */
export function combineLineages(one: Lineage | undefined, other: Lineage | undefined): Lineage | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  if (one === other) return one;
  if (other.statements.length === 0) return isExecuteOnly(one) ? other : one;
  if (one.statements.length === 0) return other;
  const isFree = one.isFree && other.isFree;
  if (one.statements.length === other.statements.length) {
    const statements = one.statements.map((statement, at) => combine(statement, other.statements[at]!));
    return { statements, isFree };
  }
  // A text of several statements, and what one of them executes.
  const [inner] = other.statements;
  const at = Math.max(
    0,
    one.statements.findIndex(({ outputs }) => !Array.isArray(outputs) && isNamed(outputs)),
  );
  const statements = one.statements.map((statement, index) =>
    index === at ? { ...combine(statement, inner!), outputs: statement.outputs } : statement,
  );
  return { statements, isFree };
}

/** It says nothing but what is executed. */
function isExecuteOnly({ statements: [only, ...others] }: Lineage): boolean {
  return (
    only !== undefined &&
    others.length === 0 &&
    isNamed(only.outputs) &&
    only.touched.length + only.flows.length === 0
  );
}

type Outputs = StatementLineage['outputs'];

const isList = (outputs: Outputs): outputs is readonly OutputColumn[] => Array.isArray(outputs);

const isNamed = (outputs: Outputs): boolean =>
  typeof outputs === 'object' && !isList(outputs) && 'resultOf' in outputs;

function combine(one: StatementLineage, other: StatementLineage): StatementLineage {
  const copyIn = one.copyIn ?? other.copyIn;
  const cursorOutputs =
    one.cursorOutputs === undefined || other.cursorOutputs === undefined
      ? (one.cursorOutputs ?? other.cursorOutputs)
      : (combineOutputs(one.cursorOutputs, other.cursorOutputs) as readonly OutputColumn[] | 'unknown');
  return {
    ...one,
    outputs: combineOutputs(one.outputs, other.outputs),
    ...(copyIn === undefined ? {} : { copyIn: copyIn.map((write, at) => write ?? other.copyIn?.[at]) }),
    ...(cursorOutputs === undefined ? {} : { cursorOutputs }),
    touched: unionOf([one.touched, other.touched]),
    probes: [...one.probes, ...other.probes],
    oracles: [...one.oracles, ...other.oracles],
    flows: [...one.flows, ...other.flows],
    writes: [...one.writes, ...other.writes],
    constants: combineConstants(one.constants, other.constants),
  };
}

function combineConstants(
  one: StatementLineage['constants'],
  other: StatementLineage['constants'],
): StatementLineage['constants'] {
  return one === '*' || other === '*' ? '*' : [...new Set([...one, ...other])];
}

/** The result of an EXECUTE is that of what it executes. */
function combineOutputs(one: Outputs, other: Outputs): Outputs {
  if (isNamed(one)) return other;
  if (!isList(one) || !isList(other)) return isSame(one, other) ? one : 'unknown';
  if (one.length !== other.length) return 'unknown';
  return one.map((column, at) => combineColumn(column, other[at]!));
}

function isSame(one: Outputs, other: Outputs): boolean {
  return one === other || JSON.stringify(one) === JSON.stringify(other);
}

function combineColumn(one: OutputColumn, other: OutputColumn): OutputColumn {
  if (JSON.stringify(one) === JSON.stringify(other)) return one;
  const sources = unionOf([one.sources, other.sources]);
  const { name } = one;
  if (sources.length === 0) return { sources, how: 'direct', name };
  const isDirect = one.how === 'direct' && other.how === 'direct' && one.origin === other.origin;
  const { origin, typeOid } = one;
  return isDirect ? { sources, how: 'direct', name, origin, typeOid } : { sources, how: 'derived', name };
}
