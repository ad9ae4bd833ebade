import { CountersignError } from '../../errors.ts';
import {
  BACKEND,
  decodeDataRow,
  decodeErrorResponse,
  decodeReadyForQuery,
  encodeQuery,
  encodeTerminate,
  FIELD,
  MessageFramer,
  protocolViolation,
} from '../wire/index.ts';
import type { TransactionStatus } from '../wire/index.ts';
import type { RecordGatewayStatement, StatementWords, TargetConnection } from './target-connection.ts';

/** A row as text, in UTF-8; null is the null value. */
export type TextRow = readonly (string | null)[];

/** `statement` counts the statements of the text from 0, those without rows too. */
export type OnRow = (statement: number, row: TextRow) => void;

export interface RunOptions {
  /** Gives up, by ending the session, when the answer is not complete after so long. */
  readonly timeoutMs: number;
  /** Bytes of answer that are taken; more ends the session. */
  readonly maxBytes: number;
  /** How the record calls it. Default: a read, `select`. */
  readonly words?: StatementWords;
}

export interface RunOutcome {
  /** Of the first error; undefined: all went well. The message of the server stays with the server: it may repeat values. */
  readonly sqlState: string | undefined;
  readonly transactionStatus: TransactionStatus;
}

/** Of an answer, so much is taken in one go; then others of the event loop have their turn. */
const TURN_BYTES = 131_072;

interface Running {
  readonly onRow: OnRow | undefined;
  readonly resolve: (outcome: RunOutcome) => void;
  readonly reject: (error: Error) => void;
  readonly maxBytes: number;
  statement: number;
  bytes: number;
  sqlState: string | undefined;
}

/**
 * A session of the gateway's own in a target (decision 7): sends texts of its own as simple queries, each on the record before
 * it is sent, and hands the rows over as they come. One text at a time. After `CS_TARGET_LOST` it is of no use any more.
 */
export class OwnSession {
  readonly #connection: TargetConnection;
  readonly #record: RecordGatewayStatement;
  readonly #framer: MessageFramer;
  #running: Running | undefined;
  #failure: Error | undefined;
  #takenInTurn = 0;
  readonly #lost: (() => void)[] = [];

  /** Takes the connection over. */
  constructor(connection: TargetConnection, record: RecordGatewayStatement) {
    this.#connection = connection;
    this.#record = record;
    this.#framer = new MessageFramer(
      { side: 'backend', needsWhole: () => true },
      {
        message: (type, buffer, start, end) => this.#message(type, buffer, start, end),
        largeStart: () => {},
        largeChunk: () => {},
        largeEnd: () => {},
      },
    );
    const { socket } = connection;
    socket.on('data', (chunk: Buffer) => {
      this.#take(chunk);
      this.#giveWay(chunk.length);
    });
    socket.on('close', () => this.#fail(lost('the target closed the connection')));
    if (connection.leftover.length > 0) this.#take(connection.leftover);
    if (socket.destroyed) this.#fail(lost('the target closed the connection'));
    else socket.resume();
  }

