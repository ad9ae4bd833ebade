/** DO and CALL. */
import type { Effect } from '../classify.ts';
import { stringsOf } from '../parse/tree.ts';
import type { NodeOf } from '../parse/tree.ts';
import type { StatementPort } from './port.ts';

/** Code that no list and no catalog knows. */
export function analyzeDo(_do: NodeOf<'DoStmt'>, port: StatementPort): Effect {
  port.demandSpecial('do');
  port.change({ kind: 'anything' });
  return 'write';
}

/** A procedure is granted by its name, like a function. */
export function analyzeCall(call: NodeOf<'CallStmt'>, port: StatementPort): Effect {
  const names = stringsOf(call.funccall?.funcname);
  if (names === undefined || names.length === 0) port.unreadable('unknown-statement');
  // OUT arguments are written in a CALL and are no input arguments, so their number does not tell.
  else port.routineNamed(names);
  for (const argument of call.funccall?.args ?? []) port.expression(argument);
  port.change({ kind: 'anything' });
  return 'write';
}
