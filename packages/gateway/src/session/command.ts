import { FREE_PLAN, type MaskPlan } from '../masking/plan.ts';
import type { CallResult } from '../record/events.ts';
import type { Appended } from '../record/recorder.ts';

/** How a command ended, as the translator saw it. */
export type Outcome = Omit<CallResult, 'type' | 'session' | 'seq' | 'context' | 'call'>;

/** `sync`: on disk at once, because someone waits for it. `ride`: with the next group commit (decision 5). */
export type ResultUrgency = 'sync' | 'ride';

/** What a command needs of its session: the next sequence number and the journal. */
export interface ResultSink {
  appendResult(call: string, outcome: Outcome, urgency: ResultUrgency): Appended;
}

/**
 * One command on its way. It exists only after its `call.intent` entered the journal; nothing of it may be forwarded
 * before `onDurable` has called back without an error.
 */
export class Command {
  /** The id of its `call.intent`, by which results and later calls name it. */
  readonly id: string;
  readonly effect: 'read' | 'write' | 'admin' | 'unknown';
  /** What is masked of its answer. */
  readonly mask: MaskPlan;
  readonly #intent: Appended;
  readonly #sink: ResultSink;
  #result: Appended | undefined;

  constructor(
    intent: Appended,
    effect: 'read' | 'write' | 'admin' | 'unknown',
    sink: ResultSink,
    mask: MaskPlan = FREE_PLAN,
  ) {
    this.id = intent.id;
    this.effect = effect;
    this.mask = mask;
    this.#intent = intent;
    this.#sink = sink;
  }

  get isDurable(): boolean {
    return this.#intent.isDurable;
  }

  get ended(): boolean {
    return this.#result !== undefined;
  }

  /** The `call.result`, once there is one. */
  get result(): Appended | undefined {
    return this.#result;
  }

  /** See `Appended.onDurable`: with an error the command must be refused. */
  onDurable(callback: (error?: Error) => void): void {
    this.#intent.onDurable(callback);
  }

  durable(): Promise<void> {
    return this.#intent.durable();
  }

  /** Appends `call.result`, once; a second end changes nothing. The final bytes are released by the caller, according to decision 5. */
  end(outcome: Outcome, urgency: ResultUrgency): Appended {
    this.#result ??= this.#sink.appendResult(this.id, outcome, urgency);
    return this.#result;
  }
}
