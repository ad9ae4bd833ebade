/**
 * The way through which journal, log and vault touch files. One interface, so that tests can put failures under the
 * recorder where a real disk would have them (see `faulty-file-layer.ts`). Everything is synchronous: it runs on the
 * recorder's own threads, and during recovery.
 */

import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { createFaultyFileLayer, type FaultSpec } from './faulty-file-layer.ts';
import { createTracedFileLayer } from './traced-file-layer.ts';

export interface FileLayer {
  /** `create` makes the file (0600) or opens it as it is; `write` and `read` need it to exist. */
  open(path: string, mode: 'create' | 'write' | 'read'): number;
  close(handle: number): void;
  size(handle: number): number;
  /** Up to `length` bytes; fewer only at the end of the file. */
  read(handle: number, target: Buffer, length: number, position: number): number;
  /** All of `bytes[0, length)`, or throws. */
  write(handle: number, bytes: Buffer, length: number, position: number): void;
  /** Zeros in `[from, to)`, really written, so that overwriting them later needs no new room. Not synced. */
  allocate(handle: number, from: number, to: number): void;
  truncate(handle: number, length: number): void;
  /** Makes the contents (and the length) durable. */
  sync(handle: number): void;
  rename(from: string, to: string): void;
  remove(path: string): void;
  /** Makes names in the directory durable. */
  syncDirectory(path: string): void;
  /** With parents, 0700. Durable, also where an earlier process made them and was killed before it synced. */
  makeDirectory(path: string): void;
  exists(path: string): boolean;
  list(path: string): readonly string[];
  /** Bytes that this process could still write on the file system of `path`. */
  freeBytes(path: string): number;
}

const ZEROS = Buffer.alloc(256 * 1024);

/** What lies above the state directory need not be open to us; then it is not ours to sync either. */
function syncIfReadable(path: string): void {
  try {
    realFileLayer.syncDirectory(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') throw error;
  }
}

/**
 * What `makeDirectory` does, in order: the newest directory that is there (a crash may have come between making it and syncing
 * its name), then those that are missing. Each is made if it must be, and the directory above it synced.
 */
export function directorySteps(
  path: string,
): readonly { readonly path: string; readonly isMissing: boolean }[] {
  const missing: { path: string; isMissing: boolean }[] = [];
  let present = path;
  for (; !fs.existsSync(present); present = dirname(present))
    missing.unshift({ path: present, isMissing: true });
  return [{ path: present, isMissing: false }, ...missing];
}

export const realFileLayer: FileLayer = {
  open(path, mode) {
    const { O_CREAT, O_RDWR, O_RDONLY } = fs.constants;
    const flags = mode === 'create' ? O_CREAT | O_RDWR : mode === 'write' ? O_RDWR : O_RDONLY;
    return fs.openSync(path, flags, 0o600);
  },
  close: (handle) => fs.closeSync(handle),
  size: (handle) => fs.fstatSync(handle).size,
  read(handle, target, length, position) {
    let done = 0;
    while (done < length) {
      const count = fs.readSync(handle, target, done, length - done, position + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  },
  write(handle, bytes, length, position) {
    for (let done = 0; done < length;) {
      done += fs.writeSync(handle, bytes, done, length - done, position + done);
    }
  },
  allocate(handle, from, to) {
    for (let at = from; at < to; at += ZEROS.length) {
      realFileLayer.write(handle, ZEROS, Math.min(ZEROS.length, to - at), at);
    }
  },
  truncate: (handle, length) => fs.ftruncateSync(handle, length),
  sync: (handle) => fs.fdatasyncSync(handle),
  rename: (from, to) => fs.renameSync(from, to),
  remove: (path) => fs.rmSync(path, { force: true }),
  syncDirectory(path) {
    const handle = fs.openSync(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
    try {
      fs.fsyncSync(handle);
    } finally {
      fs.closeSync(handle);
    }
  },
  makeDirectory(path) {
    for (const step of directorySteps(path)) {
      if (step.isMissing) fs.mkdirSync(step.path, { recursive: true, mode: 0o700 });
      syncIfReadable(dirname(step.path));
    }
  },
  exists: (path) => fs.existsSync(path),
  list: (path) => (fs.existsSync(path) ? fs.readdirSync(path) : []),
  freeBytes(path) {
    const stat = fs.statfsSync(path);
    return stat.bavail * stat.bsize;
  },
};

/** Without a specification the real one. The specification is plain data, so that it can go to a worker thread. */
export function createFileLayer(faults: FaultSpec | undefined): FileLayer {
  if (faults === undefined) return realFileLayer;
  const { traceFile } = faults;
  // The trace is of what really reaches the disk: a call that is made to fail is not in it.
  const below = traceFile === undefined ? realFileLayer : createTracedFileLayer(realFileLayer, traceFile);
  return createFaultyFileLayer(below, faults);
}

/** Reads a whole file; undefined when it does not exist. */
export function readWhole(layer: FileLayer, path: string): Buffer | undefined {
  if (!layer.exists(path)) return undefined;
  const handle = layer.open(path, 'read');
  try {
    const bytes = Buffer.allocUnsafe(layer.size(handle));
    return bytes.subarray(0, layer.read(handle, bytes, bytes.length, 0));
  } finally {
    layer.close(handle);
  }
}

/**
 * Puts a file in place so that a crash leaves the old one or the new one: (1) write `<path>.tmp`, (2) sync it,
 * (3) rename. The caller syncs the directory, once for all files of it.
 */
export function replaceFile(layer: FileLayer, path: string, bytes: Buffer): void {
  const temporary = `${path}.tmp`;
  const handle = layer.open(temporary, 'create');
  try {
    layer.truncate(handle, bytes.length);
    layer.write(handle, bytes, bytes.length, 0);
    layer.sync(handle);
  } finally {
    layer.close(handle);
  }
  layer.rename(temporary, path);
}