  /** Major version of the server: 18. */
  get major(): number {
    return Number.parseInt(this.#connection.serverVersion, 10);
  }

  get backendPid(): number {
    return this.#connection.backendPid;
  }

  /** False once the connection is lost or `end` was called. */
  get alive(): boolean {
    return this.#failure === undefined;
  }

  /** Called once when the connection is lost or ended; at once when it is already. */
  onLost(listener: () => void): void {
    if (this.alive) this.#lost.push(listener);
    else listener();
  }

  /**
   * Runs one text, of one statement or several, and resolves when the server is ready again; an error of the server is part of the
   * outcome. Throws what the record refuses (nothing was sent then), and `CS_TARGET_LOST` when the connection ends, the deadline
   * passes, or the answer is larger than `maxBytes`.
   */
  async run(text: string, options: RunOptions, onRow?: OnRow): Promise<RunOutcome> {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#running !== undefined) throw new TypeError('one text at a time');
    const { backendPid, serverVersion, protocolVersion } = this.#connection;
    const answer = Promise.withResolvers<RunOutcome>();
    const { resolve, reject } = answer;
    answer.promise.catch(() => {});
    const { maxBytes } = options;
    this.#running = { onRow, resolve, reject, maxBytes, statement: 0, bytes: 0, sqlState: undefined };
    let recordOutcome: ((outcome: 'ok' | 'error') => void) | undefined;
    let outcome: 'ok' | 'error' = 'error';
    let timer: NodeJS.Timeout | undefined;
    try {
      recordOutcome = await this.#record(text, { backendPid, serverVersion, protocolVersion }, options.words);
      timer = setTimeout(() => this.#fail(lost('no answer in time')), options.timeoutMs);
      if (this.#failure === undefined) this.#connection.socket.write(encodeQuery(text));
      const result = await answer.promise;
      outcome = result.sqlState === undefined ? 'ok' : 'error';
      return result;
    } finally {
      this.#running = undefined;
      clearTimeout(timer);
      recordOutcome?.(outcome);
    }
  }

  /** Says goodbye. */
  end(): void {
    const { socket } = this.#connection;
    if (this.alive) socket.end(encodeTerminate());
    this.#fail(lost('the session was ended'));
    socket.destroySoon();
  }

  #take(chunk: Buffer): void {
    if (this.#failure !== undefined) return;
    const running = this.#running;
    if (running !== undefined) {
      running.bytes += chunk.length;
      if (running.bytes > running.maxBytes) {
        this.#fail(lost(`the answer is larger than ${running.maxBytes} bytes`));
        return;
      }
    }
    try {
      this.#framer.push(chunk);
    } catch (error) {
      this.#fail(error instanceof Error ? error : lost('the target broke the protocol'));
    }
  }

  /** libuv reads a socket many times in a row; a catalog would hold up everybody's commands. */
  #giveWay(bytes: number): void {
    if (this.#takenInTurn === 0) {
      setImmediate(() => {
        this.#takenInTurn = 0;
        this.#connection.socket.resume();
      });
    }
    this.#takenInTurn += bytes;
    if (this.#takenInTurn >= TURN_BYTES) this.#connection.socket.pause();
  }

  #message(type: number, buffer: Buffer, start: number, end: number): void {
    switch (type) {
      case BACKEND.noticeResponse:
      case BACKEND.notificationResponse:
      case BACKEND.parameterStatus:
        return;
      default:
    }
    const running = this.#running;
    if (running === undefined) {
      // Between two texts a server says nothing but why it leaves.
      if (type === BACKEND.errorResponse) {
        this.#fail(lost('the target ended the session'));
        return;
      }
      throw protocolViolation('a message that was not asked for');
    }
    switch (type) {
      case BACKEND.dataRow:
        if (running.sqlState === undefined)
          running.onRow?.(running.statement, decodeText(buffer, start, end));
        return;
      case BACKEND.rowDescription:
      case BACKEND.emptyQueryResponse:
        return;
      case BACKEND.commandComplete:
        running.statement += 1;
        return;
      case BACKEND.errorResponse:
        running.sqlState ??= decodeErrorResponse(buffer, start, end).get(FIELD.sqlState) ?? 'XX000';
        return;
      case BACKEND.readyForQuery:
        running.resolve({
          sqlState: running.sqlState,
          transactionStatus: decodeReadyForQuery(buffer, start, end),
        });
        return;
      default:
        throw protocolViolation('a message that does not belong to a simple query');
    }
  }

  #fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    this.#connection.socket.destroySoon();
    this.#running?.reject(error);
    for (const listener of this.#lost.splice(0)) listener();
  }
}

function decodeText(buffer: Buffer, start: number, end: number): TextRow {
  return decodeDataRow(buffer, start, end).map((range) =>
    range === undefined ? null : buffer.toString('utf8', range.start, range.end),
  );
}

function lost(detail: string): CountersignError {
  return new CountersignError('CS_TARGET_LOST', { detail });
}
