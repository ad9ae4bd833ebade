/** Asks a time-stamping authority (RFC 3161 over HTTP, section 3.4) and checks every part of what it answers. */

import { randomBytes, type X509Certificate } from 'node:crypto';
import { request as httpRequest } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import {
  authorityFlaw,
  FormatError,
  formatTimestampRequest,
  isTimestampOf,
  MAX_TIMESTAMP_BYTES,
  parseTimestampResponse,
  parseTimestampToken,
  TIMESTAMP_QUERY_TYPE,
  TIMESTAMP_REPLY_TYPE,
} from 'countersign-verify';
import type { TimestampToken } from 'countersign-verify';

export interface TimestampAuthority {
  /** http or https. */
  readonly url: string;
  /** Certificates that its own must lead to. */
  readonly trusted: readonly X509Certificate[];
  /** Certificates that a TLS server at `url` may lead to, PEM. Default: the system's. */
  readonly tlsTrusted?: readonly string[];
  /** Longest time from connecting to the last byte. */
  readonly timeoutMs: number;
}

/** Ends a request that nobody waits for any more. */
export interface RequestOptions {
  readonly signal?: AbortSignal;
}

/** Why there is no time stamp: a fixed word for log and metrics. */
export type TimestampFailure =
  | 'unreachable'
  | 'http-status'
  | 'content-type'
  | 'too-long'
  | 'malformed'
  | 'not-granted'
  | 'imprint'
  | 'nonce'
  | 'authority';

export type TimestampOutcome =
  | { readonly kind: 'stamped'; readonly response: Buffer; readonly token: TimestampToken }
  | { readonly kind: 'failed'; readonly reason: TimestampFailure; readonly detail?: string };

const NONCE_BYTES = 12;

/** Stamps `data`. Never rejects: what goes wrong is an outcome. */
export async function requestTimestamp(
  authority: TimestampAuthority,
  data: Uint8Array,
  options: RequestOptions = {},
): Promise<TimestampOutcome> {
  const nonce = randomBytes(NONCE_BYTES);
  // A leading zero byte would not come back: it is no part of the number.
  nonce[0]! |= 1;
  const answer = await post(authority, formatTimestampRequest(data, nonce), options.signal);
  if (!Buffer.isBuffer(answer)) return answer;
  try {
    return judge(authority, answer, data, nonce);
  } catch (error) {
    if (error instanceof FormatError) return failed('malformed', error.message);
    throw error;
  }
}

function failed(reason: TimestampFailure, detail?: string): TimestampOutcome & { readonly kind: 'failed' } {
  return { kind: 'failed', reason, ...(detail !== undefined && { detail }) };
}

function judge(
  authority: TimestampAuthority,
  response: Buffer,
  data: Uint8Array,
  nonce: Buffer,
): TimestampOutcome {
  const { status, token: der } = parseTimestampResponse(response);
  if (der === undefined) return failed('not-granted', `status ${status}`);
  const token = parseTimestampToken(der);
  if (token.imprintAlgorithm !== 'sha256' || !isTimestampOf(token, data)) return failed('imprint');
  if (token.nonce?.equals(nonce) !== true) return failed('nonce');
  // At its own time, as everyone will check it, and at ours: an authority that has expired may also set its clock back.
  const flaw =
    authorityFlaw(token, authority.trusted) ??
    authorityFlaw({ ...token, timeUs: Date.now() * 1000 }, authority.trusted);
  return flaw === undefined ? { kind: 'stamped', response, token } : failed('authority', flaw);
}

function post(
  authority: TimestampAuthority,
  body: Buffer,
  signal: AbortSignal | undefined,
): Promise<Buffer | (TimestampOutcome & { readonly kind: 'failed' })> {
  const { timeoutMs, tlsTrusted, url } = authority;
  const options = {
    method: 'POST',
    headers: {
      'Content-Type': TIMESTAMP_QUERY_TYPE,
      'Content-Length': body.length,
      Accept: TIMESTAMP_REPLY_TYPE,
    },
    signal: AbortSignal.any([AbortSignal.timeout(timeoutMs), ...(signal === undefined ? [] : [signal])]),
    agent: false as const,
  };
  return new Promise((resolve) => {
    const onError = (error: Error): void => {
      resolve(failed('unreachable', (error as NodeJS.ErrnoException).code ?? error.name));
    };
    const onResponse = (response: IncomingMessage): void => {
      response.on('error', onError);
      readAnswer(response, resolve);
    };
    const target = new URL(url);
    const request =
      target.protocol === 'https:'
        ? httpsRequest(
            target,
            { ...options, ...(tlsTrusted !== undefined && { ca: [...tlsTrusted] }) },
            onResponse,
          )
        : httpRequest(target, options, onResponse);
    request.on('error', onError);
    let isAnswered = false;
    request.on('response', () => (isAnswered = true));
    // One that goes over to another protocol ends the request with neither an answer nor an error.
    request.on('close', () => {
      if (!isAnswered) resolve(failed('unreachable', 'no answer'));
    });
    request.end(body);
  });
}

function readAnswer(
  response: IncomingMessage,
  resolve: (answer: Buffer | (TimestampOutcome & { readonly kind: 'failed' })) => void,
): void {
  const { headers, statusCode } = response;
  const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase();
  if (statusCode !== 200 || type !== TIMESTAMP_REPLY_TYPE) {
    response.destroy();
    resolve(statusCode === 200 ? failed('content-type') : failed('http-status', String(statusCode)));
    return;
  }
  const chunks: Buffer[] = [];
  let length = 0;
  response.on('data', (chunk: Buffer) => {
    length += chunk.length;
    chunks.push(chunk);
    if (length <= MAX_TIMESTAMP_BYTES) return;
    response.destroy();
    resolve(failed('too-long'));
  });
  response.on('end', () => resolve(Buffer.concat(chunks)));
}
