/** Spans as plain data: what the data thread notes, and what crosses to the thread that sends them. */

interface SpanTimes {
  /** Session id: a UUID, whose 16 bytes are the trace id. */
  readonly session: string;
  /** Wall clock, µs since the epoch. */
  readonly startUs: number;
  readonly endUs: number;
}

export interface SessionSpan extends SpanTimes {
  readonly kind: 'session';
  readonly principal: string;
  readonly grant: string;
  readonly target: string;
  readonly calls: number;
}

/** There is no field for a statement, a parameter or a value, so that none can be sent. */
export interface CallSpan extends SpanTimes {
  readonly kind: 'call';
  readonly call: string;
  readonly jseq: number;
  readonly target: string;
  /** First word of the statement, or what kind of message it was. */
  readonly operation: string;
  readonly effect: string;
  /** `open` when the session ended before the outcome was known. */
  readonly status: string;
  readonly sqlstate?: string;
  readonly rows?: number;
  readonly intentDurableUs?: number;
  readonly targetUs?: number;
  readonly resultDurableUs?: number;
}

export interface DeniedSpan extends SpanTimes {
  readonly kind: 'denied';
  readonly code: string;
  readonly target: string;
}

export type Span = SessionSpan | CallSpan | DeniedSpan;

/** The wall clock in µs, from the clock that does not step. */
export function wallUs(): number {
  return Math.round((performance.timeOrigin + performance.now()) * 1_000);
}
