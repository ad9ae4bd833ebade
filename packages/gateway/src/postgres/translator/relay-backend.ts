import { CountersignError, isCountersignError } from '../../errors.ts';
import type { CallStatus } from '../../record/events.ts';
import { decodeCopyOutResponse } from '../wire/backend/copy-out-response.ts';
import { encodeCopyData, decodeCopyData } from '../wire/copy-data.ts';
import { commandCompleteRows } from '../wire/backend/command-complete.ts';
import { decodeParameterStatus } from '../wire/backend/parameter-status.ts';
import { decodeReadyForQuery } from '../wire/backend/ready-for-query.ts';
import { MessageFramer, type FramerHandler } from '../wire/framer.ts';
import { isPinnedValue, PINNED_SETTINGS } from '../inspect/settings.ts';
import { BACKEND } from '../wire/message-types.ts';
import { protocolViolation } from '../wire/violation.ts';
import type { Call } from './call.ts';
import type { CallMask } from './call-mask.ts';
import type { Exchange } from './exchange.ts';
import type { Unit } from './expected-answers.ts';
import { Gate } from './gated-writer.ts';
import { releaseHeldSyncs } from './extended-query.ts';
import { KeyedDigest } from './keyed-digest.ts';
import { encodeRefusal } from './refusal.ts';
import { readErrorIdentity } from './error-identity.ts';
import { BackendMask } from './backend-mask.ts';

const QUERY_CANCELED = '57014';

/** What the relay of the target's side tells the session around it. */
export interface BackendHost {
  /** ReadyForQuery was released or queued for release. */
  onReady(): void;
  /** The target is about to close the connection, and said so to the client. */
  onFatal(): void;
}

/**
 * Reads what the target sends, attributes every message to the call it answers, and releases it to the client: rows as they
 * come and in whole runs, a refusal's error in our words, the last ReadyForQuery after the results that it must follow.
 */
export class BackendRelay implements FramerHandler {
  readonly #exchange: Exchange;
  readonly #host: BackendHost;
  readonly #framer: MessageFramer;
  /** Undefined: masking is not configured. */
  readonly #mask: BackendMask | undefined;
  /** Rows and data released of the answer under way. */
  readonly #delivered: KeyedDigest;
  /** The last Execute that completed: its result waits for the Sync, where its transaction may still fail. */
  #completed:
    | { readonly call: Call; readonly status: CallStatus; readonly delivered: string | undefined }
    | undefined;
  /** What becomes of a message that comes in pieces. */
  #large: { readonly isRow: boolean; readonly isError: boolean; isFirst: boolean } | undefined;
  /** Type of a message in pieces that answers a question of our own. */
  #own: number | undefined;
  /** The client is gone or may get nothing more: answers are only read for their outcome. */
  isMuted = false;

  constructor(exchange: Exchange, host: BackendHost) {
    this.#exchange = exchange;
    this.#host = host;
    this.#delivered = new KeyedDigest(exchange.session.digestKey);
    this.#mask = exchange.mask === undefined ? undefined : new BackendMask(exchange.mask);
    this.#framer = new MessageFramer({ side: 'backend' }, this);
  }

  /** @throws CountersignError CS_PROTOCOL_VIOLATION */
  push(chunk: Buffer): void {
    this.#framer.push(chunk);
    this.#delivered.settle();
    // A client that works with Flush alone never brings the Sync that the result waits for. What it wrote outside a
    // transaction block does not hold before that, though, so the result of that does wait.
    if (this.#completed !== undefined && this.#exchange.expected.isEmpty && !this.#needsSync) {
      this.#endCompleted(this.#completed.call.mayHaveWritten ? 'sync' : 'ride');
    }
    this.#exchange.toClient.flush();
  }

