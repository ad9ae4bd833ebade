import type { Socket } from 'node:net';
import { CountersignError } from '../errors.ts';

/** A length word counts itself. */
const LENGTH_BYTES = 4;
const HEADER_BYTES = 1 + LENGTH_BYTES;

/**
 * Reads a socket message by message while a connection is set up, on either side. What is not asked for stays in the
 * socket's own buffer, so TLS can take the socket over in between, and `rest()` gives what is left to the relay.
 *
 * One read at a time. Every read rejects with the error given to `fail`, or with `lost()` when the peer is gone.
 */
export class HandshakeReader {
  #socket: Socket;
  readonly #lost: () => Error;
  #failure: Error | undefined;
  readonly #ending = Promise.withResolvers<never>();
  #wanted = 0;
  #waiting: { resolve: (bytes: Buffer) => void; reject: (error: Error) => void } | undefined;
  /** `read` gives nothing before all of it is there, however it was cut on its way. */
  readonly #tryRead = (): void => {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    const bytes = this.#socket.read(this.#wanted) as Buffer | null;
    // At the end of the stream `read` gives what there is, even when it is less.
    if (bytes === null) return;
    this.#waiting = undefined;
    if (bytes.length < this.#wanted) waiting.reject(this.#failure ?? this.#lost());
    else waiting.resolve(bytes);
  };
  readonly #ended = (): void => this.fail(this.#lost());

  /** `lost` makes the error for a peer that went away. */
  constructor(socket: Socket, lost: () => Error) {
    this.#socket = socket;
    this.#lost = lost;
    this.#ending.promise.catch(() => {});
    this.#attach();
  }

  /** Goes on with the TLS socket that was put around the socket. */
  switchTo(socket: Socket): void {
    this.detach();
    this.#socket = socket;
    this.#attach();
  }

  /** Ends the current read and every later one. */
  fail(error: Error): void {
    this.#failure ??= error;
    this.#ending.reject(this.#failure);
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.reject(this.#failure);
  }

  /** Rejects when `fail` is called or the peer leaves; for work that does not read through this reader. */
  get failed(): Promise<never> {
    return this.#ending.promise;
  }

  /** Bytes that came and were not read. */
  get buffered(): number {
    return this.#socket.readableLength;
  }

  async exactly(bytes: number): Promise<Buffer> {
    if (this.#failure !== undefined) throw this.#failure;
    return new Promise((resolve, reject) => {
      this.#wanted = bytes;
      this.#waiting = { resolve, reject };
      this.#tryRead();
    });
  }

  /** The next byte, which stays in the stream. */
  async peekByte(): Promise<number> {
    const first = await this.exactly(1);
    this.#socket.unshift(first);
    return first[0] ?? 0;
  }

  /** A message of the start-up phase: a length word that counts itself, no type. Includes the length word. */
  async untyped(maxBytes: number): Promise<Buffer> {
    const length = await this.exactly(LENGTH_BYTES);
    const body = await this.#body(length.readUInt32BE(0), LENGTH_BYTES + LENGTH_BYTES, maxBytes);
    return Buffer.concat([length, body]);
  }

  /** A whole message with its header. Its body may have at most `maxBodyBytes`. */
  async message(maxBodyBytes: number): Promise<Buffer> {
    const header = await this.exactly(HEADER_BYTES);
    const body = await this.#body(header.readUInt32BE(1), LENGTH_BYTES, maxBodyBytes + LENGTH_BYTES);
    return Buffer.concat([header, body]);
  }

  /** Stops reading, pauses the socket, and gives what came too early. */
  rest(): Buffer {
    this.detach();
    this.#socket.pause();
    return (this.#socket.read() as Buffer | null) ?? Buffer.alloc(0);
  }

  async #body(length: number, minLength: number, maxLength: number): Promise<Buffer> {
    if (length < minLength || length > maxLength) {
      throw new CountersignError('CS_PROTOCOL_VIOLATION', { detail: 'message length out of bounds' });
    }
    return length === LENGTH_BYTES ? Buffer.alloc(0) : this.exactly(length - LENGTH_BYTES);
  }

  #attach(): void {
    this.#socket.on('readable', this.#tryRead);
    this.#socket.on('end', this.#ended);
    this.#socket.on('close', this.#ended);
  }

  /** Stops listening to the socket. */
  detach(): void {
    this.#socket.off('readable', this.#tryRead);
    this.#socket.off('end', this.#ended);
    this.#socket.off('close', this.#ended);
  }
}
