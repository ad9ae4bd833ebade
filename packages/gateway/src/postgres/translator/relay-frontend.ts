import { protocolViolation } from '../wire/violation.ts';
import { MessageFramer, type FramerHandler } from '../wire/framer.ts';
import { FRONTEND } from '../wire/message-types.ts';
import { onCopyData, onCopyEnd, onCopyPiece, onCopyStart } from './copy.ts';
import type { Exchange } from './exchange.ts';
import {
  dropWindow,
  onBind,
  onClose,
  onDescribe,
  onExecute,
  onFlush,
  onParse,
  onParseTooLong,
  onSync,
  type Taken,
} from './extended-query.ts';
import { onFunctionCall } from './function-call.ts';
import { SeriesWindow } from './series-window.ts';
import { onQuery, onQueryTooLong } from './simple-query.ts';
import { SpooledMessage } from './spooled-message.ts';

/** Bind and FunctionCall up to this size are held, with a commitment per value; longer ones go through a spool. */
const HELD_VALUES_BYTES = 1 << 20;
/** CopyData up to this size is put together when it straddles two reads; longer ones pass in pieces. */
const WHOLE_COPY_BYTES = 65_536;
/** Read already and not taken: up to this size we go on reading while a message waits for the target. */
const HELD_CHUNK_BYTES = 65_536;
/**
 * A series that is not longer is taken whole before a session waits for its share: answers that come in the middle of one change what is
 * known of its names. What is too much is paid off in later turns.
 */
const SERIES_MESSAGES = 128;
/** What a Query or Parse has beside its text: header, name, parameter types. */
const TEXT_OVERHEAD_BYTES = 65_536;

/** What the relay of the client's side asks of the session around it. */
export interface FrontendHost {
  /** The client said Terminate; it was queued for the target. */
  onTerminate(): void;
  /** Stops reading the client's socket until the returned function is called. */
  pauseClient(): () => void;
  /** Runs what takes messages outside of a read, with everything that follows a read. */
  takeMore(work: () => void): void;
}

/**
 * Reads what the client sends and takes every message down the path: held until its intent is durable, in the client's
 * order. Memory: the chunk that was read, what is held (bounded by the session's valve), and one assembled message.
 */
export class FrontendRelay implements FramerHandler {
  readonly #exchange: Exchange;
  readonly #host: FrontendHost;
  readonly #framer: MessageFramer;
  readonly #window = new SeriesWindow();
  #isTerminating = false;
  /** What becomes of a message that comes in pieces. */
  #large: 'copy' | 'skip' | SpooledMessage = 'skip';
  /** A message that waits until the target has answered what its meaning depends on. */
  #waiting: (() => Taken) | undefined;
  /** Set while reading is paused for it: as soon as more comes than was read already. */
  #resumeReading: (() => void) | undefined;

  /** Steps with the disk that the stream waits for. */
  readonly #steps: (() => Promise<void>)[] = [];
  /** Messages since the last Query, FunctionCall or Sync. */
  #sinceBoundary = 0;
  /** Set while the principal has had its share: ends the wait. */
  #endPause: (() => void) | undefined;
  /** Set while a long message is put together, or waits for room: gives the room back. */
  #endAssembly: (() => void) | undefined;

