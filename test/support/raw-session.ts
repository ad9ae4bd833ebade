/**
 * A PostgreSQL session at the level of messages, for tests and benchmarks that must decide themselves what goes into
 * one write and must see every answer. It authenticates with node-postgres and then takes the socket over.
 */

import type { Socket } from 'node:net';
import { Client } from 'pg';

export interface RawEndpoint {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
}

export interface RawMessage {
  /** Type byte as a character: `Z`, `D`, `E`, … */
  readonly type: string;
  readonly body: Buffer;
}

const int16 = (value: number): Buffer => {
  const bytes = Buffer.allocUnsafe(2);
  bytes.writeInt16BE(value);
  return bytes;
};

const int32 = (value: number): Buffer => {
  const bytes = Buffer.allocUnsafe(4);
  bytes.writeInt32BE(value);
  return bytes;
};

const cString = (text: string): Buffer => Buffer.from(`${text}\0`);

/** A message as it goes over the wire: type, length with itself, body. */
export function frame(type: string, ...parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 4);
  return Buffer.concat([Buffer.from(type, 'latin1'), int32(length), ...parts]);
}

export const query = (text: string): Buffer => frame('Q', cString(text));
export const parse = (name: string, text: string): Buffer =>
  frame('P', cString(name), cString(text), int16(0));
/** All parameters as text; null stays null. Results as text. */
export const bind = (portal: string, statement: string, values: readonly (string | null)[]): Buffer =>
  frame(
    'B',
    cString(portal),
    cString(statement),
    int16(0),
    int16(values.length),
    ...values.flatMap((value) => {
      if (value === null) return [int32(-1)];
      const bytes = Buffer.from(value);
      return [int32(bytes.length), bytes];
    }),
    int16(0),
  );
/** `maxRows` 0 means all. */
export const execute = (portal = '', maxRows = 0): Buffer => frame('E', cString(portal), int32(maxRows));
export const sync = (): Buffer => frame('S');
export const copyData = (text: string): Buffer => frame('d', Buffer.from(text));
export const copyDone = (): Buffer => frame('c');

/** SQLSTATE (field `C`) of an ErrorResponse. */
export function sqlStateOf(message: RawMessage): string {
  return errorFields(message).get('C') ?? '';
}

/** The fields of an ErrorResponse or NoticeResponse by their letter. */
export function errorFields(message: RawMessage): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const field of message.body.toString('utf8').split('\0')) {
    if (field.length > 0) fields.set(field.slice(0, 1), field.slice(1));
  }
  return fields;
}

interface PgInternals {
  readonly connection: { readonly stream: Socket };
}

export class SessionLost extends Error {}

export class RawSession {
  readonly socket: Socket;
  #pending: Buffer = Buffer.alloc(0);
  #lost: Error | undefined;
  #waiter: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
  }

  /** Throws node-postgres' error when the server refuses. */
  static async connect(endpoint: RawEndpoint): Promise<RawSession> {
    const client = new Client({ ...endpoint, ssl: false });
    client.on('error', () => {
      // The socket is not node-postgres' any more: its end shows in `receive`.
    });
    await client.connect();
    const { stream } = (client as unknown as PgInternals).connection;
    for (const event of ['data', 'end', 'close', 'error']) stream.removeAllListeners(event);
    const session = new RawSession(stream);
    session.#listen();
    return session;
  }

  /** Over a socket that is authenticated already and that nobody else listens to. */
  static over(socket: Socket): RawSession {
    const session = new RawSession(socket);
    session.#listen();
    return session;
  }

  #listen(): void {
    this.socket.on('data', (chunk: Buffer) => {
      this.#pending = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
      this.#waiter?.();
    });
    const lost = (error?: Error): void => {
      this.#lost ??= new SessionLost('the session was lost', { cause: error });
      this.#waiter?.();
    };
    this.socket.on('error', lost);
    this.socket.on('close', () => lost());
    this.socket.resume();
  }

  send(...messages: readonly Buffer[]): void {
    if (this.#lost === undefined)
      this.socket.write(messages.length === 1 ? messages[0]! : Buffer.concat(messages));
  }

  #next(): RawMessage | undefined {
    if (this.#pending.length < 5) return undefined;
    const end = 1 + this.#pending.readInt32BE(1);
    if (this.#pending.length < end) return undefined;
    const message = {
      type: String.fromCharCode(this.#pending[0]!),
      body: Buffer.from(this.#pending.subarray(5, end)),
    };
    this.#pending = this.#pending.subarray(end);
    return message;
  }

  /** The next message; throws `SessionLost` once the connection is gone and everything that came was given. */
  async receive(): Promise<RawMessage> {
    for (;;) {
      const message = this.#next();
      if (message !== undefined) return message;
      if (this.#lost !== undefined) throw this.#lost;
      await new Promise<void>((resolve) => {
        this.#waiter = resolve;
      });
      this.#waiter = undefined;
    }
  }

  /** Everything up to and including the next message of one of these types (default ReadyForQuery). */
  async receiveUntil(types = 'Z'): Promise<RawMessage[]> {
    const messages: RawMessage[] = [];
    for (;;) {
      const message = await this.receive();
      messages.push(message);
      if (types.includes(message.type)) return messages;
    }
  }

  /** Stops reading messages: the owner reads the socket itself from here on. */
  takeSocket(): Socket {
    for (const event of ['data', 'end', 'close', 'error']) this.socket.removeAllListeners(event);
    return this.socket;
  }

  /** Terminate, politely. */
  end(): void {
    this.send(frame('X'));
    this.socket.end();
  }

  destroy(): void {
    this.socket.destroy();
  }
}
