import { randomBytes } from 'node:crypto';
import { CountersignError } from '../../errors.ts';
import { ASK_NAMES, ASK_PATH, parseNames } from '../analysis/read-back.ts';
import type { Missing } from '../analysis/session-names.ts';
import { decodeDataRow } from '../wire/backend/data-row.ts';
import { decodeReadyForQuery, type TransactionStatus } from '../wire/backend/ready-for-query.ts';
import { encodeBind } from '../wire/frontend/bind.ts';
import { encodeClose } from '../wire/frontend/close.ts';
import { encodeExecute } from '../wire/frontend/execute.ts';
import { encodeParse } from '../wire/frontend/parse.ts';
import { BACKEND } from '../wire/message-types.ts';
import { protocolViolation } from '../wire/violation.ts';
import type { Exchange } from './exchange.ts';
import { Unit } from './expected-answers.ts';

/** Puts a statement of the gateway's own on the record and resolves when that is durable, with what to tell the outcome to. */
export type RecordOwnStatement = (statement: string) => Promise<(outcome: 'ok' | 'error') => void>;

const SYNC = Buffer.from([0x53, 0, 0, 0, 4]);
const FLUSH = Buffer.from([0x48, 0, 0, 0, 4]);

/** The names of all objects of a session are not longer, or they stay unknown. */
const MAX_ANSWER_BYTES = 8 << 20;

/**
 * Questions of the gateway's own to the target, in the client's session: what its names mean. Asked only when everything that was sent is answered and the
 * client's next message waits, by the extended protocol under names of their own, so that nothing of the client's is touched: not its unnamed statement and
 * portal, not its transaction, not its series. Recorded before they are sent, like every statement of the gateway's own (decision 7).
 */
export class OwnQuestions {
  readonly #exchange: Exchange;
  readonly #record: RecordOwnStatement | undefined;
  readonly #name = `countersign_${randomBytes(8).toString('hex')}`;
  #asked: Question | undefined;

  constructor(exchange: Exchange, record: RecordOwnStatement | undefined) {
    this.#exchange = exchange;
    this.#record = record;
  }

  /** A question is under way, or on its way to the record. */
  get isAsking(): boolean {
    return this.#asked !== undefined;
  }

  ask(missing: NonNullable<Missing>): void {
    if (this.#asked !== undefined) return;
    const question: Question = {
      missing,
      endsWithSync: !this.#exchange.isSeriesOpen,
      value: undefined,
      pieces: undefined,
      closes: 0,
      hasFailed: false,
      recordOutcome: undefined,
    };
    this.#asked = question;
    void this.#send(question, missing === 'path' ? ASK_PATH : ASK_NAMES);
  }

  async #send(question: Question, statement: string): Promise<void> {
    const exchange = this.#exchange;
    try {
      question.recordOutcome = await this.#record?.(statement);
    } catch {
      // What cannot be recorded is not asked; the command that waits is refused for the same reason, or because its names are not known.
    }
    if (question.recordOutcome === undefined) {
      this.#asked = undefined;
      exchange.analysis.noteReadBack();
      exchange.analysis.onResume();
      return;
    }
    const name = this.#name;
    const bytes = [
      encodeParse({ statement: name, text: statement, parameterTypes: [] }),
      encodeBind({ portal: name, statement: name, parameterFormats: [], parameters: [], resultFormats: [] }),
      encodeExecute({ portal: name, maxRows: 0 }),
      encodeClose({ kind: 'portal', name }),
      encodeClose({ kind: 'statement', name }),
      question.endsWithSync ? SYNC : FLUSH,
    ];
    exchange.toTarget.addAll(Buffer.concat(bytes));
    exchange.expect(new Unit('own'));
    exchange.toTarget.schedule();
  }

  /** A message of the target that answers the question; the client sees nothing of it. */
  take(type: number, buffer: Buffer, start: number, end: number): void {
    const question = this.#asked;
    if (question === undefined) throw protocolViolation('an answer to no question');
    switch (type) {
      case BACKEND.dataRow:
        question.value = firstField(buffer, start, end);
        return;
      case BACKEND.errorResponse:
        question.hasFailed = true;
        // The target skips to a Sync that only the client can send: its series is over, and it would not learn why.
        if (!question.endsWithSync)
          throw new CountersignError('CS_TARGET_LOST', { detail: 'a question failed' });
        return;
      case BACKEND.closeComplete:
        question.closes += 1;
        if (question.closes === 2 && !question.endsWithSync) this.#end(question, undefined);
        return;
      case BACKEND.readyForQuery:
        this.#end(question, decodeReadyForQuery(buffer, start, end));
        return;
      default:
    }
  }

  /** A message that comes in pieces: the first one is its header. */
  takePiece(type: number, buffer: Buffer, start: number, end: number): void {
    const question = this.#asked;
    if (question === undefined || type !== BACKEND.dataRow) return;
    const pieces = (question.pieces ??= []);
    pieces.push(Buffer.from(buffer.subarray(start, end)));
    if (pieces.reduce((sum, { length }) => sum + length, 0) > MAX_ANSWER_BYTES) {
      throw new CountersignError('CS_TARGET_LOST', { detail: 'the answer to a question is too long' });
    }
  }

  endPieces(): void {
    const question = this.#asked;
    if (question?.pieces === undefined) return;
    const message = Buffer.concat(question.pieces);
    question.pieces = undefined;
    question.value = firstField(message, 0, message.length);
  }

  /** @param status of the ReadyForQuery, if there was one. */
  #end(question: Question, status: TransactionStatus | undefined): void {
    const exchange = this.#exchange;
    const { analysis } = exchange;
    this.#asked = undefined;
    exchange.expected.pop();
    question.recordOutcome?.(question.hasFailed ? 'error' : 'ok');
    if (status !== undefined) exchange.transaction = status;
    if (question.hasFailed) analysis.names.onFailed();
    else this.#tell(question);
    if (status !== undefined) analysis.onReady(status);
    analysis.noteReadBack();
  }

  #tell({ missing, value }: Question): void {
    const { analysis, transaction, isSeriesOpen } = this.#exchange;
    // An open series is a transaction, whatever the last ReadyForQuery said.
    const status = isSeriesOpen && transaction === 'I' ? 'T' : transaction;
    if (value === undefined) return;
    if (missing === 'path') {
      analysis.names.onPathReadBack(value, status);
      return;
    }
    const names = parseNames(value);
    if (names !== undefined) analysis.noteNames(names, status);
  }
}

interface Question {
  readonly missing: NonNullable<Missing>;
  /** Else with a Flush: a series of the client's is open, and a Sync would end its transaction. */
  readonly endsWithSync: boolean;
  value: string | undefined;
  pieces: Buffer[] | undefined;
  closes: number;
  hasFailed: boolean;
  recordOutcome: ((outcome: 'ok' | 'error') => void) | undefined;
}

function firstField(buffer: Buffer, start: number, end: number): string | undefined {
  const range = decodeDataRow(buffer, start, end)[0];
  return range === undefined ? undefined : buffer.toString('utf8', range.start, range.end);
}
