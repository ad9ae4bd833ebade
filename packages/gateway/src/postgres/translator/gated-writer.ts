import type { Socket } from 'node:net';

/**
 * Why bytes may not go yet: a leaf of the record that is not on disk. Everything queued behind them waits with them.
 */
export class Gate {
  isOpen = false;
  /** When the first byte behind the gate went out, ms of the monotonic clock; undefined: nothing has. */
  passedAtMs: number | undefined;
  /** Sent once in place of everything behind this gate: the command was refused after it was queued. */
  replacement: Buffer | undefined;
  #replaced = false;

  /** Whether the replacement is still to be sent; says so once. */
  takeReplacement(): Buffer | undefined {
    if (this.#replaced) return undefined;
    this.#replaced = true;
    return this.replacement;
  }
}

/** Bytes too many to hold, which come from a spool when it is their turn. */
export interface StreamedBytes {
  read(): AsyncIterable<Uint8Array>;
  /** They will not be read: give up what holds them. */
  drop(): void;
}

interface Piece {
  readonly buffer: Buffer;
  readonly start: number;
  end: number;
  gate: Gate | undefined;
  /** The message that these bytes belong to goes on after them. */
  partial: boolean;
  readonly stream: StreamedBytes | undefined;
}

/** Chunks up to this sum are copied into one buffer; longer ones go out by writev. */
const COALESCE_BYTES = 16_384;
const EMPTY = Buffer.alloc(0);

/**
 * The bytes on their way to one socket, in order. Pieces that lie next to each other in one buffer become one; one turn
 * of the event loop makes one write. A piece behind a closed gate holds back itself and everything after it.
 */
export class GatedWriter {
  readonly #socket: Socket;
  /** Called when the socket's own buffer fills up (`true`) and when it has drained (`false`). */
  readonly #onPressure: (isFull: boolean) => void;
  /** Called after bytes were handed to the socket. */
  readonly #onFlushed: () => void;
  #pieces: Piece[] = [];
  #head = 0;
  #queuedBytes = 0;
  #writtenBytes = 0;
  #scheduled = false;
  #blocks = 0;
  #streaming = false;
  #sealed = false;
  #midMessage = false;
  readonly #flushNow = (): void => {
    this.#scheduled = false;
    this.flush();
  };

