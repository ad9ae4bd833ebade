import { CountersignError } from '../../errors.ts';
import { Denied } from '../../session/denied.ts';
import { HEADER_BYTES } from '../wire/framer.ts';
import { decodeFunctionCall } from '../wire/frontend/function-call.ts';
import type { Call } from './call.ts';
import type { Exchange } from './exchange.ts';
import { claimWindow, type SeriesWindow, type Taken } from './extended-query.ts';
import { Unit } from './expected-answers.ts';
import { judgeCall, touchedOf, WAIT, type Judgement } from './judgement.ts';
import { withLineage } from './lineage-of-command.ts';
import { refuseQuery } from './refusal.ts';
import { commitParameters, commitStatement, MAX_PARAMETER_COMMITMENTS } from './series-intents.ts';

/** pg_proc OID of set_config(text, text, boolean), fixed in every version: a setting changed past the settings policy. */
const SET_CONFIG_OID = 2078;

/** FunctionCall: a call of kind `function`; its `statement` is the text `function <oid>`, its arguments are the `params`. */
export function onFunctionCall(
  exchange: Exchange,
  window: SeriesWindow,
  buffer: Buffer,
  start: number,
  end: number,
): Taken {
  if (!claimWindow(exchange, window)) return 'taken';
  const { functionOid, arguments: values, argumentFormats } = decodeFunctionCall(buffer, start, end);
  const judgement = judgeFunction(exchange, functionOid);
  if (judgement === WAIT) return 'wait';
  const { meaning } = judgement.reading;
  const { digest, payloads } = commitStatement(exchange, Buffer.from(`function ${functionOid}`));
  const common = {
    kind: 'function',
    effect: meaning.effect,
    statement: digest,
    txn: exchange.transaction,
  } as const;
  try {
    if (judgement.refusal !== undefined) throw exchange.session.deny(judgement.refusal, common, payloads);
    let intent: Parameters<Exchange['begin']>[0];
    if (values.length > MAX_PARAMETER_COMMITMENTS) {
      const commitment = exchange.session.commit(buffer.subarray(start + HEADER_BYTES, end));
      payloads.push({ field: 'message', commitment });
      intent = { ...common, message: commitment.digest };
    } else {
      const { digests } = commitParameters(exchange, payloads, buffer, values, argumentFormats, []);
      intent = digests.length > 0 ? { ...common, params: digests } : common;
    }
    const touched = withLineage(exchange, touchedOf(judgement, undefined), judgement);
    const call = exchange.begin(intent, payloads, 'query', touched);
    call.bytesUp = end - start;
    exchange.toTarget.add(buffer, start, end, call.gate);
    expectFunction(exchange, call, judgement);
  } catch (error) {
    if (!(error instanceof Denied)) throw error;
    refuseQuery(exchange, error);
  }
  return 'taken';
}

/** What a FunctionCall means. A setting is not changed this way: nobody would have read its name. */
export function judgeFunction(exchange: Exchange, oid: number): Judgement | typeof WAIT {
  const judgement = judgeCall(exchange, oid);
  if (judgement === WAIT || oid !== SET_CONFIG_OID) return judgement;
  return { ...judgement, refusal: new CountersignError('CS_SETTING_DENIED') };
}

/** Its answer ends with ReadyForQuery, like that of a Query. */
export function expectFunction(exchange: Exchange, call: Call, { reading }: Judgement): void {
  const unit = new Unit('function', call);
  exchange.applyMeaning(reading.meaning, NO_TEXT, 'query');
  exchange.follow(unit, reading.meaning);
  exchange.isSeriesOpen = false;
  exchange.expect(unit);
}

const NO_TEXT = Buffer.alloc(0);
