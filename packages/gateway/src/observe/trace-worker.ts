/* oxlint-disable unicorn/require-post-message-target-origin -- between threads, not windows */
/** Encodes and sends spans in a thread of its own. One batch at a time; each has one answer. */

import { request as requestHttp, type RequestOptions } from 'node:http';
import { request as requestHttps } from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';

import { encodeSpans } from './otlp.ts';
import type { BatchOutcome, SpanBatch, TraceThreadOptions } from './trace-protocol.ts';

const ATTEMPTS = 3;
const TIMEOUT_MS = 5_000;
const RETRY_MS = 200;
/** What the protocol names as worth another attempt. */
const RETRYABLE = new Set([429, 502, 503, 504]);

const options = workerData as TraceThreadOptions;
const port = parentPort!;

/** The status of the answer; 0 when there was none. */
function post(body: string): Promise<number> {
  const isTls = options.url.startsWith('https:');
  const settings: RequestOptions = {
    ...options.tls,
    method: 'POST',
    headers: {
      ...options.headers,
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    },
    agent: false,
    signal: AbortSignal.timeout(TIMEOUT_MS),
  };
  return new Promise((resolve) => {
    const outgoing = (isTls ? requestHttps : requestHttp)(options.url, settings, (response) => {
      response.resume();
      response.on('error', () => resolve(0));
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
    outgoing.on('error', () => resolve(0));
    outgoing.end(body);
  });
}

async function send({ spans }: SpanBatch): Promise<boolean> {
  const body = encodeSpans(spans, options.resource);
  for (let attempt = 1; ; attempt++) {
    const status = await post(body);
    if (status >= 200 && status < 300) return true;
    if (attempt === ATTEMPTS || !(status === 0 || RETRYABLE.has(status))) return false;
    await sleep(RETRY_MS * attempt);
  }
}

async function answer(batch: SpanBatch | 'close'): Promise<void> {
  if (batch === 'close') {
    port.close();
    return;
  }
  const isSent = await send(batch);
  port.postMessage({ count: batch.spans.length, isSent } satisfies BatchOutcome);
}

let turn = Promise.resolve();
port.on('message', (batch: SpanBatch | 'close') => {
  turn = turn.then(() => answer(batch));
});