  message(type: number, buffer: Buffer, start: number, end: number): void {
    const unit = this.#exchange.expected.head;
    if (unit?.kind === 'own' && !isAsynchronous(type)) {
      this.#exchange.questions.take(type, buffer, start, end);
      return;
    }
    const call = unit?.call;
    if (this.#mask !== undefined) {
      if (unit?.isOwn === true && this.#takeOwn(unit, type, buffer, start, end)) return;
      this.#mask.note(unit);
    }
    if (call !== undefined) call.bytesDown += end - start;
    switch (type) {
      case BACKEND.dataRow:
        if (call === undefined) throw protocolViolation('DataRow without a command');
        call.dataRows += 1;
        if (call.mask !== undefined && this.#releaseRow(unit!, call.mask, buffer, start, end)) return;
        this.#delivered.update(buffer, start, end);
        break;
      case BACKEND.readyForQuery:
        this.#onReady(unit, buffer, start, end);
        return;
      case BACKEND.commandComplete:
        this.#onCommandComplete(unit, commandCompleteRows(buffer, start, end));
        break;
      case BACKEND.rowDescription:
      case BACKEND.noData:
        if (type === BACKEND.rowDescription) this.#mask?.describe(unit, buffer, start, end);
        if (unit?.kind === 'describe') this.#finish(unit);
        break;
      case BACKEND.copyData:
      case BACKEND.functionCallResponse:
        if (unit !== undefined) unit.isAnswered = true;
        if (call?.mask !== undefined && this.#releaseData(call.mask, type, buffer, start, end)) return;
        this.#delivered.update(buffer, start, end);
        break;
      case BACKEND.errorResponse: {
        const identity = readErrorIdentity(buffer, start, end);
        this.#onError(unit, identity.sqlstate, identity.isFatal, buffer, start, end);
        return;
      }
      default:
        this.#onOther(type, unit, buffer, start, end);
        if (this.#mask !== undefined && isAsynchronous(type)) {
          this.#releaseAsynchronous(this.#mask, type, unit, buffer, start, end);
          return;
        }
    }
    this.#release(buffer, start, end);
  }

  /** The rarer messages. */
  #onOther(type: number, unit: Unit | undefined, buffer: Buffer, start: number, end: number): void {
    switch (type) {
      case BACKEND.parseComplete:
        this.#finishKind(unit, 'parse');
        return;
      case BACKEND.bindComplete:
        this.#mask?.bound(unit);
        this.#finishKind(unit, 'bind');
        return;
      case BACKEND.closeComplete:
        this.#finishKind(unit, 'close');
        return;
      case BACKEND.portalSuspended:
        if (unit?.call !== undefined) unit.call.isSuspended = true;
        this.#onExecuted(this.#expectKind(unit, 'execute'));
        return;
      case BACKEND.emptyQueryResponse:
        if (unit?.kind === 'execute') this.#onExecuted(unit);
        else this.#expectKind(unit, 'query').isAnswered = true;
        return;
      case BACKEND.copyInResponse:
        this.#onCopyIn(unit);
        return;
      case BACKEND.parameterStatus:
        this.#onParameterStatus(buffer, start, end);
        return;
      case BACKEND.copyOutResponse:
        unit?.call?.mask?.startCopy(decodeCopyOutResponse(buffer, start, end));
        if (unit?.kind === 'execute') unit.isAnswered = true;
        return;
      case BACKEND.parameterDescription:
        this.#mask?.describeParameters(unit, buffer, start, end);
        return;
      case BACKEND.copyDone:
      case BACKEND.noticeResponse:
      case BACKEND.notificationResponse:
        return;
      default:
        throw protocolViolation('answer out of place');
    }
  }

  #onCopyIn(unit: Unit | undefined): void {
    if (unit?.call === undefined) throw protocolViolation('CopyInResponse without a command');
    unit.call.isCopyIn = true;
    if (unit.kind === 'execute') unit.isAnswered = true;
    if (this.#exchange.expected.dropSyncsInCopy()) return;
    this.#exchange.copyIn = unit.call;
  }

  #onCommandComplete(unit: Unit | undefined, rows: number): void {
    if (unit?.call === undefined) throw protocolViolation('CommandComplete without a command');
    const { call } = unit;
    call.completed += 1;
    call.mask?.onCompleted();
    if (rows >= 0) call.taggedRows = Math.max(call.taggedRows, 0) + rows;
    if (call.isCopyIn) this.#exchange.expected.endCopy();
    if (unit.kind === 'execute') this.#onExecuted(unit);
    else unit.isAnswered = true;
  }

  /** An Execute has its answer. */
  #onExecuted(unit: Unit): void {
    unit.isAnswered = true;
    this.#endCompleted('ride');
    if (unit.call !== undefined) {
      this.#completed = { call: unit.call, status: 'ok', delivered: this.#delivered.finish() };
    }
    this.#finish(unit);
  }

