import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { FIELD, decodeErrorResponse } from '../../packages/gateway/src/postgres/wire/index.ts';

/** A client that sends any bytes it likes and keeps what comes back. */
export class RawPeer {
  readonly socket: Socket;
  #received = Buffer.alloc(0);
  #waiting: (() => void)[] = [];
  isClosed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    socket.on('close', () => {
      this.isClosed = true;
      this.#wake();
    });
  }

  static async connect(port: number, localAddress = '127.0.0.1'): Promise<RawPeer> {
    const socket = connect({ port, host: '127.0.0.1', localAddress });
    const peer = new RawPeer(socket);
    await once(socket, 'connect');
    return peer;
  }

  send(...parts: readonly (Buffer | string)[]): this {
    this.socket.write(Buffer.concat(parts.map((part) => Buffer.from(part as string))));
    return this;
  }

  /** The next `count` bytes. Rejects when the connection closes first. */
  async bytes(count: number): Promise<Buffer> {
    while (this.#received.length < count) {
      if (this.isClosed) throw new Error(`closed after ${this.#received.length} of ${count} bytes`);
      await this.#change();
    }
    const bytes = this.#received.subarray(0, count);
    this.#received = this.#received.subarray(count);
    return bytes;
  }

  /** The next message: its type as a character, and all of it. */
  async message(): Promise<{ readonly type: string; readonly bytes: Buffer }> {
    const header = await this.bytes(5);
    const body = await this.bytes(header.readUInt32BE(1) - 4);
    return { type: String.fromCharCode(header[0] ?? 0), bytes: Buffer.concat([header, body]) };
  }

  /** SQLSTATE and message of the ErrorResponse that must be next. */
  async error(): Promise<{ readonly sqlState: string; readonly message: string; readonly detail: string }> {
    const { type, bytes } = await this.message();
    if (type !== 'E') throw new Error(`expected an ErrorResponse, not ${type}`);
    const fields = decodeErrorResponse(bytes, 0, bytes.length);
    return {
      sqlState: fields.get(FIELD.sqlState) ?? '',
      message: fields.get(FIELD.message) ?? '',
      detail: fields.get(FIELD.detail) ?? '',
    };
  }

  /** Resolves with what was not read when the other side closed the connection. */
  async closed(): Promise<Buffer> {
    while (!this.isClosed) await this.#change();
    return this.#received;
  }

  destroy(): void {
    this.socket.destroy();
  }

  async #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
    });
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}
