import { request as requestHttp, type IncomingMessage, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import { promisify } from 'node:util';
import { gzip as gzipWithCallback } from 'node:zlib';

import type { SecretRef, Secrets } from '../../config/config.ts';
import { SinkError, unavailable, type OutgoingEvent, type Sink } from './sink.ts';
import { readTls, type OutgoingTls } from './tls-files.ts';

const gzip = promisify(gzipWithCallback);

export interface HttpSinkOptions {
  readonly url: string;
  /** Header names and where their values are kept. */
  readonly headers: readonly { readonly name: string; readonly value: SecretRef }[];
  /** `ndjson`: a document per line; `array`: one JSON array. */
  readonly format: 'ndjson' | 'array';
  readonly gzip: boolean;
  readonly tls: OutgoingTls;
  readonly timeoutMs: number;
  readonly version: string;
}

/** The receiver understands the request and finds fault with the content: the same content would fail again. */
const REFUSALS = new Set([400, 409, 413, 415, 422]);
/** What `Retry-After` may ask for at most. */
const MAX_RETRY_AFTER_MS = 600_000;

/**
 * POST of a batch. Delivered means that the receiver answered 2xx. Redirects are not followed: they would carry the
 * credentials of the headers elsewhere.
 */
export class HttpSink implements Sink {
  readonly #options: HttpSinkOptions;
  readonly #secrets: Secrets;

  constructor(options: HttpSinkOptions, secrets: Secrets) {
    this.#options = options;
    this.#secrets = secrets;
  }

  async deliver(events: readonly OutgoingEvent[], signal: AbortSignal): Promise<void> {
    let status: number;
    let retryAfter: string | undefined;
    try {
      const response = await this.#post(events, signal);
      status = response.statusCode ?? 0;
      retryAfter = response.headers['retry-after'];
    } catch (error) {
      throw unavailable('the receiver cannot be reached', error);
    }
    if (status >= 200 && status < 300) return;
    const message = `the receiver answered ${status}`;
    if (REFUSALS.has(status)) throw new SinkError('refused', message);
    const retryAfterMs = parseRetryAfter(retryAfter, Date.now());
    throw new SinkError('unavailable', message, retryAfterMs === undefined ? {} : { retryAfterMs });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #post(events: readonly OutgoingEvent[], signal: AbortSignal): Promise<IncomingMessage> {
    const { url, headers: secretHeaders, format, timeoutMs, version, tls } = this.#options;
    const plain = encodeBatch(events, format);
    const body = this.#options.gzip ? await gzip(plain) : plain;
    const headers: Record<string, string | number> = {
      'content-type': format === 'ndjson' ? 'application/x-ndjson' : 'application/json',
      'content-length': body.length,
      'user-agent': `countersign/${version}`,
      ...(this.#options.gzip ? { 'content-encoding': 'gzip' } : {}),
    };
    for (const { name, value } of secretHeaders) {
      headers[name] = (await this.#secrets.read(value)).toString('utf8');
    }
    const isTls = url.startsWith('https:');
    const files = isTls ? await readTls(tls, this.#secrets) : {};
    const options: RequestOptions = {
      ...files,
      method: 'POST',
      headers,
      agent: false,
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    };
    return await new Promise((resolve, reject) => {
      const outgoing = (isTls ? requestHttps : requestHttp)(url, options, (response) => {
        // The body says nothing that we act on; only its end frees the connection.
        response.resume();
        response.on('error', reject);
        response.on('end', () => resolve(response));
      });
      outgoing.on('error', reject);
      outgoing.end(body);
    });
  }
}

function encodeBatch(events: readonly OutgoingEvent[], format: 'ndjson' | 'array'): Buffer {
  const [open, between, close] = format === 'ndjson' ? ['', '\n', '\n'] : ['[', ',', ']'];
  const parts: Buffer[] = [Buffer.from(open)];
  for (const [index, { json }] of events.entries()) {
    if (index > 0) parts.push(Buffer.from(between));
    parts.push(json);
  }
  parts.push(Buffer.from(close));
  return Buffer.concat(parts);
}

/** Seconds or an HTTP date (RFC 9110 section 10.2.3), in ms from now; `undefined` when there is none or it is neither. */
export function parseRetryAfter(text: string | undefined, nowMs: number): number | undefined {
  if (text === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(text) ? Number(text) * 1_000 : Date.parse(text) - nowMs;
  return Number.isNaN(ms) ? undefined : Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS);
}
