import { CountersignError, isCountersignError } from '../../errors.ts';
import type { CallStatus } from '../../record/events.ts';
import type { Appended, Payload } from '../../record/recorder.ts';
import type { ResultUrgency } from '../../session/command.ts';
import type { Intent, Session } from '../../session/session.ts';
import type { Touched } from '../../session/touched.ts';
import type { SessionAnalysis } from '../analysis/session-analysis.ts';
import type { Meaning } from '../inspect/meaning.ts';
import type { SettingsPolicy } from '../inspect/settings.ts';
import type { TransactionStatus } from '../wire/backend/ready-for-query.ts';
import { Call } from './call.ts';
import { ExpectedAnswers, type Unit } from './expected-answers.ts';
import type { GatedWriter } from './gated-writer.ts';
import { NameTable, type NameChange } from './name-table.ts';
import { OwnQuestions, type RecordOwnStatement } from './own-questions.ts';
import type { SessionMask } from './session-mask.ts';
import {
  PREPARED_BYTES_LIMIT,
  preparedBytes,
  type Portal,
  type PreparedStatement,
} from './prepared-statements.ts';
import type { SessionLimits } from './ports.ts';
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
  readonly analysis: SessionAnalysis;
  /** For questions of the gateway's own. Absent: none is asked. */
  readonly recordOwn?: RecordOwnStatement | undefined;
  /** Absent: nothing is masked. */
  readonly mask?: SessionMask | undefined;
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
  readonly analysis: SessionAnalysis;
  readonly questions: OwnQuestions;
  /** Undefined: masking is not configured. */
  readonly mask: SessionMask | undefined;
  /**
   * The target may have a prepared statement that `statements` does not: own code or a text of several statements may have made one, or a DEALLOCATE that was
   * taken at its word may have failed.
   */
  mayHaveUnknownStatements = false;
  /** How often `mayHaveUnknownStatements` was said. */
  #unknowns = 0;
  /** A cursor is open whose rows run own code: each FETCH runs some of it. */
  #hasRunningCursor = false;
  /** Messages of a series were forwarded, and not its Sync. */
  isSeriesOpen = false;
  #isFlushed = false;
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
    this.analysis = options.analysis;
    this.questions = new OwnQuestions(this, options.recordOwn);
    this.mask = options.mask;
  }

  /**
   * Authorizes and records a command. Its messages are queued behind `call.gate`.
   * @throws Denied
   */
  begin(intent: Intent, payloads: readonly Payload[], form: RefusalForm, touched: Touched): Call {
    const call = this.#entered(intent, payloads, touched);
    const plan = call.command.mask;
    call.mask = this.mask?.forCall(plan, touched);
    call.command.onDurable((error) => {
      if (error !== undefined) this.#refuseLate(call, error, form);
      call.gate.isOpen = true;
      this.toTarget.schedule();
    });
    return call;
  }

  /** @throws Denied */
  #entered(intent: Intent, payloads: readonly Payload[], touched: Touched): Call {
    if (this.mask === undefined) return new Call(this.session.begin(intent, payloads, touched));
    const use = this.#enter(intent, payloads, touched);
    try {
      const call = new Call(this.session.begin(intent, payloads, touched));
      call.use = use;
      return call;
    } catch (error) {
      use?.leave();
      throw error;
    }
  }

  #enter(intent: Intent, payloads: readonly Payload[], touched: Touched): Call['use'] {
    try {
      return this.analysis.enter(touched);
    } catch (error) {
      if (!isCountersignError(error)) throw error;
      throw this.session.deny(error, intent, payloads);
    }
  }

  /** Notes that an answer will come. A call that the target is sure to skip ends here. */
  expect(unit: Unit): void {
    this.expected.push(unit);
    if (!unit.isSkipped) return;
    unit.change?.discard(false);
    unit.move?.settle('skipped');
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
    // A change is over with its transaction.
    if (call.use?.isChange === false) call.use.leave();
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

  /** Something of a series was queued for the target. */
  noteSeries(): void {
    this.isSeriesOpen = true;
    this.#isFlushed = false;
  }

  /** A message waits for answers that the target may keep until the Sync that comes behind it. */
  flushSeries(): void {
    if (this.#isFlushed || !this.isSeriesOpen) return;
    this.#isFlushed = true;
    this.toTarget.addAll(FLUSH);
    this.toTarget.schedule();
  }

  /**
   * A command was queued that may change what names mean: SQL can prepare and deallocate statements and close portals as well.
   * @param text of the command, in which a PREPARE is found again. @param form what comes behind a failure is skipped only inside of a series.
   * @returns what its success means for prepared statements.
   */
  applyMeaning(
    { kind, changes, statements }: Meaning,
    text: Buffer,
    form: RefusalForm,
  ): NameChange | undefined {
    const made: NameChange[] = [];
    const series = form === 'series' ? this.series : NO_SERIES;
    for (const change of changes) {
      if (change.kind === 'anything') this.#noteUnknown();
      else if (change.kind === 'deallocate') {
        if (statements > 1) this.#forget(change.name);
        else if (change.name === undefined) made.push(this.#forgetAll());
        else made.push(this.statements.propose(change.name, undefined, series));
      } else if (change.kind === 'prepare') {
        // A PREPARE that fails leaves what there was; of several statements, nobody knows which of them failed.
        if (statements > 1) this.#forget(change.name);
        const statement = { text: Buffer.from(text), sqlName: change.name, meanings: [], parameterTypes: [] };
        const hasRoom = this.statements.bytes + preparedBytes(statement) <= PREPARED_BYTES_LIMIT;
        if (hasRoom) made.push(this.statements.propose(change.name, statement, series));
        else this.#forget(change.name);
      }
    }
    if (MOVES_PORTALS.has(kind)) this.portals.forgetAll();
    return made.length > 1 ? together(made) : made[0];
  }

  /**
   * Notes what a queued command may change of names, to be settled with its answer. To FETCH from a cursor is to run what it was declared for.
   */
  follow(unit: Unit, meaning: Meaning): void {
    const runsCode = meaning.changes.some(({ kind }) => kind === 'anything');
    if (runsCode && DECLARES.has(meaning.kind)) this.#hasRunningCursor = true;
    const fetches = this.#hasRunningCursor && FETCHES.has(meaning.kind);
    if (this.mask !== undefined) {
      unit.runsOwnCode = fetches || (runsCode && meaning.kind !== 'declare');
      unit.endsTransaction = meaning.changes.some(({ kind }) => kind === 'transaction');
      const mask = unit.call?.mask;
      if (mask !== undefined) mask.isMixed = unit.runsOwnCode && meaning.statements > 1;
    }
    unit.move = this.analysis.expect(
      fetches ? { ...meaning, changes: [...meaning.changes, ANYTHING] } : meaning,
    );
  }

  /** No transaction is open, and with it no cursor that still runs. */
  forgetCursors(): void {
    this.#hasRunningCursor = false;
  }

  #noteUnknown(): void {
    this.mayHaveUnknownStatements = true;
    this.#unknowns += 1;
  }

  /** If it succeeds, the target has none; unless something that came behind it made one. */
  #forgetAll(): NameChange {
    this.#forget(undefined);
    const unknowns = this.#unknowns;
    return {
      apply: () => {
        if (this.#unknowns === unknowns) this.mayHaveUnknownStatements = false;
      },
      discard: () => {},
    };
  }

  #forget(name: string | undefined): void {
    this.#noteUnknown();
    if (name === undefined) this.statements.forgetAll();
    else this.statements.forget(name);
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

const FLUSH = Buffer.from([0x48, 0, 0, 0, 4]);

/** Kinds of commands that can open or close a portal of a name that the client uses. What such a portal runs was judged when it was made. */
const MOVES_PORTALS: ReadonlySet<string> = new Set([
  'declare',
  'close',
  'discard',
  'multi',
  'do',
  'call',
] satisfies Meaning['kind'][]);

/** What comes with a Query may not be relied on before it is answered, not by the messages of its own series either. */
const NO_SERIES = -1;

const ANYTHING = { kind: 'anything' } as const;

const DECLARES: ReadonlySet<string> = new Set([
  'declare',
  'multi',
  'do',
  'call',
  'select',
] satisfies Meaning['kind'][]);

const FETCHES: ReadonlySet<string> = new Set(['fetch', 'move', 'multi', 'close'] satisfies Meaning['kind'][]);

function together(changes: readonly NameChange[]): NameChange {
  return {
    apply: () => {
      for (const change of changes) change.apply();
    },
    discard: (wasTried) => {
      for (const change of changes) change.discard(wasTried);
    },
  };
}
