import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Answers of the health listener. */
export interface HealthSources {
  /** Why the gateway takes no traffic (one sentence, no secrets), or `undefined` when it does. */
  readonly notReady: () => string | undefined;
  /** Prometheus text. */
  readonly metrics: () => Promise<{ readonly contentType: string; readonly body: string }>;
}

export interface HealthServer {
  readonly host: string;
  readonly port: number;
  close(): Promise<void>;
}

/** A scraper and a few probes; whoever opens more is not one of them. */
const MAX_CONNECTIONS = 64;
const REQUEST_TIMEOUT_MS = 5_000;

/**
 * `/live`: 200 while the event loop turns. `/ready`: 200, or 503 with the reason. `/metrics`: Prometheus text.
 * Plain HTTP without authentication: nothing here names a principal, a target or a statement.
 */
export async function startHealthServer(
  place: { readonly host: string; readonly port: number },
  sources: HealthSources,
): Promise<HealthServer> {
  const server = createServer((request, response) => {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/';
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      answer(response, 405, 'text/plain', 'method not allowed\n');
    } else if (path === '/live') {
      answer(response, 200, 'text/plain', 'live\n');
    } else if (path === '/ready') {
      const reason = sources.notReady();
      const body = reason === undefined ? { ready: true } : { ready: false, reason };
      answer(response, reason === undefined ? 200 : 503, 'application/json', `${JSON.stringify(body)}\n`);
    } else if (path === '/metrics') {
      sources.metrics().then(
        ({ contentType, body }) => answer(response, 200, contentType, body),
        () => answer(response, 500, 'text/plain', 'metrics are not available\n'),
      );
    } else {
      answer(response, 404, 'text/plain', 'there are /live, /ready and /metrics\n');
    }
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  server.headersTimeout = REQUEST_TIMEOUT_MS;
  await listen(server, place);
  const { address, port } = server.address() as AddressInfo;
  return { host: address, port, close: () => closeServer(server) };
}

function answer(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  });
  // Node drops the body of an answer to HEAD by itself.
  response.end(body);
}

function listen(server: Server, place: { readonly host: string; readonly port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(place.port, place.host, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
