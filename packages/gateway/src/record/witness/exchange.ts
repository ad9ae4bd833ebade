/** HTTP with one witness: one connection that is kept, bounded answers, one deadline for everything. */

import {
  Agent as HttpAgent,
  request as httpRequest,
  type ClientRequest,
  type IncomingMessage,
} from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';

export interface Answer {
  readonly status: number;
  /** Without parameters, in lower case. */
  readonly contentType: string;
  readonly body: string;
  /** Seconds that the witness asks to wait, if it does. */
  readonly retryAfter?: number;
}

/** No answer, or none that may be looked at. `reason` is a word or an errno, never text of the peer. */
export class ExchangeError extends Error {
  readonly reason: string;

  constructor(reason: string) {
    super(`the witness cannot be asked (${reason})`);
    this.name = 'ExchangeError';
    this.reason = reason;
  }
}

/** A checkpoint with the cosignatures of every witness there is, and more. */
const MAX_ANSWER_BYTES = 64 * 1024;

export interface ExchangeOptions {
  readonly timeoutMs: number;
  /** PEM; default: the system's certificates. */
  readonly ca?: string;
}

/** Requests to one host. Redirects are not followed: an answer is the witness's or it is none. */
export class Exchange {
  readonly #timeoutMs: number;
  readonly #plain = new HttpAgent({ keepAlive: true, maxSockets: 1 });
  readonly #tls: HttpsAgent;

  constructor(options: ExchangeOptions) {
    this.#timeoutMs = options.timeoutMs;
    const { ca } = options;
    this.#tls = new HttpsAgent({
      keepAlive: true,
      maxSockets: 1,
      minVersion: 'TLSv1.2',
      ...(ca === undefined ? {} : { ca }),
    });
  }

  post(url: string, body: string): Promise<Answer> {
    return this.#send('POST', url, body);
  }

  get(url: string): Promise<Answer> {
    return this.#send('GET', url, undefined);
  }

  close(): void {
    this.#plain.destroy();
    this.#tls.destroy();
  }

  #send(method: string, url: string, body: string | undefined): Promise<Answer> {
    const signal = AbortSignal.timeout(this.#timeoutMs);
    const isTls = url.startsWith('https:');
    const headers =
      body === undefined
        ? {}
        : { 'content-type': 'text/plain; charset=utf-8', 'content-length': Buffer.byteLength(body) };
    return new Promise((resolve, reject) => {
      const options = { method, headers, signal };
      const outgoing: ClientRequest = isTls
        ? httpsRequest(url, { ...options, agent: this.#tls })
        : httpRequest(url, { ...options, agent: this.#plain });
      outgoing.on('error', (error) => reject(reasonOf(error, signal)));
      let isAnswered = false;
      // One that goes over to another protocol ends the request with neither an answer nor an error.
      outgoing.on('close', () => {
        if (!isAnswered) reject(new ExchangeError('no answer'));
      });
      outgoing.on('response', (response) => {
        isAnswered = true;
        readAnswer(response).then(resolve, (error: unknown) => {
          outgoing.destroy();
          reject(reasonOf(error, signal));
        });
      });
      outgoing.end(body);
    });
  }
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) throw new ExchangeError('too long');
    chunks.push(chunk);
  }
  const retryAfter = /^[0-9]{1,5}$/.exec(response.headers['retry-after'] ?? '')?.[0];
  return {
    status: response.statusCode ?? 0,
    contentType: (response.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase(),
    body: decode(Buffer.concat(chunks)),
    ...(retryAfter === undefined ? {} : { retryAfter: Number(retryAfter) }),
  };
}

function decode(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw new ExchangeError('not UTF-8');
  }
}

function reasonOf(error: unknown, signal: AbortSignal): ExchangeError {
  if (error instanceof ExchangeError) return error;
  if (signal.aborted) return new ExchangeError('timeout');
  const { code } = error as { code?: unknown };
  return new ExchangeError(typeof code === 'string' ? code : 'failed');
}
