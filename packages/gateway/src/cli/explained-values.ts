/** Where the values of a statement come from, and what one grant would have masked or refused of them: the code that judges commands. */
import { type HeldProbe, shapeOf } from '../masking/judge-shape.ts';
import type { Lineage, OutputColumn, Source, StatementLineage } from '../masking/lineage.ts';
import { MaskingSession } from '../masking/masking-session.ts';
import type { ColumnAction, StatementPlan } from '../masking/plan.ts';
import { MASK_REFUSAL_REASONS } from '../masking/refusal.ts';
import { ANY_CLASS, type ClassName, type MaskingGrant, type MaskingRules } from '../masking/rules.ts';

/** One line for each value that leaves and is regulated, and for whatever else is told, asked or moved. */
export function explainValues({ isFree, statements }: Lineage): readonly string[] {
  if (isFree) return [];
  const isOne = statements.length === 1;
  return statements.flatMap((statement, at) =>
    linesOf(statement).map((line) => (isOne ? line : `statement ${at + 1}: ${line}`)),
  );
}

function linesOf(statement: StatementLineage): readonly string[] {
  const { cursorOutputs, copyIn, flows, oracles, outputs, prepares, probes, writes } = statement;
  const written = [...writes, ...(copyIn ?? []).filter((write) => write !== undefined)];
  return [
    ...outputLines(outputs),
    ...(cursorOutputs === undefined ? [] : outputLines(cursorOutputs)),
    ...(prepares === undefined ? [] : linesOf(prepares.inner)),
    ...probes.map(({ sources }) => `asks by equality for ${textOf(sources)}`),
    ...oracles.map(({ reason, sources }) => `${MASK_REFUSAL_REASONS[reason]} ${textOf(sources)}`),
    ...flows
      .filter(({ sources }) => sources.length > 0)
      .map(({ sources, to }) => {
        const where =
          to.kind === 'sink' ? `a ${to.what}` : to.kind === 'column' ? to.object : `temporary ${to.relation}`;
        return `moves ${textOf(sources)} to ${where}`;
      }),
    ...written.map(({ class: name, object }) => `writes ${object} (${name})`),
  ];
}

function outputLines(outputs: StatementLineage['outputs']): readonly string[] {
  if (outputs === 'none') return [];
  if (outputs === 'unknown') return ['gives rows of which nothing is known'];
  if ('rowsOf' in outputs) return [`gives rows of cursor ${outputs.rowsOf}`];
  if ('resultOf' in outputs) return [`gives the result of ${outputs.resultOf}`];
  return outputs.flatMap((column, at) => columnLine(column, at));
}

function columnLine({ how, name, sources }: OutputColumn, at: number): readonly string[] {
  if (sources.length === 0) return [];
  const made = how === 'direct' ? '' : 'made of ';
  return [`column ${at + 1}${name === undefined ? '' : ` ${name}`}: ${made}${textOf(sources)}`];
}

function textOf(sources: readonly Source[]): string {
  return sources
    .map((source) => {
      if (source.kind === 'column') return `${source.object} (${source.class})`;
      return source.kind === 'temporary'
        ? `pg_temp.${source.relation}.${source.column}`
        : `what ${source.object} shows`;
    })
    .join(', ');
}

export interface ExplainedMasking {
  /** By column: what becomes of it. */
  readonly masked: readonly string[];
  /** Why it would be refused; probes are counted when it runs. */
  readonly refused: readonly string[];
  readonly unmasked: readonly string[];
  /** What is counted against a budget when it runs, and the budget; how much of it is left only the gateway knows. */
  readonly counted: readonly string[];
  /** Classes that the grant unmasks and no policy does: they stay masked. */
  readonly notPermitted: readonly string[];
}

/**
 * @param grant with what policies permit.
 * @param granted as the configuration has it.
 */
export function explainMasking(
  lineage: Lineage,
  rules: MaskingRules,
  grant: MaskingGrant,
  granted: MaskingGrant = grant,
): ExplainedMasking {
  if (lineage.isFree) return { masked: [], refused: [], unmasked: [], counted: [], notPermitted: [] };
  const { plan, probes, refusals } = shapeOf(lineage, {
    rules,
    grant,
    session: new MaskingSession(),
    isExecuted: true,
    findMasked: () => [],
  });
  return {
    masked: plan.statements.flatMap((statement) => maskedBy(statement)),
    refused: [
      ...new Set(
        refusals.map(
          ({ classes, code, reason }) =>
            `${code}: it ${MASK_REFUSAL_REASONS[reason]} values of class ${classes.map(classText).join(', ')}`,
        ),
      ),
    ],
    unmasked: plan.unmasked.map(({ class: name, object }) => `${object} (${name})`),
    counted: budgetsOf(probes, grant),
    notPermitted: [...regulatedIn(lineage)].filter((name) => says(granted, name) && !says(grant, name)),
  };
}

function budgetsOf(probes: readonly HeldProbe[], { budgets }: MaskingGrant): readonly string[] {
  const classes = new Set(probes.flatMap((probe) => probe.classes));
  return [...classes].flatMap((name) => {
    const budget = budgets.get(name);
    return budget === undefined
      ? []
      : [`distinct values of class ${name} asked for: at most ${budget.values} in a ${budget.period}`];
  });
}

const says = ({ unmask }: MaskingGrant, name: ClassName): boolean => unmask === 'all' || unmask.has(name);

/** Classes of what is read, answered or asked for. */
function regulatedIn({ statements }: Lineage): ReadonlySet<ClassName> {
  const sources = statements.flatMap(({ outputs, oracles, probes, touched }) => [
    ...touched,
    ...(Array.isArray(outputs) ? outputs.flatMap((column: OutputColumn) => column.sources) : []),
    ...[...oracles, ...probes].flatMap((each) => each.sources),
  ]);
  return new Set(sources.flatMap((source) => (source.kind === 'column' ? [source.class] : [])));
}

const classText = (name: ClassName): string => (name === ANY_CLASS ? 'any' : name);

function maskedBy({ cursor, result }: StatementPlan): readonly string[] {
  const { columns, isFree, otherwise } = cursor ?? result;
  if (isFree) return [];
  if (columns === 'unknown') return [`every column: ${actionText(otherwise)}`];
  return columns.flatMap((action, at) =>
    action.kind === 'pass' ? [] : [`column ${at + 1}: ${actionText(action)}`],
  );
}

function actionText(action: ColumnAction): string {
  if (action.kind === 'mask') return `${action.transform.kind} (${action.class})`;
  return action.kind === 'detect' ? 'what detectors find in it' : 'as it is';
}
