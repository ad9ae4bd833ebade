import { CountersignError, isCountersignError } from '../../errors.ts';
import type { CallStatus } from '../../record/events.ts';
import type { Appended, Payload } from '../../record/recorder.ts';
import type { ResultUrgency } from '../../session/command.ts';
import type { Intent, Session } from '../../session/session.ts';
import type { SettingsPolicy } from '../inspect/settings.ts';
import type { TransactionStatus } from '../wire/backend/ready-for-query.ts';
import { Call } from './call.ts';
import { ExpectedAnswers, type Unit } from './expected-answers.ts';
import type { GatedWriter } from './gated-writer.ts';
import { NameTable } from './name-table.ts';
import {
  preparedBytes,
  type NameEffect,
  type Portal,
  type PreparedStatement,
} from './prepared-statements.ts';
import type { ReadText, SessionLimits } from './ports.ts';
import { BAD_PARSE, BAD_QUERY } from './refusal.ts';

/** How a command is refused once it is queued: by a Query of ours that fails, or by a Parse (inside a series). */
export type RefusalForm = 'query' | 'series';

export interface ExchangeOptions {
  readonly session: Session;
  readonly limits: SessionLimits;
  readonly settings: SettingsPolicy;
  readonly toTarget: GatedWriter;
  readonly toClient: GatedWriter;
  /** Ends the session at once. */
  readonly fail: (error: CountersignError) => void;
  readonly readText?: ReadText | undefined;
}

/**
 * What the two directions of one session share: what is expected, what names mean, where the transaction stands. Touched
 * only from socket callbacks and durability callbacks of the data thread, never across an await.
 */
export class Exchange {
  readonly session: Session;
  readonly limits: SessionLimits;
  readonly settings: SettingsPolicy;
  readonly toTarget: GatedWriter;
  readonly toClient: GatedWriter;
  readonly expected = new ExpectedAnswers();
  readonly statements = new NameTable<PreparedStatement>(preparedBytes);
  readonly portals = new NameTable<Portal>();
  readonly fail: (error: CountersignError) => void;
  readonly readText: ReadText | undefined;
  /** As the target last reported it. */
  transaction: TransactionStatus = 'I';
  /** Number of Syncs taken from the client. */
  series = 0;
  /** A command of this series was refused: the target skips the rest of it, and so do we. */
  isDropping = false;
  /** The newest Query or Execute: COPY data from the client belongs to it. */
  newestCall: Call | undefined;
  /** The call whose COPY the target is reading now; undefined once the client ended it. */
  copyIn: Call | undefined;
  /**
   * The newest Execute of what may be a COPY from the client. Until the target has said whether it is one, nothing
   * behind it is taken: what a Sync means depends on it.
   */
  maybeCopy: Unit | undefined;
  /**
   * Syncs of the client inside a COPY of the extended protocol. The target ignores them while the COPY goes on, so they are
   * kept back; if the COPY fails first, they end its series.
   */
  heldSyncs = 0;
  /** Something that may have written has ended since the last ReadyForQuery; and the newest result leaf. */
  hasWritten = false;
  lastResult: Appended | undefined;

  constructor(options: ExchangeOptions) {
    this.session = options.session;
    this.limits = options.limits;
    this.settings = options.settings;
    this.toTarget = options.toTarget;
    this.toClient = options.toClient;
    this.fail = options.fail;
    this.readText = options.readText;
  }

  /**
   * Authorizes and records a command. Its messages are queued behind `call.gate`.
   * @throws Denied
   */
  begin(intent: Intent, payloads: readonly Payload[], form: RefusalForm): Call {
    const call = new Call(this.session.begin(intent, payloads));
    call.command.onDurable((error) => {
      if (error !== undefined) this.#refuseLate(call, error, form);
      call.gate.isOpen = true;
      this.toTarget.schedule();
    });
    return call;
  }

  /** Notes that an answer will come. A call that the target is sure to skip ends here. */
  expect(unit: Unit): void {
    this.expected.push(unit);
    if (!unit.isSkipped) return;
    unit.change?.discard(false);
    if (unit.call !== undefined) this.endCall(unit.call, 'skipped', undefined, 'ride');
  }

  /** Appends the call's result, unless it has one or was refused. */
  endCall(
    call: Call,
    status: CallStatus,
    delivered: string | undefined,
    urgency: ResultUrgency,
    cause?: string,
  ): void {
    if (call.refusal !== undefined || call.command.ended) return;
    if (status !== 'skipped' && call.mayHaveWritten) this.hasWritten = true;
    if (this.copyIn === call) this.copyIn = undefined;
    try {
      this.lastResult = call.command.end(call.outcome(status, delivered, cause), urgency);
    } catch (cause) {
      this.fail(new CountersignError('CS_RESULT_UNRECORDED', { cause }));
    }
  }

  /** Whether what the client sends next has to wait for the answer to a COPY. */
  get awaitsCopy(): boolean {
    const unit = this.maybeCopy;
    return unit !== undefined && !unit.isAnswered && !unit.isSkipped;
  }

  /** Ends the session at once, whatever was thrown. */
  failWith(error: unknown): void {
    this.fail(isCountersignError(error) ? error : new CountersignError('CS_INTERNAL', { cause: error }));
  }

  /** SQL changed what names mean, or may have. */
  applyNameEffect(effect: NameEffect): void {
    if (effect.kind === 'none') return;
    if (effect.kind === 'statement') this.statements.forget(effect.name);
    else {
      this.statements.forgetAll();
      this.portals.forgetAll();
    }
  }

  /**
   * The intent did not get to disk in time (the recorder appends `call.voided` for it): the target is given a statement that
   * fails, so that its transaction really aborts.
   */
  #refuseLate(call: Call, cause: Error, form: RefusalForm): void {
    const error = isCountersignError(cause) ? cause : new CountersignError('CS_RECORD_FAILED', { cause });
    call.refusal = error;
    call.gate.replacement = form === 'query' ? BAD_QUERY : BAD_PARSE;
  }
}
