import type { Lineage, OutputColumn, StatementLineage } from '../../masking/lineage.ts';

/** What an object takes in V8, roughly; sources are shared within a statement. */
const STATEMENT_BYTES = 500;
const ITEM_BYTES = 160;
const SOURCE_BYTES = 24;
const TEXT_BYTES = 40;

/** Bytes, as estimated. */
export function sizeOfLineage({ statements }: Lineage): number {
  return statements.reduce((sum, statement) => sum + sizeOfStatement(statement), 0);
}

function sizeOfStatement(statement: StatementLineage): number {
  const { outputs, cursorOutputs, copyIn, touched, probes, oracles, flows, writes, constants, prepares } =
    statement;
  let bytes = STATEMENT_BYTES + sizeOfOutputs(outputs) + sizeOfOutputs(cursorOutputs);
  bytes += (touched.length + writes.length + (copyIn?.length ?? 0)) * ITEM_BYTES;
  for (const { sources } of [...oracles, ...flows]) bytes += ITEM_BYTES + sources.length * SOURCE_BYTES;
  for (const { constants: compared, parameters, sources } of probes) {
    bytes += ITEM_BYTES + sources.length * SOURCE_BYTES + parameters.length * 8 + sizeOfTexts(compared);
  }
  if (constants !== '*') bytes += sizeOfTexts(constants);
  return prepares === undefined ? bytes : bytes + sizeOfStatement(prepares.inner);
}

function sizeOfOutputs(outputs: StatementLineage['outputs'] | undefined): number {
  if (outputs === undefined || !isList(outputs)) return 0;
  return outputs.reduce((sum, { sources }) => sum + ITEM_BYTES + sources.length * SOURCE_BYTES, 0);
}

const isList = (outputs: StatementLineage['outputs']): outputs is readonly OutputColumn[] =>
  Array.isArray(outputs);

const sizeOfTexts = (texts: readonly string[]): number =>
  texts.reduce((sum, text) => sum + TEXT_BYTES + 2 * text.length, 0);
