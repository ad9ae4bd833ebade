/** Conditions: WHERE, ON, HAVING, FILTER, WHEN, and every other place where only true, false or null matters. */
import { asKind } from '../../inspect/parse/tree.ts';
import type { Node } from '../../inspect/parse/tree.ts';
import type { LineageContext, Value } from '../port.ts';
import { freeOf, isRegulated } from '../value.ts';
import { tellControl } from './comparison.ts';
import { BOOLEAN_TYPE, lineageOfExpression } from './expression.ts';
import type { Scope } from './scope.ts';

/** Tells what the condition tells. */
export function conditionOf(node: Node | undefined, scope: Scope | undefined, context: LineageContext): void {
  if (node === undefined) return;
  const all = asKind(node, 'BoolExpr');
  if (all !== undefined) {
    for (const each of all.args ?? []) conditionOf(each, scope, context);
    return;
  }
  const test = asKind(node, 'BooleanTest');
  if (test !== undefined) conditionOf(test.arg, scope, context);
  else decide(lineageOfExpression(node, scope, context), context);
}

/** A regulated boolean as a condition is compared with true. */
function decide(value: Value, context: LineageContext): void {
  if (!isRegulated(value)) return;
  if (value.form === 'part') tellControl(value, context);
  else if (!context.isCatalogText) {
    context.collector.probe({
      sources: value.sources,
      kind: 'equality',
      constants: ['true'],
      parameters: [],
      arrays: [],
    });
  }
}

/** Whether there is a value at all is free; whether something made of it is null may tell what it is. */
export function nullTestOf(node: Node | undefined, scope: Scope | undefined, context: LineageContext): Value {
  if (node !== undefined) tellNull(lineageOfExpression(node, scope, context), context);
  return freeOf(BOOLEAN_TYPE);
}

function tellNull(value: Value, context: LineageContext): void {
  if (!isRegulated(value)) return;
  if (value.fields !== undefined) for (const field of value.fields) tellNull(field.value, context);
  else if (value.form === 'part') tellControl(value, context);
}
