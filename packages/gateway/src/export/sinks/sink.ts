/** One event on its way out: the JSON document as it is sent, without a line break. */
export interface OutgoingEvent {
  readonly index: number;
  readonly json: Buffer;
  /** For sinks with a header of their own. */
  readonly atUs: number;
  readonly type: string;
  /** OCSF's `severity_id`. */
  readonly severityId: number;
}

/** Where events go. Used by one exporter at a time; `deliver` is not called again before it has ended. */
export interface Sink {
  /**
   * Resolves when the receiver has taken all of `events`, in order; how firmly, docs/export.md says per kind. Rejects with a
   * `SinkError`; then any of them may have arrived, and all are delivered again.
   */
  deliver(events: readonly OutgoingEvent[], signal: AbortSignal): Promise<void>;
  close(): Promise<void>;
}

export type SinkFailure =
  /** Try again later. */
  | 'unavailable'
  /** The receiver refuses what it was given, and would refuse it again. */
  | 'refused';

/** Why a delivery failed: a code or status number, never a body or an address that the receiver sent. */
export class SinkError extends Error {
  readonly failure: SinkFailure;
  readonly retryAfterMs: number | undefined;

  constructor(failure: SinkFailure, message: string, options: ErrorOptions & { retryAfterMs?: number } = {}) {
    super(message, options);
    this.name = 'SinkError';
    this.failure = failure;
    this.retryAfterMs = options.retryAfterMs;
  }
}

/** A system error as `unavailable`, by its code: its message may quote what the peer sent. */
export function unavailable(what: string, cause: unknown): SinkError {
  if (cause instanceof SinkError) return cause;
  const { code, name } = cause as { readonly code?: unknown; readonly name?: unknown };
  const detail = typeof code === 'string' ? code : typeof name === 'string' ? name : 'unknown';
  return new SinkError('unavailable', `${what} (${detail})`, { cause });
}
