import { constants } from 'node:fs';
import { open, rename, readdir, rm, stat, type FileHandle } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

import { unavailable, type OutgoingEvent, type Sink } from './sink.ts';

export interface FileSinkOptions {
  readonly path: string;
  /** A file that has grown beyond this is closed and renamed. */
  readonly maxBytes: number;
  /** Closed files that stay; 0: all. */
  readonly keep: number;
}

const NEWLINE = Buffer.from('\n');
/** How far back the last whole line is looked for at most; no event is longer. */
const MAX_LINE_BYTES = 1_048_576;

/**
 * JSON lines in a file. Delivered means synced. Full files become `<path>.<index of their first event, 15 digits>`, so their
 * names sort in the order of the log.
 *
 * A crash leaves at most one torn line at the end; it is cut when the file is opened again, and delivered again whole.
 */
export class FileSink implements Sink {
  readonly #options: FileSinkOptions;
  #handle: FileHandle | undefined;
  #inode = 0n;
  /** Bytes that were synced; what lies behind them after a failure is in doubt and cut off. */
  #size = 0;
  #isInDoubt = false;
  #firstIndex: number | undefined;

  constructor(options: FileSinkOptions) {
    this.#options = options;
  }

  async deliver(events: readonly OutgoingEvent[], signal: AbortSignal): Promise<void> {
    const { path } = this.#options;
    try {
      if (this.#handle !== undefined && !(await this.#isInPlace())) await this.#forget();
      this.#handle ??= await this.#open();
      if (this.#size >= this.#options.maxBytes) await this.#rotate();
      signal.throwIfAborted();
      const handle = this.#handle;
      const bytes = Buffer.concat(events.flatMap(({ json }) => [json, NEWLINE]));
      this.#firstIndex ??= events[0]?.index;
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, this.#size + done);
        done += bytesWritten;
      }
      await handle.datasync();
      this.#size += bytes.length;
    } catch (error) {
      // After a failed sync nobody knows what the disk holds: the next open cuts it off, and all of it is written again.
      this.#isInDoubt = this.#handle !== undefined;
      await this.#forget();
      throw unavailable(`${basename(path)} cannot be written`, error);
    }
  }

  async close(): Promise<void> {
    await this.#forget();
  }

  async #forget(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    this.#firstIndex = undefined;
    await handle?.close().catch(() => {});
  }

  /** False when somebody moved the file away; then a new one is begun. */
  async #isInPlace(): Promise<boolean> {
    try {
      return (await stat(this.#options.path, { bigint: true })).ino === this.#inode;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
      throw error;
    }
  }

  async #open(): Promise<FileHandle> {
    const { path } = this.#options;
    // Never a pipe or a device: a sync of those says nothing, and opening one may wait for ever.
    const flags = constants.O_RDWR | constants.O_CREAT | constants.O_NONBLOCK | constants.O_NOFOLLOW;
    const handle = await open(path, flags, 0o600);
    try {
      const status = await handle.stat({ bigint: true });
      if (!status.isFile()) throw Object.assign(new Error('not a regular file'), { code: 'ENOTFILE' });
      const size = Number(status.size);
      const isSameFile = status.ino === this.#inode;
      if (this.#isInDoubt && isSameFile && size > this.#size) await cut(handle, this.#size);
      else this.#size = await cutTornLine(handle, size);
      this.#isInDoubt = false;
      this.#inode = status.ino;
      this.#firstIndex = await firstIndexIn(handle);
      await syncDirectory(dirname(path));
      return handle;
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  async #rotate(): Promise<void> {
    const { path } = this.#options;
    const name = `${path}.${String(this.#firstIndex ?? 0).padStart(15, '0')}`;
    await this.#forget();
    await rename(path, await freeName(name));
    await this.#removeOld();
    this.#handle = await this.#open();
  }

  async #removeOld(): Promise<void> {
    const { path, keep } = this.#options;
    if (keep === 0) return;
    const prefix = `${basename(path)}.`;
    const closed = (await readdir(dirname(path)))
      .filter((file) => file.startsWith(prefix) && /^\d{15}(\.\d+)?$/.test(file.slice(prefix.length)))
      .sort();
    for (const file of closed.slice(0, -keep)) await rm(join(dirname(path), file));
  }
}

/** Gives the length without a line that has no end. */
async function cutTornLine(handle: FileHandle, size: number): Promise<number> {
  const length = Math.min(size, MAX_LINE_BYTES);
  const tail = Buffer.alloc(length);
  await handle.read(tail, 0, length, size - length);
  const end = size - length + tail.lastIndexOf(0x0a) + 1;
  if (end === size) return size;
  await cut(handle, end);
  return end;
}

async function cut(handle: FileHandle, size: number): Promise<void> {
  await handle.truncate(size);
  await handle.datasync();
}

/** An export that was put back writes the same events again; what it wrote before stays. */
async function freeName(name: string): Promise<string> {
  for (let number = 0; ; number++) {
    const candidate = number === 0 ? name : `${name}.${number}`;
    const isTaken = await stat(candidate).then(
      () => true,
      () => false,
    );
    if (!isTaken) return candidate;
  }
}

/** The sequence of the first event in the file; it names the file once it is full. */
async function firstIndexIn(handle: FileHandle): Promise<number | undefined> {
  const head = Buffer.alloc(4_096);
  const { bytesRead } = await handle.read(head, 0, head.length, 0);
  const match = /"sequence":(\d{1,15})/.exec(head.toString('utf8', 0, bytesRead));
  return match === null ? undefined : Number(match[1]);
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
