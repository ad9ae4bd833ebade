/** Where a log is read from: a directory, or a web server that publishes one. */

import { closeSync, constants, fstatSync, openSync, readSync, type Stats } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { join } from 'node:path';

export interface LogSource {
  /** The directory or URL. */
  readonly name: string;
  /** The bytes at a path (`checkpoint`, `tile/0/000`), or undefined when there is no such file. Throws `SourceError`. */
  read(path: string): Promise<Buffer | undefined>;
}

/** The source cannot be read (as opposed to: has no such file). */
export class SourceError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'SourceError';
  }
}

/** A full bundle of 256 leaves of 65,535 bytes and their lengths: nothing in a log is larger. */
export const MAX_FILE_BYTES = 256 * (65_535 + 2);
const HTTP_TIMEOUT_MS = 30_000;

/** A pipe or device in the place of a file must neither hang the check nor fill the memory. */
const OPEN_FLAGS = constants.O_RDONLY | constants.O_NONBLOCK;

/** Room for a file, and one byte more: that shows one that grows beyond what it said. */
function roomFor(status: Stats, path: string): Buffer {
  if (!status.isFile()) throw new SourceError(`${path} is not a regular file`);
  if (status.size > MAX_FILE_BYTES) throw new SourceError(`${path} is larger than any file of a log`);
  return Buffer.allocUnsafe(status.size + 1);
}

async function readRegular(file: string, path: string): Promise<Buffer> {
  const handle = await open(file, OPEN_FLAGS);
  try {
    const bytes = roomFor(await handle.stat(), path);
    let length = 0;
    while (length < bytes.length) {
      const { bytesRead } = await handle.read(bytes, length, bytes.length - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    if (length === bytes.length) throw new SourceError(`${path} changes while it is read`);
    return bytes.subarray(0, length);
  } finally {
    await handle.close();
  }
}

/** As `readRegular`, in one go. */
function readRegularSync(file: string, path: string): Buffer {
  const handle = openSync(file, OPEN_FLAGS);
  try {
    const bytes = roomFor(fstatSync(handle), path);
    let length = 0;
    while (length < bytes.length) {
      const bytesRead = readSync(handle, bytes, length, bytes.length - length, length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
    if (length === bytes.length) throw new SourceError(`${path} changes while it is read`);
    return bytes.subarray(0, length);
  } finally {
    closeSync(handle);
  }
}

export interface DirectoryOptions {
  /** Reads without giving way to anything else: faster where there is nothing else, as in a command. Default false. */
  readonly isBlocking?: boolean;
}

export function directorySource(directory: string, options: DirectoryOptions = {}): LogSource {
  return {
    name: directory,
    async read(path) {
      const file = join(directory, path);
      try {
        return options.isBlocking === true ? readRegularSync(file, path) : await readRegular(file, path);
      } catch (error) {
        if (error instanceof SourceError) throw error;
        const { code } = error as NodeJS.ErrnoException;
        if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
        throw new SourceError(`${path} cannot be read (${code ?? 'unknown error'})`, { cause: error });
      }
    },
  };
}

async function readBody(response: Response, path: string): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > MAX_FILE_BYTES) throw new SourceError(`${path} is larger than any file of a log`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** `url` is the folder that holds `checkpoint`. Redirects are not followed. */
export function httpSource(url: string): LogSource {
  const base = url.endsWith('/') ? url : `${url}/`;
  return {
    name: url,
    async read(path) {
      try {
        const response = await fetch(new URL(path, base), {
          redirect: 'error',
          signal: AbortSignal.timeout(HTTP_TIMEOUT_MS),
        });
        if (response.status === 404) {
          await response.body?.cancel();
          return undefined;
        }
        if (response.status !== 200) throw new SourceError(`${path}: the server answered ${response.status}`);
        return await readBody(response, path);
      } catch (error) {
        if (error instanceof SourceError) throw error;
        throw new SourceError(`${path} cannot be fetched`, { cause: error });
      }
    },
  };
}

/** A URL, a directory with a `checkpoint`, or a gateway's state directory with `log/checkpoint`. */
export async function openSource(location: string, options: DirectoryOptions = {}): Promise<LogSource> {
  if (/^https?:\/\//.test(location)) return httpSource(location);
  const isStateDirectory = await stat(join(location, 'log', 'checkpoint')).then(
    () => true,
    () => false,
  );
  return directorySource(isStateDirectory ? join(location, 'log') : location, options);
}
