/** Bookkeeping of every leaf that is appended: its session's counter and digest, open calls, and what heartbeats count. */

import { CountersignError } from '../errors.ts';
import type { OwnEvent, RecordEvent } from './events.ts';
import type { LeafRef } from './recorder.ts';
import { rollDigest, type SessionLedger, type SessionState } from './session-ledger.ts';

/** Counted since the heartbeat before. */
export interface TrafficCounters {
  calls: number;
  denied: number;
  bytesUp: number;
  bytesDown: number;
}

const noCounters = (): TrafficCounters => ({ calls: 0, denied: 0, bytesUp: 0, bytesDown: 0 });

/** A leaf's place in its session. */
export interface SessionPlace {
  readonly session: SessionState;
  /** The recorder's own counter, which may be ahead of the author's. */
  readonly seq: number;
}

export class LeafAccount {
  readonly ledger: SessionLedger;
  #openCalls = 0;
  #counters = noCounters();

  constructor(ledger: SessionLedger) {
    this.ledger = ledger;
    for (const session of ledger.sessions()) this.#openCalls += session.open.size;
  }

  /** Intents without a result. */
  get openCalls(): number {
    return this.#openCalls;
  }

  /** Counters since the last call. */
  takeCounters(): TrafficCounters {
    const counters = this.#counters;
    this.#counters = noCounters();
    return counters;
  }

  /** Where an event belongs. Throws `CS_INTERNAL` when its author lost count; undefined when it is in no session. */
  placeOf(event: RecordEvent | OwnEvent): SessionPlace | undefined {
    if (!('session' in event && 'seq' in event)) return undefined;
    const session = this.ledger.obtain(event.session);
    const seq = event.seq + session.shift;
    if (seq !== session.nextSeq) {
      throw new CountersignError('CS_INTERNAL', {
        detail: `session leaf has seq ${seq}, expected ${session.nextSeq}`,
      });
    }
    return { session, seq };
  }

  /** Takes in a leaf of a session. `text`: the leaf as it is written. */
  take(event: RecordEvent, session: SessionState, text: string, id: string): void {
    session.nextSeq++;
    switch (event.type) {
      case 'call.intent':
        session.calls++;
        session.open.add(id);
        this.#openCalls++;
        this.#counters.calls++;
        break;
      case 'call.result':
        if (session.open.delete(event.call)) this.#openCalls--;
        session.bytesUp += event.bytesUp;
        session.bytesDown += event.bytesDown;
        this.#counters.bytesUp += event.bytesUp;
        this.#counters.bytesDown += event.bytesDown;
        break;
      case 'call.voided':
        if (session.open.delete(event.call)) this.#openCalls--;
        break;
      case 'call.denied':
        this.#counters.denied += event.count ?? 1;
        break;
      case 'session.closed':
        this.#openCalls -= session.open.size;
        this.ledger.close(session.id);
        return;
      default:
        break;
    }
    const { context } = event as { readonly context?: LeafRef };
    if (context !== undefined && session.context === '') session.context = JSON.stringify(context);
    rollDigest(session, text);
  }
}
