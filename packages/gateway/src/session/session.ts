import { randomBytes } from 'node:crypto';
import { CountersignError, isCountersignError } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import type { GrantEnd, LiveGrant } from '../grants/live-grant.ts';
import type { Principal } from '../identity/principal.ts';
import type { CallDenied, CallIntent, Decision, SessionOpened } from '../record/events.ts';
import type { MaskingOfCall } from '../record/events/masking.ts';
import type {
  Appended,
  AppendOptions,
  Commitment,
  LeafRef,
  Payload,
  Recorder,
  Spool,
} from '../record/recorder.ts';
import { Command, type Outcome, type ResultSink, type ResultUrgency } from './command.ts';
import { Denied } from './denied.ts';
import { DenialSeries, type DenialCount } from './denial-series.ts';
import type { Authorization, SessionDecision } from './authorizer.ts';
import { openSessionContext, type Citing } from './session-context.ts';
import type { Verdict } from '../masking/judge.ts';
import type { MaskingSession } from '../masking/masking-session.ts';
import { DurableTogether } from './durable-together.ts';
import { tellMaskRefusal } from './mask-refusal-text.ts';
import { recordedMasked, recordedMasking } from './recorded-masking.ts';
import { recordedObjects } from './recorded-objects.ts';
import { tellMissing } from './refusal-text.ts';
import { SessionMasking, type SessionMaskingOptions } from './session-masking.ts';
import type { Touched } from './touched.ts';
import type { FairAdmission, Pace } from './fair-admission.ts';
import { newSessionId } from './session-id.ts';

/** What a session is, before it is opened. All of it is recorded: names in clear, the rest as commitments. */
export interface SessionRequest {
  readonly recorder: Recorder;
  /** Default: a new UUIDv7. Give one when an earlier leaf (`authn.result`) names the session. */
  readonly id?: string;
  readonly principal: Principal;
  readonly grant: LiveGrant;
  /** Whom the gateway is in the target, where the grant does not say it: the role made for its scope. */
  readonly login?: string;
  readonly protocol: 'postgres';
  readonly protocolVersion: string;
  readonly channel: SessionOpened['channel'];
  /** Client address and port, as text. Committed, its content is sealed. */
  readonly peer: string;
  /** What the client said of itself: application_name and start-up options, as text. Committed. */
  readonly client?: string;
  readonly backend: SessionOpened['backend'];
  /** Judges every command by what it touches. Absent: nothing is judged, which only tests of other rooms want. */
  readonly authorization?: Authorization;
  /** Whose privileges the session has in the target: of a role made for the scope, or of a configured login. */
  readonly role?: 'scope' | 'configured';
  /** Under which everything that it commits to is sealed. Absent: `vault.retentionClass`. */
  readonly retentionClass?: string | undefined;
  /** Judges what would leave of regulated values. Absent: nothing is masked. */
  readonly masking?: SessionMaskingOptions | undefined;
  /** Shares turns, commits and quotas between principals. Absent: for the gateway's own sessions. */
  readonly admission?: FairAdmission;
}

/** What the translator says of a command before it is forwarded. */
export type Intent = Pick<
  CallIntent,
  'kind' | 'effect' | 'statement' | 'statementName' | 'params' | 'message' | 'txn' | 'resumes' | 'statements'
>;

/** What is recorded of a command that is refused. */
export type Refusal = Pick<CallDenied, 'kind' | 'statement'>;

/** Metrics and traces. Called synchronously on the hot path: count or note, nothing else. */
export interface SessionObserver {
  onCommand?(intent: Intent, leaf: Appended): void;
  /** Only of a command that touches something regulated which is let out or asked for. */
  onMasking?(masking: MaskingOfCall): void;
  onResult?(call: string, outcome: Outcome, leaf: Appended): void;
  onDenied?(error: CountersignError, recorded: boolean): void;
}

/**
 * The one path (design/architecture.md): identify → authorize → record intent → forward → answer → mask → record result
 * → release. A session is one authenticated connection under one grant; `begin` takes a command through authorize and
 * record, `Command.end` records its result. Forwarding and releasing are the translator's, which holds bytes back until
 * this class says that their leaves are on disk. It knows no protocol.
 *
 * Everything runs on the data thread; calls to `begin` and `end` are in the order of the session's `seq`.
 */
