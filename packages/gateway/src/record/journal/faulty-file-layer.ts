/**
 * A file layer that fails on demand. Only tests choose it: through the option of `openRecorder`, or through
 * `serve --unsafe-faults` with `COUNTERSIGN_FAULTS`.
 */

import * as fs from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { FileLayer } from './file-layer.ts';

export interface FaultSpec {
  /**
   * Writes stay in memory until they are synced, renames until their directory is synced: what is lost when the
   * process is killed is then what a power cut would lose at worst.
   */
  readonly loseUnsynced?: boolean;
  /** With `loseUnsynced`: a sync of a segment answers at once and does nothing; the bytes reach the file this much later. A broken build. */
  readonly lazySyncMs?: number;
  /** A file with a JSON `FaultControl`, read again before every call that changes something. Absent: no fault. */
  readonly controlFile?: string;
  /** Every call that changes something is appended here with its bytes (see `traced-file-layer.ts`). */
  readonly traceFile?: string;
}

/** The calls that can be made to fail. `open` is of files that are to be written. */
export const FAULT_CALLS = [
  'open',
  'write',
  'allocate',
  'truncate',
  'sync',
  'rename',
  'remove',
  'makeDirectory',
  'syncDirectory',
] as const;

export type FaultCall = (typeof FAULT_CALLS)[number];

/** What fails when the control does not name calls. */
const DEFAULT_CALLS: readonly FaultCall[] = ['write', 'allocate', 'sync', 'rename', 'syncDirectory'];

export interface FaultControl {
  /** Fails matching calls with this error. */
  readonly fail?: 'EIO' | 'ENOSPC' | 'EROFS';
  /** Which calls; default `write`, `allocate`, `sync`, `rename` and `syncDirectory`. */
  readonly calls?: readonly FaultCall[];
  /** Matching calls wait until the control file says otherwise. */
  readonly stall?: boolean;
  /** Only paths that contain this text. */
  readonly path?: string;
  /** So many matching calls of each thread pass first. */
  readonly skip?: number;
  /** Writes put only half of the bytes down before they fail. */
  readonly short?: boolean;
  /** Matching calls do nothing and say that they did. */
  readonly lie?: boolean;
  /** What `freeBytes` answers. */
  readonly freeBytes?: number;
}

interface PendingWrite {
  readonly bytes: Buffer;
  readonly position: number;
}

const POLL_MS = 5;
const HITS_SUFFIX = '.hits';
const sleepCell = new Int32Array(new SharedArrayBuffer(4));

function isMeant(control: FaultControl, call: FaultCall, path: string): boolean {
  return (control.calls ?? DEFAULT_CALLS).includes(call) && path.includes(control.path ?? '');
}

class FaultyFileLayer {
  readonly #real: FileLayer;
  readonly #spec: FaultSpec;
  readonly #paths = new Map<number, string>();
  /** Per file (by the path it was opened with): writes that are not on the disk yet. */
  readonly #writes = new Map<string, PendingWrite[]>();
  readonly #renames: { readonly from: string; readonly to: string }[] = [];

  constructor(real: FileLayer, spec: FaultSpec) {
    this.#real = real;
    this.#spec = spec;
  }

