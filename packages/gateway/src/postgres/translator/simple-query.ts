import { Denied } from '../../session/denied.ts';
import { CountersignError } from '../../errors.ts';
import { decodeQuery } from '../wire/frontend/query.ts';
import type { Meaning } from '../inspect/meaning.ts';
import type { Call } from './call.ts';
import type { Exchange } from './exchange.ts';
import { claimWindow, type SeriesWindow, type Taken } from './extended-query.ts';
import { Unit } from './expected-answers.ts';
import { judgeText, touchedOf, WAIT } from './judgement.ts';
import { withLineage } from './lineage-of-command.ts';
import { refuseQuery } from './refusal.ts';

/**
 * Query: one call, however many statements it holds. It is judged whole before any byte of it is forwarded.
 */
export function onQuery(
  exchange: Exchange,
  window: SeriesWindow,
  buffer: Buffer,
  start: number,
  end: number,
): Taken {
  const range = decodeQuery(buffer, start, end);
  if (range.end - range.start > exchange.limits.maxStatementBytes) {
    onQueryTooLong(exchange, window);
    return 'taken';
  }
  if (!claimWindow(exchange, window)) return 'taken';
  const text = buffer.subarray(range.start, range.end);
  const judgement = judgeText(exchange, text);
  if (judgement === WAIT) return 'wait';
  const { meaning } = judgement.reading;
  const statement = exchange.session.commit(text);
  const payloads = [{ field: 'statement', commitment: statement }];
  const { kind, effect, statements } = meaning;
  try {
    if (judgement.refusal !== undefined) {
      throw exchange.session.deny(judgement.refusal, { kind, statement: statement.digest }, payloads);
    }
    const call = exchange.begin(
      statements > 1
        ? {
            kind,
            effect,
            statement: statement.digest,
            txn: exchange.transaction,
            statements,
          }
        : { kind, effect, statement: statement.digest, txn: exchange.transaction },
      payloads,
      'query',
      withLineage(exchange, touchedOf(judgement, text), judgement),
    );
    call.bytesUp = end - start;
    exchange.toTarget.add(buffer, start, end, call.gate);
    exchange.newestCall = call;
    queueQuery(exchange, call, meaning, text);
  } catch (error) {
    if (!(error instanceof Denied)) throw error;
    refuseQuery(exchange, error);
  }
  return 'taken';
}

function queueQuery(exchange: Exchange, call: Call, meaning: Meaning, text: Buffer): void {
  // The server uses the unnamed statement and portal for a Query of its own.
  exchange.statements.forget('');
  exchange.portals.forget('');
  const unit = new Unit('query', call, undefined, exchange.applyMeaning(meaning, text, 'query'));
  exchange.follow(unit, meaning);
  exchange.isSeriesOpen = false;
  exchange.expect(unit);
}

/** A Query that is longer than `limits.maxStatementBytes`. Nothing of it is kept, and there is no commitment to it. */
export function onQueryTooLong(exchange: Exchange, window: SeriesWindow): void {
  if (!claimWindow(exchange, window)) return;
  const error = new CountersignError('CS_STATEMENT_TOO_LONG', {
    detail: `The limit is ${exchange.limits.maxStatementBytes} bytes.`,
  });
  refuseQuery(exchange, exchange.session.deny(error, { kind: 'unknown' }, []));
}
