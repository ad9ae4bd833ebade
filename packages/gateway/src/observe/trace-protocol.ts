import type { TraceResource } from './otlp.ts';
import type { Span } from './trace-span.ts';

/** Where spans go, with every reference already read. */
export interface TraceDestination {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly tls: {
    readonly ca?: string;
    readonly cert?: string;
    readonly key?: string;
    readonly servername?: string;
  };
}

export interface TraceThreadOptions extends TraceDestination {
  readonly resource: TraceResource;
}

export interface SpanBatch {
  readonly spans: readonly Span[];
}

/** One per batch. */
export interface BatchOutcome {
  readonly count: number;
  readonly isSent: boolean;
}
