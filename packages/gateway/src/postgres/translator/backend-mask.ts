import { CountersignError } from '../../errors.ts';
import {
  decodeFunctionCallResponse,
  encodeFunctionCallResponse,
} from '../wire/backend/function-call-response.ts';
import {
  decodeNotificationResponse,
  encodeNotificationResponse,
} from '../wire/backend/notification-response.ts';
import { decodeParameterDescription } from '../wire/backend/parameter-description.ts';
import { decodeParameterStatus } from '../wire/backend/parameter-status.ts';
import { decodeRowDescription } from '../wire/backend/row-description.ts';
import { BACKEND } from '../wire/message-types.ts';
import { mayTellSetting, withholdResponse } from '../mask/withhold.ts';
import type { CallMask } from './call-mask.ts';
import type { Unit } from './expected-answers.ts';
import type { SessionMask } from './session-mask.ts';

/** Of a message whose text is withheld only the beginning is looked at, where severity and SQLSTATE are. */
const WITHHELD_BYTES = 65_536;

const NOTHING = Buffer.alloc(0);

/** A message that has to be whole before it can be masked. */
interface Assembly {
  readonly pieces: Buffer[];
  /** How much of it is kept. */
  readonly maxBytes: number;
  readonly isRow: boolean;
  bytes: number;
}

/** What becomes of the messages of the target where masking is configured. The relay attributes and releases them, this looks into them. */
export class BackendMask {
  readonly #session: SessionMask;
  #assembly: Assembly | undefined;
  /** Where the row that was written last begins, in the slab. */
  rowStart = 0;

  constructor(session: SessionMask) {
    this.#session = session;
  }

  /** Something of a command's answer came. */
  note(unit: Unit | undefined): void {
    const mask = unit?.call?.mask;
    if (mask === undefined && unit?.runsOwnCode !== true) return;
    if (mask?.withholds === true) this.#session.hasTouched = true;
    if (unit!.runsOwnCode) this.#session.cursors.forgetAllBut(mask?.fetchesFrom);
  }

  /** The server says what the rows of a statement, or of the portal that was asked about, are. */
  describe(unit: Unit | undefined, buffer: Buffer, start: number, end: number): void {
    if (unit?.kind === 'describe') {
      if (unit.portal === undefined && !unit.isOwn) return;
      const columns = decodeRowDescription(buffer, start, end);
      if (unit.portal !== undefined) unit.portal.description = columns;
      if (unit.isOwn) unit.call?.mask?.describe(columns);
      return;
    }
    const mask = unit?.call?.mask;
    if (mask !== undefined) mask.describe(decodeRowDescription(buffer, start, end));
  }

  describeParameters(unit: Unit | undefined, buffer: Buffer, start: number, end: number): void {
    if (unit?.statement !== undefined)
      unit.statement.toldTypes = decodeParameterDescription(buffer, start, end);
  }

  /** The name stands for a portal of the client's now. */
  bound(unit: Unit | undefined): void {
    if (unit?.boundName !== undefined) this.#session.cursors.forget(unit.boundName);
  }

  /** False: the row leaves as it is. Else it is in the slab, from `rowStart` on. @throws CountersignError CS_MASK_ROW_TOO_LONG */
  writeRow(unit: Unit, mask: CallMask, buffer: Buffer, start: number, end: number): boolean {
    if (!mask.isDescribed && unit.portal?.description !== undefined) mask.describe(unit.portal.description);
    const before = this.#session.slab.buffer;
    const at = this.#session.slab.at;
    const isWritten = mask.writeRow(buffer, start, end);
    this.rowStart = this.#session.slab.buffer === before ? at : 0;
    return isWritten;
  }

  /** Undefined: it leaves as it is. */
  functionResult(mask: CallMask, buffer: Buffer, start: number, end: number): Buffer | undefined {
    if (decodeFunctionCallResponse(buffer, start, end) === undefined) return undefined;
    return mask.hidesResult() ? encodeFunctionCallResponse(null) : undefined;
  }

