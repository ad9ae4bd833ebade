import type { CountersignError } from '../errors.ts';
import type { Tracer } from '../observe/tracer.ts';
import { wallUs } from '../observe/trace-span.ts';
import type { MaskingOfCall } from '../record/events/masking.ts';
import type { Appended } from '../record/recorder.ts';
import type { Outcome } from '../session/command.ts';
import type { Intent, SessionObserver } from '../session/session.ts';

export interface TracedNames {
  readonly principal: string;
  readonly grant: string;
  readonly target: string;
}

/** A call whose span is not finished. */
interface OpenCall {
  readonly call: string;
  readonly jseq: number;
  readonly operation: string;
  readonly effect: string;
  readonly startUs: number;
  durableUs?: number;
}

/** Notes when the calls of one session began, were recorded and ended. Stands before the observer that counts. */
export class SessionTrace implements SessionObserver {
  readonly #tracer: Tracer;
  readonly #session: string;
  readonly #names: TracedNames;
  readonly #counter: SessionObserver;
  readonly #startUs = wallUs();
  readonly #open = new Map<string, OpenCall>();
  #calls = 0;

  constructor(tracer: Tracer, session: string, names: TracedNames, counter: SessionObserver) {
    this.#tracer = tracer;
    this.#session = session;
    this.#names = names;
    this.#counter = counter;
  }

  onCommand(intent: Intent, leaf: Appended): void {
    this.#counter.onCommand?.(intent, leaf);
    this.#calls += 1;
    const call: OpenCall = {
      call: leaf.id,
      jseq: leaf.jseq,
      operation: intent.kind,
      effect: intent.effect,
      startUs: wallUs(),
    };
    this.#open.set(leaf.id, call);
    leaf.onDurable((error) => {
      if (error === undefined) call.durableUs = wallUs();
      // Refused, because it could not be recorded: it has no result.
      else this.#finish(call, { status: 'unrecorded' }, wallUs());
    });
  }

  onMasking(masking: MaskingOfCall): void {
    this.#counter.onMasking?.(masking);
  }

  onResult(id: string, outcome: Outcome, leaf: Appended): void {
    this.#counter.onResult?.(id, outcome, leaf);
    const call = this.#open.get(id);
    if (call === undefined) return;
    const endUs = wallUs();
    leaf.onDurable(() => this.#finish(call, outcome, endUs, wallUs()));
  }

  onDenied(error: CountersignError, recorded: boolean): void {
    this.#counter.onDenied?.(error, recorded);
    const at = wallUs();
    this.#tracer.add({
      kind: 'denied',
      session: this.#session,
      startUs: at,
      endUs: at,
      code: error.code,
      target: this.#names.target,
    });
  }

  /** The session is over; calls without an outcome are told as open. */
  end(): void {
    const endUs = wallUs();
    for (const call of this.#open.values()) this.#finish(call, { status: 'open' }, endUs);
    this.#tracer.add({
      kind: 'session',
      session: this.#session,
      startUs: this.#startUs,
      endUs,
      ...this.#names,
      calls: this.#calls,
    });
  }

  #finish(
    call: OpenCall,
    outcome: Pick<Outcome, 'sqlstate' | 'rows'> & { readonly status: string },
    endUs: number,
    resultDurableUs?: number,
  ): void {
    if (!this.#open.delete(call.call)) return;
    const { durableUs, startUs, ...rest } = call;
    const { status, sqlstate, rows } = outcome;
    this.#tracer.add({
      kind: 'call',
      session: this.#session,
      target: this.#names.target,
      ...rest,
      startUs,
      endUs,
      status,
      ...(sqlstate === undefined ? {} : { sqlstate }),
      ...(rows === undefined ? {} : { rows }),
      ...(durableUs === undefined
        ? {}
        : { intentDurableUs: durableUs - startUs, targetUs: Math.max(0, endUs - durableUs) }),
      ...(resultDurableUs === undefined ? {} : { resultDurableUs: resultDurableUs - endUs }),
    });
  }
}
