/** DECLARE, FETCH, MOVE, CLOSE. What a cursor reads is demanded when it is declared. */
import type { Effect } from '../classify.ts';
import type { NodeOf } from '../parse/tree.ts';
import type { StatementPort } from './port.ts';

/** CURSOR_OPT_HOLD of parsenodes.h. */
const WITH_HOLD = 0x0020;

export function analyzeDeclare(declare: NodeOf<'DeclareCursorStmt'>, port: StatementPort): Effect {
  if (((declare.options ?? 0) & WITH_HOLD) !== 0) port.demandSpecial('hold-cursor');
  if (declare.query === undefined) port.unreadable('unknown-statement');
  else port.query(declare.query);
  return 'read';
}

export const analyzeFetch = (): Effect => 'read';

export const analyzeClose = (): Effect => 'read';