  constructor(exchange: Exchange, host: FrontendHost) {
    this.#exchange = exchange;
    this.#host = host;
    exchange.analysis.onResume = () => host.takeMore(() => this.retryWaiting());
    const textBytes = exchange.limits.maxStatementBytes + TEXT_OVERHEAD_BYTES;
    this.#framer = new MessageFramer(
      { side: 'frontend', wholeLimitBytes: (type) => wholeLimit(type, textBytes) },
      this,
    );
  }

  /** True when the stream may lawfully end here. */
  get atBoundary(): boolean {
    return this.#framer.atBoundary && this.#waiting === undefined;
  }

  /** Whether messages that came wait for others' turn, the disk, a quota, the reading of a text, the catalog, or a question of our own. */
  get isPaced(): boolean {
    if (this.#endPause !== undefined) return true;
    const { analysis, questions } = this.#exchange;
    return this.#waiting !== undefined && (analysis.isWaiting || questions.isAsking);
  }

  /** Whether messages wait for an intent that only the client can bring (Execute, Flush or Sync). */
  get holdsSeries(): boolean {
    return !this.#window.isEmpty;
  }

  /** @throws CountersignError CS_PROTOCOL_VIOLATION */
  push(chunk: Buffer): void {
    this.#pause();
    this.#framer.push(chunk);
    this.#assemble();
    // A client that sends nothing meanwhile is still watched: it may vanish.
    const isHeld = this.#waiting !== undefined || this.#endPause !== undefined;
    if (isHeld && this.#framer.waitingBytes > HELD_CHUNK_BYTES)
      this.#resumeReading ??= this.#host.pauseClient();
    this.#exchange.newestCall?.copied?.settle();
    this.#exchange.toTarget.schedule();
  }

  /** The session is over: what was not forwarded never will be. */
  drop(): void {
    this.#endPause?.();
    this.#exchange.analysis.close();
    this.#endAssembly?.();
    dropWindow(this.#exchange, this.#window);
    if (this.#steps.length > 0 && this.#large instanceof SpooledMessage) void this.#large.abort();
  }

  /** The target has answered something: a message that waited for it may have its turn. */
  retryWaiting(): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    this.#waiting = undefined;
    this.#take(waiting);
    if (this.#waiting === undefined) this.#endAssembly?.();
    this.#continue();
  }

  message(type: number, buffer: Buffer, start: number, end: number): void {
    this.#message(type, buffer, start, end);
    // Room is asked for anew for each message, so that nobody keeps it by never pausing between them.
    if (this.#waiting === undefined) this.#endAssembly?.();
    this.#sinceBoundary = isBoundary(type) ? 0 : this.#sinceBoundary + 1;
    this.#pause();
  }

  /** After Terminate, and up to the end of a series that was refused. */
  #isIgnored(type: number): boolean {
    if (this.#isTerminating) return true;
    return this.#exchange.isDropping && type !== FRONTEND.sync && type !== FRONTEND.terminate;
  }

  #message(type: number, buffer: Buffer, start: number, end: number): void {
    if (this.#isIgnored(type)) return;
    if (this.#exchange.heldSyncs > 0 && !isLawfulInCopy(type))
      throw protocolViolation('Sync inside COPY, and no end of the COPY');
    const exchange = this.#exchange;
    const window = this.#window;
    switch (type) {
      case FRONTEND.query:
        this.#take(() => onQuery(exchange, window, buffer, start, end));
        return;
      case FRONTEND.parse:
        this.#take(() => onParse(exchange, window, buffer, start, end));
        return;
      case FRONTEND.bind:
        this.#take(() => onBind(exchange, window, buffer, start, end));
        return;
      case FRONTEND.execute:
        this.#take(() => onExecute(exchange, window, buffer, start, end));
        return;
      case FRONTEND.describe:
        onDescribe(exchange, window, buffer, start, end);
        return;
      case FRONTEND.close:
        onClose(exchange, window, buffer, start, end);
        return;
      case FRONTEND.sync:
        onSync(exchange, window, buffer, start, end);
        return;
      case FRONTEND.flush:
        onFlush(exchange, window, buffer, start, end);
        return;
      case FRONTEND.copyData:
        onCopyData(exchange, buffer, start, end);
        return;
      case FRONTEND.copyDone:
      case FRONTEND.copyFail:
        onCopyEnd(exchange, buffer, start, end);
        return;
      case FRONTEND.functionCall:
        this.#take(() => onFunctionCall(exchange, window, buffer, start, end));
        return;
      case FRONTEND.terminate:
        this.#isTerminating = true;
        exchange.toTarget.add(buffer, start, end);
        this.#host.onTerminate();
        return;
      default:
        throw protocolViolation('message out of place');
    }
  }

  largeStart(type: number, bodyLength: number, header: Buffer): void {
    this.#large = 'skip';
    if (this.#isTerminating || this.#exchange.isDropping) return;
    switch (type) {
      case FRONTEND.copyData:
        this.#large = 'copy';
        onCopyStart(this.#exchange, header);
        return;
      case FRONTEND.query:
        onQueryTooLong(this.#exchange, this.#window);
        return;
      case FRONTEND.parse:
        onParseTooLong(this.#exchange, this.#window);
        return;
      case FRONTEND.bind:
      case FRONTEND.functionCall:
        this.#large = new SpooledMessage(this.#exchange, this.#window, type, bodyLength, header);
        return;
      default:
        throw protocolViolation('message out of place');
    }
  }

  largeChunk(buffer: Buffer, start: number, end: number): void {
    const large = this.#large;
    if (large === 'skip') return;
    if (large === 'copy') onCopyPiece(this.#exchange, buffer, start, end);
    else this.#await(() => this.#spool(large, buffer.subarray(start, end)));
  }

  async #spool(large: SpooledMessage, chunk: Buffer): Promise<void> {
    await large.write(chunk);
    this.#exchange.session.pace?.chargeSpooled(chunk.length);
    this.#pause();
  }

  largeEnd(): void {
    const large = this.#large;
    if (large === 'skip') return;
    if (large === 'copy') {
      this.#exchange.toTarget.endMessage();
      return;
    }
    this.#await(async () => this.#take(await large.finish()));
  }

  /** Takes a message now, or keeps it back (and everything after it) until the target has answered more. */
  #take(take: () => Taken): void {
    const exchange = this.#exchange;
    if (take() === 'wait') this.#waiting = take;
    else {
      exchange.analysis.settle();
      if (!exchange.awaitsCopy) return;
      this.#waiting = () => (exchange.awaitsCopy ? 'wait' : 'taken');
    }
    this.#framer.stop();
    // What it waits for may itself be waiting to be sent.
    this.#exchange.toTarget.schedule();
  }

  /** A message longer than a read needs room of its principal: without it the rest stays in the socket. */
  #assemble(): void {
    // What waits is a message that keeps its room.
    if (this.#waiting !== undefined) return;
    const { pace } = this.#exchange.session;
    const bytes = this.#framer.assemblingBytes;
    if (bytes <= HELD_CHUNK_BYTES) {
      this.#endAssembly?.();
      return;
    }
    if (pace === undefined || this.#endAssembly !== undefined) return;
    let resumeReading: (() => void) | undefined;
    let isStarted = false;
    const release = pace.assemble(bytes, () => {
      isStarted = true;
      resumeReading?.();
    });
    if (!isStarted) resumeReading = this.#host.pauseClient();
    this.#endAssembly = () => {
      this.#endAssembly = undefined;
      resumeReading?.();
      release();
    };
  }

  /** The principal has had its share: nothing more is parsed before its next one. */
  #pause(): void {
    const { pace } = this.#exchange.session;
    if (pace === undefined || this.#endPause !== undefined) return;
    const isInSeries = this.#sinceBoundary > 0 && this.#sinceBoundary < SERIES_MESSAGES;
    if (isInSeries || !pace.mustWait) return;
    this.#framer.stop();
    this.#endPause = pace.wait(() => {
      this.#endPause = undefined;
      this.#host.takeMore(() => this.#continue());
    });
  }

  /** Goes on with what came, unless something else holds it back. */
  #continue(): void {
    if (this.#waiting !== undefined || this.#endPause !== undefined || this.#steps.length > 0) return;
    this.#resumeReading?.();
    this.#resumeReading = undefined;
    this.#framer.resume();
    this.#assemble();
    this.#exchange.toTarget.schedule();
  }

  /** Parses and reads nothing more until a step (with the disk, or of another thread) is done. Steps follow one another. */
  #await(step: () => Promise<void>): void {
    this.#framer.stop();
    this.#steps.push(step);
    if (this.#steps.length === 1) void this.#runSteps(this.#host.pauseClient());
  }

  async #runSteps(resumeReading: () => void): Promise<void> {
    try {
      for (let step = this.#steps[0]; step !== undefined; step = this.#steps[0]) {
        await step();
        this.#steps.shift();
      }
      this.#host.takeMore(() => {
        resumeReading();
        this.#continue();
      });
    } catch (error) {
      this.#exchange.failWith(error);
    }
  }
}

/** Between two series. */
function isBoundary(type: number): boolean {
  return type === FRONTEND.query || type === FRONTEND.sync || type === FRONTEND.functionCall;
}

/** What the target takes from a client in the middle of a COPY. */
function isLawfulInCopy(type: number): boolean {
  switch (type) {
    case FRONTEND.copyData:
    case FRONTEND.copyDone:
    case FRONTEND.copyFail:
    case FRONTEND.flush:
    case FRONTEND.sync:
    case FRONTEND.terminate:
      return true;
    default:
      return false;
  }
}

function wholeLimit(type: number, textBytes: number): number {
  switch (type) {
    case FRONTEND.query:
    case FRONTEND.parse:
      return textBytes;
    case FRONTEND.bind:
    case FRONTEND.functionCall:
      return HELD_VALUES_BYTES;
    default:
      return WHOLE_COPY_BYTES;
  }
}
