/** Comparisons of values: a probe, an oracle, or nothing. Their results are free: what they tell has been told to the collector. */
import type { OracleReason, Source } from '../../../masking/lineage.ts';
import { spendWork } from '../../inspect/query/analyze-query.ts';
import type { Fixed, LineageContext, Value } from '../port.ts';
import { isRegulated, unionOf } from '../value.ts';

/** `=`, `<>`, IN, IS DISTINCT FROM, NULLIF, CASE x WHEN, USING. Rows field by field. */
export function compareEqual(left: Value, right: Value, context: LineageContext): void {
  if (!isRegulated(left) && !isRegulated(right)) return;
  const { fields } = left;
  if (fields !== undefined && right.fields?.length === fields.length && fields.length > 0) {
    for (const [at, { value }] of fields.entries()) compareEqual(value, right.fields[at]!.value, context);
    return;
  }
  const tells = (): void => {
    context.collector.oracle('comparison', unionOf([left.sources, right.sources]));
  };
  // Whatever one side may be meets whatever the other may be.
  if ((isRegulated(left) && right.isOther) || (isRegulated(right) && left.isOther)) return tells();
  if (isRegulated(left) && isRegulated(right) && !isSameClass(left, right)) return tells();
  probe(left, right.fixed, context);
  probe(right, left.fixed, context);
  return undefined;
}

/** Both one whole column, and all of them of one class. */
function isSameClass(left: Value, right: Value): boolean {
  if (left.form !== 'column' || right.form !== 'column') return false;
  const classes = new Set<string | undefined>();
  for (const source of [...left.sources, ...right.sources])
    classes.add(source.kind === 'column' ? source.class : undefined);
  return classes.size === 1 && !classes.has(undefined);
}

function probe(value: Value, fixed: Fixed | undefined, { collector }: LineageContext): void {
  if (fixed === undefined || !isRegulated(value)) return;
  spendWork(1 + fixed.constants.length / 4);
  if (value.form === 'part') collector.oracle('comparison', value.sources);
  else collector.probe({ sources: value.sources, kind: 'equality', ...fixed });
}

/**
 * Every comparison but equality. In a view, what one value is against constants is what its owner decided.
 *
 * @param operands all of them.
 */
export function compareOtherwise(
  reason: OracleReason,
  operands: readonly Value[],
  context: LineageContext,
): void {
  const sources = unionOf(operands.map((operand) => operand.sources));
  if (sources.length === 0) return;
  if (context.isCatalogText && isOneAgainstConstants(operands)) return;
  context.collector.oracle(reason, sources);
}

/** The constants of a view are neither the caller's nor anything else. */
function isOneAgainstConstants(operands: readonly Value[]): boolean {
  const regulated = operands.filter((operand) => isRegulated(operand));
  const others = operands.filter((operand) => !isRegulated(operand));
  return (
    regulated.length === 1 &&
    regulated[0]!.fixed === undefined &&
    others.every(({ isOther, fixed }) => !isOther && fixed === undefined)
  );
}

/** Told whenever a regulated value decides something other than what stands in the answer. */
export function tellControl(value: Value, context: LineageContext): void {
  context.collector.oracle('control', value.sources);
}

export const sourcesOf = (values: readonly Value[]): readonly Source[] =>
  unionOf(values.map((value) => value.sources));
