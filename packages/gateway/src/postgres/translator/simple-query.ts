import { Denied } from '../../session/denied.ts';
import { CountersignError } from '../../errors.ts';
import { decodeQuery } from '../wire/frontend/query.ts';
import type { Exchange } from './exchange.ts';
import { claimWindow, type SeriesWindow } from './extended-query.ts';
import { Unit } from './expected-answers.ts';
import { refuseQuery } from './refusal.ts';
import { analyzeStatement, type StatementAnalysis } from './statement-analysis.ts';

/**
 * Query: one call, however many statements it holds. It is judged whole before any byte of it is forwarded.
 * @param read what its text says, when somebody has read it already.
 */
export function onQuery(
  exchange: Exchange,
  window: SeriesWindow,
  buffer: Buffer,
  start: number,
  end: number,
  read?: StatementAnalysis,
): void {
  const range = decodeQuery(buffer, start, end);
  if (range.end - range.start > exchange.limits.maxStatementBytes) {
    onQueryTooLong(exchange, window);
    return;
  }
  if (!claimWindow(exchange, window)) return;
  const text = buffer.subarray(range.start, range.end);
  const analysis = read ?? analyzeStatement(text, exchange.settings);
  const statement = exchange.session.commit(text);
  const payloads = [{ field: 'statement', commitment: statement }];
  const { kind, effect } = analysis;
  try {
    if (analysis.refusal !== undefined) {
      throw exchange.session.deny(analysis.refusal, { kind, statement: statement.digest }, payloads);
    }
    const call = exchange.begin(
      analysis.statements > 1
        ? {
            kind,
            effect,
            statement: statement.digest,
            txn: exchange.transaction,
            statements: analysis.statements,
          }
        : { kind, effect, statement: statement.digest, txn: exchange.transaction },
      payloads,
      'query',
    );
    call.bytesUp = end - start;
    exchange.toTarget.add(buffer, start, end, call.gate);
    exchange.newestCall = call;
    exchange.expect(new Unit('query', call));
  } catch (error) {
    if (!(error instanceof Denied)) throw error;
    refuseQuery(exchange, error);
    return;
  }
  // The server uses the unnamed statement and portal for a Query of its own.
  exchange.statements.forget('');
  exchange.portals.forget('');
  exchange.applyNameEffect(analysis.names);
}

/** A Query that is longer than `limits.maxStatementBytes`. Nothing of it is kept, and there is no commitment to it. */
export function onQueryTooLong(exchange: Exchange, window: SeriesWindow): void {
  if (!claimWindow(exchange, window)) return;
  const error = new CountersignError('CS_STATEMENT_TOO_LONG', {
    detail: `The limit is ${exchange.limits.maxStatementBytes} bytes.`,
  });
  refuseQuery(exchange, exchange.session.deny(error, { kind: 'unknown' }, []));
}