export class Session implements ResultSink {
  readonly id: string;
  readonly grant: LiveGrant;
  /** Keys every `delivered` and `copied` digest of this session. 32 bytes; committed in `session.opened`. */
  readonly digestKey: Buffer;
  /** When commands may be taken; undefined: always. Who reads from the client asks it after every message. */
  readonly pace: Pace | undefined;
  readonly #denials = new DenialSeries({ write: (denials) => this.#appendDenials(denials) });
  readonly #recorder: Recorder;
  readonly #openContext: (citing: Citing) => LeafRef;
  /** What `#context` says; another policy or catalog gets another leaf. */
  #citing: Citing;
  #context: LeafRef;
  readonly #authorization: Authorization | undefined;
  readonly #masking: SessionMasking | undefined;
  readonly #permit: Decision;
  readonly #retentionClass: string | undefined;
  /** For leaves with contents: made once, because every command needs it. */
  readonly #sealed: AppendOptions;
  readonly #observer: SessionObserver | undefined;
  readonly #opened: Appended;
  /**
   * Leaves appended so far, which is the next `seq`. It never goes back: the recorder writes late leaves again, and shifts
   * the numbers itself where it inserts a `call.voided` (decision 18).
   */
  #seq = 0;
  #calls = 0;
  #denied = 0;
  #closed: Appended | undefined;
  #endRequest: CountersignError | undefined;
  readonly #endListeners = new Set<(error: CountersignError) => void>();
  readonly #forgetGrant: () => void;

  /**
   * Appends the context and `session.opened`. The client may be told that it is connected only after `opened()`.
   *
   * @throws Denied when the grant has ended or no policy permits a session; CountersignError `CS_RECORD_*` when the journal does not admit it.
   */
  static open(request: SessionRequest, observer?: SessionObserver): Session {
    if (request.grant.ended !== undefined) {
      throw new Denied(new CountersignError('CS_GRANT_ENDED'), undefined);
    }
    if (request.authorization?.connect().decision.effect === 'forbid') {
      throw new Denied(new CountersignError('CS_CONNECT_DENIED'), undefined);
    }
    return new Session(request, observer);
  }

