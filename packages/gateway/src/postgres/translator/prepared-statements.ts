import type { StatementReading } from '../analysis/reading.ts';
import type { KeptReading } from '../analysis/session-analysis.ts';
import type { ColumnDescription } from '../wire/backend/row-description.ts';
import type { BoundParameters } from './bound-parameters.ts';
import type { Unit } from './expected-answers.ts';
import type { Judgement } from './judgement.ts';

/** A prepared statement whose Parse, or PREPARE, came through us. */
export interface PreparedStatement {
  /** The exact bytes of its text; a copy. Of a PREPARE: the whole text that it stood in. */
  readonly text: Buffer;
  /** Made by SQL under this name. */
  readonly sqlName?: string;
  /** What it meant whenever it was judged, different ones only: the target may keep a plan that was made for any of them. */
  readonly meanings: StatementReading[];
  /** What it was last judged by. */
  kept?: KeptReading | undefined;
  /** As given at Parse; 0 = left to the server. */
  readonly parameterTypes: readonly number[];
  /** Types of its parameters as the target told them, if it was asked. */
  toldTypes?: readonly number[];
}

/**
 * How many bytes of texts one session may have prepared at a time, those not answered yet included. An Execute is recorded with the text of its statement, so
 * the texts have to be kept; the server sets no limit, but a client could fill our memory.
 */
export const PREPARED_BYTES_LIMIT = 64 << 20;

/** What remembering a statement costs: its text and something for itself. */
export function preparedBytes(statement: PreparedStatement): number {
  return statement.text.length + 256;
}

/** A portal made by a Bind that came through us. */
export interface Portal {
  /** Undefined: the target has no such statement. */
  readonly statement: PreparedStatement | undefined;
  readonly statementName: string;
  /** As it was when the Bind was judged: what the portal runs does not change any more. */
  judgement: Judgement;
  /** The call that made or last ran it. */
  lastCall: string | undefined;
  /** The Describe of it, on its way or answered, and what the target said. Kept only where something may have to be masked. */
  describing?: Unit;
  description?: readonly ColumnDescription[];
  /** Its parameters, where something regulated may be compared with them. */
  parameters?: BoundParameters;
  wasExecuted: boolean;
}
