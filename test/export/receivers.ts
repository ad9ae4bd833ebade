/** Receivers of events on loopback: an HTTP server that can misbehave, and a strict reader of syslog over TLS or TCP. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import {
  createServer as createHttp,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http';
import { createServer as createHttps } from 'node:https';
import { createServer as createTcp, type AddressInfo, type Socket, type Server as TcpServer } from 'node:net';
import { createServer as createTls } from 'node:tls';
import { gunzipSync } from 'node:zlib';

/** What a test looks at in an event. */
export interface ReceivedEvent {
  readonly class_uid: number;
  readonly raw_data: string;
  readonly metadata: { readonly uid: string; readonly sequence: number; readonly event_code: string };
  readonly unmapped: {
    readonly countersign: {
      readonly index: number;
      readonly origin: string;
      readonly tree_size: number;
      readonly leaf_hash: string;
      readonly witnessed: boolean;
      readonly unwitnessed_seconds: number;
    };
  };
}

export const parseLines = (text: string): readonly ReceivedEvent[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as ReceivedEvent);

/** An answer: a status with headers, or a connection that breaks, before or after the batch was kept. */
export type Answer =
  | { readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  | 'keep-and-break'
  | 'break'
  | 'hang';

export class HttpReceiver {
  readonly received: ReceivedEvent[] = [];
  readonly requests: { readonly headers: IncomingHttpHeaders; readonly count: number }[] = [];
  /** Decides on each batch. Default: 200. */
  answer: (events: readonly ReceivedEvent[]) => Answer = () => ({ status: 200 });
  readonly #server: Server;
  readonly #scheme: string;

  constructor(tls?: { readonly cert: Buffer; readonly key: Buffer }) {
    const take = (request: IncomingMessage, response: ServerResponse): void => this.#take(request, response);
    this.#scheme = tls === undefined ? 'http' : 'https';
    this.#server = tls === undefined ? createHttp(take) : createHttps(tls, take);
  }

  #take(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('error', () => {});
    request.on('end', () => {
      const body = Buffer.concat(chunks);
      const text = (request.headers['content-encoding'] === 'gzip' ? gunzipSync(body) : body).toString();
      const isArray = request.headers['content-type'] === 'application/json';
      const events = isArray ? (JSON.parse(text) as ReceivedEvent[]) : parseLines(text);
      this.requests.push({ headers: request.headers, count: events.length });
      const answer = this.answer(events);
      if (answer === 'hang') return;
      if (answer === 'keep-and-break' || (typeof answer === 'object' && answer.status < 300))
        this.received.push(...events);
      if (typeof answer === 'string') request.socket.destroy();
      else response.writeHead(answer.status, answer.headers).end();
    });
  }

  async listen(port = 0): Promise<this> {
    this.#server.listen(port, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${this.port}/ingest`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    if (this.#server.listening) await once(this.#server, 'close');
  }
}

export interface SyslogRecord {
  readonly priority: number;
  readonly at: string;
  readonly hostname: string;
  readonly msgid: string;
  readonly structuredData: string;
  readonly event: ReceivedEvent;
}

/** RFC 5424 section 6, as narrow as its grammar; no optional field that we never send is admitted. */
const MESSAGE =
  /^<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z) ([\u0021-\u007e]{1,255}) countersign - ([\u0021-\u007e]{1,32}) ((?:\[[^\]\\]*\])+) (\{.*\})$/su;

export function parseSyslog(message: string): SyslogRecord {
  const match = MESSAGE.exec(message);
  assert.ok(match !== null, 'not an RFC 5424 message');
  const [, priority = '', at = '', hostname = '', msgid = '', structuredData = '', json = ''] = match;
  assert.ok(Number(priority) <= 191);
  return {
    priority: Number(priority),
    at,
    hostname,
    msgid,
    structuredData,
    event: JSON.parse(json) as ReceivedEvent,
  };
}

/** Octet counting: `<length> <message>`, nothing between. Gives what is whole, and how many bytes that was. */
export function readFrames(bytes: Buffer): { readonly messages: readonly string[]; readonly used: number } {
  const messages: string[] = [];
  let used = 0;
  for (;;) {
    const space = bytes.indexOf(0x20, used);
    if (space === -1) break;
    const length = bytes.toString('latin1', used, space);
    assert.match(length, /^[1-9]\d{0,9}$/);
    const end = space + 1 + Number(length);
    if (end > bytes.length) break;
    messages.push(bytes.toString('utf8', space + 1, end));
    used = end;
  }
  return { messages, used };
}

export class SyslogReceiver {
  readonly received: SyslogRecord[] = [];
  connections = 0;
  /** Bytes after which the connection is reset instead of read; undefined: never. */
  breakAfter: (connection: number) => number | undefined = () => undefined;
  readonly #server: TcpServer;
  readonly #sockets = new Set<Socket>();

  constructor(tls?: { readonly cert: Buffer; readonly key: Buffer; readonly ca?: Buffer }) {
    const take = (socket: Socket): void => this.#take(socket);
    this.#server =
      tls === undefined
        ? createTcp(take)
        : createTls(
            { ...tls, requestCert: tls.ca !== undefined, rejectUnauthorized: tls.ca !== undefined },
            take,
          );
  }

  #take(socket: Socket): void {
    this.#sockets.add(socket);
    const limit = this.breakAfter(this.connections++);
    let bytes = Buffer.alloc(0);
    let total = 0;
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      total += chunk.length;
      if (limit !== undefined && total > limit) {
        socket.resetAndDestroy();
        return;
      }
      bytes = Buffer.concat([bytes, chunk]);
      const { messages, used } = readFrames(bytes);
      this.received.push(...messages.map(parseSyslog));
      bytes = bytes.subarray(used);
    });
    socket.on('end', () => assert.equal(bytes.length, 0, 'the connection ends inside a message'));
  }

  async listen(): Promise<this> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
