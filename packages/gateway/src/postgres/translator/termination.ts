import type { CallStatus } from '../../record/events.ts';
import type { Exchange } from './exchange.ts';

/**
 * The results of calls that are still open when a session ends. One that never went to the target was `skipped`; one that
 * the target answered with an error before it went away has that; any other is `cut`: it may or may not have
 * taken effect, and `cause` says what ended the session.
 */
export function cutCalls(exchange: Exchange, cause: string, delivered: string | undefined): void {
  let rest = delivered;
  for (const { call } of exchange.expected.all) {
    if (call === undefined || call.command.ended) continue;
    let status: CallStatus = 'cut';
    if (!call.wasForwarded) status = 'skipped';
    else if (call.sqlstate !== undefined) status = call.sqlstate === '57014' ? 'cancelled' : 'error';
    exchange.endCall(call, status, rest, 'ride', cause);
    rest = undefined;
  }
}
