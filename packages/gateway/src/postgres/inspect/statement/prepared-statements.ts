/** PREPARE, EXECUTE, DEALLOCATE, EXPLAIN. */
import type { Effect } from '../classify.ts';
import { asKind } from '../parse/tree.ts';
import type { Node, NodeOf } from '../parse/tree.ts';
import type { StatementPort } from './port.ts';

export function analyzePrepare(prepare: NodeOf<'PrepareStmt'>, port: StatementPort): Effect {
  if (prepare.query === undefined) port.unreadable('unknown-statement');
  for (const node of prepare.argtypes ?? []) {
    const type = asKind(node, 'TypeName');
    if (type === undefined) port.unreadable('unknown-statement');
    port.type(type);
  }
  port.prepare(prepare.name ?? '', prepare.query);
  return 'read';
}

export function analyzeExecute(execute: NodeOf<'ExecuteStmt'>, port: StatementPort): Effect {
  for (const parameter of execute.params ?? []) port.expression(parameter);
  return port.execute(execute.name ?? '');
}

export function analyzeDeallocate(deallocate: NodeOf<'DeallocateStmt'>, port: StatementPort): Effect {
  const { name } = deallocate;
  port.change(name === undefined ? { kind: 'deallocate' } : { kind: 'deallocate', name });
  return 'read';
}

/** Planning alone runs functions, so the demands are those of the statement; the effect only with ANALYZE. */
export function analyzeExplain(explain: NodeOf<'ExplainStmt'>, port: StatementPort): Effect {
  if (explain.query === undefined) port.unreadable('unknown-statement');
  const isRun = (explain.options ?? []).some((option) => isAnalyze(option));
  return isRun ? port.statement(explain.query) : port.plan(explain.query);
}

const OFF: ReadonlySet<string> = new Set(['off', 'false', '0']);

function isAnalyze(option: Node): boolean {
  const element = asKind(option, 'DefElem');
  if (element?.defname?.toLowerCase() !== 'analyze') return false;
  const number = asKind(element.arg, 'Integer');
  if (number !== undefined) return (number.ival ?? 0) !== 0;
  const text = asKind(element.arg, 'String')?.sval;
  return text === undefined || !OFF.has(text.toLowerCase());
}