  layer(): FileLayer {
    const real = this.#real;
    return {
      ...real,
      open: (path, mode) => {
        if (mode !== 'read') this.#fault('open', path);
        const handle = real.open(this.#current(path), mode);
        this.#paths.set(handle, path);
        return handle;
      },
      close: (handle) => {
        this.#flush(handle);
        this.#paths.delete(handle);
        real.close(handle);
      },
      size: (handle) => {
        const pending = this.#writes.get(this.#path(handle)) ?? [];
        return pending.reduce((size, w) => Math.max(size, w.position + w.bytes.length), real.size(handle));
      },
      read: (handle, target, length, position) => this.#read(handle, target, length, position),
      write: (handle, bytes, length, position) => this.#write(handle, bytes.subarray(0, length), position),
      allocate: (handle, from, to) => {
        if (this.#fault('allocate', this.#path(handle))) return;
        // Zeros over zeros: whether they are lost makes no difference, so they need not wait for a sync.
        real.allocate(handle, from, to);
      },
      truncate: (handle, length) => {
        if (!this.#fault('truncate', this.#path(handle))) real.truncate(handle, length);
      },
      sync: (handle) => this.#sync(handle),
      makeDirectory: (path) => {
        if (!real.exists(path) && this.#fault('makeDirectory', path)) return;
        real.makeDirectory(path);
      },
      rename: (from, to) => {
        if (this.#fault('rename', to)) return;
        // Segments become spare in one thread and are taken by another, each with a layer of its own: a rename that only one of them
        // knew of would let the other put a file in the place of one that is in use.
        const isShared = from.includes('/spare-') || to.includes('/spare-');
        if (this.#spec.loseUnsynced === true && !isShared) this.#renames.push({ from, to });
        else real.rename(from, to);
      },
      remove: (path) => {
        if (!this.#fault('remove', path)) real.remove(this.#current(path));
      },
      syncDirectory: (path) => {
        if (this.#fault('syncDirectory', path)) return;
        this.#applyRenames(path);
        real.syncDirectory(path);
      },
      exists: (path) => real.exists(this.#current(path)),
      list: (path) => this.#list(path),
      freeBytes: (path) => this.#control().freeBytes ?? real.freeBytes(path),
    };
  }

  #path(handle: number): string {
    return this.#paths.get(handle) ?? '';
  }

  /** Where the file that has this name after all renames really lies. */
  #current(path: string): string {
    const rename = this.#renames.findLast((r) => r.to === path);
    return rename === undefined ? path : this.#current(rename.from);
  }

  #list(path: string): readonly string[] {
    const names = new Set(this.#real.list(path));
    for (const { from, to } of this.#renames) {
      if (dirname(from) === path) names.delete(from.slice(path.length + 1));
      if (dirname(to) === path) names.add(to.slice(path.length + 1));
    }
    return [...names];
  }

  /** Calls that matched since the control file changed. */
  #matched = 0;
  #controlText = '';

  #control(): FaultControl {
    if (this.#spec.controlFile === undefined) return {};
    try {
      const text = fs.readFileSync(this.#spec.controlFile, 'utf8');
      if (text !== this.#controlText) this.#matched = 0;
      this.#controlText = text;
      return JSON.parse(text) as FaultControl;
    } catch {
      return {};
    }
  }

  /** Throws, waits, or gives true: then the call must do nothing and say that it did. */
  #fault(call: FaultCall, path: string): boolean {
    const matches = (control: FaultControl): boolean => isMeant(control, call, path);
    let control = this.#control();
    if (matches(control) && this.#matched++ < (control.skip ?? 0)) return false;
    while (control.stall === true && matches(control)) {
      Atomics.wait(sleepCell, 0, 0, POLL_MS);
      control = this.#control();
    }
    if (control.fail !== undefined && matches(control)) {
      fs.appendFileSync(`${this.#spec.controlFile}${HITS_SUFFIX}`, '.');
      throw Object.assign(new Error(`${control.fail}: injected`), { code: control.fail });
    }
    if (control.lie !== true || !matches(control)) return false;
    fs.appendFileSync(`${this.#spec.controlFile}${HITS_SUFFIX}`, '.');
    return true;
  }

  #write(handle: number, bytes: Buffer, position: number): void {
    const path = this.#path(handle);
    const control = this.#control();
    if (control.short === true && isMeant(control, 'write', path)) {
      this.#real.write(handle, bytes, bytes.length >> 1, position);
    }
    if (this.#fault('write', path)) return;
    if (this.#spec.loseUnsynced !== true) {
      this.#real.write(handle, bytes, bytes.length, position);
      return;
    }
    const pending = this.#writes.get(path);
    const write = { bytes: Buffer.from(bytes), position };
    if (pending === undefined) this.#writes.set(path, [write]);
    else pending.push(write);
  }

  #read(handle: number, target: Buffer, length: number, position: number): number {
    let count = this.#real.read(handle, target, length, position);
    for (const write of this.#writes.get(this.#path(handle)) ?? []) {
      const from = Math.max(position, write.position);
      const to = Math.min(position + length, write.position + write.bytes.length);
      if (from >= to) continue;
      target.set(write.bytes.subarray(from - write.position, to - write.position), from - position);
      count = Math.max(count, to - position);
    }
    return count;
  }

  #sync(handle: number): void {
    const path = this.#path(handle);
    if (this.#fault('sync', path)) return;
    if (this.#spec.lazySyncMs !== undefined && path.endsWith('.seg')) {
      this.#applyLater(path, this.#spec.lazySyncMs);
      return;
    }
    this.#apply(handle);
    this.#real.sync(handle);
  }

  #apply(handle: number): void {
    const path = this.#path(handle);
    for (const write of this.#writes.get(path) ?? []) {
      this.#real.write(handle, write.bytes, write.bytes.length, write.position);
    }
    this.#writes.delete(path);
  }

  /** The recorder's threads block, so a timer would never fire: what is old enough is applied at the next sync. */
  readonly #lazy: { readonly path: string; readonly writes: PendingWrite[]; readonly dueMs: number }[] = [];

  #applyLater(path: string, delayMs: number): void {
    const now = performance.now();
    const writes = this.#writes.get(path);
    if (writes !== undefined && writes.length > 0) {
      this.#lazy.push({ path, writes: [...writes], dueMs: now + delayMs });
    }
    while (this.#lazy[0] !== undefined && this.#lazy[0].dueMs <= now) {
      const due = this.#lazy.shift()!;
      const target = this.#current(due.path);
      if (!this.#real.exists(target)) continue;
      const handle = this.#real.open(target, 'write');
      for (const write of due.writes)
        this.#real.write(handle, write.bytes, write.bytes.length, write.position);
      this.#real.close(handle);
      const left = (this.#writes.get(due.path) ?? []).filter((w) => !due.writes.includes(w));
      this.#writes.set(due.path, left);
    }
  }

  /** A file that is closed in order loses nothing. */
  #flush(handle: number): void {
    const path = this.#path(handle);
    for (const due of this.#lazy.splice(0)) {
      if (due.path !== path) this.#lazy.push(due);
    }
    this.#apply(handle);
  }

  #applyRenames(directory: string): void {
    const left = [];
    for (const rename of this.#renames.splice(0)) {
      if (dirname(rename.to) === directory || dirname(rename.from) === directory)
        this.#real.rename(rename.from, rename.to);
      else left.push(rename);
    }
    this.#renames.push(...left);
  }
}

export function createFaultyFileLayer(real: FileLayer, spec: FaultSpec): FileLayer {
  return new FaultyFileLayer(real, spec).layer();
}

/** Asked before each call by who touches files without blocking; throws, waits, or gives true for a call that must only pretend. */
export type FaultGate = (call: FaultCall, path: string) => Promise<boolean>;

/** Shows the faults of `spec` but for `skip`, `short` and lost writes. */
export function createFaultGate(spec: FaultSpec | undefined): FaultGate {
  const file = spec?.controlFile;
  if (file === undefined) return () => Promise.resolve(false);
  const control = (): FaultControl => {
    try {
      return JSON.parse(fs.readFileSync(file, 'utf8')) as FaultControl;
    } catch {
      return {};
    }
  };
  return async (call, path) => {
    for (;;) {
      const now = control();
      if (!isMeant(now, call, path)) return false;
      if (now.stall === true) {
        await sleep(POLL_MS);
        continue;
      }
      if (now.fail === undefined && now.lie !== true) return false;
      fs.appendFileSync(`${file}${HITS_SUFFIX}`, '.');
      if (now.fail === undefined) return true;
      throw Object.assign(new Error(`${now.fail}: injected`), { code: now.fail });
    }
  };
}

/** Sets or clears (undefined) the fault that layers with this control file show. */
export function writeFaultControl(controlFile: string, control: FaultControl | undefined): void {
  const temporary = join(dirname(controlFile), `.${process.pid}.faults`);
  fs.writeFileSync(temporary, JSON.stringify(control ?? {}));
  fs.renameSync(temporary, controlFile);
}

/** How often layers with this control file have failed a call. */
export function countFaults(controlFile: string): number {
  const path = `${controlFile}${HITS_SUFFIX}`;
  return fs.existsSync(path) ? fs.statSync(path).size : 0;
}
