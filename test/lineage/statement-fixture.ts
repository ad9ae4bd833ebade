/** Lineage of whole statements through the entry of the room, and how it is written in the tests. */
import type {
  Lineage,
  OutputColumn,
  Source,
  StatementLineage,
} from '../../packages/gateway/src/masking/lineage.ts';
import type { MaskingRules } from '../../packages/gateway/src/masking/rules.ts';
import { readStatement } from '../../packages/gateway/src/postgres/analysis/read-statement.ts';
import type { Catalog } from '../../packages/gateway/src/postgres/catalog/catalog.ts';
import type { SessionNames } from '../../packages/gateway/src/postgres/inspect/meaning.ts';
import { NAMES, RULES, writtenSource } from './fixture.ts';
import { CLASSIFICATION } from './schema.ts';

/** @throws Error where the analysis does not read the text. */
export function followText(
  sql: string,
  catalog: Catalog,
  rules: MaskingRules = RULES,
  names: SessionNames = NAMES,
): Lineage {
  const { lineage, meaning } = readStatement(Buffer.from(sql), catalog, names, {
    rules,
    classification: CLASSIFICATION,
  });
  if (lineage === undefined) throw new Error(`unreadable: ${meaning.unreadable?.reason ?? ''}`);
  return lineage;
}

const sourcesText = (sources: readonly Source[]): string =>
  sources
    .map((source) => writtenSource(source))
    .toSorted()
    .join('+');

function columnsText(columns: readonly OutputColumn[]): string {
  return columns
    .map(({ sources, how }) =>
      sources.length === 0 ? '-' : `${how === 'direct' ? '' : '~'}${sourcesText(sources)}`,
    )
    .join(', ');
}

function outputsText(outputs: StatementLineage['outputs']): string {
  if (outputs === 'none' || outputs === 'unknown') return outputs;
  if ('rowsOf' in outputs) return `rows of ${outputs.rowsOf}`;
  if ('resultOf' in outputs) return `result of ${outputs.resultOf}`;
  return columnsText(outputs);
}

const short = (object: string): string => object.replace(/^bank\./u, '');

/** `none`; `customers.ssn, - | probe …`. What a statement says without values: `copy out`, `copy in`, `declares`. */
export function statementText(statement: StatementLineage): string {
  const { copyIn, cursorOutputs, declares, flows, isCopyOut, oracles, outputs, prepares, probes, writes } =
    statement;
  const told = [
    ...(isCopyOut === true ? ['copy out'] : []),
    ...(copyIn === undefined ? [] : [`copy in ${copyIn.map((write) => write?.class ?? '-').join(', ')}`]),
    ...(declares === undefined ? [] : [`declares ${declares} ${outputsText(cursorOutputs ?? 'none')}`]),
    ...(prepares === undefined ? [] : [`prepares ${prepares.name} (${statementText(prepares.inner)})`]),
    ...probes.map(
      ({ kind, sources, constants, parameters }) =>
        `${kind === 'unique' ? 'unique' : 'probe'} ${sourcesText(sources)} = ${[...constants, ...parameters.map((number) => `$${number}`)].join(',')}`,
    ),
    ...oracles.map(({ reason, sources }) => `${reason} ${sourcesText(sources)}`),
    ...flows.map(({ sources, how, to }) => {
      const where =
        to.kind === 'column'
          ? short(to.object)
          : to.kind === 'sink'
            ? to.what
            : `temp ${to.relation}.${to.column}${to.defines === undefined || to.defines === 'column' ? '' : ` (${to.defines})`}`;
      return `flow ${sources.length === 0 ? '-' : `${how === 'direct' ? '' : '~'}${sourcesText(sources)}`} > ${where}`;
    }),
    ...writes.map(({ object }) => `write ${short(object)}`),
  ];
  return [outputsText(outputs), ...told].join(' | ');
}

/** Statements behind `;`. `free`: nothing of masking has to run. */
export function lineageText(lineage: Lineage): string {
  return lineage.isFree
    ? 'free'
    : lineage.statements.map((statement) => statementText(statement)).join(' ; ');
}
