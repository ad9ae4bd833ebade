import { chmodSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { join } from 'node:path';

import { z } from 'zod';

import { CountersignError } from '../errors.ts';
import { asCountersignError, errorFields } from '../observe/logger.ts';
import { CONTROL_SOCKET, openControlPath } from './control-path.ts';
import { backupRequestSchema, recordBackup } from './backups.ts';
import { catalogRequestSchema } from './catalogs.ts';
import { classifyRequestSchema } from './classify.ts';
import type { ControlServices } from './control-services.ts';
import { issueTokenFor, tokenRequestSchema } from './issue-token.ts';
import { custodyRequestSchema, runSchedule, scheduleSchema, submitRequest } from './custody.ts';
import { handleKeys, keyRequestSchema } from './keys.ts';
import { logReadRequestSchema, readContents } from './read-contents.ts';

export interface ControlServer {
  close(): Promise<void>;
}

/** Requests are a few names and numbers, but for those that officers sign. */
const MAX_BODY_BYTES = 98_304;

interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  handle(body: unknown, services: ControlServices): unknown;
}

const ROUTES: readonly Route[] = [
  { method: 'GET', path: '/v1/status', handle: (_body, services) => services.status },
  { method: 'GET', path: '/v1/fixed-settings', handle: (_body, services) => services.fixedSettings },
  {
    method: 'POST',
    path: '/v1/tokens',
    handle: (body, services) => issueTokenFor(parse(tokenRequestSchema, body), services),
  },
  {
    method: 'POST',
    path: '/v1/log/read',
    handle: (body, services) => readContents(parse(logReadRequestSchema, body), services),
  },
  { method: 'GET', path: '/v1/custody', handle: (_body, { custody }) => custody.desk.status() },
  {
    method: 'GET',
    path: '/v1/custody/officers',
    handle: (_body, { custody }) => ({ officers: custody.desk.officersProposal() ?? null }),
  },
  {
    method: 'POST',
    path: '/v1/custody',
    handle: (body, services) => submitRequest(parse(custodyRequestSchema, body), services),
  },
  {
    method: 'POST',
    path: '/v1/custody/schedule',
    handle: (body, services) => {
      parse(scheduleSchema, body);
      return runSchedule(services);
    },
  },
  {
    method: 'POST',
    path: '/v1/backups',
    handle: (body, services) => recordBackup(parse(backupRequestSchema, body), services),
  },
  {
    method: 'POST',
    path: '/v1/keys',
    handle: (body, services) => handleKeys(parse(keyRequestSchema, body), services),
  },
  {
    method: 'POST',
    path: '/v1/catalog',
    handle: (body, { catalogService }) => catalogService.read(parse(catalogRequestSchema, body)),
  },
  {
    method: 'POST',
    path: '/v1/classify',
    handle: (body, { classifyService }) => classifyService.propose(parse(classifyRequestSchema, body)),
  },
];

/**
 * Listens on `control.sock` in the state directory: HTTP/1.1, JSON. The socket has mode 0600 in a directory of mode 0700, so
 * the kernel admits the gateway's own user and root, and nobody else.
 *
 * `GET /v1/status`, `GET /v1/fixed-settings`, `POST /v1/tokens {principal?, target, ttlMs?}`, `POST /v1/log/read {from, to}`,
 * `POST /v1/catalog {target, database?}`, `POST /v1/classify {target, database?, login?, sample?}`, `POST /v1/keys {act, …}`, `POST /v1/backups {size, root}`, `GET /v1/custody`, `GET /v1/custody/officers`, `POST /v1/custody {document, approvals}`,
 * `POST /v1/custody/schedule {}`. Errors are
 * `{"error": {"code", "message", "detail"?, "hint"?}}`.
 */
export async function startControlServer(services: ControlServices): Promise<ControlServer> {
  const { stateDirectory } = services.config;
  const server = createServer((request, response) => {
    respond(request, response, services).catch((error: unknown) => {
      services.logger.error('control request failed', errorFields(error));
      response.destroy();
    });
  });
  const control = openControlPath(stateDirectory);
  // Left by a process that was killed: the state lock says that nobody listens there.
  rmSync(control.path, { force: true });
  // Bound with no rights for others from the first moment, not only after chmod.
  const umask = process.umask(0o177);
  try {
    await listen(server, control.path);
    chmodSync(control.path, 0o600);
  } finally {
    process.umask(umask);
    control.release();
  }
  return {
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          rmSync(join(stateDirectory, CONTROL_SOCKET), { force: true });
          resolve();
        });
        server.closeIdleConnections();
      }),
  };
}

async function respond(
  request: IncomingMessage,
  response: ServerResponse,
  services: ControlServices,
): Promise<void> {
  try {
    const route = ROUTES.find(({ method, path }) => method === request.method && path === request.url);
    if (route === undefined) throw new CountersignError('CS_REQUEST_INVALID', { detail: 'no such request' });
    const body = route.method === 'POST' ? await readBody(request) : undefined;
    send(response, 200, await route.handle(body, services));
  } catch (error) {
    const { code, message, detail, hint } = asCountersignError(error);
    if (code === 'CS_INTERNAL') services.logger.error('control request failed', errorFields(error));
    send(response, STATUS_OF_CODE[code] ?? 500, { error: { code, message, detail, hint } });
  }
}

const STATUS_OF_CODE: Readonly<Record<string, number>> = {
  CS_REQUEST_INVALID: 400,
  CS_NO_GRANT: 403,
  CS_CUSTODY_REFUSED: 403,
  CS_CONTENTS_HELD: 403,
  CS_TARGET_UNKNOWN: 403,
  CS_CATALOG_UNAVAILABLE: 503,
  CS_RECORD_FAILED: 503,
  CS_RECORD_FULL: 503,
  CS_RECORD_TIMEOUT: 503,
  CS_SHUTTING_DOWN: 503,
};

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  const keys = parsed.error.issues.map((issue) => issue.path.join('.') || issue.code);
  throw new CountersignError('CS_REQUEST_INVALID', {
    detail: `the request is not valid: ${keys.join(', ')}`,
  });
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > MAX_BODY_BYTES)
      throw new CountersignError('CS_REQUEST_INVALID', { detail: 'the request is too long' });
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8')) as unknown;
  } catch {
    throw new CountersignError('CS_REQUEST_INVALID', { detail: 'the request is not JSON' });
  }
}

function send(response: ServerResponse, status: number, value: unknown): void {
  const body = JSON.stringify(value);
  response.writeHead(status, {
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
  });
  response.end(body);
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(path, () => {
      server.off('error', reject);
      resolve();
    });
  });
}
