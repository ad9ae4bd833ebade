/**
 * Files for what must not block its thread and is no thread of its own: values that are spooled to the vault. The same faults
 * and the same trace as under `FileLayer`.
 */

import { mkdir, open, readdir, rename, rm, type FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';
import { createFaultGate, type FaultGate, type FaultSpec } from './faulty-file-layer.ts';
import { directorySteps } from './file-layer.ts';
import { TraceWriter, type TracedOperation } from './traced-file-layer.ts';

export interface AsyncFile {
  /** All of `bytes`, or rejects. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  /** Up to `length` bytes; fewer only at the end of the file. */
  read(target: Uint8Array, length: number, position: number): Promise<number>;
  sync(): Promise<void>;
  close(): Promise<void>;
}

export interface AsyncFileLayer {
  /** A new file, 0600; rejects when there is one. */
  create(path: string): Promise<AsyncFile>;
  rename(from: string, to: string): Promise<void>;
  /** Nothing happens when there is no such file. */
  remove(path: string): Promise<void>;
  /** With parents, 0700. Durable only after `syncDirectory` of each directory above. */
  makeDirectory(path: string): Promise<void>;
  syncDirectory(path: string): Promise<void>;
  /** All files below, as paths relative to it; none when it does not exist. */
  listAll(path: string): Promise<readonly string[]>;
}

let created = 0;

class RealAsyncFile implements AsyncFile {
  readonly #handle: FileHandle;
  readonly #layer: RealAsyncFileLayer;
  readonly #path: string;
  readonly #file: string;

  constructor(handle: FileHandle, layer: RealAsyncFileLayer, names: { path: string; file: string }) {
    this.#handle = handle;
    this.#layer = layer;
    this.#path = names.path;
    this.#file = names.file;
  }

  write(bytes: Uint8Array, position: number): Promise<void> {
    const traced = (): TracedOperation => ({
      op: 'write',
      file: this.#file,
      at: position,
      bytes: Buffer.from(bytes).toString('base64'),
    });
    return this.#layer.run('write', this.#path, traced, async () => {
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await this.#handle.write(bytes, done, bytes.length - done, position + done);
        done += bytesWritten;
      }
    });
  }

  async read(target: Uint8Array, length: number, position: number): Promise<number> {
    let done = 0;
    while (done < length) {
      const { bytesRead } = await this.#handle.read(target, done, length - done, position + done);
      if (bytesRead === 0) break;
      done += bytesRead;
    }
    return done;
  }

  sync(): Promise<void> {
    const traced = (): TracedOperation => ({ op: 'sync', file: this.#file });
    return this.#layer.run('sync', this.#path, traced, () => this.#handle.datasync());
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}

class RealAsyncFileLayer implements AsyncFileLayer {
  readonly #gate: FaultGate;
  readonly #trace: TraceWriter | undefined;

  constructor(faults: FaultSpec | undefined) {
    this.#gate = createFaultGate(faults);
    this.#trace = faults?.traceFile === undefined ? undefined : new TraceWriter(faults.traceFile);
  }

  /** Shows the fault of this moment, if there is one; else does the work. */
  async run(
    call: Parameters<FaultGate>[0],
    path: string,
    traced: () => TracedOperation,
    work: () => Promise<unknown>,
  ): Promise<void> {
    if (await this.#gate(call, path)) return;
    if (this.#trace === undefined) await work();
    else await this.#trace.recordAsync(traced(), work);
  }

  async create(path: string): Promise<AsyncFile> {
    const file = `async.${created++}`;
    let handle: FileHandle | undefined;
    await this.run(
      'open',
      path,
      () => ({ op: 'open', file, path }),
      async () => {
        handle = await open(path, 'wx+', 0o600);
      },
    );
    // Only a layer that lies comes here without one; a file cannot be opened in pretence.
    if (handle === undefined) throw Object.assign(new Error('ENOENT: no such file'), { code: 'ENOENT' });
    return new RealAsyncFile(handle, this, { path, file });
  }

  rename(from: string, to: string): Promise<void> {
    return this.run(
      'rename',
      to,
      () => ({ op: 'rename', path: from, to }),
      () => rename(from, to),
    );
  }

  remove(path: string): Promise<void> {
    return this.run(
      'remove',
      path,
      () => ({ op: 'remove', path }),
      () => rm(path, { force: true }),
    );
  }

  async makeDirectory(path: string): Promise<void> {
    for (const step of directorySteps(path)) {
      if (!step.isMissing) continue;
      const traced = (): TracedOperation => ({ op: 'makeDirectory', path: step.path });
      await this.run('makeDirectory', step.path, traced, () =>
        mkdir(step.path, { recursive: true, mode: 0o700 }),
      );
    }
  }

  syncDirectory(path: string): Promise<void> {
    return this.run(
      'syncDirectory',
      path,
      () => ({ op: 'syncDirectory', path }),
      async () => {
        const handle = await open(path, 'r');
        try {
          await handle.sync();
        } finally {
          await handle.close();
        }
      },
    );
  }

  async listAll(path: string): Promise<readonly string[]> {
    return await readdir(path, { recursive: true }).catch((): string[] => []);
  }
}

/** Without a specification the real one. */
export function createAsyncFileLayer(faults?: FaultSpec): AsyncFileLayer {
  return new RealAsyncFileLayer(faults);
}

/** Makes the names in `directory`, and its own and its parents' up to `top`, durable. */
export async function syncUpTo(layer: AsyncFileLayer, top: string, directory: string): Promise<void> {
  for (let path = directory; path.length >= top.length; path = dirname(path)) await layer.syncDirectory(path);
}