  /** Whether the texts of an error or notice may carry a masked value. */
  withholds(unit: Unit | undefined): boolean {
    const call = unit?.call;
    if (call?.mask?.withholds === true) return true;
    if (!this.#session.hasTouched) return false;
    // The end of a transaction runs what was deferred: constraints, triggers, the query of a held cursor.
    switch (unit?.kind) {
      case 'parse':
      case 'describe':
      case 'close':
        return call !== undefined && call.command.effect !== 'read';
      case 'bind':
      case 'execute':
      case 'query':
      case 'function':
        return call === undefined || unit.endsTransaction || call.command.effect !== 'read';
      default:
        return true;
    }
  }

  withhold(type: number, buffer: Buffer, start: number, end: number): Buffer {
    return withholdResponse(type, buffer, start, end, this.#session.catalog);
  }

  /** What takes the place of a setting, notice or notification. Undefined: it leaves as it is; empty: nothing leaves. */
  asynchronous(
    type: number,
    unit: Unit | undefined,
    buffer: Buffer,
    start: number,
    end: number,
  ): Buffer | undefined {
    switch (type) {
      case BACKEND.noticeResponse:
        return this.withholds(unit) ? this.withhold(type, buffer, start, end) : undefined;
      case BACKEND.notificationResponse:
        return this.#notification(buffer, start, end);
      default: {
        if (!this.#session.isClassified || this.#session.letsOutEverything) return undefined;
        const { name } = decodeParameterStatus(buffer, start, end);
        return mayTellSetting(name, this.#session.hasTouched) ? undefined : NOTHING;
      }
    }
  }

  /** Another session chose the payload, and may have been allowed to put anything into it. */
  #notification(buffer: Buffer, start: number, end: number): Buffer | undefined {
    if (!this.#session.isClassified || this.#session.letsOutEverything) return undefined;
    const { processId, channel, payload } = decodeNotificationResponse(buffer, start, end);
    return payload === '' ? undefined : encodeNotificationResponse({ processId, channel, payload: '' });
  }

  /** Whether a message that comes in pieces is put together. Rows and COPY data that pass as they are stream. */
  mustBeWhole(type: number, unit: Unit | undefined): boolean {
    const mask = unit?.call?.mask;
    switch (type) {
      case BACKEND.dataRow:
        return mask?.needsWholeRows === true;
      case BACKEND.copyData:
        return mask?.isCopyMasked === true;
      case BACKEND.functionCallResponse:
        return mask !== undefined;
      case BACKEND.rowDescription:
        return mask !== undefined || unit?.portal !== undefined || unit?.isOwn === true;
      case BACKEND.errorResponse:
      case BACKEND.noticeResponse:
        return this.withholds(unit);
      case BACKEND.notificationResponse:
        return this.#session.isClassified;
      default:
        return false;
    }
  }

  get isAssembling(): boolean {
    return this.#assembly !== undefined;
  }

  startWhole(type: number, header: Buffer): void {
    const isText = type === BACKEND.errorResponse || type === BACKEND.noticeResponse;
    const maxBytes = isText ? WITHHELD_BYTES : this.#session.maxRowBytes;
    this.#assembly = { pieces: [Buffer.from(header)], maxBytes, isRow: !isText, bytes: header.length };
  }

  /** @throws CountersignError CS_MASK_ROW_TOO_LONG */
  addPiece(buffer: Buffer, start: number, end: number): void {
    const assembly = this.#assembly!;
    const room = Math.max(0, assembly.maxBytes - assembly.bytes);
    assembly.bytes += end - start;
    if (end - start <= room || !assembly.isRow) {
      assembly.pieces.push(buffer.subarray(start, Math.min(end, start + room)));
      return;
    }
    this.#assembly = { ...assembly, pieces: [] };
    throw new CountersignError('CS_MASK_ROW_TOO_LONG', {
      detail: `The limit is ${assembly.maxBytes} bytes.`,
    });
  }

  /** The message, or as much of it as matters. Undefined: it was too long, and the session ends. */
  endWhole(): Buffer | undefined {
    const assembly = this.#assembly!;
    this.#assembly = undefined;
    return assembly.pieces.length === 0 ? undefined : Buffer.concat(assembly.pieces);
  }
}
