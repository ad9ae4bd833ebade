import { CountersignError } from '../../errors.ts';
import { Denied } from '../../session/denied.ts';
import { HEADER_BYTES } from '../wire/framer.ts';
import { decodeFunctionCall } from '../wire/frontend/function-call.ts';
import type { Exchange } from './exchange.ts';
import { claimWindow, type SeriesWindow } from './extended-query.ts';
import { Unit } from './expected-answers.ts';
import { refuseQuery } from './refusal.ts';
import { commitParameters, commitStatement, MAX_PARAMETER_COMMITMENTS } from './series-intents.ts';

/** pg_proc OID of set_config(text, text, boolean), fixed in every version: a setting changed past the settings policy. */
export const SET_CONFIG_OID = 2078;

/** FunctionCall: a call of kind `function`; its `statement` is the text `function <oid>`, its arguments are the `params`. */
export function onFunctionCall(
  exchange: Exchange,
  window: SeriesWindow,
  buffer: Buffer,
  start: number,
  end: number,
): void {
  if (!claimWindow(exchange, window)) return;
  const { functionOid, arguments: values, argumentFormats } = decodeFunctionCall(buffer, start, end);
  const { digest, payloads } = commitStatement(exchange, Buffer.from(`function ${functionOid}`));
  const common = {
    kind: 'function',
    effect: 'unknown',
    statement: digest,
    txn: exchange.transaction,
  } as const;
  try {
    if (functionOid === SET_CONFIG_OID) {
      throw exchange.session.deny(new CountersignError('CS_SETTING_DENIED'), common, payloads);
    }
    let intent: Parameters<Exchange['begin']>[0];
    if (values.length > MAX_PARAMETER_COMMITMENTS) {
      const commitment = exchange.session.commit(buffer.subarray(start + HEADER_BYTES, end));
      payloads.push({ field: 'message', commitment });
      intent = { ...common, message: commitment.digest };
    } else {
      const { digests } = commitParameters(exchange, payloads, buffer, values, argumentFormats, []);
      intent = digests.length > 0 ? { ...common, params: digests } : common;
    }
    const call = exchange.begin(intent, payloads, 'query');
    call.bytesUp = end - start;
    exchange.toTarget.add(buffer, start, end, call.gate);
    exchange.expect(new Unit('function', call));
  } catch (error) {
    if (!(error instanceof Denied)) throw error;
    refuseQuery(exchange, error);
  }
}
