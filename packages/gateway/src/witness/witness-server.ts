/**
 * The HTTP side of a witness (https://c2sp.org/tlog-witness): `POST <prefix>[<path>]/add-checkpoint` and
 * `GET <prefix>/<origin hash>/checkpoint`. Everything that a stranger can make it hold is bounded: connections in all and
 * per address, the time to send headers and a request, the bytes of a body.
 */

import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { Server as HttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

import type { Decision, Witness } from './witness.ts';

/** Certificate chain and private key, PEM. */
export interface ServerCertificate {
  readonly cert: Buffer;
  readonly key: Buffer;
}

export interface WitnessServerOptions {
  readonly host: string;
  readonly port: number;
  readonly certificate?: ServerCertificate;
  /** Without a slash at its end. */
  readonly prefix: string;
  readonly connections: number;
  readonly connectionsPerAddress: number;
  /** Told of every decision, refusals of HTTP included. */
  readonly onDecision: (decision: Decision | HttpRefusal, address: string) => void;
}

/** A request that was turned away before the witness looked at it. */
export interface HttpRefusal {
  readonly status: 400 | 404 | 405 | 413 | 500;
  readonly reason: string;
  readonly cause?: unknown;
}

export interface WitnessServer {
  readonly host: string;
  readonly port: number;
  /** Puts a new certificate in force for new connections. */
  setCertificate(certificate: ServerCertificate): void;
  /** Answers what is under way, for at most two seconds. */
  close(): Promise<void>;
}

/** A proof of 63 hashes, and a checkpoint with signatures of all the witnesses that there are. */
export const MAX_BODY_BYTES = 256 * 1024;
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
/** Logs ask every second or so; they should not have to connect anew each time. */
const KEEP_ALIVE_MS = 65_000;
const CLOSE_MS = 2_000;

const SERVER_OPTIONS: ServerOptions = {
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  keepAliveTimeout: KEEP_ALIVE_MS,
  connectionsCheckingInterval: 1_000,
  maxHeaderSize: 8_192,
};

export async function startWitnessServer(
  witness: Witness,
  options: WitnessServerOptions,
): Promise<WitnessServer> {
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    void serve(witness, options, request, response);
  };
  const { certificate } = options;
  const server: Server | HttpsServer =
    certificate === undefined
      ? createHttpServer(SERVER_OPTIONS, handle)
      : createHttpsServer(
          { ...SERVER_OPTIONS, ...certificate, minVersion: 'TLSv1.2', handshakeTimeout: HEADERS_TIMEOUT_MS },
          handle,
        );
  server.maxConnections = options.connections;
  limitPerAddress(server, options.connectionsPerAddress);
  // What is not HTTP gets no answer; the default one would be written to whatever it is.
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    if (error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && socket.writable)
      socket.end('HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n');
    else socket.destroy();
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(options.port, options.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
  const { address, port } = server.address() as AddressInfo;
  return {
    host: address,
    port,
    setCertificate: (next) => {
      if ('setSecureContext' in server) server.setSecureContext({ ...next, minVersion: 'TLSv1.2' });
    },
    close: () => closeServer(server),
  };
}

function limitPerAddress(server: Server, limit: number): void {
  const open = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress ?? '';
    const count = (open.get(address) ?? 0) + 1;
    open.set(address, count);
    socket.on('close', () => {
      const left = (open.get(address) ?? 1) - 1;
      if (left === 0) open.delete(address);
      else open.set(address, left);
    });
    if (count > limit) socket.destroy();
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => server.closeAllConnections(), CLOSE_MS);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}

/** Never rejects: what goes wrong here is one request's, never the witness's. */
async function serve(
  witness: Witness,
  options: WitnessServerOptions,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const address = request.socket.remoteAddress ?? '';
  try {
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    const monitored = monitorPath(path, options.prefix);
    if (monitored !== undefined) {
      serveCheckpoint(witness, monitored, request, response);
      return;
    }
    const submitted = submissionPath(path, options.prefix);
    if (submitted === undefined) {
      refuse(request, response, 404, 'there is only add-checkpoint and <origin hash>/checkpoint');
      options.onDecision({ status: 404, reason: 'path' }, address);
      return;
    }
    if (request.method !== 'POST') {
      response.setHeader('Allow', 'POST');
      refuse(request, response, 405, 'add-checkpoint takes POST');
      options.onDecision({ status: 405, reason: 'method' }, address);
      return;
    }
    const body = await readBody(request);
    if (typeof body !== 'string') {
      const sentence = body.status === 413 ? 'the request is too long' : 'the request is not UTF-8';
      refuse(request, response, body.status, sentence);
      options.onDecision(body, address);
      return;
    }
    const decision = witness.addCheckpoint(body, submitted);
    if (decision.status === 429 || decision.status === 503) response.setHeader('Retry-After', '5');
    send(response, decision.status, decision.contentType, decision.body);
    options.onDecision(decision, address);
  } catch (cause) {
    if (!response.headersSent && !response.destroyed) refuse(request, response, 500, 'internal error');
    options.onDecision({ status: 500, reason: 'internal', cause }, address);
  }
}

/** The per-log part of the path before `/add-checkpoint`, empty for the prefix itself. */
function submissionPath(path: string, prefix: string): string | undefined {
  const end = '/add-checkpoint';
  if (!path.startsWith(`${prefix}/`) || !path.endsWith(end)) return undefined;
  return path.slice(prefix.length, path.length - end.length);
}

function monitorPath(path: string, prefix: string): string | undefined {
  if (!path.startsWith(`${prefix}/`)) return undefined;
  return /^\/([0-9a-f]{64})\/checkpoint$/.exec(path.slice(prefix.length))?.[1];
}

function serveCheckpoint(
  witness: Witness,
  originHash: string,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (request.method !== 'GET' && request.method !== 'HEAD') {
    response.setHeader('Allow', 'GET, HEAD');
    refuse(request, response, 405, 'a checkpoint is read with GET');
    return;
  }
  const known = witness.store.byHash(originHash);
  if (known === undefined) refuse(request, response, 404, 'no checkpoint of this log was cosigned here');
  else send(response, 200, 'text/plain; charset=utf-8', known.text);
}

async function readBody(request: IncomingMessage): Promise<string | HttpRefusal> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_BODY_BYTES)
    return { status: 413, reason: 'length' };
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES) return { status: 413, reason: 'length' };
    chunks.push(chunk);
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Buffer.concat(chunks));
  } catch {
    return { status: 400, reason: 'not-utf-8' };
  }
}

/** Whoever sent more than is read gets no second request on this connection. */
function refuse(request: IncomingMessage, response: ServerResponse, status: number, sentence: string): void {
  const hasBody = 'content-length' in request.headers || 'transfer-encoding' in request.headers;
  if (hasBody && !request.complete) response.setHeader('Connection', 'close');
  send(response, status, 'text/plain; charset=utf-8', `${sentence}\n`);
}

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  const bytes = Buffer.from(body);
  response.writeHead(status, {
    'Content-Type': contentType,
    'Content-Length': bytes.length,
    'X-Content-Type-Options': 'nosniff',
  });
  response.end(bytes);
}
