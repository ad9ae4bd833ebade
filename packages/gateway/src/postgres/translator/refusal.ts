import type { CountersignError } from '../../errors.ts';
import type { Denied } from '../../session/denied.ts';
import { encodeErrorResponse } from '../wire/backend/error-response.ts';
import { makeResponseFields } from '../wire/backend/response-fields.ts';
import { encodeParse } from '../wire/frontend/parse.ts';
import { encodeQuery } from '../wire/frontend/query.ts';
import type { Exchange } from './exchange.ts';
import { Unit } from './expected-answers.ts';
import { Gate } from './gated-writer.ts';

/**
 * What the target gets in place of a refused command (decision 1). It fails in the target's raw parser, before anything is
 * looked up or run, in every transaction state: so the target itself aborts the transaction, and its status byte is true.
 */
export const REFUSED_TEXT = 'countersign refused this statement';

export const BAD_QUERY = encodeQuery(REFUSED_TEXT);

/** Named, because the server drops the unnamed statement before it parses its successor. It never comes into being. */
export const BAD_PARSE = encodeParse({
  statement: 'countersign_refused',
  text: REFUSED_TEXT,
  parameterTypes: [],
});

/** The refusal as the client sees it. */
export function encodeRefusal(error: CountersignError, severity: 'ERROR' | 'FATAL' = 'ERROR'): Buffer {
  const { code, sqlState, told } = error;
  const own = `countersign: ${error.message}`;
  // A syntax error is told in the words of the server's own parser: it is that.
  const message = code === 'CS_STATEMENT_SYNTAX' && told?.message !== undefined ? told.message : undefined;
  return encodeErrorResponse(
    makeResponseFields({
      severity,
      sqlState,
      message: message ?? (told?.message === undefined ? own : `${own}: ${told.message}`),
      detail: told?.detail ?? error.detail,
      hint: told?.hint ?? error.hint,
      position: told?.position,
    }),
  );
}

/** Refuses a Query or FunctionCall: answered by an error and ReadyForQuery. */
export function refuseQuery(exchange: Exchange, denied: Denied): void {
  exchange.isSeriesOpen = false;
  exchange.toTarget.addAll(BAD_QUERY, gateOf(exchange, denied));
  exchange.expect(new Unit('query', undefined, denied.error));
}

/** Refuses a message inside a series: the target skips to the next Sync, so what comes before that is dropped here. */
export function refuseSeries(exchange: Exchange, denied: Denied): void {
  exchange.noteSeries();
  exchange.toTarget.addAll(BAD_PARSE, gateOf(exchange, denied));
  exchange.expect(new Unit('parse', undefined, denied.error));
  exchange.isDropping = true;
}

/** Opens when `call.denied` is on disk, or cannot get there: the denial stands either way. */
function gateOf(exchange: Exchange, denied: Denied): Gate {
  const gate = new Gate();
  denied.onRecorded(() => {
    gate.isOpen = true;
    exchange.toTarget.schedule();
  });
  return gate;
}