  #endCompleted(urgency: 'sync' | 'ride'): void {
    const completed = this.#completed;
    if (completed === undefined) return;
    this.#completed = undefined;
    this.#exchange.endCall(completed.call, completed.status, completed.delivered, urgency);
  }

  #expectKind(unit: Unit | undefined, kind: Unit['kind']): Unit {
    if (unit?.kind !== kind) throw protocolViolation('answer out of order');
    return unit;
  }

  #finishKind(unit: Unit | undefined, kind: Unit['kind']): void {
    this.#finish(this.#expectKind(unit, kind));
  }

  /** The head has its answer. A call that is not run by an Execute (`prepare`, `plan`) ends with its own message. */
  #finish(unit: Unit): void {
    const { expected } = this.#exchange;
    unit.change?.apply();
    unit.move?.settle('done');
    expected.pop();
    const { call } = unit;
    if (call === undefined || unit.kind === 'execute') return;
    if (unit.kind === call.endsWith) this.#exchange.endCall(call, 'ok', undefined, 'ride');
  }

  /** What failed, and everything after it up to the Sync. */
  #onError(
    unit: Unit | undefined,
    sqlstate: string,
    isFatal: boolean,
    buffer: Buffer,
    start: number,
    end: number,
  ): void {
    const stopped = unit?.call?.stopped;
    const refusal = unit?.refusal ?? unit?.call?.refusal ?? unit?.gatedBy?.refusal ?? stopped;
    if (refusal !== undefined && !isFatal) this.#releaseOwn(encodeRefusal(refusal));
    else if (this.#mask?.withholds(unit) === true) {
      this.#releaseOwn(this.#mask.withhold(BACKEND.errorResponse, buffer, start, end));
    } else this.#release(buffer, start, end);
    this.#noteError(unit, isFatal ? sqlstate : (stopped?.sqlState ?? sqlstate), isFatal);
  }

  #noteError(unit: Unit | undefined, sqlstate: string, isFatal: boolean): void {
    if (isFatal && !this.isMuted) this.#host.onFatal();
    if (unit === undefined) return;
    const { expected, analysis } = this.#exchange;
    analysis.names.onFailed();
    if (unit.call !== undefined) unit.call.sqlstate = sqlstate;
    if (unit.call?.isCopyIn === true) this.#exchange.copyIn = undefined;
    unit.isAnswered = true;
    switch (unit.kind) {
      case 'query':
      case 'function':
        return; // ReadyForQuery ends it.
      case 'sync':
        // The implicit transaction failed at its end: the command that was the last to complete did not hold.
        if (this.#completed !== undefined) {
          const { call, delivered } = this.#completed;
          call.sqlstate = sqlstate;
          this.#completed = { call, status: 'error', delivered };
        }
        return;
      default:
    }
    this.#endCompleted('ride');
    const status = sqlstate === QUERY_CANCELED ? 'cancelled' : 'error';
    if (unit.call !== undefined) {
      this.#exchange.endCall(unit.call, status, this.#delivered.finish(), 'ride');
    }
    unit.change?.discard(true);
    unit.move?.settle('failed');
    expected.pop();
    for (const skipped of expected.skipToSync()) {
      skipped.change?.discard(false);
      skipped.move?.settle('skipped');
      if (skipped.call !== undefined) this.#exchange.endCall(skipped.call, 'skipped', undefined, 'ride');
    }
    releaseHeldSyncs(this.#exchange);
  }

  /** ReadyForQuery: ends a Query, FunctionCall or series, and waits for the record where decision 5 says so. */
  #onReady(unit: Unit | undefined, buffer: Buffer, start: number, end: number): void {
    const exchange = this.#exchange;
    const status = decodeReadyForQuery(buffer, start, end);
    const isOwn = unit !== undefined && (unit.kind === 'sync' || (isCycle(unit) && unit.isAnswered));
    if (!isOwn && exchange.expected.spareSyncs === 0) throw protocolViolation('ReadyForQuery out of place');
    exchange.transaction = status;
    if (isOwn) this.#endCycle(unit, status === 'I' ? 'sync' : 'ride');
    else exchange.expected.takeSpareSync();
    exchange.analysis.onReady(status);
    if (status === 'I' && exchange.expected.isEmpty) exchange.forgetCursors();
    if (status === 'I') exchange.mask?.onIdle();
    const result = exchange.lastResult;
    const mustWait = status === 'I' && exchange.hasWritten && result !== undefined && !result.isDurable;
    if (status === 'I') exchange.hasWritten = false;
    if (mustWait) this.#releaseAfter(result, buffer, start, end);
    else this.#release(buffer, start, end);
    this.#host.onReady();
  }

  /** @param urgency of the last result, if something may have been written. */
  #endCycle(unit: Unit, urgency: 'sync' | 'ride'): void {
    const exchange = this.#exchange;
    const { call } = unit;
    const lastCall = call ?? this.#completed?.call;
    const mayHaveWritten = exchange.hasWritten || lastCall?.mayHaveWritten === true;
    const wanted = mayHaveWritten ? urgency : 'ride';
    this.#endCompleted(wanted);
    if (call !== undefined) {
      let status: CallStatus = 'ok';
      if (call.sqlstate !== undefined) status = call.sqlstate === QUERY_CANCELED ? 'cancelled' : 'error';
      exchange.endCall(call, status, this.#delivered.finish(), wanted);
    }
    if (call?.sqlstate === undefined) unit.change?.apply();
    else unit.change?.discard(true);
    unit.move?.settle(call?.sqlstate === undefined ? 'done' : 'failed');
    exchange.expected.pop();
    if (exchange.transaction === 'I') exchange.portals.dropConfirmed();
  }

  #releaseAfter(
    result: NonNullable<Exchange['lastResult']>,
    buffer: Buffer,
    start: number,
    end: number,
  ): void {
    const { toClient } = this.#exchange;
    const gate = new Gate();
    if (!this.isMuted) toClient.addLast(buffer, start, end, gate);
    result.onDurable((error) => {
      if (error !== undefined) {
        this.#exchange.fail(new CountersignError('CS_RESULT_UNRECORDED', { cause: error }));
        return;
      }
      gate.isOpen = true;
      toClient.schedule();
    });
  }

  /** A Describe of ours: what the rows of the Execute behind it are. True: that was its answer. */
  #takeOwn(unit: Unit, type: number, buffer: Buffer, start: number, end: number): boolean {
    if (type !== BACKEND.rowDescription && type !== BACKEND.noData) return false;
    if (type === BACKEND.rowDescription) this.#mask!.describe(unit, buffer, start, end);
    this.#finish(unit);
    return true;
  }

  /** A row of a call with a plan. False: it leaves as it is. */
  #releaseRow(unit: Unit, mask: CallMask, buffer: Buffer, start: number, end: number): boolean {
    if (this.isMuted) return true;
    if (!this.#guarded(() => this.#mask!.writeRow(unit, mask, buffer, start, end))) return this.isMuted;
    const { slab } = this.#exchange.mask!;
    const from = this.#mask!.rowStart;
    this.#delivered.update(slab.buffer, from, slab.at);
    this.#release(slab.buffer, from, slab.at);
    return true;
  }

  /** COPY data, or the result of a function, of a call with a plan. False: it leaves as it is. */
  #releaseData(mask: CallMask, type: number, buffer: Buffer, start: number, end: number): boolean {
    if (this.isMuted) return true;
    const range = decodeCopyData(buffer, start, end);
    if (type === BACKEND.copyData) return this.#releaseCopy(mask, buffer.subarray(range.start, range.end));
    const message = this.#mask!.functionResult(mask, buffer, start, end);
    if (message === undefined) return false;
    this.#delivered.update(message, 0, message.length);
    this.#releaseOwn(message);
    return true;
  }

  #releaseCopy(mask: CallMask, data: Buffer): boolean {
    let masked: Buffer | undefined;
    if (
      !this.#guarded(() => {
        masked = mask.takeCopyData(data);
        return masked !== undefined;
      })
    )
      return this.isMuted;
    if (masked!.length === 0) return true;
    const message = encodeCopyData(masked!);
    this.#delivered.update(message, 0, message.length);
    this.#releaseOwn(message);
    return true;
  }

  /** A row that is too long to be masked ends the session: nothing of it may leave, and the target is in the middle of it. */
  #guarded(mask: () => boolean): boolean {
    try {
      return mask();
    } catch (error) {
      if (!isCountersignError(error) || error.code !== 'CS_MASK_ROW_TOO_LONG') throw error;
      const call = this.#exchange.expected.head?.call;
      if (call !== undefined) call.withheldFor = error.code;
      this.#exchange.fail(error);
      this.isMuted = true;
      return false;
    }
  }

  /** What the target says at any time: settings, notices, notifications. */
  #releaseAsynchronous(
    mask: BackendMask,
    type: number,
    unit: Unit | undefined,
    buffer: Buffer,
    start: number,
    end: number,
  ): void {
    const message = mask.asynchronous(type, unit, buffer, start, end);
    if (message === undefined) this.#release(buffer, start, end);
    else if (message.length > 0) this.#releaseOwn(message);
  }

  #release(buffer: Buffer, start: number, end: number): void {
    if (!this.isMuted) this.#exchange.toClient.add(buffer, start, end);
  }

  #releaseOwn(message: Buffer): void {
    this.#release(message, 0, message.length);
  }

  #onParameterStatus(buffer: Buffer, start: number, end: number): void {
    const { name, value } = decodeParameterStatus(buffer, start, end);
    if (name === 'search_path') this.#exchange.analysis.names.onReported(value);
    if (PINNED_SETTINGS.has(name) && !isPinnedValue(name, value)) {
      throw new CountersignError('CS_SESSION_PIN', { detail: name });
    }
  }

  largeStart(type: number, _bodyLength: number, header: Buffer): void {
    const unit = this.#exchange.expected.head;
    if (unit?.kind === 'own') {
      this.#own = type;
      this.#exchange.questions.takePiece(type, header, 0, header.length);
      return;
    }
    if (this.#mask?.mustBeWhole(type, unit) === true) {
      this.#mask.startWhole(type, header);
      return;
    }
    const isRow =
      type === BACKEND.dataRow || type === BACKEND.copyData || type === BACKEND.functionCallResponse;
    if (isRow && unit?.call === undefined) throw protocolViolation('data without a command');
    if (type === BACKEND.dataRow) unit!.call!.dataRows += 1;
    if (isRow) unit!.isAnswered = true;
    this.#large = { isRow, isError: type === BACKEND.errorResponse, isFirst: true };
    if (type === BACKEND.rowDescription && unit?.kind === 'describe') this.#finish(unit);
    this.#passPiece(header, 0, header.length);
  }

  largeChunk(buffer: Buffer, start: number, end: number): void {
    if (this.#own !== undefined) {
      this.#exchange.questions.takePiece(this.#own, buffer, start, end);
      return;
    }
    if (this.#mask?.isAssembling === true) {
      this.#guarded(() => {
        this.#mask!.addPiece(buffer, start, end);
        return true;
      });
      return;
    }
    const large = this.#large!;
    if (large.isError && large.isFirst) {
      // Severity and SQLSTATE come first; a refusal's own error is never this long.
      const { sqlstate, isFatal } = readErrorIdentity(buffer, start, end, 0);
      this.#noteError(this.#exchange.expected.head, sqlstate, isFatal);
    }
    large.isFirst = false;
    this.#passPiece(buffer, start, end);
  }

  largeEnd(): void {
    if (this.#own !== undefined) {
      this.#own = undefined;
      this.#exchange.questions.endPieces();
      return;
    }
    if (this.#mask?.isAssembling === true) {
      const whole = this.#mask.endWhole();
      if (whole !== undefined) this.message(whole[0]!, whole, 0, whole.length);
      return;
    }
    this.#large = undefined;
    if (!this.isMuted) this.#exchange.toClient.endMessage();
  }

  #passPiece(buffer: Buffer, start: number, end: number): void {
    const call = this.#exchange.expected.head?.call;
    if (call !== undefined) call.bytesDown += end - start;
    if (this.#large!.isRow) this.#delivered.update(buffer, start, end);
    if (!this.isMuted) this.#exchange.toClient.add(buffer, start, end, undefined, true);
  }

  /** Whether the last Execute that completed may have written what only its Sync commits. */
  get #needsSync(): boolean {
    return this.#completed?.call.mayHaveWritten === true && this.#exchange.transaction === 'I';
  }

  /** The call whose Execute completed and whose Sync has not been answered: it may still fail there. */
  get completedCall(): Call | undefined {
    return this.#completed?.call;
  }

  /**
   * For the end of the session. What completed is recorded as it completed, unless its own transaction was still to be
   * committed, or was being committed: then its answer says nothing of what became of it.
   */
  finishCompleted(cause: string): void {
    const completed = this.#completed;
    if (completed !== undefined && this.#needsSync) {
      this.#completed = undefined;
      this.#exchange.endCall(completed.call, 'cut', completed.delivered, 'ride', cause);
    }
    this.#endCompleted('ride');
  }

  /** What was delivered of the answer that was cut. */
  takeDelivered(): string | undefined {
    return this.#delivered.finish();
  }
}

/** What the target may send at any time, whatever it answers. */
function isAsynchronous(type: number): boolean {
  return (
    type === BACKEND.parameterStatus ||
    type === BACKEND.notificationResponse ||
    type === BACKEND.noticeResponse
  );
}

function isCycle(unit: Unit): boolean {
  return unit.kind === 'query' || unit.kind === 'function';
}
