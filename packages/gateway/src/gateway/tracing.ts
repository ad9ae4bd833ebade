import type { CountersignConfig, SecretRef, Secrets } from '../config/config.ts';
import type { TracesConfig } from '../config/traces-section.ts';
import type { SpanTotals } from '../observe/export-metrics.ts';
import { Tracer } from '../observe/tracer.ts';
import type { TraceDestination } from '../observe/trace-protocol.ts';
import type { SessionObserver } from '../session/session.ts';
import { SessionTrace, type TracedNames } from './session-trace.ts';
import { runningSoftware } from './software.ts';

/** Traces of a running gateway, if its configuration asks for them. */
export class Tracing {
  readonly #secrets: Secrets;
  #tracer: Tracer | undefined;
  /** Of tracers that a reload has replaced. */
  #before: SpanTotals = { sent: 0, dropped: 0 };

  constructor(secrets: Secrets) {
    this.#secrets = secrets;
  }

  get totals(): SpanTotals {
    const { sent, dropped } = this.#tracer?.totals ?? { sent: 0, dropped: 0 };
    return { sent: sent + this.#before.sent, dropped: dropped + this.#before.dropped };
  }

  /** Begins, ends or changes tracing; sessions that are traced already end with the tracer that they began with. */
  async configure(config: CountersignConfig): Promise<void> {
    const destination =
      config.traces === undefined ? undefined : await readDestination(config.traces, this.#secrets);
    await this.close();
    if (config.traces === undefined || destination === undefined) return;
    const { sample, queue, intervalMs } = config.traces;
    const resource = { node: config.node, version: runningSoftware().version };
    this.#tracer = new Tracer({ ...destination, resource, sample, queue, intervalMs });
  }

  /** An observer for a session that is to be traced; `undefined` for the others, which then pay nothing. */
  trace(session: string, names: TracedNames, counter: SessionObserver): SessionTrace | undefined {
    const tracer = this.#tracer;
    return tracer?.takes() === true ? new SessionTrace(tracer, session, names, counter) : undefined;
  }

  async close(): Promise<void> {
    const tracer = this.#tracer;
    this.#tracer = undefined;
    if (tracer === undefined) return;
    await tracer.close();
    const { sent, dropped } = tracer.totals;
    this.#before = { sent: this.#before.sent + sent, dropped: this.#before.dropped + dropped };
  }
}

async function readDestination(traces: TracesConfig, secrets: Secrets): Promise<TraceDestination> {
  const read = async (reference: SecretRef): Promise<string> =>
    (await secrets.read(reference)).toString('utf8');
  const { ca, cert, key, serverName } = traces.tls;
  const headers: Record<string, string> = {};
  for (const { name, value } of traces.headers) headers[name] = await read(value);
  return {
    url: traces.url,
    headers,
    tls: {
      ...(ca === undefined ? {} : { ca: await read(ca) }),
      ...(cert === undefined ? {} : { cert: await read(cert) }),
      ...(key === undefined ? {} : { key: await read(key) }),
      ...(serverName === undefined ? {} : { servername: serverName }),
    },
  };
}