  constructor(socket: Socket, onPressure: (isFull: boolean) => void, onFlushed: () => void) {
    this.#socket = socket;
    this.#onPressure = onPressure;
    this.#onFlushed = onFlushed;
    socket.on('drain', () => this.#onPressure(false));
  }

  /** Bytes that were added and not yet handed to the socket. */
  get queuedBytes(): number {
    return this.#queuedBytes;
  }

  get writtenBytes(): number {
    return this.#writtenBytes;
  }

  /** True when the last byte handed to the socket was not the last of its message. */
  get isMidMessage(): boolean {
    return this.#midMessage;
  }

  /** Queues `buffer[start, end)`, which must not be written to afterwards. */
  add(buffer: Buffer, start: number, end: number, gate?: Gate, partial = false): void {
    if (this.#sealed) return;
    this.#queuedBytes += end - start;
    const last = this.#pieces.length > this.#head ? this.#pieces[this.#pieces.length - 1]! : undefined;
    if (
      last !== undefined &&
      last.buffer === buffer &&
      last.end === start &&
      last.gate === gate &&
      last.stream === undefined
    ) {
      last.end = end;
      last.partial = partial;
      return;
    }
    this.#pieces.push({ buffer, start, end, gate, partial, stream: undefined });
  }

  /**
   * Queues bytes whose reader waits for them and not for what lies before them in the same buffer: that waits along, which
   * saves a write.
   */
  addLast(buffer: Buffer, start: number, end: number, gate: Gate): void {
    const last = this.#pieces.length > this.#head ? this.#pieces[this.#pieces.length - 1]! : undefined;
    if (last?.buffer === buffer && last.end === start && last.gate === undefined) last.gate = gate;
    this.add(buffer, start, end, gate);
  }

  /** Queues a whole buffer. */
  addAll(buffer: Buffer, gate?: Gate): void {
    this.add(buffer, 0, buffer.length, gate);
  }

  /** Queues bytes that are read from elsewhere when it is their turn. */
  addStream(stream: StreamedBytes, gate: Gate): void {
    if (this.#sealed) {
      stream.drop();
      return;
    }
    this.#pieces.push({ buffer: EMPTY, start: 0, end: 0, gate, partial: false, stream });
  }

  /** The message of the last piece is complete. */
  endMessage(): void {
    if (this.#pieces.length > this.#head) this.#pieces[this.#pieces.length - 1]!.partial = false;
    else this.#midMessage = false;
  }

  /** Flushes after everything that is ready in this turn has been added. */
  schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    queueMicrotask(this.#flushNow);
  }

  /** Holds everything back until the returned function is called. */
  block(): () => void {
    this.#blocks += 1;
    let isOver = false;
    return () => {
      if (isOver) return;
      isOver = true;
      this.#blocks -= 1;
      this.schedule();
    };
  }

  /** Nothing more goes out, what is queued is dropped. Written bytes stay with the socket. */
  seal(): void {
    this.#sealed = true;
    for (const { stream } of this.#pieces.slice(this.#head)) stream?.drop();
    this.#pieces = [];
    this.#head = 0;
    this.#queuedBytes = 0;
  }

  /** Hands to the socket whatever no gate holds back, in one write. */
  flush(): void {
    if (this.#sealed || this.#blocks > 0 || this.#streaming || this.#head === this.#pieces.length) return;
    const ready: Buffer[] = [];
    let bytes = 0;
    let runBuffer: Buffer | undefined;
    let runStart = 0;
    let runEnd = 0;
    const nowMs = performance.now();
    while (this.#head < this.#pieces.length) {
      const piece = this.#pieces[this.#head]!;
      let { buffer, start, end } = piece;
      const { gate } = piece;
      if (gate !== undefined) {
        if (!gate.isOpen) break;
        if (gate.replacement === undefined) gate.passedAtMs ??= nowMs;
        else {
          buffer = gate.takeReplacement() ?? EMPTY;
          start = 0;
          end = buffer.length;
        }
      }
      if (piece.stream !== undefined) {
        if (gate?.replacement === undefined) break;
        piece.stream.drop();
      }
      this.#head += 1;
      this.#queuedBytes -= piece.end - piece.start;
      this.#midMessage = piece.partial;
      if (runBuffer === buffer && runEnd === start) {
        runEnd = end;
        continue;
      }
      if (runBuffer !== undefined && runEnd > runStart) ready.push(slice(runBuffer, runStart, runEnd));
      bytes += runEnd - runStart;
      runBuffer = buffer;
      runStart = start;
      runEnd = end;
    }
    if (runBuffer !== undefined && runEnd > runStart) ready.push(slice(runBuffer, runStart, runEnd));
    bytes += runEnd - runStart;
    const stream = this.#takeStream();
    this.#dropSent();
    if (bytes > 0) {
      this.#write(ready, bytes);
      this.#onFlushed();
    }
    if (stream !== undefined) void this.#pump(stream);
  }

  #takeStream(): StreamedBytes | undefined {
    const piece = this.#pieces[this.#head];
    if (piece?.stream === undefined || piece.gate?.isOpen !== true) return undefined;
    this.#head += 1;
    return piece.stream;
  }

  #dropSent(): void {
    if (this.#head === this.#pieces.length) {
      this.#pieces.length = 0;
      this.#head = 0;
    } else if (this.#head > 256) {
      this.#pieces.splice(0, this.#head);
      this.#head = 0;
    }
  }

  #write(chunks: readonly Buffer[], bytes: number): void {
    this.#writtenBytes += bytes;
    const socket = this.#socket;
    if (socket.destroyed || socket.writableEnded) return;
    let hasRoom = true;
    if (chunks.length === 1) hasRoom = socket.write(chunks[0]!);
    else if (bytes <= COALESCE_BYTES) hasRoom = socket.write(Buffer.concat(chunks, bytes));
    else {
      socket.cork();
      for (const chunk of chunks) hasRoom = socket.write(chunk);
      socket.uncork();
      hasRoom = !socket.writableNeedDrain;
    }
    if (!hasRoom) this.#onPressure(true);
  }

  async #pump(stream: StreamedBytes): Promise<void> {
    this.#streaming = true;
    this.#midMessage = true;
    try {
      for await (const chunk of stream.read()) {
        if (this.#sealed || this.#socket.destroyed) break;
        this.#writtenBytes += chunk.length;
        if (!this.#socket.write(chunk)) await drained(this.#socket);
      }
      this.#midMessage = false;
      this.#streaming = false;
      this.flush();
    } catch (error) {
      // Half of a message went out: nobody can use this connection any more.
      this.#socket.destroy(error instanceof Error ? error : new Error('spool', { cause: error }));
    }
  }
}

function slice(buffer: Buffer, start: number, end: number): Buffer {
  return start === 0 && end === buffer.length ? buffer : buffer.subarray(start, end);
}

function drained(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done);
      socket.off('close', done);
      resolve();
    };
    socket.on('drain', done);
    socket.on('close', done);
    if (socket.destroyed) done();
  });
}
