/**
 * A file layer that writes down what it does, for the power-loss simulation of `test/faults`. Only tests choose it, through
 * `FaultSpec.traceFile`. Every thread of a process appends to the same file, one line of JSON per call, after the call; the
 * monotonic clock, which all threads share, gives the order.
 */

import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { threadId } from 'node:worker_threads';
import { directorySteps, type FileLayer } from './file-layer.ts';

/** What a call did. Handles are unique in a trace: the thread and the descriptor, at the time of the `open`. */
export type TracedOperation =
  | { readonly op: 'open'; readonly file: string; readonly path: string }
  | { readonly op: 'write'; readonly file: string; readonly at: number; readonly bytes: string }
  | { readonly op: 'allocate'; readonly file: string; readonly from: number; readonly to: number }
  | { readonly op: 'truncate'; readonly file: string; readonly length: number }
  | { readonly op: 'sync'; readonly file: string }
  | { readonly op: 'close'; readonly file: string }
  | { readonly op: 'rename'; readonly path: string; readonly to: string }
  | { readonly op: 'remove'; readonly path: string }
  | { readonly op: 'makeDirectory'; readonly path: string }
  | { readonly op: 'syncDirectory'; readonly path: string }
  /** Something that the test knows at this moment. */
  | { readonly op: 'note'; readonly note: unknown };

/** `start`, `end`: monotonic ns, as text because they pass 2^53. */
export type TraceLine = TracedOperation & { readonly start: string; readonly end: string };

export class TraceWriter {
  readonly #handle: number;

  constructor(path: string) {
    this.#handle = fs.openSync(path, 'a', 0o600);
  }

  /** Does something and writes it down. One write to a file opened for appending is not torn by other threads. */
  record<T>(operation: TracedOperation, work: () => T): T {
    const start = process.hrtime.bigint();
    const result = work();
    this.#append(operation, start);
    return result;
  }

  async recordAsync<T>(operation: TracedOperation, work: () => Promise<T>): Promise<T> {
    const start = process.hrtime.bigint();
    const result = await work();
    this.#append(operation, start);
    return result;
  }

  note(note: unknown): void {
    this.#append({ op: 'note', note }, process.hrtime.bigint());
  }

  #append(operation: TracedOperation, start: bigint): void {
    const line = { ...operation, start: String(start), end: String(process.hrtime.bigint()) };
    fs.writeSync(this.#handle, `${JSON.stringify(line)}\n`);
  }
}

export function createTracedFileLayer(real: FileLayer, traceFile: string): FileLayer {
  const trace = new TraceWriter(traceFile);
  const files = new Map<number, string>();
  let opened = 0;
  const nameOf = (handle: number): string => files.get(handle) ?? '';
  const isWritten = (handle: number): boolean => files.has(handle);
  return {
    ...real,
    open(path, mode) {
      if (mode === 'read') return real.open(path, mode);
      const file = `${threadId}.${opened++}`;
      const handle = trace.record({ op: 'open', file, path }, () => real.open(path, mode));
      files.set(handle, file);
      return handle;
    },
    close(handle) {
      if (!isWritten(handle)) return real.close(handle);
      trace.record({ op: 'close', file: nameOf(handle) }, () => real.close(handle));
      files.delete(handle);
      return undefined;
    },
    write(handle, bytes, length, position) {
      const content = bytes.toString('base64', 0, length);
      trace.record({ op: 'write', file: nameOf(handle), at: position, bytes: content }, () =>
        real.write(handle, bytes, length, position),
      );
    },
    allocate: (handle, from, to) =>
      trace.record({ op: 'allocate', file: nameOf(handle), from, to }, () => real.allocate(handle, from, to)),
    truncate: (handle, length) =>
      trace.record({ op: 'truncate', file: nameOf(handle), length }, () => real.truncate(handle, length)),
    sync: (handle) => trace.record({ op: 'sync', file: nameOf(handle) }, () => real.sync(handle)),
    rename: (from, to) => trace.record({ op: 'rename', path: from, to }, () => real.rename(from, to)),
    remove: (path) => trace.record({ op: 'remove', path }, () => real.remove(path)),
    syncDirectory: (path) => trace.record({ op: 'syncDirectory', path }, () => real.syncDirectory(path)),
    makeDirectory(path) {
      for (const step of directorySteps(path)) {
        if (step.isMissing) {
          trace.record({ op: 'makeDirectory', path: step.path }, () =>
            fs.mkdirSync(step.path, { recursive: true, mode: 0o700 }),
          );
        }
        const above = dirname(step.path);
        trace.record({ op: 'syncDirectory', path: above }, () => real.syncDirectory(above));
      }
    },
  };
}
