import { request } from 'node:http';

import { CountersignError, ERROR_SURFACES } from '../errors.ts';
import type { ErrorCode } from '../errors.ts';
import { openControlPath } from './control-path.ts';

/** Asks a running gateway through the control socket in its state directory. */
export class ControlClient {
  readonly #stateDirectory: string;

  constructor(stateDirectory: string) {
    this.#stateDirectory = stateDirectory;
  }

  /** `timeoutMs`: how long a gateway that is there may take to answer. Default: for ever. */
  get<T>(path: string, timeoutMs?: number): Promise<T> {
    return this.#send<T>('GET', path, undefined, timeoutMs);
  }

  post<T>(path: string, body: unknown): Promise<T> {
    return this.#send<T>('POST', path, JSON.stringify(body));
  }

  async #send<T>(method: string, path: string, body?: string, timeoutMs?: number): Promise<T> {
    const { status, text } = await exchange(this.#stateDirectory, method, path, body, timeoutMs);
    const value = JSON.parse(text) as T | { readonly error: RemoteError };
    if (status === 200) return value as T;
    throw toError((value as { readonly error: RemoteError }).error);
  }
}

interface RemoteError {
  readonly code: string;
  readonly detail?: string;
  readonly hint?: string;
}

function toError({ code, detail, hint }: RemoteError): CountersignError {
  const known: ErrorCode = Object.hasOwn(ERROR_SURFACES, code) ? (code as ErrorCode) : 'CS_INTERNAL';
  return new CountersignError(known, {
    ...(detail === undefined ? {} : { detail }),
    ...(hint === undefined ? {} : { hint }),
  });
}

function exchange(
  stateDirectory: string,
  method: string,
  path: string,
  body: string | undefined,
  timeoutMs: number | undefined,
): Promise<{ readonly status: number; readonly text: string }> {
  const socket = openPath(stateDirectory);
  const patience = timeoutMs === undefined ? {} : { signal: AbortSignal.timeout(timeoutMs) };
  return new Promise((resolve, reject) => {
    const options = { socketPath: socket.path, method, path, agent: false, ...patience };
    const outgoing = request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', reject);
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString('utf8') });
      });
    });
    outgoing.on('socket', (connection) => connection.once('connect', () => socket.release()));
    outgoing.on('error', (error: NodeJS.ErrnoException) => reject(notReachable(stateDirectory, error)));
    outgoing.end(body);
  });
}

function openPath(stateDirectory: string): ReturnType<typeof openControlPath> {
  try {
    return openControlPath(stateDirectory);
  } catch (error) {
    throw notReachable(stateDirectory, error as NodeJS.ErrnoException);
  }
}

function notReachable(stateDirectory: string, error: NodeJS.ErrnoException): CountersignError {
  const denied = error.code === 'EACCES' || error.code === 'EPERM';
  return new CountersignError(denied ? 'CS_NO_GRANT' : 'CS_GATEWAY_UNAVAILABLE', {
    detail: `the control socket in ${stateDirectory} does not answer (${error.code ?? 'unknown'})`,
    hint: denied
      ? "Run this as the gateway's own user."
      : 'Is the gateway running? Start it with countersign serve.',
    cause: error,
  });
}