  private constructor(request: SessionRequest, observer: SessionObserver | undefined) {
    const { recorder, grant } = request;
    this.id = request.id ?? newSessionId();
    this.grant = grant;
    this.digestKey = randomBytes(32);
    this.pace = request.admission?.enter(request.principal.name);
    this.#recorder = recorder;
    this.#observer = observer;
    this.#permit = { effect: 'permit', policies: [grant.id], reasons: [] };
    this.#retentionClass = request.retentionClass;
    this.#sealed = { retentionClass: request.retentionClass };
    this.#authorization = request.authorization;
    this.#masking =
      request.masking === undefined
        ? undefined
        : new SessionMasking(request.masking, grant.masking, request.authorization);
    this.#citing = {
      policy: request.authorization?.policyDigest,
      catalog: undefined,
      masking: request.masking?.rules.version,
    };
    this.#openContext = (citing) => openSessionContext(request, citing);
    this.#context = this.#openContext(this.#citing);
    this.#opened = this.#appendOpened(request);
    this.#forgetGrant = grant.onEnd((end) => this.#onGrantEnd(end));
  }

  /** Resolves when `session.opened` is on disk; rejects with `CS_RECORD_*` when it is not. */
  opened(): Promise<void> {
    return this.#opened.durable();
  }

  /** What masking remembers of this session; undefined: nothing is masked. */
  get masking(): MaskingSession | undefined {
    return this.#masking?.session;
  }

  /** Whether grant and policies in force let out every regulated value, unknown ones too. */
  get letsOutEverything(): boolean {
    return this.#masking?.judge.letsOutEverything ?? true;
  }

  /** Commands that were admitted so far. */
  get calls(): number {
    return this.#calls;
  }

  /** A salted commitment to bytes that go to the vault. */
  commit(bytes: Uint8Array): Commitment {
    return this.#recorder.commit(bytes);
  }

  /** For a value too large to hold in memory. */
  openSpool(): Promise<Spool> {
    return this.#recorder.openSpool(this.#retentionClass);
  }

  /**
   * Authorizes a command and appends its `call.intent`. Nothing of the command may be forwarded before the command's
   * `onDurable` has called back without an error.
   *
   * @param touched what it would touch. Not known: it is refused.
   * @throws Denied when it may not run, or cannot be recorded; nothing may be forwarded then.
   */
  begin(intent: Intent, payloads: readonly Payload[], touched?: Touched): Command {
    if (this.grant.ended !== undefined) {
      throw this.deny(new CountersignError('CS_GRANT_ENDED'), intent, payloads);
    }
    if (this.pace?.isRefused === true) {
      throw this.deny(new CountersignError('CS_QUOTA_EXCEEDED'), intent, payloads);
    }
    const decision = this.#authorize(intent, payloads, touched);
    const masked = this.#judgeMasking(intent, payloads, touched);
    let leaf: Appended;
    try {
      this.#cite(touched);
      leaf = this.#appendIntent(intent, payloads, decision, touched, masked);
    } catch (error) {
      // The record takes everything but commands: the refusal is written down like any other.
      if (isCountersignError(error) && OF_THE_LOG.has(error.code)) throw this.deny(error, intent, payloads);
      throw this.#notRecorded(error);
    }
    this.#calls += 1;
    this.pace?.chargeCommand(leaf);
    this.#observer?.onCommand?.(intent, leaf);
    if (masked !== undefined && (masked.claim !== undefined || masked.plan.unmasked.length > 0))
      this.#observer?.onMasking?.(recordedMasking(masked.plan, masked.claim));
    if (masked === undefined) return new Command(leaf, intent.effect, this);
    const gate = this.#spend(leaf, masked, () => command.ended);
    const command: Command = new Command(gate, intent.effect, this, masked.plan);
    return command;
  }

  /** @throws Denied when it would let out something regulated other than through its masked answer. */
  #judgeMasking(
    intent: Intent,
    payloads: readonly Payload[],
    touched: Touched | undefined,
  ): Admitted | undefined {
    if (this.#masking === undefined || touched === undefined) return undefined;
    const verdict = this.#masking.verdictOf(intent.kind, touched);
    if (verdict?.kind !== 'refused') return verdict;
    const { refusals } = verdict;
    const code = refusals[0]?.code ?? 'CS_MASK_ORACLE';
    const ruleIds = new Set(
      refusals.flatMap(({ reason, classes }) => [reason, ...classes.map((name) => `class:${name}`)]),
    );
    const told = tellMaskRefusal({
      grant: this.grant,
      rules: this.#masking.rules,
      kind: intent.kind,
      refusals,
      text: touched.text?.() ?? textOf(payloads),
    });
    throw this.deny(new CountersignError(code, { ruleIds: [...ruleIds], told }), intent, payloads);
  }

  /** The command is on its way when its intent and what it spends of a budget are on disk. */
  #spend(leaf: Appended, { claim }: Admitted, hasEnded: () => boolean): Appended {
    const spending = claim?.spend();
    if (spending === undefined) return leaf;
    return new DurableTogether(leaf, spending, (error) => {
      if (!hasEnded()) this.#appendVoided(leaf, error);
    });
  }

  #appendVoided({ id }: Appended, error: Error): void {
    const reason = isCountersignError(error) ? error.code : 'CS_RECORD_FAILED';
    if (this.#closed !== undefined) return;
    try {
      this.#append({ type: 'call.voided', session: this.id, seq: this.#seq, call: id, reason }, []);
    } catch {
      // The journal is failing as well: the call stays without a result, and recovery says that it is in doubt.
    }
  }

  /** @throws Denied unless everything that it touches is covered by the scope and permitted by the policies in force. */
  #authorize(intent: Intent, payloads: readonly Payload[], touched: Touched | undefined): Decision {
    if (this.#authorization === undefined) return this.#permit;
    if (touched === undefined) {
      const error = new CountersignError('CS_STATEMENT_DENIED', { ruleIds: ['no-demands'] });
      throw this.deny(error, intent, payloads);
    }
    const judged = this.#authorization.decide(touched.demands);
    const isKnown = touched.unknownNames === undefined || touched.unknownNames.length === 0;
    const isPermitted = judged.decision.effect === 'permit';
    if (isPermitted && (isKnown || isOpenTo(this.#authorization, touched))) return judged.decision;
    throw this.#denyAccess(intent, payloads, touched, judged);
  }

  #denyAccess(
    intent: Intent,
    payloads: readonly Payload[],
    touched: Touched,
    { decision, missing }: SessionDecision,
  ): Denied {
    const { policies, reasons } = decision;
    if (reasons.includes('connect')) {
      const error = new CountersignError('CS_CONNECT_DENIED', { ruleIds: reasons });
      return this.#deny(error, intent, payloads, policies);
    }
    const ruleIds = touched.unknownNames?.length ? [...reasons, 'unknown-name'] : reasons;
    const text = touched.text?.() ?? textOf(payloads);
    const told = tellMissing({ grant: this.grant, kind: intent.kind, touched, missing, text });
    return this.#deny(
      new CountersignError('CS_STATEMENT_DENIED', { ruleIds, told }),
      intent,
      payloads,
      policies,
    );
  }

  #appendIntent(
    intent: Intent,
    payloads: readonly Payload[],
    decision: Decision,
    touched: Touched | undefined,
    masked: Admitted | undefined,
  ): Appended {
    const event: CallIntent = {
      ...intent,
      type: 'call.intent',
      session: this.id,
      seq: this.#seq,
      context: this.#context,
      decision,
    };
    if (touched === undefined) return this.#append(event, payloads, this.#sealed);
    const masking = masked === undefined ? undefined : recordedMasking(masked.plan, masked.claim);
    const { objects, more, complete } = recordedObjects(touched);
    const all = complete === undefined ? undefined : this.commit(complete);
    const { fingerprint } = touched;
    return this.#append(
      {
        ...event,
        ...(fingerprint === undefined ? {} : { fingerprint }),
        ...(objects.length === 0 && more === 0 ? {} : { objects }),
        ...(all === undefined ? {} : { objectsMore: more, objectsAll: all.digest }),
        ...masking,
      },
      all === undefined ? payloads : [...payloads, { field: 'objects_all', commitment: all }],
      this.#sealed,
    );
  }

  /** A new context leaf when the policies in force or the catalog are others than the last one says. */
  #cite(touched: Touched | undefined): void {
    if (this.#authorization === undefined) return;
    const policy = this.#authorization.policyDigest;
    const catalog = touched?.catalog ?? this.#citing.catalog;
    const classification = touched?.classification ?? this.#citing.classification;
    const masking = this.#masking?.rules.version;
    const isSame =
      policy === this.#citing.policy &&
      catalog === this.#citing.catalog &&
      masking === this.#citing.masking &&
      classification === this.#citing.classification;
    if (isSame) return;
    const citing: Citing = { policy, catalog, masking, classification };
    this.#context = this.#openContext(citing);
    this.#citing = citing;
  }

  /**
   * Appends `call.denied` for a command that the translator or `begin` refuses, or counts it when its principal has had many (decision
   * 20). Never throws: see `Denied`.
   */
  deny(error: CountersignError, refusal: Refusal, payloads: readonly Payload[]): Denied {
    return this.#deny(error, refusal, payloads, [this.grant.id]);
  }

  #deny(
    error: CountersignError,
    refusal: Refusal,
    payloads: readonly Payload[],
    policies: readonly string[],
  ): Denied {
    this.#denied += 1;
    try {
      this.#cite(undefined);
    } catch {
      // The journal takes nothing; the refusal will not be taken either, and cites what there is.
    }
    if (this.#denied > OWN_DENIALS && this.pace?.mayRecordDenial() === false) {
      this.#denials.count(error, refusal);
      this.pace.chargeCommand(undefined);
      this.#observer?.onDenied?.(error, true);
      return new Denied(error, 'counted');
    }
    let leaf: Appended | undefined;
    try {
      leaf = this.#append(
        {
          type: 'call.denied',
          session: this.id,
          seq: this.#seq,
          context: this.#context,
          decision: { effect: 'forbid', policies, reasons: [error.code, ...error.ruleIds] },
          kind: refusal.kind,
          ...(refusal.statement === undefined ? {} : { statement: refusal.statement }),
          sqlstate: error.sqlState,
        },
        payloads.filter((payload) => payload.field === 'statement'),
        this.#sealed,
      );
    } catch {
      // The journal is full or failing: the command is refused all the same, and the observer counts it as unrecorded.
    }
    this.pace?.chargeCommand(leaf);
    this.#observer?.onDenied?.(error, leaf !== undefined);
    return new Denied(error, leaf);
  }

  /** For `Command.end`. Results are never refused for room; a journal that failed altogether throws. */
  appendResult(call: string, outcome: Outcome, urgency: ResultUrgency): Appended {
    const leaf = this.#append(
      { ...recordedMasked(outcome), type: 'call.result', session: this.id, seq: this.#seq, call },
      [],
      urgency === 'ride' ? RIDE : undefined,
    );
    this.pace?.chargeLeaf(leaf);
    this.#observer?.onResult?.(call, outcome, leaf);
    return leaf;
  }

  /** Why the session must end, once someone asked for it. */
  get endRequested(): CountersignError | undefined {
    return this.#endRequest;
  }

  /**
   * Asks the translator to end the session: `CS_SHUTTING_DOWN` when the command or transaction under way is over, anything
   * else (and `CS_SHUTTING_DOWN` with `fatal`, the end of patience) at once (decision 11). Only the first request counts, except
   * that the end of the grant overtakes a polite one.
   */
  requestEnd(error: CountersignError): void {
    if (this.#endRequest !== undefined && !(isAbrupt(error) && !isAbrupt(this.#endRequest))) return;
    this.#endRequest = error;
    for (const listener of this.#endListeners) listener(error);
  }

  /** Calls back when an end is asked for, at once if it already was. */
  onEndRequested(listener: (error: CountersignError) => void): void {
    this.#endListeners.add(listener);
    if (this.#endRequest !== undefined) listener(this.#endRequest);
  }

  /** Appends `session.closed`, once. `reason`: `client` (Terminate), `vanished`, or an error code. */
  close(reason: string, bytesUp: number, bytesDown: number): Appended {
    this.#forgetGrant();
    this.#endListeners.clear();
    if (this.#closed !== undefined) return this.#closed;
    this.#denials.close();
    this.#closed = this.#append(
      {
        type: 'session.closed',
        session: this.id,
        seq: this.#seq,
        context: this.#context,
        reason,
        calls: this.#calls,
        bytesUp,
        bytesDown,
      },
      [],
    );
    return this.#closed;
  }

  #appendOpened(request: SessionRequest): Appended {
    const payloads: Payload[] = [];
    const commit = (field: string, bytes: Buffer): string => {
      const commitment = this.#recorder.commit(bytes);
      payloads.push({ field, commitment });
      return commitment.digest;
    };
    const event: SessionOpened = {
      type: 'session.opened',
      session: this.id,
      seq: this.#seq,
      context: this.#context,
      protocol: request.protocol,
      protocolVersion: request.protocolVersion,
      channel: request.channel,
      peer: commit('peer', Buffer.from(request.peer)),
      ...(request.client === undefined ? {} : { client: commit('client', Buffer.from(request.client)) }),
      backend: request.backend,
      digestKey: commit('digest_key', this.digestKey),
    };
    return this.#append(event, payloads, this.#sealed);
  }

  /** False when the journal does not take it now. Control events have room of their own, so that a count is not lost to a full disk. */
  #appendDenials(denials: DenialCount): boolean {
    const { code, sqlState, kind, count, firstAtUs, lastAtUs } = denials;
    try {
      this.#append(
        {
          type: 'call.denied',
          session: this.id,
          seq: this.#seq,
          context: this.#context,
          decision: { effect: 'forbid', policies: [this.grant.id], reasons: [code] },
          kind,
          sqlstate: sqlState,
          count,
          firstAtUs,
          lastAtUs,
        },
        [],
        { control: true, urgency: 'ride' },
      );
      return true;
    } catch {
      return false;
    }
  }

  #append(...[event, payloads, options]: Parameters<Recorder['append']>): Appended {
    const leaf = this.#recorder.append(event, payloads, options);
    this.#seq += 1;
    return leaf;
  }

  #notRecorded(cause: unknown): Denied {
    const error = isCountersignError(cause) ? cause : new CountersignError('CS_RECORD_FAILED', { cause });
    this.#observer?.onDenied?.(error, false);
    return new Denied(error, undefined);
  }

  #onGrantEnd(end: GrantEnd): void {
    this.requestEnd(new CountersignError('CS_GRANT_ENDED', { detail: `grant ${this.grant.id}: ${end}` }));
  }
}

/** Whether the names that are not there are no secret: what they could be is all granted. */
function isOpenTo(authorization: Authorization, { possible }: Touched): boolean {
  return possible !== undefined && authorization.decide(possible).decision.effect === 'permit';
}

const RIDE = { urgency: 'ride' } as const;

/** The first refusals of a session have leaves of their own, whatever its principal has had: a session costs more than they do. */
const OWN_DENIALS = 2;

type Admitted = Extract<Verdict, { readonly kind: 'admitted' }>;

/** Why no command may come in although it could be recorded. */
const OF_THE_LOG: ReadonlySet<ErrorCode> = new Set(['CS_UNWITNESSED', 'CS_LOG_ROLLED_BACK', 'CS_LOG_FORKED']);

/** Whether an end may not wait for the command under way: any but a shutdown, and a shutdown out of patience (`fatal`). */
export function isAbrupt(error: CountersignError): boolean {
  return error.code !== 'CS_SHUTTING_DOWN' || error.fatal;
}

/** The text of a statement whose bytes are at hand. */
function textOf(payloads: readonly Payload[]): string | undefined {
  const bytes = payloads.find(({ field }) => field === 'statement')?.commitment.bytes;
  return bytes === undefined ? undefined : Buffer.from(bytes).toString();
}
