import type { CallResult, SessionClosed } from './events.ts';
import type { LeafRef } from './recorder.ts';
import type { SessionState } from './session-ledger.ts';

/** What recovery owes to a session that a crash cut: a result for every open call, and its closing. */
export function* closingLeaves(session: SessionState): Iterable<CallResult | SessionClosed> {
  for (const call of session.open) {
    yield {
      type: 'call.result',
      session: session.id,
      seq: session.nextSeq - session.shift,
      call,
      status: 'cut',
      bytesUp: 0,
      bytesDown: 0,
      durationUs: 0,
      cause: 'in-doubt',
    };
  }
  yield {
    type: 'session.closed',
    session: session.id,
    seq: session.nextSeq - session.shift,
    ...(session.context === '' ? {} : { context: JSON.parse(session.context) as LeafRef }),
    reason: 'crash',
    calls: session.calls,
    bytesUp: session.bytesUp,
    bytesDown: session.bytesDown,
  };
}
